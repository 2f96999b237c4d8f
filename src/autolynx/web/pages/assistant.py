"""One assistant: its settings, its use, and its end."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from autolynx.domain.actor import Actor
from autolynx.domain.assistant import Assistant
from autolynx.domain.config_diff import changes_to
from autolynx.flows.assistants import delete_assistant, edit_assistant
from autolynx.runtime import Runtime
from autolynx.store import assistant_versions, assistants, directory
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep
from autolynx.web.pages.assistant_form import Read, filled_with
from autolynx.web.pages.assistant_typed import Sheet, refuse, save_or_refuse, sheet_values, typed_values
from autolynx.web.pages.assistant_view import AssistantView
from autolynx.web.pages.assistants import assistant_id_of, look_at
from autolynx.web.pages.rendering import answer, fragment, page, toast

MOST_CAMPAIGNS = 50
MADE = {
    "created": "is created, here and at the provider. A test call shows how it sounds.",
    "imported": "is imported and can be chosen for campaigns. A test call shows how it sounds.",
    "updated": "was in the directory already, and is now as the provider has it.",
}

router = APIRouter(include_in_schema=False)


@router.get("/assistants/{assistant_id}")
async def show_settings(
    request: Request, assistant_id: str, runtime: RuntimeDep, actor: CallerDep, made: Annotated[str, Query()] = ""
) -> Response:
    """Show the settings of an assistant; those of a template, or to who may not change it, to be read only."""
    view = await look_at(runtime, assistant_id_of(assistant_id), actor)
    assistant, version = await _with_version(runtime, assistant_id)
    return await page(
        request,
        "assistant.html",
        section="assistants",
        view=view,
        tab="settings",
        made=MADE.get(made),
        **sheet_values(_sheet(assistant, version, view), filled_with(assistant.name, assistant.config)),
    )


@router.post("/assistants/{assistant_id}")
async def save_settings(request: Request, assistant_id: str, runtime: RuntimeDep, actor: CallerDep) -> Response:
    """Save what was typed, at the provider first; refused, everything typed is still there."""
    typed = await typed_values(request)
    before, version = await _with_version(runtime, assistant_id)
    sheet = _sheet(before, version)
    seen = typed.get("version", "")
    if version is not None and seen != str(version):
        return refuse(typed, sheet, problems={}, alarm=await _overtaken(runtime, before, version), status=409)

    async def save(read: Read) -> Assistant:
        changes = changes_to(before.config, read.config)
        return await edit_assistant(runtime, before.id, name=read.name, config=changes, actor=actor.name)

    saved = await save_or_refuse(typed, before.config, sheet, save)
    if isinstance(saved, Response):
        return saved
    return await _saved(runtime, saved, actor, version_before=version)


@router.get("/assistants/{assistant_id}/use")
async def show_use(request: Request, assistant_id: str, runtime: RuntimeDep, actor: CallerDep) -> Response:
    """Show the campaigns with an assistant, and how its calls went: those that the caller sees."""
    known_id, owner_id = assistant_id_of(assistant_id), actor.sees_only
    view = await look_at(runtime, known_id, actor)
    async with runtime.database.connection() as conn:
        campaigns = await directory.list_campaigns(conn, known_id, owner_id=owner_id, most=MOST_CAMPAIGNS)
    return await page(request, "assistant_use.html", section="assistants", view=view, tab="use", campaigns=campaigns)


@router.get("/assistants/{assistant_id}/delete")
async def ask_to_delete(assistant_id: str, runtime: RuntimeDep, actor: CallerDep) -> Response:
    """Show what deleting means, or the campaigns that forbid it."""
    known_id = assistant_id_of(assistant_id)
    view = await look_at(runtime, known_id, actor)
    async with runtime.database.connection() as conn:
        campaigns = await assistants.list_open_campaigns(conn, known_id)
    return answer(fragment("assistant_delete.html", view=view, campaigns=campaigns))


@router.post("/assistants/{assistant_id}/delete")
async def delete(assistant_id: str, runtime: RuntimeDep, actor: CallerDep) -> Response:
    """Take an assistant out of the directory, and go back to it."""
    await delete_assistant(runtime, assistant_id_of(assistant_id), actor=actor.name)
    return answer(HX_Redirect="/assistants")


def _sheet(assistant: Assistant, version: int | None, view: AssistantView | None = None) -> Sheet:
    return Sheet(
        action=f"/assistants/{assistant.id}",
        button="Save changes",
        version=version,
        is_locked=assistant.is_template or (view is not None and not view.may_write),
        cancel=f"/assistants/{assistant.id}",
    )


async def _with_version(runtime: Runtime, assistant_id: str) -> tuple[Assistant, int | None]:
    known_id = assistant_id_of(assistant_id)
    async with runtime.database.connection() as conn:
        assistant = await assistants.get(conn, known_id)
        latest = await assistant_versions.find_latest(conn, known_id)
    return assistant, latest.number if latest else None


async def _overtaken(runtime: Runtime, assistant: Assistant, version: int) -> str:
    async with runtime.database.connection() as conn:
        latest = await assistant_versions.get(conn, assistant.id, version)
    who = latest.actor or "Somebody"
    return (
        f"Nothing was saved: {who} changed this assistant while you were writing (version {version}). "
        "Your text is still here; save again to put it over that version."
    )


async def _saved(runtime: Runtime, saved: Assistant, actor: Actor, *, version_before: int | None) -> Response:
    """Return the form as it stands now, the head, and what was saved."""
    view = await look_at(runtime, saved.id, actor)
    _, version = await _with_version(runtime, str(saved.id))
    said = "Nothing was changed." if version == version_before else f"Saved as version {version}."
    form = sheet_values(_sheet(saved, version, view), filled_with(saved.name, saved.config))
    return answer(fragment("assistant_form.html", **form), fragment("assistant_part.html", view=view), toast(said))
