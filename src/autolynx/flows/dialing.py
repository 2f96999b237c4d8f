"""The red button: hold and release dialling everywhere, and what a person decides about unsure contacts."""

from dataclasses import replace
from enum import StrEnum
from uuid import UUID

from autolynx.domain import pacing
from autolynx.domain.call import Call, CallNews, NewsKind, Source
from autolynx.domain.campaign import CampaignStatus, Standings, status_after
from autolynx.domain.contact import LEFT_BY_DECISION, ContactState, Standing
from autolynx.errors import Conflict
from autolynx.flows.hang_up import hang_up_all
from autolynx.flows.once_more import once_more
from autolynx.flows.reconcile import bring
from autolynx.flows.settle import settle
from autolynx.log import log
from autolynx.runtime import Runtime
from autolynx.store import calls, campaigns, contacts, gate, phone_numbers, settling
from autolynx.store.database import Connection
from autolynx.store.settling import Locked


class Decision(StrEnum):
    """What a person decides about a contact that may or may not have been called. REOPEN takes a LEAVE back."""

    REDIAL = "redial"
    LEAVE = "leave"
    REOPEN = "reopen"


async def hold_dialling(runtime: Runtime, *, reason: str, hangs_up: bool = False) -> int:
    """Dial nothing new anywhere, at once; with `hangs_up` also end what is live. Returns how many were hung up."""
    lines = await _hold(runtime, reason=reason)
    log.warning("dialing.held", hangs_up=hangs_up)
    if not hangs_up:
        return 0
    canceled = CallNews(kind=NewsKind.CANCEL_REQUESTED, source=Source.OPERATOR, hangs_up=True)
    for call in lines:
        await bring(runtime, call.id, canceled)
    return await hang_up_all(runtime, lines)


@once_more
async def _hold(runtime: Runtime, *, reason: str) -> list[Call]:
    """Press the button; return the calls that hold a line."""
    now = runtime.clock.now()
    async with runtime.database.transaction(by_index=True) as conn:
        account = await gate.lock(conn)
        await gate.save(conn, replace(account, held_at=account.held_at or now, hold_reason=reason))
        return await calls.list_lines(conn)


@once_more
async def release_dialling(runtime: Runtime) -> None:
    """Dial again: lifts the button, the account's trouble, every rest and every hold on a number."""
    async with runtime.database.transaction() as conn:
        account = await gate.lock(conn)
        cleared = pacing.Account(
            lowered_cap=account.lowered_cap,
            lowered_at=account.lowered_at,
            echo_seen_at=account.echo_seen_at,
            swept_until=account.swept_until,
            last_tick_at=account.last_tick_at,
            next_tick_at=account.next_tick_at,
            released_at=runtime.clock.now(),
        )
        await gate.save(conn, cleared)
        await phone_numbers.release_all(conn)
    log.warning("dialing.released")


@once_more
async def decide_unsure(runtime: Runtime, call_id: UUID, decision: Decision) -> None:
    """Settle an unsure contact by a person's word: dial it again, leave it, or ask once more about one that was left.

    Raises Conflict, NotFound.
    """
    now, timers = runtime.clock.now(), runtime.settings.timers
    async with runtime.database.transaction(by_index=True) as conn:
        locked = await settling.lock(conn, call_id)
        _require_open(locked, decision)
        if decision is Decision.LEAVE:
            left = Standing(state=ContactState.DONE, reason=LEFT_BY_DECISION)
            await contacts.save_standings(conn, {locked.call.contact_id: left})
        elif decision is Decision.REOPEN:
            asked = Standing(state=ContactState.UNSURE, reason=locked.call.reason)
            await contacts.save_standings(conn, {locked.call.contact_id: asked})
        else:
            given_up = CallNews(kind=NewsKind.TIMED_OUT, source=Source.OPERATOR, reason="Dialled again, by decision.")
            await settle(conn, call_id, given_up, now=now, timers=timers)
            await contacts.grant_redial(conn, locked.call.contact_id, now=now)
        await _follow(runtime, conn, locked.campaign.id, reopens=decision is Decision.REDIAL)
    log.info("unsure.decided", call_id=str(call_id), decision=decision)


def _require_open(locked: Locked, decision: Decision) -> None:
    """Raise Conflict where there is nothing to decide any more, or to take back."""
    if decision is Decision.REOPEN:
        was_left = locked.contact_state is ContactState.DONE and locked.contact_reason == LEFT_BY_DECISION
        if not was_left or not locked.call.is_in_doubt:
            raise Conflict("Nobody is waiting for a decision about this call: it was not left, or its end is known.")
        return
    if locked.contact_state is not ContactState.UNSURE or not locked.call.is_in_doubt:
        raise Conflict("This contact is not waiting for a decision about this call any more.")
    if decision is Decision.REDIAL and locked.campaign.status is CampaignStatus.CANCELED:
        raise Conflict("The campaign was stopped and dials nobody any more; leave the contact as it is.")


async def _follow(runtime: Runtime, conn: Connection, campaign_id: UUID, *, reopens: bool) -> None:
    """Let the campaign follow: the last decision completes it, a decision to dial again reopens a completed one.

    One that is paused stays so: who paused it resumes it, and a decision may still be taken back.
    """
    campaign = await campaigns.lock(conn, campaign_id)
    if campaign.status is CampaignStatus.PAUSED:
        return
    standings: Standings = await campaigns.get_standings(conn, campaign_id)
    if campaign.status is CampaignStatus.COMPLETED and standings.due and reopens:
        status = CampaignStatus.RUNNING
    else:
        status = status_after(campaign.status, was_accepted=False, was_reported=False, standings=standings)
    if status is not campaign.status:
        await campaigns.save_status(conn, campaign, status, now=runtime.clock.now())
