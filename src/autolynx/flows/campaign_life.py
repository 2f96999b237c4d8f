"""A campaign's life: start, pause, resume, stop, complete. Each is one transition, checked here and by the database."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from autolynx.domain.call import Call, CallNews, NewsKind, Source
from autolynx.domain.campaign import (
    Campaign,
    CampaignMode,
    CampaignStatus,
    Standings,
    require_resumable,
    require_transition,
    resumed_status,
    seen_by_person,
    status_after,
)
from autolynx.domain.self_pause import MAX_CANARY, Watch
from autolynx.errors import Conflict, ValidationProblem
from autolynx.flows.campaign_turn import pause_by_itself
from autolynx.flows.hang_up import hang_up_all
from autolynx.flows.once_more import once_more
from autolynx.flows.settle import settle_all
from autolynx.log import log
from autolynx.runtime import Runtime
from autolynx.store import assistants, calls, campaigns, contacts
from autolynx.store.database import Connection

MOST_FINISHED = 200


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """What Stop did: live calls that were asked to end, and those that cannot be hung up now (queued or ringing)."""

    campaign: Campaign
    hung_up: int
    still_live: int


@once_more
async def start_campaign(runtime: Runtime, campaign_id: UUID, *, canary: int | None = None) -> Campaign:
    """Press Start: CREATED to QUEUED. The batch size and the assistant's configuration are kept as they are now.

    `canary`: only so many contacts are called, then the campaign pauses by itself. The caller refills right after it.
    Raises Conflict without contacts, from another state, or when the assistant is no longer active; NotFound,
    ValidationProblem.
    """
    now = runtime.clock.now()
    _check_canary(canary)
    async with runtime.database.transaction() as conn:
        await start_within(conn, campaign_id, canary=canary, now=now)
    log.info("campaign.started", campaign_id=str(campaign_id))
    return await _get(runtime, campaign_id)


async def start_within(conn: Connection, campaign_id: UUID, *, canary: int | None = None, now: datetime) -> None:
    """Start a campaign inside the caller's transaction. Raises as `start_campaign` does."""
    campaign = await campaigns.lock(conn, campaign_id)
    require_transition(campaign, CampaignStatus.QUEUED, verb="started")
    if campaign.status is not CampaignStatus.CREATED:
        raise Conflict(
            f"A campaign that is {campaign.status} cannot be started; resume it instead.",
            details={"from": campaign.status, "to": CampaignStatus.QUEUED},
        )
    if campaign.total_contacts == 0:
        raise Conflict("The campaign has no contacts; upload a CSV with at least one valid row.")
    snapshot = await assistants.get_usable_config(conn, campaign.assistant_id)
    size = campaign.cap if campaign.mode is CampaignMode.BATCH else None
    await campaigns.save_start(conn, campaign.id, batch_size=size, assistant_snapshot=snapshot, canary=canary)
    watch = Watch() if campaign.options.pauses_on_failures else None
    hold = min(canary, campaign.total_contacts) if canary else None
    await campaigns.save_self_pauses(conn, [replace(campaign, hold_position=hold, watch=watch)])
    await contacts.note_position_batches(conn, campaign.id, size)
    await campaigns.save_status(conn, campaign, CampaignStatus.QUEUED, now=now)


def _check_canary(canary: int | None) -> None:
    if canary is not None and not 1 <= canary <= MAX_CANARY:
        raise ValidationProblem(f"canary: must be from 1 to {MAX_CANARY} contacts.", field="canary")


@once_more
async def pause_campaign(runtime: Runtime, campaign_id: UUID) -> Campaign:
    """Place nothing new; live calls go on. Raises Conflict, NotFound."""
    async with runtime.database.transaction() as conn:
        campaign = await campaigns.lock(conn, campaign_id)
        require_transition(campaign, CampaignStatus.PAUSED, verb="paused")
        await campaigns.save_status(conn, campaign, CampaignStatus.PAUSED, now=runtime.clock.now())
    log.info("campaign.paused", campaign_id=str(campaign_id))
    return await _get(runtime, campaign_id)


