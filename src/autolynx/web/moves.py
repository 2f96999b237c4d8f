"""Start, pause, resume and stop, as API and pages do them: moved, put on record, and lines put to use at once."""

from uuid import UUID

from autolynx.domain.campaign import Campaign
from autolynx.flows.audit_trail import note
from autolynx.flows.campaign_life import Stopped, pause_campaign, resume_campaign, start_campaign, stop_campaign
from autolynx.runtime import Runtime
from autolynx.web.context import Launching


async def start(
    runtime: Runtime, campaign_id: UUID, launching: Launching, *, canary: int | None = None, actor: str
) -> Campaign:
    """Start a campaign; with `canary` it pauses by itself after so many contacts."""
    campaign = await start_campaign(runtime, campaign_id, canary=canary)
    details = {"canary": canary} if canary else {}
    await note(runtime, "campaign.started", actor=actor, subject=str(campaign_id), details=details)
    await launching.work_added()
    return campaign


async def pause(runtime: Runtime, campaign_id: UUID, *, actor: str) -> Campaign:
    """Place no new calls; live ones go on."""
    campaign = await pause_campaign(runtime, campaign_id)
    await note(runtime, "campaign.paused", actor=actor, subject=str(campaign_id))
    return campaign


async def resume(runtime: Runtime, campaign_id: UUID, launching: Launching, *, actor: str) -> Campaign:
    """Go on where it was."""
    campaign = await resume_campaign(runtime, campaign_id)
    await note(runtime, "campaign.resumed", actor=actor, subject=str(campaign_id))
    await launching.work_added()
    return campaign


async def stop(runtime: Runtime, campaign_id: UUID, launching: Launching, *, hangs_up: bool, actor: str) -> Stopped:
    """Stop for good. Claims that were never sent went back: others may use their lines."""
    stopped = await stop_campaign(runtime, campaign_id, hangs_up=hangs_up)
    await note(runtime, "campaign.stopped", actor=actor, subject=str(campaign_id), details={"hangUp": hangs_up})
    await launching.line_freed()
    return stopped


def stopped_sentence(stopped: Stopped, *, hangs_up: bool) -> str:
    """Say what became of the calls that were live."""
    if not stopped.hung_up and not stopped.still_live:
        return "The campaign is stopped; no call of it is live."
    rest = "are hung up as soon as they connect" if hangs_up else "end by themselves"
    return f"The campaign is stopped; {stopped.hung_up} calls were asked to end, {stopped.still_live} {rest}."
