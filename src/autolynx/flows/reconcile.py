"""Reconcile: what webhooks did not tell, we ask for. Every answer goes through the same door as a webhook."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from autolynx.domain.advance import advance, gives_up_at
from autolynx.domain.call import Call, CallNews, NewsKind, Source
from autolynx.domain.pacing import UNASKED_REST
from autolynx.errors import DataRefused, NotFound, ProviderError
from autolynx.flows import resting
from autolynx.flows.follow_up import follow_up
from autolynx.flows.once_more import once_more
from autolynx.flows.settle import Settled, settle
from autolynx.log import log
from autolynx.provider.port import CallList, SeenCall
from autolynx.runtime import Runtime
from autolynx.store import calls, gate, lookups

SKEW_SECONDS = 120.0  # clocks of ours and the provider's may differ by that much
MOST_CHECKS = 50
MOST_LAPSED = 200
MOST_UNANSWERED = 3  # in a row; then the provider is not asked any more in this tick
LOOK_BACK_SECONDS = 3600.0  # how far a sweep reaches back after a long time without any line


@dataclass(frozen=True, kw_only=True)
class Reconciled:
    """How many calls changed by asking, and whether a line became free."""

    changed: int = 0
    freed_line: bool = False

    def plus(self, settled: Settled | None) -> "Reconciled":
        """Count one more settled call."""
        if settled is None:
            return self
        return Reconciled(changed=self.changed + 1, freed_line=self.freed_line or settled.freed_line)


async def bring(runtime: Runtime, call_id: UUID, news: CallNews, *, is_look: bool = False) -> Settled:
    """Settle one piece of news in a transaction of its own, and do what follows after the commit.

    `is_look`: it is the answer to a look at this call, so that a hang-up that did not work is asked for again.
    """
    settled = await _settle(runtime, call_id, news)
    await follow_up(runtime, settled, is_look=is_look)
    return settled


@once_more
async def _settle(runtime: Runtime, call_id: UUID, news: CallNews) -> Settled:
    async with runtime.database.pipelined() as conn:
        return await settle(conn, call_id, news, now=runtime.clock.now(), timers=runtime.settings.timers)


async def release_lapsed(runtime: Runtime) -> Reconciled:
    """Release claims whose lease ended before they were marked: whoever took them is gone, and nothing was sent."""
    async with runtime.database.connection(by_index=True) as conn:
        lapsed = await calls.list_lapsed(conn, now=runtime.clock.now(), most=MOST_LAPSED)
    result = Reconciled()
    news = CallNews(kind=NewsKind.LAPSED, source=Source.TICK, reason="The claim was never dialled in time.")
    for call_id in lapsed:
        result = result.plus(await bring(runtime, call_id, news))
    return result


async def sweep(runtime: Runtime) -> Reconciled:
    """Ask once for everything that changed since the last sweep, and settle what is news to us.

    While the provider cannot be asked dialling pauses. Raises ProviderError then.
    """
    now = runtime.clock.now()
    async with runtime.database.connection(by_index=True) as conn:
        account = await gate.get(conn)
        oldest = await lookups.oldest_line_at(conn)
    if oldest is None or not sweep_is_due(runtime, account.swept_until, now):
        return Reconciled()
    floor = min(oldest, now - _scaled(runtime, LOOK_BACK_SECONDS))
    try:
        since = max(floor, account.swept_until or floor) - _scaled(runtime, SKEW_SECONDS)
        seen = await runtime.provider.list_calls(updated_from=since)
    except ProviderError:
        await resting.note_unasked(runtime)
        raise
    if account.rest_reason == UNASKED_REST:
        await resting.note_asked(runtime)
    result = await _settle_seen(runtime, seen.calls)
    if seen.is_complete:
        async with runtime.database.connection() as conn:
            await gate.note_sweep(conn, now)
    return result


def next_sweep_at(runtime: Runtime, swept_until: datetime | None) -> datetime:
    """Return when to sweep again, while a line is held: half a cadence after the last sweep.

    So a lost webhook leaves no line idle for long. A sweep that failed just now is not tried sooner either.
    """
    now, distance = runtime.clock.now(), _sweep_distance(runtime)
    return swept_until + distance if swept_until is not None and swept_until + distance > now else now + distance


def sweep_is_due(runtime: Runtime, swept_until: datetime | None, now: datetime) -> bool:
    """Whether the last sweep is long enough ago."""
    return swept_until is None or now - swept_until >= _sweep_distance(runtime)


def _sweep_distance(runtime: Runtime) -> timedelta:
    return _scaled(runtime, runtime.settings.default_cron_cadence / 2)


async def _settle_seen(runtime: Runtime, seen: Sequence[SeenCall]) -> Reconciled:
    """Settle only what the rule says is news, so that a sweep over a thousand known calls writes nothing."""
    known = await _list_known(runtime, seen)
    by_ours = {call.id: call for call in known}
    by_theirs = {call.provider_call_id: call for call in known if call.provider_call_id}
    result = Reconciled()
    for one in seen:
        call = (one.our_call_id and by_ours.get(one.our_call_id)) or by_theirs.get(one.provider_call_id)
        if call and _is_news(runtime, call, one.news):
            try:
                result = result.plus(await bring(runtime, call.id, one.news))
            except (DataRefused, NotFound) as error:  # one call that cannot be settled must not hide the others
                log.error("reconcile.unsettled", call_id=str(call.id), reason=error.message)
    return result


async def _list_known(runtime: Runtime, seen: Sequence[SeenCall]) -> list[Call]:
    """Return the calls of ours in a list of the provider's; that it names one by our own id is remembered."""
    async with runtime.database.connection(by_index=True) as conn:
        known = await lookups.list_by_ids(
            conn,
            provider_call_ids=[call.provider_call_id for call in seen],
            our_call_ids=[call.our_call_id for call in seen if call.our_call_id is not None],
        )
        if {call.id for call in known} & {call.our_call_id for call in seen}:
            await gate.note_echo(conn, runtime.clock.now())
    return known


