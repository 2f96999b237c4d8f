"""A new assistant: written, cloned from another, or imported from the account."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from autolynx.domain.assistant import MOST_NAME_CHARACTERS, Assistant
from autolynx.domain.assistant_version import VersionAction
from autolynx.errors import AutolynxError, ProviderError, kind_of
from autolynx.flows.assistant_import import import_assistant, list_importable
from autolynx.flows.assistant_names import suggest
from autolynx.flows.assistants import create_assistant
from autolynx.runtime import Runtime
from autolynx.store import assistants
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep
from autolynx.web.pages.assistant_choices import BLANK
from autolynx.web.pages.assistant_form import Read, filled_with
from autolynx.web.pages.assistant_typed import Sheet, beside, save_or_refuse, sheet_values, typed_values
from autolynx.web.pages.assistants import assistant_id_of, list_templates
from autolynx.web.pages.rendering import answer, fragment, page

NEW = "/assistants/new"
CREATE = Sheet(action=NEW, button="Create assistant")

router = APIRouter(include_in_schema=False)


@router.get("/assistants/new")
async def ask_for_new(
    request: Request, runtime: RuntimeDep, actor: CallerDep, original: Annotated[str, Query(alias="from")] = ""
) -> Response:
    """Show the form: blank, or filled with what is cloned."""
    cloned = await _original(runtime, original)
    if cloned is None:
        form, sheet = filled_with("", BLANK), CREATE
    else:
        name = await suggest(runtime, cloned.name) or cloned.name
        form, sheet = filled_with(name, cloned.config), _clone_sheet(cloned.id)
    return await page(
        request,
        "assistant_new.html",
        section="assistants",
        cloned=cloned,
        templates=await list_templates(runtime, actor) if cloned is None else [],
        **sheet_values(sheet, form),
    )


@router.post("/assistants/new")
async def create(request: Request, runtime: RuntimeDep, actor: CallerDep) -> Response:
    """Create it at the provider and here, and go to its page."""
    typed = await typed_values(request)
    cloned = await _original(runtime, typed.get("original", ""))
    sheet, base = (CREATE, BLANK) if cloned is None else (_clone_sheet(cloned.id), cloned.config)
    action = VersionAction.CREATED if cloned is None else VersionAction.CLONED

    async def save(read: Read) -> Assistant:
        return await create_assistant(runtime, name=read.name, config=read.config, actor=actor.name, action=action)

    made = await save_or_refuse(typed, base, sheet, save)
    return made if isinstance(made, Response) else answer(HX_Redirect=f"/assistants/{made.id}?made=created")


@router.get("/assistants/import")
async def ask_for_import(request: Request) -> Response:
    """Show the page at once; what the account has comes when the provider answers."""
    return await page(request, "assistant_import.html", section="assistants")


@router.get("/assistants/import/account")
async def show_account(runtime: RuntimeDep) -> Response:
    """Show what assistants the account has."""
    try:
        found = await list_importable(runtime)
    except ProviderError as error:
        return answer(fragment("assistant_account.html", found=(), alarm=error.message))
    found = sorted(found, key=lambda one: (one.assistant_id is not None, one.remote.name.lower()))
    return answer(fragment("assistant_account.html", found=found, alarm=None))


@router.post("/assistants/import")
async def take_over(
    runtime: RuntimeDep,
    actor: CallerDep,
    provider_id: Annotated[str, Form(max_length=300)] = "",
    name: Annotated[str, Form(max_length=300)] = "",
    use_name: Annotated[str, Form(max_length=300)] = "",
) -> Response:
    """Import an assistant and go to its page."""
    name = use_name or name
    try:
        imported = await import_assistant(runtime, provider_id, name=name.strip() or None, actor=actor.name)
    except AutolynxError as error:
        return _refused_import(error, provider_id, name)
    made = "imported" if imported.is_new else "updated"
    return answer(HX_Redirect=f"/assistants/{imported.assistant.id}?made={made}")


def _refused_import(error: AutolynxError, provider_id: str, name: str) -> Response:
    """Return the form with the sentence where it belongs; a taken name with one that is free."""
    status = kind_of(error).http_status
    is_about_name = error.details.get("field") == "name"
    values = {
        "provider_id": provider_id,
        "name": name,
        "asks_name": is_about_name or bool(name),
        "name_problem": beside(error) if is_about_name else None,
        "id_problem": None if is_about_name else beside(error),
        "suggestion": error.details.get("suggestion"),
        "most_name": MOST_NAME_CHARACTERS,
    }
    return answer(fragment("assistant_import_form.html", **values), status=status)


def _clone_sheet(original: UUID) -> Sheet:
    return Sheet(action=NEW, button="Create the clone", original=str(original), cancel=f"/assistants/{original}")


async def _original(runtime: Runtime, text: str) -> Assistant | None:
    if not text:
        return None
    async with runtime.database.connection() as conn:
        return await assistants.get(conn, assistant_id_of(text))
