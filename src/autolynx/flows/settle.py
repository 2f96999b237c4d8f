"""The one door: every change to a call passes here, whoever brings the news."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from autolynx.domain.advance import Advance, Timers, advance
from autolynx.domain.call import Call, CallNews, CallStatus, NewsKind, Source
from autolynx.domain.campaign import TRANSITIONS, Campaign, CampaignStatus, Standings, status_after
from autolynx.domain.contact import ContactState, Standing, standing_after
from autolynx.domain.outcome import Blame
from autolynx.domain.words import why
from autolynx.store import calls, campaigns, contacts, inbox, settling
from autolynx.store.database import Connection
from autolynx.store.inbox import Delivery
from autolynx.store.settling import Event, Locked


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What became of a call, and what the caller has to do after the commit."""

    before: Call
    after: Call
    campaign: Campaign  # as it stands now
    phone_number_id: str
    event: Event | None  # what its history has to tell
    blame: Blame = Blame.NOBODY

    @property
    def freed_line(self) -> bool:
        """Whether a line became free: something else may be dialled at once."""
        return self.before.holds_line and not self.after.holds_line

    @property
    def wants_hang_up(self) -> bool:
        """Whether an operator stopped this call and it has just become possible to hang it up."""
        return self.after.hangs_up and self.after.is_connected and bool(self.after.facts.control_url)


async def settle(conn: Connection, call_id: UUID, news: CallNews, *, now: datetime, timers: Timers) -> Settled:
    """Apply one piece of news to a call inside the caller's transaction. Raises NotFound.

    Locks the campaign, then the call; asks the pure rule; saves; appends the event; moves contact and campaign.
    """
    settled = await settle_locked(conn, await settling.lock(conn, call_id), news, now=now, timers=timers)
    await append_told(conn, [settled], now=now)
    return settled


async def append_told(conn: Connection, settled: Iterable[Settled], *, now: datetime) -> None:
    """Append to the calls' history what settling them made worth telling."""
    events = [one.event for one in settled if one.event is not None]
    if events:
        await settling.append_events(conn, events, now=now)


async def settle_locked(
    conn: Connection, locked: Locked, news: CallNews, *, now: datetime, timers: Timers, delivery: Delivery | None = None
) -> Settled:
    """Apply one piece of news to a call that is locked already; the caller appends what it made worth telling.

    `delivery` is the body, put into the inbox before, that tells it.
    """
    step = advance(locked.call, news, now=now, timers=timers)
    if step.is_second_id:
        await _keep_second_id(conn, locked, news, now=now)
    elif step.call != locked.call:
        await calls.save(conn, locked.call, step.call)
    await _note_contradiction(conn, locked.call, news, now=now)
    campaign = await _follow(conn, locked, step, now=now, timers=timers)
    if step.call.provider_call_id and not locked.call.provider_call_id:
        await inbox.unpark(conn, provider_call_id=step.call.provider_call_id, now=now)
    return Settled(
        before=locked.call,
        after=step.call,
        campaign=campaign,
        phone_number_id=campaign.phone_number_id,
        event=_event(locked.call, step, news, delivery=delivery),
        blame=step.blame,
    )


def _event(before: Call, step: Advance, news: CallNews, *, delivery: Delivery | None) -> Event | None:
    if not _is_worth_an_event(before, step, news):
        return None
    return Event(
        campaign_id=before.campaign_id,
        call_id=before.id,
        status=step.call.status,
        source=news.source,
        payload=_payload(news, step.call),
        delivery=delivery,
    )


def _is_worth_an_event(before: Call, step: Advance, news: CallNews) -> bool:
    """Keep history for what changed, for a second id, and for a reason that contradicts the one we kept."""
    is_changed = _without_timers(before) != _without_timers(step.call)
    reason = news.facts.ended_reason
    return is_changed or step.is_second_id or (reason is not None and reason != step.call.facts.ended_reason)


