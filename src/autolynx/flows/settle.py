"""The one door: every change to a call passes here, whoever brings the news."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from uuid import UUID

from autolynx.domain.advance import Advance, Timers, advance
from autolynx.domain.call import Call, CallNews, NewsKind, Source
from autolynx.domain.campaign import Campaign
from autolynx.domain.contact import ContactState, Standing
from autolynx.domain.outcome import Blame
from autolynx.domain.retry import is_worth_another_try
from autolynx.flows.campaign_turn import move_campaign, save_changed
from autolynx.flows.contact_turn import judge_contact
from autolynx.flows.history import event_of
from autolynx.store import calls, campaigns, contacts, inbox, phone_numbers, settling
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
    ends_failures: bool = False  # the provider failed before, and this call has now started

    @property
    def freed_line(self) -> bool:
        """Whether something else may be dialled at once: a line became free, or the provider works again."""
        return (self.before.holds_line and not self.after.holds_line) or self.ends_failures

    @property
    def took_line(self) -> bool:
        """Whether a line that had been given up is held after all."""
        return self.after.holds_line and not self.before.holds_line

    @property
    def launch(self) -> tuple[str, date]:
        """The phone number, and the UTC day of it, that the call counts as a launch of."""
        return self.phone_number_id, self.after.claimed_at.astimezone(UTC).date()

    @property
    def launches_more(self) -> int:
        """1 or -1 where the call turned out to be a launch after all, or to be none; else 0."""
        return int(self.before.is_released) - int(self.after.is_released)

    @property
    def wants_hang_up(self) -> bool:
        """Whether an operator stopped this call and it has just become possible to hang it up."""
        return self.after.hangs_up and self.after.is_connected and bool(self.after.facts.control_url)


@dataclass(frozen=True, kw_only=True)
class Told:
    """News of a call that is locked already. `delivery` is the body, put into the inbox before, that tells it."""

    locked: Locked
    news: CallNews
    delivery: Delivery | None = None


@dataclass(frozen=True, kw_only=True)
class _Decided:
    """What news make of a call and of its contact, before anything of the campaign is looked at."""

    told: Told
    step: Advance
    standing: Standing | None  # what the contact is left as; None where it stays as it is

    @property
    def is_changed(self) -> bool:
        return self.step.call != self.told.locked.call

    @property
    def may_be_last(self) -> bool:
        """Whether it frees a line and nothing of its campaign was due: the campaign may be over."""
        call = self.told.locked.call
        return self.told.locked.may_be_last and call.holds_line and not self.step.call.holds_line

    @property
    def may_end_canary(self) -> bool:
        """Whether its contact moves on after all of the campaign's first contacts were taken: it may have to pause."""
        campaign = self.told.locked.campaign
        hold = campaign.hold_position
        return hold is not None and campaign.next_position >= hold and self.standing is not None


async def settle(conn: Connection, call_id: UUID, news: CallNews, *, now: datetime, timers: Timers) -> Settled:
    """Apply one piece of news to a call inside the caller's transaction. Raises NotFound.

    Locks the campaign, then the call; asks the pure rule; saves; appends the event; moves contact and campaign.
    """
    told = Told(locked=await settling.lock(conn, call_id), news=news)
    return (await settle_locked(conn, [told], now=now, timers=timers))[0]


async def settle_locked(conn: Connection, told: Sequence[Told], *, now: datetime, timers: Timers) -> list[Settled]:
    """Apply news to calls that are locked already, each of another contact.

    Each is decided by itself; what they change is written together, so that many cost little more than one.
    """
    decided = [await _decide(conn, one, now=now, timers=timers) for one in told]
    await calls.save_all(conn, [(one.told.locked.call, one.step.call) for one in decided if one.is_changed])
    await contacts.save_standings(conn, {one.step.call.contact_id: one.standing for one in decided if one.standing})
    settled = await _follow(conn, decided, now=now)
    await _append_told(conn, settled, now=now)
    return settled


async def _append_told(conn: Connection, settled: Sequence[Settled], *, now: datetime) -> None:
    """Write what settling these calls leaves behind: their history, and launches that were none after all."""
    events = [one.event for one in settled if one.event is not None]
    if events:
        await settling.append_events(conn, events, now=now)
    launches: Counter[tuple[str, date]] = Counter()
    for one in settled:
        if one.launches_more:
            launches[one.launch] += one.launches_more
    for (number, day), more in sorted(launches.items()):  # in one order everywhere: nobody waits in a circle
        if more:
            await phone_numbers.correct_launches(conn, number, day=day, more=more)