def _is_news(runtime: Runtime, call: Call, news: CallNews) -> bool:
    step = advance(call, news, now=runtime.clock.now(), timers=runtime.settings.timers)
    after = step.call
    return (
        step.is_second_id
        or after.status is not call.status
        or after.provider_call_id != call.provider_call_id
        or after.facts != call.facts
        or after.holds_line != call.holds_line
    )


async def check_silent(runtime: Runtime, *, most: int = MOST_CHECKS, deadline: datetime | None = None) -> Reconciled:
    """Look at the calls whose time to be asked about has come: the longest overdue first.

    What is not reached before the deadline, or because the provider keeps silent, comes first the next time.
    """
    now, timers = runtime.clock.now(), runtime.settings.timers
    async with runtime.database.transaction(by_index=True) as conn:
        due = await calls.claim_checks(
            conn, now=now, again_at=now + timedelta(seconds=max(timers.reconcile_after, timers.answer_by)), most=most
        )
    windows: dict[str, CallList] = {}
    result = Reconciled()
    unanswered = 0
    for call in due:
        if unanswered == MOST_UNANSWERED or (deadline is not None and runtime.clock.now() >= deadline):
            break
        try:
            settled = await _ask(runtime, call, due, windows)
            unanswered = 0
        except ProviderError as error:
            log.warning("reconcile.unanswered", call_id=str(call.id), reason=error.message)
            unanswered += 1
            settled = await _cannot_ask(runtime, call)
        except (DataRefused, NotFound) as error:
            log.error("reconcile.unsettled", call_id=str(call.id), reason=error.message)
            continue
        result = result.plus(settled)
    return result


async def _ask(runtime: Runtime, call: Call, due: Sequence[Call], windows: dict[str, CallList]) -> Settled | None:
    if call.provider_call_id is not None:
        return await _ask_by_id(runtime, call, call.provider_call_id)
    return await _look_for(runtime, call, due, windows)


async def _ask_by_id(runtime: Runtime, call: Call, provider_call_id: str) -> Settled:
    """Ask for one call. Its absence never frees a line by itself: it may not be visible yet."""
    seen = await runtime.provider.get_call(provider_call_id)
    if seen is None or not (seen.is_active or seen.news.is_over):
        settled = await bring(runtime, call.id, CallNews(kind=NewsKind.MISSING, source=Source.POLL))
        silent_since = call.last_status_at or call.dial_started_at or call.claimed_at
        is_gone = runtime.clock.now() - silent_since > timedelta(seconds=runtime.settings.timers.call_timeout)
    else:
        settled = await bring(runtime, call.id, seen.news, is_look=True)
        is_gone = False
    if settled.after.holds_line and (is_gone or _is_past_ceiling(runtime, settled.after)):
        reason = "The provider knows nothing of it any more." if is_gone else "It lasted beyond its longest duration."
        return await bring(runtime, call.id, CallNews(kind=NewsKind.TIMED_OUT, source=Source.TICK, reason=reason))
    return settled