def _without_timers(call: Call) -> Call:
    return replace(call, next_check_at=None, checks=0, last_status_at=None, missing_since=None)


def _payload(news: CallNews, after: Call) -> dict[str, Any]:
    """Return the event's own words: no name, no phone number, nothing secret."""
    said = "ended" if news.is_over else (news.status or news.kind)
    values = {
        "said": said,
        "kind": news.kind,
        "outcome": after.outcome,
        "endedReason": news.facts.ended_reason,
        "costUsd": str(news.facts.cost_usd) if news.facts.cost_usd is not None else None,
        "providerCallId": news.provider_call_id,
        "reason": news.reason,
    }
    return {name: value for name, value in values.items() if value is not None}


async def _keep_second_id(conn: Connection, locked: Locked, news: CallNews, *, now: datetime) -> None:
    call = locked.call
    await calls.insert_alias(conn, provider_call_id=news.provider_call_id or "", call_id=call.id, now=now)
    await settling.raise_incident(
        conn,
        kind="second_provider_id",
        sentence="The provider reported a second call for one that we placed once.",
        now=now,
        campaign_id=call.campaign_id,
        call_id=call.id,
    )


async def _note_contradiction(conn: Connection, before: Call, news: CallNews, *, now: datetime) -> None:
    """A look tells how things are now: a call that was over and is found live again makes no sense."""
    if before.is_final and news.status is not None and news.source is Source.POLL:
        await settling.raise_incident(
            conn,
            kind="illegal_events",
            sentence="The provider reported a call as live that it had reported as over.",
            now=now,
            campaign_id=before.campaign_id,
            call_id=before.id,
        )


async def _follow(conn: Connection, locked: Locked, step: Advance, *, now: datetime, timers: Timers) -> Campaign:
    """Let the contact and the campaign follow their call; returns the campaign as it stands then."""
    campaign = locked.campaign
    if step.is_revived:
        locked = await _withdraw_later_claim(conn, locked, now=now, timers=timers)
    if step.call != locked.call:
        await _move_contact(conn, locked, step, now=now, timers=timers)
        campaign = await _move_campaign(conn, locked, step, now=now)
    if step.call.holds_line and not locked.call.holds_line:
        await _watch_cap(conn, locked, now=now)
    return campaign


async def _withdraw_later_claim(conn: Connection, locked: Locked, *, now: datetime, timers: Timers) -> Locked:
    """A claim that went back was dialled after all: a later claim of its contact that was not yet sent goes back."""
    later = await settling.find_unsent_claim(conn, locked.call.contact_id)
    if later is None:
        return locked
    news = CallNews(kind=NewsKind.LAPSED, source=Source.TICK, reason="An earlier call of it did go out.")
    withdrawn = await settle(conn, later, news, now=now, timers=timers)
    has_gone_back = withdrawn.after.is_released
    return replace(locked, contact_state=ContactState.DUE, other_is_active=False) if has_gone_back else locked


async def _watch_cap(conn: Connection, locked: Locked, *, now: datetime) -> None:
    """A line that we had given up is held after all: the cap may be exceeded, and then it is said."""
    standings = await campaigns.get_standings(conn, locked.campaign.id)
    if standings.lines > locked.campaign.cap:
        await settling.raise_incident(
            conn,
            kind="cap_overrun",
            sentence="A call that was given up turned out to be live while its line was in use again.",
            now=now,
            campaign_id=locked.campaign.id,
            call_id=locked.call.id,
        )


async def _move_contact(conn: Connection, locked: Locked, step: Advance, *, now: datetime, timers: Timers) -> None:
    call = step.call
    if step.is_revived and (_another_is_calling(locked) or _is_one_too_many(locked)):
        await _report_double_dial(conn, locked, now=now)
    standing = standing_after(call, now=now, releases=locked.releases, time_scale=timers.time_scale)
    if not _applies(locked, call, standing):
        return
    await contacts.save_standing(conn, call.contact_id, standing)
    if standing.state is ContactState.UNSURE:
        await settling.raise_incident(
            conn,
            kind="unsure",
            sentence="Nobody can say whether this contact was called: a person has to decide.",
            now=now,
            campaign_id=call.campaign_id,
            call_id=call.id,
        )


