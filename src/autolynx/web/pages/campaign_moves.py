"""The buttons of a campaign: start, pause, resume, stop. Each answers with the campaign as it is afterwards."""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import Response

from autolynx.runtime import Runtime
from autolynx.web import moves
from autolynx.web.auth import CallerDep
from autolynx.web.context import LaunchingDep, RuntimeDep
from autolynx.web.pages.campaign_address import campaign_id_of
from autolynx.web.pages.campaign_frame import look_at
from autolynx.web.pages.campaign_view import CampaignView
from autolynx.web.pages.fragments import moved
from autolynx.web.pages.new_campaign_form import DEFAULT_CANARY, NUMBERS, number_problem
from autolynx.web.pages.rendering import answer, fragment, toast

router = APIRouter(include_in_schema=False)


@router.get("/campaigns/{campaign_id}/start")
async def ask_for_canary(campaign_id: str, runtime: RuntimeDep) -> Response:
    """Ask how many contacts are called before the campaign waits for a person."""
    view = (await look_at(runtime, campaign_id_of(campaign_id))).view
    return _canary_dialog(view, DEFAULT_CANARY)


@router.post("/campaigns/{campaign_id}/start")
async def start(
    campaign_id: str,
    runtime: RuntimeDep,
    actor: CallerDep,
    launching: LaunchingDep,
    *,
    begin: Annotated[str, Form()] = "",
    canary: Annotated[str, Form()] = "",
) -> Response:
    """Press Start; with a canary the campaign pauses by itself after so many contacts. A wrong number stays typed."""
    known_id = campaign_id_of(campaign_id)
    is_canary = begin == "canary" or bool(canary)
    if is_canary and (problem := number_problem(canary, "canary")):
        return _canary_dialog((await look_at(runtime, known_id)).view, canary, problem=problem)
    first = int(canary) if is_canary else None
    campaign = await moves.start(runtime, known_id, launching, canary=first, actor=actor.name)
    if first:
        return await _answer(
            runtime, campaign_id, f"{campaign.name} is started. It pauses by itself after {first} contacts."
        )
    return await _answer(runtime, campaign_id, f"{campaign.name} is started. Calls go out as lines are free.")


def _canary_dialog(view: CampaignView, canary: str, *, problem: str | None = None) -> Response:
    problems = {"canary": problem} if problem else {}
    values = {"view": view, "canary": canary, "problems": problems, "limits": NUMBERS["canary"]}
    return answer(fragment("canary_dialog.html", **values), status=400 if problem else 200)


@router.post("/campaigns/{campaign_id}/pause")
async def pause(campaign_id: str, runtime: RuntimeDep, actor: CallerDep) -> Response:
    """Press Pause."""
    campaign = await moves.pause(runtime, campaign_id_of(campaign_id), actor=actor.name)
    return await _answer(runtime, campaign_id, f"{campaign.name} is paused. Live calls go on to their end.")


@router.post("/campaigns/{campaign_id}/resume")
async def resume(campaign_id: str, runtime: RuntimeDep, actor: CallerDep, launching: LaunchingDep) -> Response:
    """Press Resume."""
    campaign = await moves.resume(runtime, campaign_id_of(campaign_id), launching, actor=actor.name)
    return await _answer(runtime, campaign_id, f"{campaign.name} goes on where it was.")


@router.get("/campaigns/{campaign_id}/stop")
async def ask_to_stop(campaign_id: str, runtime: RuntimeDep) -> Response:
    """Show what stopping means, before it is done."""
    view = (await look_at(runtime, campaign_id_of(campaign_id))).view
    return answer(fragment("stop_dialog.html", view=view))


@router.post("/campaigns/{campaign_id}/stop")
async def stop(
    campaign_id: str,
    runtime: RuntimeDep,
    actor: CallerDep,
    launching: LaunchingDep,
    live_calls: Annotated[str, Form(alias="liveCalls")] = "end",
) -> Response:
    """Stop for good; live calls end by themselves, or are hung up."""
    hangs_up = live_calls == "hang-up"
    stopped = await moves.stop(runtime, campaign_id_of(campaign_id), launching, hangs_up=hangs_up, actor=actor.name)
    return await _answer(runtime, campaign_id, moves.stopped_sentence(stopped, hangs_up=hangs_up))


async def _answer(runtime: Runtime, campaign_id: str, sentence: str) -> Response:
    view = (await look_at(runtime, campaign_id_of(campaign_id))).view
    return answer(moved(view), toast(sentence))