async def _decide(conn: Connection, told: Told, *, now: datetime, timers: Timers) -> _Decided:
    locked, news = told.locked, told.news
    step = advance(locked.call, news, now=now, timers=timers)
    if step.is_second_id:
        await _keep_second_id(conn, locked, news, now=now)
    await _note_contradiction(conn, locked.call, news, now=now)
    is_reached_after_all = is_worth_another_try(locked.call) and not is_worth_another_try(step.call)
    if step.is_revived or is_reached_after_all:
        locked = await _withdraw_later_claim(conn, locked, now=now, timers=timers)
    is_changed = step.call != locked.call
    scale = timers.time_scale
    standing = await judge_contact(conn, locked, step, now=now, time_scale=scale) if is_changed else None
    return _Decided(told=told, step=step, standing=standing)


async def _follow(conn: Connection, decided: Sequence[_Decided], *, now: datetime) -> list[Settled]:
    """Let the campaigns follow their calls, which are saved by now; the last call that may end one looks."""
    last = {one.step.call.campaign_id: one for one in decided if one.may_be_last or one.may_end_canary}
    standings = await campaigns.list_standings(conn, last)
    as_left: dict[UUID, Campaign] = {}
    settled: list[Settled] = []
    for one in decided:
        key = one.step.call.campaign_id
        locked = one.told.locked
        if key in as_left:
            locked = replace(locked, campaign=as_left[key])
        seen = standings.get(key) if one is last.get(key) else None
        as_left[key] = locked.campaign
        if one.is_changed:
            as_left[key] = await move_campaign(conn, locked, one.step, seen, now=now)
        await _watch(conn, locked, one.step, now=now)
        settled.append(_settled(one, as_left[key]))
    await save_changed(conn, {one.step.call.campaign_id: one.told.locked.campaign for one in decided}, as_left)
    return settled


async def _watch(conn: Connection, locked: Locked, step: Advance, *, now: datetime) -> None:
    """Look at what a call brings along that we did not know of: a line in use, parked bodies."""
    if step.call.holds_line and not locked.call.holds_line:
        await _watch_cap(conn, locked, now=now)
    if step.call.provider_call_id and not locked.call.provider_call_id:
        await inbox.unpark(conn, provider_call_id=step.call.provider_call_id, now=now)


def _settled(one: _Decided, campaign: Campaign) -> Settled:
    before, step = one.told.locked.call, one.step
    return Settled(
        before=before,
        after=step.call,
        campaign=campaign,
        phone_number_id=campaign.phone_number_id,
        event=event_of(before, step, one.told.news, delivery=one.told.delivery),
        blame=step.blame,
        ends_failures=one.told.locked.is_failing and step.call.has_started and not before.has_started,
    )


async def _keep_second_id(conn: Connection, locked: Locked, news: CallNews, *, now: datetime) -> None:
    call = locked.call
    await calls.insert_alias(conn, provider_call_id=news.provider_call_id or "", call_id=call.id, now=now)
    await settling.raise_incident(
        conn,
        kind="second_provider_id",
        sentence="The provider reported a second call for one that we placed once.",
        now=now,
        call=call,
    )


async def _note_contradiction(conn: Connection, before: Call, news: CallNews, *, now: datetime) -> None:
    """A look tells how things are now: a call that was over and is found live again makes no sense."""
    if before.is_final and news.status is not None and news.source is Source.POLL:
        await settling.raise_incident(
            conn,
            kind="illegal_events",
            sentence="The provider reported a call as live that it had reported as over.",
            now=now,
            call=before,
        )


async def _withdraw_later_claim(conn: Connection, locked: Locked, *, now: datetime, timers: Timers) -> Locked:
    """This call was dialled, or reached somebody, after all: a later claim that was not yet sent goes back."""
    later = await settling.find_unsent_claim(conn, locked.call.contact_id)
    if later is None:
        return locked
    news = CallNews(kind=NewsKind.LAPSED, source=Source.TICK, reason="An earlier call of it makes it needless.")
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
            call=locked.call,
        )


async def settle_all(
    conn: Connection, call_ids: Sequence[UUID], news: CallNews, *, now: datetime, timers: Timers
) -> list[Settled]:
    """Apply the same decision to several calls of one campaign, in the order of their ids."""
    return [await settle(conn, call_id, news, now=now, timers=timers) for call_id in sorted(call_ids)]