def _another_is_calling(locked: Locked) -> bool:
    """Whether the contact is on another call: the contact's row is fresh under the lock, so it is what we believe."""
    return locked.other_is_active or (locked.contact_state is ContactState.CALLING and not locked.call.status.is_active)


def _is_one_too_many(locked: Locked) -> bool:
    """Whether this call, besides the others of its contact, makes more dials than were allowed."""
    return locked.dialled_besides >= locked.campaign.options.max_attempts + locked.extra_attempts


def _applies(locked: Locked, call: Call, standing: Standing) -> bool:
    """Whether the contact takes this standing: the latest call speaks; an older one only if it did happen after all."""
    if standing.state is locked.contact_state or _another_is_calling(locked):
        return False
    decided = locked.contact_state in {ContactState.DONE, ContactState.EXCLUDED}
    if decided and standing.state is not ContactState.CALLING:
        # A person's "leave it", or the end of an earlier call, stands; only a call that turns out not to have been
        # dialled gives the contact its turn back.
        is_left = locked.call.is_in_doubt
        is_done = locked.contact_state is ContactState.DONE
        return standing.state is ContactState.DUE and locked.is_latest and is_done and not is_left
    if locked.is_latest:
        return True
    return call.counts_as_attempt and locked.contact_state is ContactState.DUE and standing.state is ContactState.DONE


async def _report_double_dial(conn: Connection, locked: Locked, *, now: datetime) -> None:
    await settling.raise_incident(
        conn,
        kind="double_dial",
        sentence="A call taken for never dialled did reach the provider, and its contact had been claimed again.",
        now=now,
        campaign_id=locked.call.campaign_id,
        call_id=locked.call.id,
    )


async def _move_campaign(conn: Connection, locked: Locked, step: Advance, *, now: datetime) -> Campaign:
    campaign, call = locked.campaign, step.call
    if call.provider_call_id and campaign.started_at is None:
        await campaigns.save_started_at(conn, campaign.id, now)
        campaign = replace(campaign, started_at=now)
    if step.blame is Blame.CAMPAIGN and CampaignStatus.FAILED in TRANSITIONS[campaign.status]:
        reason = why(step.blame, call.facts.ended_reason)
        await campaigns.save_status(conn, campaign, CampaignStatus.FAILED, now=now, reason=reason)
        return replace(campaign, status=CampaignStatus.FAILED)
    may_be_last = locked.may_be_last and locked.call.holds_line and not call.holds_line
    is_asked = may_be_last or campaign.status is CampaignStatus.COMPLETED
    standings = await campaigns.get_standings(conn, campaign.id) if is_asked else None
    return await _save_if_moved(conn, campaign, call, standings, now=now)


async def _save_if_moved(
    conn: Connection, campaign: Campaign, call: Call, standings: Standings | None, *, now: datetime
) -> Campaign:
    was_accepted = call.provider_call_id is not None
    was_reported = was_accepted and (call.is_final or call.status is not CallStatus.QUEUED)
    busy = Standings(due=1, calling=1, lines=1, calls=1)
    status = status_after(
        campaign.status, was_accepted=was_accepted, was_reported=was_reported, standings=standings or busy
    )
    if status is not campaign.status:
        await campaigns.save_status(conn, campaign, status, now=now)
    return replace(campaign, status=status)


async def settle_all(
    conn: Connection, call_ids: Sequence[UUID], news: CallNews, *, now: datetime, timers: Timers
) -> list[Settled]:
    """Apply the same decision to several calls of one campaign, in the order of their ids."""
    return [await settle(conn, call_id, news, now=now, timers=timers) for call_id in sorted(call_ids)]
