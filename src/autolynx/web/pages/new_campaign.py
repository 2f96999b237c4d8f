"""A new campaign: a list is uploaded and looked at, the rest is chosen, and a plan says what would happen."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from autolynx.domain.actor import Actor
from autolynx.domain.assistant import Assistant
from autolynx.domain.csv_intake import EMPTY_FILE, too_large
from autolynx.domain.csv_magic import foreign_sentences
from autolynx.domain.import_report import UploadView
from autolynx.domain.phone import known_regions
from autolynx.errors import Conflict, NotFound, ProviderError, ValidationProblem
from autolynx.flows.campaign_edit import create_campaign
from autolynx.flows.phone_numbers import list_phone_numbers
from autolynx.flows.planning import plan_campaign
from autolynx.flows.upload_views import view_upload
from autolynx.log import log
from autolynx.runtime import Runtime
from autolynx.store import assistants, directory, phone_numbers
from autolynx.store.directory import DirectoryFilter
from autolynx.web import moves
from autolynx.web.auth import CallerDep, caller_of
from autolynx.web.context import LaunchingDep, RuntimeDep
from autolynx.web.pages.new_campaign_form import ADDRESS, Typed
from autolynx.web.pages.new_campaign_view import AssistantLook, PlanView, assistant_look, list_view, plan_view
from autolynx.web.pages.refused import refusal_of
from autolynx.web.pages.rendering import answer, fragment, page

MOST_ASSISTANTS = 500
# A function is not given bodies over 4.5 MB: what is larger comes in parts.
PART_BYTES = 4_000_000
USABLE = "active"
# The fields of a flow's refusal, as this form calls them.
_FIELDS = {
    "assistantId": "assistant",
    "phoneNumberId": "number",
    "again": "again",
    "name": "name",
    "cap": "cap",
    "uploadId": "file",
}

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, kw_only=True)
class NumberChoice:
    """A phone number to call from. `is_usable`: the provider lets it call."""

    id: str
    label: str
    is_usable: bool


@router.get(ADDRESS)
async def show(request: Request, runtime: RuntimeDep) -> Response:
    """Show the form, with everything that stands in the address."""
    return await _form(request, runtime, Typed.of(request.query_params), problems={})


@router.get(f"{ADDRESS}/plan")
async def show_plan(request: Request, runtime: RuntimeDep, actor: CallerDep) -> Response:
    """Bring the plan, and the look at the assistant, up to date with what is chosen."""
    typed = Typed.of(request.query_params)
    upload = await _upload(runtime, typed, actor)
    values = await _planned(runtime, typed, upload, actor)
    look: AssistantLook | None = values["look"]
    is_known = look is not None and request.query_params.get("looked") == look.key
    return answer(fragment("new_campaign_plan_part.html", typed=typed, is_look_known=is_known, **values))


@router.post(ADDRESS)
async def create(request: Request, runtime: RuntimeDep, actor: CallerDep, launching: LaunchingDep) -> Response:
    """Create the campaign, and start it if that is wanted."""
    typed = Typed.of(dict(await request.form()))
    problems = typed.problems()
    upload_id, assistant_id = typed.upload_id, typed.assistant_id
    if problems or upload_id is None or assistant_id is None:
        return await _form(request, runtime, typed, problems=problems, status=HTTPStatus.BAD_REQUEST)
    try:
        created = await create_campaign(runtime, typed.wanted(upload_id, assistant_id), by=actor.maker)
    except (Conflict, NotFound, ValidationProblem) as error:
        refused = refusal_of(error, _FIELDS, otherwise="file" if isinstance(error, NotFound) else "form")
        problems, status = dict(refused.problems), HTTPStatus.CONFLICT
        return await _form(request, runtime, typed, problems=problems, suggestion=refused.suggestion, status=status)
    campaign_id = created.campaign.id
    if typed.begin != "create":
        try:
            await moves.start(runtime, campaign_id, launching, canary=typed.first_calls, actor=actor.name)
        except (
            Conflict
        ) as error:  # its assistant was switched off in this very moment: the campaign's page offers Start
            log.warning("campaign.not_started", campaign_id=str(campaign_id), reason=error.message)
    return answer(HX_Redirect=f"/campaigns/{campaign_id}")


async def _form(
    request: Request,
    runtime: Runtime,
    typed: Typed,
    *,
    problems: dict[str, str],
    suggestion: str | None = None,
    status: int = HTTPStatus.OK,
) -> Response:
    actor = caller_of(request)
    upload = await _upload(runtime, typed, actor)
    if typed.upload and upload is None and "file" not in problems:
        problems = {**problems, "file": "The uploaded list is gone: it is kept for 24 hours. Upload the file again."}
    numbers, is_asked = await _numbers(runtime)
    choices = await _assistants(runtime)
    typed = _with_only_choices(runtime, typed, choices, numbers)
    values = await _planned(runtime, typed, upload, actor)
    return await page(
        request,
        "new_campaign.html",
        section="campaigns",
        status=status,
        typed=typed,
        problems=problems,
        suggestion=suggestion,
        list=list_view(upload) if upload else None,
        assistants=choices,
        numbers=numbers,
        numbers_are_known=is_asked,
        uploading=_uploading(runtime),
        default_cap=runtime.settings.default_concurrency_cap,
        **values,
    )


def _uploading(runtime: Runtime) -> dict[str, Any]:
    """Return what the browser needs to know before it sends a file, in the words of the server."""
    settings = runtime.settings
    return {
        "limit": settings.max_upload_bytes,
        "too_large": too_large(settings.max_upload_bytes).message,
        "empty": EMPTY_FILE,
        "foreign": foreign_sentences(),
        "part_bytes": PART_BYTES if settings.runtime == "function" else 0,
        "regions": known_regions(),
        "region": settings.default_region,
    }


async def _upload(runtime: Runtime, typed: Typed, actor: Actor) -> UploadView | None:
    if typed.upload_id is None:
        return None
    try:
        return await view_upload(runtime, typed.upload_id, owner_id=actor.sees_only)
    except NotFound:
        return None


async def _assistants(runtime: Runtime) -> list[Assistant]:
    async with runtime.database.connection() as conn:
        found = await directory.list_page(conn, DirectoryFilter(active=True), most=MOST_ASSISTANTS, skip=0)
    return [one.assistant for one in found if not one.assistant.is_template]


async def _numbers(runtime: Runtime) -> tuple[list[NumberChoice], bool]:
    """Return the numbers, usable ones first, and whether the provider was asked; else those known here."""
    try:
        found = await list_phone_numbers(runtime)
    except ProviderError as error:
        log.warning("page.numbers_unknown", reason=error.message)
        async with runtime.database.connection() as conn:
            labels = await phone_numbers.list_labels(conn)
        return [NumberChoice(id=key, label=one.label or key, is_usable=True) for key, one in labels.items()], False
    shown = [
        NumberChoice(
            id=remote.phone_number_id,
            label=_label(remote.name, remote.number, remote.phone_number_id),
            is_usable=remote.status == USABLE,
        )
        for remote, _ in found
    ]
    return sorted(shown, key=lambda one: not one.is_usable), True


def _label(name: str | None, number: str | None, number_id: str) -> str:
    return " · ".join(one for one in (name, number) if one) or number_id


def _with_only_choices(
    runtime: Runtime, typed: Typed, choices: Sequence[Assistant], numbers: Sequence[NumberChoice]
) -> Typed:
    """Choose for the person where there is nothing to choose from."""
    usable = [one.id for one in numbers if one.is_usable]
    ours = runtime.settings.vapi_phone_number_id
    number = typed.number or (ours if ours in usable else "") or (usable[0] if len(usable) == 1 else "")
    assistant = typed.assistant or (str(choices[0].id) if len(choices) == 1 else "")
    return Typed(**{**vars(typed), "number": number, "assistant": assistant})


async def _planned(runtime: Runtime, typed: Typed, upload: UploadView | None, actor: Actor) -> dict[str, Any]:
    plan: PlanView | None = None
    if upload is not None:
        planned = await plan_campaign(
            runtime,
            upload.id,
            typed.choices(),
            includes_recently_called=typed.calls_again_lately,
            is_repeat_allowed=typed.again == "on",
            owner_id=actor.sees_only,
        )
        plan = plan_view(planned, first_calls=typed.first_calls)
    return {"plan": plan, "look": await _look(runtime, typed, upload)}


async def _look(runtime: Runtime, typed: Typed, upload: UploadView | None) -> AssistantLook | None:
    if typed.assistant_id is None:
        return None
    try:
        async with runtime.database.connection() as conn:
            assistant = await assistants.get(conn, typed.assistant_id)
    except NotFound:
        return None
    columns = [one.header for one in upload.columns] if upload else None
    return assistant_look(assistant.id, assistant.name, assistant.config, columns)
