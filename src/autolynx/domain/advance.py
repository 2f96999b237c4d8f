"""The one rule by which news changes a call: pure, and the same for every order and repetition."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TypeVar

from autolynx.domain.call import ACTIVE_ORDER, Call, CallNews, CallStatus, Facts, NewsKind, Outcome, Source
from autolynx.domain.cost_parts import fuller
from autolynx.domain.ended_reason import reason_rank
from autolynx.domain.outcome import Blame, Verdict, judge, was_reached
from autolynx.domain.success import derive_success

T = TypeVar("T")

# A call that stays silent is asked about at growing distances: 1, 2, 4, then 8 times the first one.
MAX_CHECK_BACKOFF = 8
MOST_REPORT_LOOKS = 3  # an account that never tells a price is not asked for ever


@dataclass(frozen=True, kw_only=True)
class Timers:
    """How long we wait before we ask, guess or give up. Seconds, already divided by the time scale."""

    reconcile_after: float
    call_timeout: float
    unknown_grace: float
    first_look: float
    answer_by: float  # a request that got no answer by then is looked for
    ring: float
    margin: float
    lease: float
    time_scale: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Advance:
    """What became of a call, and who has to rest because of it (only ever once per call)."""

    call: Call
    blame: Blame = Blame.NOBODY
    is_second_id: bool = False
    is_revived: bool = False


def advance(call: Call, news: CallNews, *, now: datetime, timers: Timers) -> Advance:
    """Return the call as it stands after the news. The given call is not changed."""
    if news.kind is NewsKind.PROVIDER:
        return _hear_provider(call, news, now=now, timers=timers)
    return Advance(call=_decide(call, news, now=now, timers=timers))


def _hear_provider(call: Call, news: CallNews, *, now: datetime, timers: Timers) -> Advance:
    if news.provider_call_id and call.provider_call_id not in (None, news.provider_call_id):
        return Advance(call=call, is_second_id=True)
    facts = merge(call.facts, news.facts)
    heard = replace(
        call,
        provider_call_id=call.provider_call_id or news.provider_call_id,
        facts=facts,
        success_evaluation=derive_success(facts.success_raw),
        is_blocked=call.is_blocked or news.is_blocked,
        was_live=call.was_live or news.status is CallStatus.IN_PROGRESS,
        is_final=call.is_final or news.is_over,
        dial_started_at=call.dial_started_at or now,
        missing_since=None,
        unsure_at=None,
        last_status_at=now if (news.status or news.is_over) else call.last_status_at,
    )
    if heard.is_final:
        looks = call.checks + int(news.source is Source.POLL) if call.is_final else 0
        report_due_at = _report_due_at(heard, looks=looks, now=now, timers=timers)
        return _close(call, replace(heard, checks=looks), report_due_at=report_due_at)
    if news.status is None:
        return Advance(call=heard)
    return _live(call, heard, news, now=now, timers=timers)


def _report_due_at(heard: Call, *, looks: int, now: datetime, timers: Timers) -> datetime | None:
    """Return when we ask (again) for what an ended call left behind, None for not at all.

    Its report is a webhook of its own and may be lost, and who asks right after the end is told no price yet, or 0.
    """
    cost = heard.facts.cost_usd
    is_told = cost is not None and (cost > 0 or not was_reached(heard.facts, was_live=heard.was_live))
    if is_told or looks >= MOST_REPORT_LOOKS:
        return None
    return now + timedelta(seconds=timers.reconcile_after * 2**looks)


def _close(before: Call, heard: Call, *, report_due_at: datetime | None) -> Advance:
    """Judge an ended call anew from all that is known: a later report may tell more than the first word did."""
    verdict = _judged(heard)
    is_blamed_already = before.is_final and _judged(before).blame is verdict.blame
    closed = replace(
        heard,
        status=verdict.status,
        outcome=verdict.outcome,
        counts_as_attempt=verdict.counts_as_attempt,
        holds_line=False,
        next_check_at=report_due_at,
    )
    return Advance(
        call=closed,
        blame=Blame.NOBODY if is_blamed_already else verdict.blame,
        is_revived=before.is_released and verdict.counts_as_attempt,
    )


def _judged(call: Call) -> Verdict:
    is_canceled = call.cancel_requested_at is not None
    return judge(call.facts, was_live=call.was_live, is_blocked=call.is_blocked, is_canceled=is_canceled)


def _live(before: Call, heard: Call, news: CallNews, *, now: datetime, timers: Timers) -> Advance:
    status = news.status or before.status
    if before.status.is_active:
        forward = max(before.status, status, key=ACTIVE_ORDER.index)
        checks = before.checks + 1 if news.source in {Source.POLL, Source.SWEEP} else 0
        check_at = _check_at(heard, checks, now=now, timers=timers)
        return Advance(call=replace(heard, status=forward, outcome=None, next_check_at=check_at, checks=checks))
    return Advance(call=_reconsider(before, heard, news, now=now, timers=timers), is_revived=before.is_released)


def _reconsider(before: Call, heard: Call, news: CallNews, *, now: datetime, timers: Timers) -> Call:
    """Take a live word about a call that we had given up: it does hold a line, and we look until its end is known.

    Past its ceiling it takes no line again: nothing but its end would give that back. A webhook may be the only sign
    that the end is near, so it is still asked about, once.
    """
    holds_line = before.holds_line or now < gives_up_at(heard, timers)
    looks = holds_line or news.source is Source.WEBHOOK
    guess = replace(heard, holds_line=holds_line, counts_as_attempt=True, next_check_at=now if looks else None)
    if before.outcome in {Outcome.NOT_DIALLED, Outcome.UNSURE}:
        return replace(guess, status=CallStatus.TIMEOUT, outcome=Outcome.UNKNOWN)
    return guess


def _check_at(call: Call, checks: int, *, now: datetime, timers: Timers) -> datetime:
    """Return when a call that stays silent is looked at: at growing distances, and at its ceiling at the latest."""
    distance = timedelta(seconds=timers.reconcile_after)
    back_off = min(int(2**checks), MAX_CHECK_BACKOFF)
    return min(now + distance * back_off, max(gives_up_at(call, timers), now + distance))


def _decide(call: Call, news: CallNews, *, now: datetime, timers: Timers) -> Call:
    """Apply one of our own decisions. None of them touches a call that is already closed."""
    if not call.status.is_active:
        return _decide_guess(call, news, now=now, timers=timers)
    match news.kind:
        case NewsKind.CANCEL_REQUESTED:
            return _cancel(call, news, now=now)
        case NewsKind.RELEASED if call.provider_call_id is None:
            return _guess(call, CallStatus.FAILED, Outcome.NOT_DIALLED, reason=news.reason, counts=False)
        case NewsKind.LAPSED if call.provider_call_id is None and not call.may_have_been_sent:
            return _guess(call, CallStatus.FAILED, Outcome.NOT_DIALLED, reason=news.reason, counts=False)
        case NewsKind.REFUSED if call.provider_call_id is None:
            return _guess(call, CallStatus.FAILED, news.outcome or Outcome.REFUSED, reason=news.reason, counts=True)
        case NewsKind.TIMED_OUT:
            outcome = Outcome.UNKNOWN if call.provider_call_id else Outcome.UNSURE
            return _guess(call, CallStatus.TIMEOUT, outcome, reason=news.reason, counts=True)
        case NewsKind.UNSURE if call.provider_call_id is None:
            return replace(call, unsure_at=call.unsure_at or now, reason=news.reason)
        case NewsKind.MISSING:
            return _missed(call, now=now, timers=timers)
        case _:
            return call


def _decide_guess(call: Call, news: CallNews, *, now: datetime, timers: Timers) -> Call:
    """A closed call that still holds a line (the provider called it live after our guess) may be given up again."""
    if not call.holds_line:
        return replace(call, next_check_at=None) if news.kind is NewsKind.MISSING else call
    match news.kind:
        case NewsKind.TIMED_OUT:
            return replace(call, holds_line=False, next_check_at=None)
        case NewsKind.MISSING:
            return _missed(call, now=now, timers=timers)
        case NewsKind.CANCEL_REQUESTED:
            return _cancel(call, news, now=now)
        case _:
            return call


def _cancel(call: Call, news: CallNews, *, now: datetime) -> Call:
    """Note that an operator stopped it; the line stays taken until its end is known."""
    return replace(
        call,
        cancel_requested_at=call.cancel_requested_at or now,
        hangs_up=call.hangs_up or news.hangs_up,
        next_check_at=now if call.may_have_been_sent else call.next_check_at,
    )


def _guess(call: Call, status: CallStatus, outcome: Outcome, *, reason: str | None, counts: bool) -> Call:
    return replace(
        call,
        status=status,
        outcome=outcome,
        reason=reason,
        counts_as_attempt=counts,
        holds_line=False,
        next_check_at=None,
        unsure_at=call.unsure_at if counts else None,  # what was certainly not dialled leaves no doubt behind
    )


def _missed(call: Call, *, now: datetime, timers: Timers) -> Call:
    """Note that we looked and found nothing; when we look again is data in the row."""
    return replace(
        call,
        missing_since=call.missing_since or now,
        checks=call.checks + 1,
        next_check_at=now + timedelta(seconds=timers.unknown_grace),
    )


def gives_up_at(call: Call, timers: Timers) -> datetime:
    """Return the ceiling: past it, any answer but a terminal one makes TIMEOUT."""
    since = call.dial_started_at or call.claimed_at
    longest = call.max_duration_seconds / timers.time_scale + timers.ring + timers.margin
    return since + timedelta(seconds=max(timers.call_timeout, longest))


def merge(ours: Facts, news: Facts) -> Facts:
    """Join two sets of facts. Commutative, associative and idempotent, so that the order of news does not matter."""
    longer = news if news.transcript_rank > ours.transcript_rank else ours
    return Facts(
        started_at=_least(ours.started_at, news.started_at),
        ended_at=_most(ours.ended_at, news.ended_at),
        ended_reason=_telling(ours.ended_reason, news.ended_reason),
        cost_usd=_costlier(ours.cost_usd, news.cost_usd),
        cost_breakdown=fuller(ours.cost_breakdown, news.cost_breakdown),
        recording_url=_longer(ours.recording_url, news.recording_url),
        transcript=longer.transcript,
        transcript_rank=longer.transcript_rank,
        summary=_longer(ours.summary, news.summary),
        success_raw=_longer(ours.success_raw, news.success_raw),
        control_url=_longer(ours.control_url, news.control_url),
    )


def _least(a: datetime | None, b: datetime | None) -> datetime | None:
    return _chosen(min, a, b)


def _most(a: datetime | None, b: datetime | None) -> datetime | None:
    return _chosen(max, a, b)


def _costlier(a: Decimal | None, b: Decimal | None) -> Decimal | None:
    """One call is charged once: of two reports the dearer is the later state of the bill."""
    return _chosen(max, a, b)


def _longer(a: str | None, b: str | None) -> str | None:
    return _chosen(_longest, a, b)


def _telling(a: str | None, b: str | None) -> str | None:
    return _chosen(_most_telling, a, b)


_longest = partial(max, key=lambda text: (len(text), text))
_most_telling = partial(max, key=reason_rank)


def _chosen(choose: Callable[[T, T], T], a: T | None, b: T | None) -> T | None:
    """Choose between two that differ; nothing never wins."""
    if b is None or a == b:
        return a
    return b if a is None else choose(a, b)
