"""What can be changed in a campaign from its page: name and cap at any time, and the end of it."""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import Response

from autolynx.domain.campaign import MAX_CAP, MIN_CAP
from autolynx.errors import Conflict, ValidationProblem
from autolynx.flows.campaign_edit import Changes, Edited, delete_campaign, patch_campaign
from autolynx.runtime import Runtime
from autolynx.web.auth import CallerDep
from autolynx.web.context import LaunchingDep, RuntimeDep
from autolynx.web.pages.campaign_address import campaign_id_of
from autolynx.web.pages.campaign_frame import look_at
from autolynx.web.pages.fragments import moved
from autolynx.web.pages.rendering import answer, fragment, toast

router = APIRouter(include_in_schema=False)


@router.get("/campaigns/{campaign_id}/edit")
async def ask_for_changes(campaign_id: str, runtime: RuntimeDep) -> Response:
    """Show name and cap as they are, to be changed."""
    view = (await look_at(runtime, campaign_id_of(campaign_id))).view
    return _form(view, name=view.name, cap=str(view.cap))


@router.post("/campaigns/{campaign_id}/edit")
async def change(
    campaign_id: str,
    runtime: RuntimeDep,
    actor: CallerDep,
    launching: LaunchingDep,
    *,
    name: Annotated[str, Form()] = "",
    cap: Annotated[str, Form()] = "",
) -> Response:
    """Change name and cap; what is refused stays in the form, with the sentence beside its field."""
    known_id = campaign_id_of(campaign_id)
    try:
        wanted = Changes(name=name, cap=_number(cap))
        edited = await patch_campaign(runtime, known_id, wanted, actor=actor.name)
    except (ValidationProblem, Conflict) as problem:
        view = (await look_at(runtime, known_id)).view
        field = getattr(problem, "field", None) or "name"
        status = 400 if isinstance(problem, ValidationProblem) else 409
        return _form(view, name=name, cap=cap, problems={field: problem.message}, status=status)
    if edited.has_more_room and edited.after.status.is_running:
        await launching.work_added()
    return await _answer(runtime, campaign_id, _said(edited))


@router.post("/campaigns/{campaign_id}/cap")
async def change_cap(
    campaign_id: str,
    runtime: RuntimeDep,
    actor: CallerDep,
    launching: LaunchingDep,
    *,
    cap: Annotated[str, Form()] = "",
) -> Response:
    """Call more or fewer at once, from now on."""
    edited = await patch_campaign(runtime, campaign_id_of(campaign_id), Changes(cap=_number(cap)), actor=actor.name)
    if edited.has_more_room and edited.after.status.is_running:
        await launching.work_added()
    view = (await look_at(runtime, edited.after.id)).view
    return answer(moved(view))


@router.get("/campaigns/{campaign_id}/delete")
async def ask_to_delete(campaign_id: str, runtime: RuntimeDep) -> Response:
    """Show what deleting means, before it is done."""
    view = (await look_at(runtime, campaign_id_of(campaign_id))).view
    return answer(fragment("delete_dialog.html", view=view))


@router.post("/campaigns/{campaign_id}/delete")
async def delete(campaign_id: str, runtime: RuntimeDep, actor: CallerDep) -> Response:
    """Delete a campaign that has no live call."""
    await delete_campaign(runtime, campaign_id_of(campaign_id), actor=actor.name)
    return answer(HX_Redirect="/")


def _number(text: str) -> int:
    try:
        return int(text.strip())
    except ValueError:
        raise ValidationProblem(f"Give a whole number from {MIN_CAP} to {MAX_CAP}.", field="cap") from None


def _form(view: object, *, name: str, cap: str, problems: dict[str, str] | None = None, status: int = 200) -> Response:
    limits = {"least": MIN_CAP, "most": MAX_CAP}
    html = fragment("edit_dialog.html", view=view, name=name, cap=cap, problems=problems or {}, **limits)
    return answer(html, status=status)


def _said(edited: Edited) -> str:
    if edited.before.cap != edited.after.cap:
        return f"Saved. Up to {edited.after.cap} calls at once from now on."
    return "Saved."


async def _answer(runtime: Runtime, campaign_id: str, sentence: str) -> Response:
    view = (await look_at(runtime, campaign_id_of(campaign_id))).view
    return answer(moved(view), toast(sentence))
