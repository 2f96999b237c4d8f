"""Start, pause, resume and stop, over JSON."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import JSONResponse

from autolynx.domain.campaign import CampaignStatus
from autolynx.flows.confirmed_start import wait_for_start
from autolynx.flows.dialing_state import estimate_start
from autolynx.runtime import Runtime
from autolynx.web import moves
from autolynx.web.auth import CallerDep
from autolynx.web.context import Launching, LaunchingDep, RuntimeDep
from autolynx.web.idempotency import OnceDep
from autolynx.web.shapes_campaign_inputs import StartInput, StopInput
from autolynx.web.shapes_campaigns import MoveAnswer, StartAnswer, StopAnswer

router = APIRouter(prefix="/api", tags=["campaigns"])


@router.post("/campaigns/{campaign_id}/start", response_model=StartAnswer, summary="Start a campaign")
async def start(
    campaign_id: UUID,
    *,
    runtime: RuntimeDep,
    actor: CallerDep,
    launching: LaunchingDep,
    once: OnceDep,
    body: StartInput | None = None,
) -> JSONResponse:
    """Start dialling. With `holdForConfirmation` the answer waits up to 30 s for the first accepted call.

    With `canary` only so many contacts are called; then the campaign pauses by itself, and Resume calls the rest.
    """
    wanted = body or StartInput()

    async def work() -> StartAnswer:
        return await _start(runtime, campaign_id, launching, actor=actor.name, wanted=wanted)

    return await once.answer(wanted.model_dump(mode="json", by_alias=True, exclude_none=True), work, status=200)


async def _start(
    runtime: Runtime, campaign_id: UUID, launching: Launching, *, actor: str, wanted: StartInput
) -> StartAnswer:
    holds = wanted.hold_for_confirmation
    campaign = await moves.start(runtime, campaign_id, launching, canary=wanted.canary, actor=actor)
    status, started_at = await wait_for_start(runtime, campaign_id) if holds else (campaign.status, None)
    if started_at is not None:
        return StartAnswer(
            campaign_id=campaign_id,
            status=status,
            estimated_start_time=started_at,
            message="The first call was accepted by the voice provider.",
        )
    return StartAnswer(
        campaign_id=campaign_id,
        status=status,
        estimated_start_time=await estimate_start(runtime) if status.is_running else None,
        message=_waiting(status, holds=holds),
    )


def _waiting(status: CampaignStatus, *, holds: bool) -> str:
    if not status.is_running:
        return f"The campaign is {status}; no call was accepted by the voice provider."
    if holds:
        return "No call was accepted within the time of waiting; the campaign goes on dialling by itself."
    return "The campaign is queued; the first call goes out as soon as a line is free."


@router.post("/campaigns/{campaign_id}/pause", summary="Pause a campaign")
async def pause(campaign_id: UUID, runtime: RuntimeDep, actor: CallerDep) -> MoveAnswer:
    """Place no new calls; live ones go on."""
    campaign = await moves.pause(runtime, campaign_id, actor=actor.name)
    message = "No new calls are placed; live ones go on."
    return MoveAnswer(campaign_id=campaign_id, status=campaign.status, message=message)


@router.post("/campaigns/{campaign_id}/resume", summary="Resume a campaign")
async def resume(campaign_id: UUID, runtime: RuntimeDep, actor: CallerDep, launching: LaunchingDep) -> MoveAnswer:
    """Go on where it was paused or failed, or with those who became due again after it was completed."""
    campaign = await moves.resume(runtime, campaign_id, launching, actor=actor.name)
    message = "The campaign goes on where it was."
    return MoveAnswer(campaign_id=campaign_id, status=campaign.status, message=message)


@router.post("/campaigns/{campaign_id}/stop", summary="Stop a campaign")
async def stop(
    campaign_id: UUID, runtime: RuntimeDep, actor: CallerDep, launching: LaunchingDep, body: StopInput | None = None
) -> StopAnswer:
    """Stop for good. With `hangUp` live calls are ended now, those that still ring as soon as they connect."""
    hangs_up = body is not None and body.hang_up
    stopped = await moves.stop(runtime, campaign_id, launching, hangs_up=hangs_up, actor=actor.name)
    return StopAnswer(
        campaign_id=campaign_id,
        status=stopped.campaign.status,
        message=moves.stopped_sentence(stopped, hangs_up=hangs_up),
        hung_up=stopped.hung_up,
        still_live=stopped.still_live,
    )
