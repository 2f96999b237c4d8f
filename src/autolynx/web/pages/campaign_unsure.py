"""Contacts of a campaign of which nobody can say whether they were called: a person decides."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form
from starlette.responses import Response

from autolynx.errors import ValidationProblem
from autolynx.flows.dialing import Decision
from autolynx.runtime import Runtime
from autolynx.web import dialing_moves
from autolynx.web.auth import CallerDep
from autolynx.web.context import LaunchingDep, RuntimeDep
from autolynx.web.pages.call import call_id_of
from autolynx.web.pages.campaign_address import campaign_id_of
from autolynx.web.pages.campaign_frame import list_unsure, look_at
from autolynx.web.pages.decided import decided_sentence
from autolynx.web.pages.fragments import moved
from autolynx.web.pages.rendering import answer, fragment

router = APIRouter(include_in_schema=False)


@router.get("/campaigns/{campaign_id}/unsure")
async def show_unsure(campaign_id: str, runtime: RuntimeDep) -> Response:
    """Show who waits for a decision."""
    return answer(await _section(runtime, campaign_id_of(campaign_id)))


@router.post("/campaigns/{campaign_id}/unsure/{call_id}")
async def decide(
    campaign_id: str,
    call_id: str,
    runtime: RuntimeDep,
    actor: CallerDep,
    launching: LaunchingDep,
    *,
    decision: Annotated[str, Form()] = "",
) -> Response:
    """Dial the contact again, leave it, or take a decision to leave it back."""
    if decision not in set(Decision):
        raise ValidationProblem("Choose to dial again or to leave it.", field="decision")
    chosen, known_id, decided_id = Decision(decision), campaign_id_of(campaign_id), call_id_of(call_id)
    await dialing_moves.decide(runtime, decided_id, chosen, launching, actor=actor.name)
    view = (await look_at(runtime, known_id)).view
    undo = f"/campaigns/{known_id}/unsure/{decided_id}" if chosen is Decision.LEAVE else None
    said = fragment("decided_part.html", text=await decided_sentence(runtime, decided_id, chosen), undo=undo)
    return answer(moved(view), await _section(runtime, known_id, is_part=True), said)


async def _section(runtime: Runtime, campaign_id: UUID, *, is_part: bool = False) -> str:
    seen = await look_at(runtime, campaign_id)
    template = "campaign_unsure_part.html" if is_part else "campaign_unsure.html"
    return fragment(template, view=seen.view, unsure=await list_unsure(runtime, seen.report))