async def _look_for(runtime: Runtime, call: Call, due: Sequence[Call], windows: dict[str, CallList]) -> Settled | None:
    """Look for a call whose request may have been received: adopt it, or decide that it never was."""
    number, window = await _window(runtime, call, due, windows)
    found = next((one for one in window.calls if one.our_call_id == call.id), None)
    if found is not None:
        log.info("reconcile.adopted", call_id=str(call.id), phone_number_id=number)
        return await bring(runtime, call.id, found.news)
    if not window.is_complete:  # a part of the list proves nothing: that was no look
        return await _cannot_ask(runtime, call)
    return await _not_found(runtime, call)


async def _window(
    runtime: Runtime, call: Call, due: Sequence[Call], windows: dict[str, CallList]
) -> tuple[str, CallList]:
    """Return the number's calls since the earliest of the dials that are looked for on it: one list for all of them."""
    async with runtime.database.connection() as conn:
        numbers = await lookups.list_phone_numbers(conn, [one.id for one in due if one.provider_call_id is None])
    number = numbers[call.id]
    if number not in windows:
        started = [one.dial_started_at or one.claimed_at for one in due if numbers.get(one.id) == number]
        since = min(started) - _scaled(runtime, SKEW_SECONDS)
        windows[number] = await runtime.provider.list_calls(
            phone_number_id=number, created_from=since, source=Source.POLL
        )
        await _list_known(runtime, windows[number].calls)
    return number, windows[number]


def _missing() -> CallNews:
    return CallNews(kind=NewsKind.MISSING, source=Source.POLL)


async def _not_found(runtime: Runtime, call: Call) -> Settled:
    """Two looks agree, far enough apart, and this account was seen to echo our ids: then it was never dialled.

    Without that proof the contact is set aside for a person, and the line stays taken until the ceiling.
    """
    now, grace = runtime.clock.now(), timedelta(seconds=runtime.settings.timers.unknown_grace)
    is_under_way = now < call.lease_until
    if call.missing_since is None or now - call.missing_since < grace or is_under_way:
        return await bring(runtime, call.id, _missing())
    async with runtime.database.connection() as conn:
        account = await gate.get(conn)
    if account.echo_seen_at is not None:
        reason = "The provider has no such call: looked for twice."
        return await bring(runtime, call.id, CallNews(kind=NewsKind.RELEASED, source=Source.POLL, reason=reason))
    return await _set_aside(runtime, call, "The provider was never seen to name our calls in its list.")


async def _set_aside(runtime: Runtime, call: Call, reason: str) -> Settled:
    """Leave it to a person; at the ceiling the line is given up as well."""
    kind = NewsKind.TIMED_OUT if _is_past_ceiling(runtime, call) else NewsKind.UNSURE
    settled = await bring(runtime, call.id, CallNews(kind=kind, source=Source.TICK, reason=reason))
    if settled.after.holds_line:
        async with runtime.database.connection() as conn:
            at = min(gives_up_at(call, runtime.settings.timers), _later(runtime))
            await calls.push_check(conn, call.id, at=max(at, runtime.clock.now() + timedelta(seconds=1)))
    return settled


async def _cannot_ask(runtime: Runtime, call: Call) -> Settled | None:
    """The provider did not answer for this call: nothing is freed. After long enough the contact is shown as unsure.

    Only where sweeps were answered beyond its ceiling is it the call and not the provider that is silent. Nobody gives
    up or sets aside while the request may be under way, or before there was time for the two looks after it.
    """
    timers = runtime.settings.timers
    looked_at = call.lease_until + timedelta(seconds=2 * timers.unknown_grace)
    async with runtime.database.connection() as conn:
        await calls.push_check(conn, call.id, at=_later(runtime))
        swept_until = (await gate.get(conn)).swept_until
    reason = "The provider could not be asked whether it was called."
    ceiling = max(gives_up_at(call, timers), looked_at)
    if call.holds_line and swept_until is not None and swept_until >= ceiling:
        return await bring(runtime, call.id, CallNews(kind=NewsKind.TIMED_OUT, source=Source.TICK, reason=reason))
    is_unknown = call.provider_call_id is None and call.may_have_been_sent and call.unsure_at is None
    since = call.dial_started_at or call.claimed_at
    if is_unknown and runtime.clock.now() > max(since + timedelta(seconds=timers.call_timeout), looked_at):
        return await bring(runtime, call.id, CallNews(kind=NewsKind.UNSURE, source=Source.TICK, reason=reason))
    return None


def _scaled(runtime: Runtime, seconds: float) -> timedelta:
    return timedelta(seconds=runtime.settings.scaled(seconds))


def _later(runtime: Runtime) -> datetime:
    return runtime.clock.now() + timedelta(seconds=runtime.settings.timers.reconcile_after)


def _is_past_ceiling(runtime: Runtime, call: Call) -> bool:
    return runtime.clock.now() >= gives_up_at(call, runtime.settings.timers)
