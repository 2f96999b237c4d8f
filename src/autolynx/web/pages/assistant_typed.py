"""What somebody typed into the form of an assistant: read, saved or refused with everything still in it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from autolynx.domain.assistant import MOST_NAME_CHARACTERS, Assistant
from autolynx.domain.naming import tidy_name
from autolynx.errors import AutolynxError, Conflict, ProviderError, ValidationProblem, kind_of
from autolynx.web.pages import assistant_choices as choices
from autolynx.web.pages.assistant_form import Filled, Read, read_form
from autolynx.web.pages.rendering import answer, fragment
from autolynx.web.shapes import unstorable

Save = Callable[[Read], Awaitable[Assistant]]


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """How the form is shown: where it goes, what its button says, and what was refused as a whole."""

    action: str
    button: str
    version: int | None = None
    original: str | None = None  # the id of what is cloned
    is_locked: bool = False
    alarm: str | None = None
    cancel: str = "/assistants"


def sheet_values(sheet: Sheet, form: Filled) -> dict[str, Any]:
    """Return what the templates of the form need."""
    return {"sheet": sheet, "form": form, "choices": choices}


async def typed_values(request: Request) -> dict[str, str]:
    """Return what was typed, with the suggested name where it was taken. Raises ValidationProblem."""
    values = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    suggested = values.pop("use_name", "")
    values |= {"name": suggested} if suggested else {}
    problem = unstorable(values)
    if problem:
        raise ValidationProblem(f"form: {problem}.", field="form")
    return values


async def save_or_refuse(
    typed: Mapping[str, str], base: Mapping[str, Any], sheet: Sheet, save: Save
) -> Assistant | Response:
    """Return the saved assistant, or the form with everything typed and the sentence beside each field."""
    read = read_form(typed, base)
    problems = dict(read.problems)
    try:
        tidy_name(read.name, longest=MOST_NAME_CHARACTERS)
    except ValidationProblem as problem:
        problems["name"] = beside(problem)
    if problems:
        return refuse(typed, sheet, problems=problems)
    try:
        return await save(read)
    except (ValidationProblem, Conflict, ProviderError) as error:
        return refused(typed, sheet, error)


def refused(typed: Mapping[str, str], sheet: Sheet, error: AutolynxError) -> Response:
    """Return the form with what a flow or the provider refused: beside the name, or above everything."""
    status = kind_of(error).http_status
    suggestion = error.details.get("suggestion")
    if error.details.get("field") == "name":
        return refuse(typed, sheet, problems={"name": beside(error)}, suggestion=suggestion, status=status)
    return refuse(typed, sheet, problems={}, alarm=f"Nothing was saved. {error.message}", status=status)


def refuse(
    typed: Mapping[str, str],
    sheet: Sheet,
    *,
    problems: Mapping[str, str],
    alarm: str | None = None,
    suggestion: str | None = None,
    status: int = 400,
) -> Response:
    """Return the form as it was typed, with what is wrong."""
    form = Filled(values=typed, problems=problems, suggestion=suggestion)
    shown = replace(sheet, alarm=alarm)
    return answer(fragment("assistant_form.html", **sheet_values(shown, form)), status=status)


def beside(error: AutolynxError) -> str:
    """Return an error's sentence as it stands beside its field: without the field's name."""
    sentence = error.message.partition(": ")[2] or error.message
    return sentence[:1].upper() + sentence[1:]