@once_more
async def resume_campaign(runtime: Runtime, campaign_id: UUID) -> Campaign:
    """Go on where it was paused or failed: QUEUED before the first accepted call, RUNNING after.

    A completed one goes on if contacts became due again after its end. Raises Conflict, NotFound.
    """
    async with runtime.database.transaction() as conn:
        campaign = await campaigns.lock(conn, campaign_id)
        standings = await campaigns.get_standings(conn, campaign_id)
        require_resumable(campaign, due=standings.due)
        await campaigns.save_self_pauses(conn, [seen_by_person(campaign, standings)])
        await campaigns.save_status(conn, campaign, resumed_status(campaign), now=runtime.clock.now())
    log.info("campaign.resumed", campaign_id=str(campaign_id), since=campaign.status)
    return await _get(runtime, campaign_id)


async def stop_campaign(runtime: Runtime, campaign_id: UUID, *, hangs_up: bool = False) -> Stopped:
    """Stop for good. Live calls are marked to read CANCELED at their end; with `hangs_up` they are asked to end now.

    A call that is still queued or ringing cannot be hung up: it is, as soon as it connects. Raises Conflict.
    """
    remaining = await _stop(runtime, campaign_id, hangs_up=hangs_up)
    hung_up = await hang_up_all(runtime, remaining) if hangs_up else 0
    log.info("campaign.stopped", campaign_id=str(campaign_id), hung_up=hung_up)
    return Stopped(campaign=await _get(runtime, campaign_id), hung_up=hung_up, still_live=len(remaining) - hung_up)


@once_more
async def _stop(runtime: Runtime, campaign_id: UUID, *, hangs_up: bool) -> list[Call]:
    """Stop a campaign; return the calls that hold a line all the same."""
    now = runtime.clock.now()
    async with runtime.database.transaction(by_index=True) as conn:
        campaign = await campaigns.lock(conn, campaign_id)
        require_transition(campaign, CampaignStatus.CANCELED, verb="stopped")
        await campaigns.save_status(conn, campaign, CampaignStatus.CANCELED, now=now, reason="Stopped by an operator.")
        live = await calls.list_lines(conn, campaign_id)
        await _cancel(runtime, conn, live, hangs_up=hangs_up, now=now)
        return await calls.list_lines(conn, campaign_id)


async def _cancel(runtime: Runtime, conn: Connection, live: Sequence[Call], *, hangs_up: bool, now: datetime) -> None:
    """Give back what was never sent, and mark the rest as canceled by a person."""
    timers = runtime.settings.timers
    given_back = CallNews(kind=NewsKind.LAPSED, source=Source.OPERATOR, reason="The campaign was stopped.")
    canceled = CallNews(kind=NewsKind.CANCEL_REQUESTED, source=Source.OPERATOR, hangs_up=hangs_up)
    unsent = [call.id for call in live if not call.may_have_been_sent]
    await settle_all(conn, unsent, given_back, now=now, timers=timers)
    await settle_all(conn, [call.id for call in live], canceled, now=now, timers=timers)


async def complete_finished(runtime: Runtime) -> int:
    """Call campaigns completed in which nothing is due, calling or on a line; returns how many.

    One whose first contacts were called pauses: it is usually the end of the last of their calls that finds it so.
    """
    async with runtime.database.connection(by_index=True) as conn:
        finished = await campaigns.list_finished(conn, most=MOST_FINISHED)
    return sum([await _complete(runtime, campaign_id) for campaign_id in finished])


@once_more
async def _complete(runtime: Runtime, campaign_id: UUID) -> bool:
    async with runtime.database.transaction(by_index=True) as conn:
        campaign = await campaigns.lock(conn, campaign_id)
        standings = await campaigns.get_standings(conn, campaign_id)
        status = status_after(campaign.status, was_accepted=False, was_reported=False, standings=standings)
        if status is campaign.status:
            return await _pause(conn, campaign, standings, now=runtime.clock.now())
        return await campaigns.save_status(conn, campaign, status, now=runtime.clock.now())


async def _pause(conn: Connection, campaign: Campaign, standings: Standings, *, now: datetime) -> bool:
    paused = await pause_by_itself(conn, campaign, standings, now=now) if campaign.status.is_running else None
    if paused is None:
        return False
    await campaigns.save_self_pauses(conn, [paused])
    return True


async def _get(runtime: Runtime, campaign_id: UUID) -> Campaign:
    async with runtime.database.connection() as conn:
        return await campaigns.get(conn, campaign_id)
