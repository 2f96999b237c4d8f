"""What its calls leave a campaign as: started, running, over, failed, or paused by itself. A part of settling."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from autolynx.domain.advance import Advance
from autolynx.domain.call import Call, CallStatus
from autolynx.domain.campaign import TRANSITIONS, Campaign, CampaignStatus, Standings, canary_pause, status_after
from autolynx.domain.outcome import Blame
from autolynx.domain.self_pause import watch_after, watch_sentence
from autolynx.domain.words import why
from autolynx.log import log
from autolynx.store import audit, campaigns
from autolynx.store.database import Connection
from autolynx.store.settling import Locked

ENGINE = "autolynx"  # who acts where no person does
_BUSY = Standings(due=1, calling=1, lines=1, calls=1, canary_left=1)


async def move_campaign(
    conn: Connection, locked: Locked, step: Advance, standings: Standings | None, *, now: datetime
) -> Campaign:
    """Let a campaign follow a call that changed; whoever calls this holds it. None standings: it goes on anyway."""
    campaign, call = locked.campaign, step.call
    if call.provider_call_id and campaign.started_at is None:
        await campaigns.save_started_at(conn, campaign.id, now)
        campaign = replace(campaign, started_at=now)
    campaign = replace(campaign, watch=watch_after(campaign.watch, locked.call, call))
    if step.blame is Blame.CAMPAIGN and CampaignStatus.FAILED in TRANSITIONS[campaign.status]:
        reason = why(step.blame, call.facts.ended_reason)
        await campaigns.save_status(conn, campaign, CampaignStatus.FAILED, now=now, reason=reason)
        return replace(campaign, status=CampaignStatus.FAILED)
    return await _save_if_moved(conn, campaign, call, standings or _BUSY, now=now)


async def _save_if_moved(
    conn: Connection, campaign: Campaign, call: Call, standings: Standings, *, now: datetime
) -> Campaign:
    was_accepted = call.provider_call_id is not None
    was_reported = was_accepted and (call.is_final or call.status is not CallStatus.QUEUED)
    status = status_after(campaign.status, was_accepted=was_accepted, was_reported=was_reported, standings=standings)
    if status.is_running:
        paused = await pause_by_itself(conn, campaign, standings, now=now)
        if paused is not None:
            return paused
    if campaign.watch is not None and campaign.watch.is_over:
        campaign = replace(campaign, watch=None)
    if status is campaign.status:
        return campaign
    await campaigns.save_status(conn, campaign, status, now=now)
    hold = None if status is CampaignStatus.COMPLETED else campaign.hold_position
    return replace(campaign, status=status, hold_position=hold)


async def pause_by_itself(
    conn: Connection, campaign: Campaign, standings: Standings, *, now: datetime
) -> Campaign | None:
    """Pause a campaign that has a reason of its own to wait for a person; None where it has none.

    Returns it without that reason, which `save_self_pauses` has yet to write: Resume then goes on.
    """
    reasons = []
    after = replace(campaign, status=CampaignStatus.PAUSED)
    if campaign.watch is not None and campaign.watch.pauses:
        reasons.append(watch_sentence(campaign.watch))
        after = replace(after, watch=None)
    if canary := canary_pause(campaign, standings):
        reasons.append(canary)
        after = replace(after, hold_position=None)
    if not reasons:
        return None
    await campaigns.save_status(conn, campaign, CampaignStatus.PAUSED, now=now, reason=" ".join(reasons))
    await audit.append(conn, now=now, actor=ENGINE, action="campaign.paused", subject=str(campaign.id))
    log.info("campaign.paused_itself", campaign_id=str(campaign.id))
    return after


async def save_changed(conn: Connection, before: Mapping[UUID, Campaign], after: Mapping[UUID, Campaign]) -> None:
    """Write what campaigns pause by themselves for, where that changed."""
    await campaigns.save_self_pauses(
        conn,
        [
            campaign
            for key, campaign in after.items()
            if (campaign.hold_position, campaign.watch) != (before[key].hold_position, before[key].watch)
        ],
    )
