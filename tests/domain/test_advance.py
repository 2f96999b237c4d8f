"""The one rule by which news changes a call: what each kind of news does, and in which order it may come."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autolynx.domain.advance import Advance, Timers, advance, gives_up_at
from autolynx.domain.call import ACTIVE_ORDER, Call, CallNews, CallStatus, Facts, NewsKind, Outcome, Source
from autolynx.domain.outcome import Blame

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
NOW = START + timedelta(minutes=2)
TIMERS = Timers(
    reconcile_after=90, call_timeout=600, unknown_grace=60, first_look=2, answer_by=22, ring=120, margin=300, lease=30
)
CLAIMED = Call(
    id=UUID(int=1),
    campaign_id=UUID(int=2),
    contact_id=UUID(int=3),
    attempt=1,
    status=CallStatus.QUEUED,
    claimed_at=START,
    lease_until=START + timedelta(seconds=30),
)
MARKED = replace(CLAIMED, dial_started_at=START, next_check_at=START + timedelta(seconds=22))
ACCEPTED = replace(MARKED, provider_call_id="call-1")
LIMIT_REACHED = "call.start.error-subscription-concurrency-limit-reached"


def word(status: CallStatus | None = None, **values: Any) -> CallNews:
    facts = Facts(**values.pop("facts", {}))
    given_values: dict[str, Any] = {"provider_call_id": "call-1", "source": Source.WEBHOOK, **values}
    return CallNews(kind=NewsKind.PROVIDER, status=status, facts=facts, **given_values)


def ended(reason: str | None = "customer-ended-call", **facts: Any) -> CallNews:
    return word(is_over=True, facts={"ended_reason": reason, **facts})


def ours(kind: NewsKind, **values: Any) -> CallNews:
    return CallNews(kind=kind, source=Source.TICK, reason="So we decided.", **values)


def step(call: Call, *news: CallNews, now: datetime = NOW) -> Advance:
    made = Advance(call=call)
    for one in news:
        made = advance(made.call, one, now=now, timers=TIMERS)
    return made


def after(call: Call, *news: CallNews, now: datetime = NOW) -> Call:
    return step(call, *news, now=now).call


# Forward, and never back ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("later", ACTIVE_ORDER)
@pytest.mark.parametrize("earlier", ACTIVE_ORDER)
def test_a_late_live_word_does_not_move_a_call_back(earlier: CallStatus, later: CallStatus) -> None:
    call = after(ACCEPTED, word(later), word(earlier))
    assert call.status is max(earlier, later, key=ACTIVE_ORDER.index)


@pytest.mark.parametrize("status", ACTIVE_ORDER)
def test_a_late_live_word_does_not_reopen_an_ended_call(status: CallStatus) -> None:
    call = after(ACCEPTED, ended(), word(status))
    assert (call.status, call.holds_line, call.is_final) == (CallStatus.ENDED, False, True)


def test_a_word_that_nobody_knows_changes_nothing_but_keeps_the_id() -> None:
    call = after(MARKED, word(None))
    assert (call.status, call.provider_call_id, call.holds_line) == (CallStatus.QUEUED, "call-1", True)


def test_a_late_report_fills_what_is_empty_and_keeps_the_end() -> None:
    first = after(ACCEPTED, word(CallStatus.IN_PROGRESS), ended(started_at=START))
    call = after(first, ended(cost_usd=Decimal("0.12"), summary="A short talk.", success_raw="true"))
    assert (call.status, call.outcome) == (CallStatus.ENDED, Outcome.ANSWERED)
    assert (call.facts.cost_usd, call.facts.summary, call.facts.started_at) == (Decimal("0.12"), "A short talk.", START)
    assert call.success_evaluation is True


def test_of_two_contradicting_reports_the_more_telling_one_stands_whichever_came_first() -> None:
    reports = [ended("call.in-progress.twilio-completed-call"), ended("customer-did-not-answer", cost_usd=Decimal(0))]
    for order in (reports, reports[::-1]):
        call = after(ACCEPTED, *order)
        assert (call.outcome, call.facts.ended_reason) == (Outcome.NO_ANSWER, "customer-did-not-answer")


def test_blame_falls_once_however_often_the_end_is_told() -> None:
    first = step(ACCEPTED, ended(LIMIT_REACHED))
    assert first.blame is Blame.CONCURRENCY
    assert step(first.call, ended(LIMIT_REACHED)).blame is Blame.NOBODY


def test_a_reason_that_comes_after_the_end_blames_once() -> None:
    silent = step(ACCEPTED, ended(None))
    told = step(silent.call, ended(LIMIT_REACHED))
    assert (silent.blame, told.blame) == (Blame.NOBODY, Blame.CONCURRENCY)
    assert step(told.call, ended(LIMIT_REACHED)).blame is Blame.NOBODY


@pytest.mark.parametrize("source", [Source.WEBHOOK, Source.SWEEP, Source.POLL, Source.DIAL])
def test_an_end_without_a_bill_is_asked_about_three_times_whoever_told_it(source: Source) -> None:
    call = after(ACCEPTED, replace(ended(), source=source))
    distances = []
    while call.next_check_at is not None:
        distances.append((call.next_check_at - NOW).total_seconds())
        call = after(call, replace(ended(), source=Source.POLL))
    assert distances == [90, 180, 360]


def test_a_price_of_nothing_is_believed_only_where_nobody_was_reached() -> None:
    free = ended("customer-busy", cost_usd=Decimal(0))
    assert after(ACCEPTED, free).next_check_at is None
    talk = replace(ended(cost_usd=Decimal(0), started_at=NOW), source=Source.SWEEP)
    asked = after(ACCEPTED, talk)
    assert asked.next_check_at == NOW + timedelta(seconds=90)
    priced = after(asked, replace(ended(cost_usd=Decimal("0.05")), source=Source.POLL))
    assert (priced.facts.cost_usd, priced.next_check_at) == (Decimal("0.05"), None)


def test_a_bill_ends_the_asking_and_a_repeated_end_does_not_begin_it_anew() -> None:
    told = after(ACCEPTED, ended())
    assert after(told, ended(cost_usd=Decimal("0.05"))).next_check_at is None
    assert after(told, ours(NewsKind.MISSING)).next_check_at is None
    looked = replace(ended(), source=Source.POLL)
    assert after(told, looked, looked, looked, ended(), ended()).next_check_at is None


# A second id --------------------------------------------------------------------------------------------------------


def test_a_second_provider_id_leaves_the_call_as_it_is_and_is_reported() -> None:
    made = step(ACCEPTED, word(CallStatus.IN_PROGRESS, provider_call_id="call-2"))
    assert made.is_second_id
    assert made.call == ACCEPTED


# Claims that go back ------------------------------------------------------------------------------------------------


def test_an_unmarked_claim_whose_lease_ended_goes_back() -> None:
    call = after(CLAIMED, ours(NewsKind.LAPSED))
    assert (call.status, call.outcome, call.counts_as_attempt) == (CallStatus.FAILED, Outcome.NOT_DIALLED, False)
    assert not call.holds_line


def test_a_marked_claim_does_not_lapse() -> None:
    assert after(MARKED, ours(NewsKind.LAPSED)) == MARKED


@pytest.mark.parametrize("kind", [NewsKind.RELEASED, NewsKind.LAPSED, NewsKind.REFUSED, NewsKind.UNSURE])
def test_a_call_that_the_provider_knows_is_never_given_back_by_us(kind: NewsKind) -> None:
    assert after(ACCEPTED, ours(kind)) == ACCEPTED


def test_a_released_claim_is_revived_by_the_end_that_bears_its_id() -> None:
    released = after(MARKED, ours(NewsKind.RELEASED))
    made = step(released, ended("customer-busy"))
    assert made.is_revived
    assert (made.call.status, made.call.outcome, made.call.counts_as_attempt) == (
        CallStatus.ENDED,
        Outcome.BUSY,
        True,
    )


def test_a_live_word_about_a_released_claim_takes_the_line_again_and_starts_a_look() -> None:
    released = after(MARKED, ours(NewsKind.RELEASED))
    made = step(released, word(CallStatus.RINGING))
    assert made.is_revived
    assert (made.call.status, made.call.outcome) == (CallStatus.TIMEOUT, Outcome.UNKNOWN)
    assert (made.call.holds_line, made.call.counts_as_attempt, made.call.next_check_at) == (True, True, NOW)


def test_news_that_it_was_not_dialled_does_not_revive_a_released_claim() -> None:
    released = after(MARKED, ours(NewsKind.RELEASED))
    made = step(released, ended(LIMIT_REACHED))
    assert not made.is_revived
    assert made.call.is_released


# Doubt --------------------------------------------------------------------------------------------------------------


def test_a_call_in_doubt_keeps_its_line() -> None:
    call = after(MARKED, ours(NewsKind.UNSURE))
    assert (call.status, call.unsure_at, call.holds_line, call.is_in_doubt) == (CallStatus.QUEUED, NOW, True, True)


def test_doubt_goes_with_the_providers_word() -> None:
    call = after(MARKED, ours(NewsKind.UNSURE), word(CallStatus.RINGING))
    assert (call.status, call.unsure_at, call.is_in_doubt) == (CallStatus.RINGING, None, False)


def test_doubt_goes_with_the_proof_that_it_was_never_dialled() -> None:
    call = after(MARKED, ours(NewsKind.UNSURE), ours(NewsKind.RELEASED))
    assert (call.outcome, call.is_in_doubt) == (Outcome.NOT_DIALLED, False)


def test_at_the_ceiling_a_call_without_an_id_stays_in_doubt() -> None:
    call = after(MARKED, ours(NewsKind.UNSURE), ours(NewsKind.TIMED_OUT))
    assert (call.status, call.outcome, call.holds_line) == (CallStatus.TIMEOUT, Outcome.UNSURE, False)
    assert call.is_in_doubt


def test_a_look_that_finds_nothing_is_repeated_after_the_grace() -> None:
    first = after(MARKED, ours(NewsKind.MISSING))
    assert (first.missing_since, first.next_check_at) == (NOW, NOW + timedelta(seconds=60))
    second = after(first, ours(NewsKind.MISSING), now=NOW + timedelta(seconds=60))
    assert second.missing_since == NOW
    assert after(second, word(CallStatus.QUEUED)).missing_since is None


# Guesses ------------------------------------------------------------------------------------------------------------


def test_the_end_replaces_our_timeout() -> None:
    call = after(ACCEPTED, ours(NewsKind.TIMED_OUT), ended("voicemail"))
    assert (call.status, call.outcome, call.is_final) == (CallStatus.ENDED, Outcome.VOICEMAIL, True)


def test_a_live_word_after_our_timeout_takes_the_line_again_and_leaves_the_status() -> None:
    call = after(ACCEPTED, ours(NewsKind.TIMED_OUT), word(CallStatus.IN_PROGRESS))
    assert (call.status, call.holds_line, call.next_check_at) == (CallStatus.TIMEOUT, True, NOW)


@pytest.mark.parametrize(
    ("source", "is_asked_about"), [(Source.WEBHOOK, True), (Source.SWEEP, False), (Source.POLL, False)]
)
def test_past_its_ceiling_a_live_word_takes_no_line_again(source: Source, is_asked_about: bool) -> None:
    past = gives_up_at(ACCEPTED, TIMERS) + timedelta(seconds=1)
    given_up = after(ACCEPTED, ours(NewsKind.TIMED_OUT), now=past)
    heard = after(given_up, word(CallStatus.IN_PROGRESS, source=source), now=past)
    assert (heard.status, heard.holds_line) == (CallStatus.TIMEOUT, False)
    assert heard.next_check_at == (past if is_asked_about else None)


def test_a_released_claim_that_is_heard_of_past_its_ceiling_counts_as_dialled_and_takes_no_line() -> None:
    past = gives_up_at(MARKED, TIMERS) + timedelta(seconds=1)
    made = step(after(MARKED, ours(NewsKind.RELEASED)), word(CallStatus.IN_PROGRESS), now=past)
    assert made.is_revived
    assert (made.call.status, made.call.outcome) == (CallStatus.TIMEOUT, Outcome.UNKNOWN)
    assert (made.call.counts_as_attempt, made.call.holds_line) == (True, False)


def test_a_line_taken_again_can_be_given_up_again() -> None:
    live = after(ACCEPTED, ours(NewsKind.TIMED_OUT), word(CallStatus.IN_PROGRESS))
    assert not after(live, ours(NewsKind.TIMED_OUT)).holds_line
    assert after(live, ours(NewsKind.MISSING)).holds_line


def test_the_ceiling_counts_from_the_mark_and_is_never_below_the_timeout() -> None:
    short = replace(ACCEPTED, max_duration_seconds=60)
    assert gives_up_at(short, TIMERS) == START + timedelta(seconds=600)
    long = replace(ACCEPTED, max_duration_seconds=1800)
    assert gives_up_at(long, TIMERS) == START + timedelta(seconds=1800 + 120 + 300)
    scaled = replace(TIMERS, call_timeout=6, ring=1.2, margin=3, time_scale=100)
    assert gives_up_at(long, scaled) == START + timedelta(seconds=18 + 1.2 + 3)


def test_looks_that_find_the_call_live_come_at_growing_distances() -> None:
    call, distances = ACCEPTED, []
    for _ in range(5):
        call = after(call, word(CallStatus.IN_PROGRESS, source=Source.POLL))
        distances.append((call.next_check_at or NOW) - NOW)
    assert [one.total_seconds() / 90 for one in distances] == [2, 4, 8, 8, 8]
    assert after(call, word(CallStatus.IN_PROGRESS)).next_check_at == NOW + timedelta(seconds=90)


def test_a_look_is_never_put_off_beyond_the_ceiling() -> None:
    call = replace(ACCEPTED, checks=4)
    late = START + timedelta(seconds=900)
    looked = after(call, word(CallStatus.IN_PROGRESS, source=Source.POLL), now=late)
    assert looked.next_check_at == START + timedelta(seconds=600 + 120 + 300)
    past = START + timedelta(seconds=1100)
    assert after(call, word(CallStatus.RINGING), now=past).next_check_at == past + timedelta(seconds=90)


# Stop ---------------------------------------------------------------------------------------------------------------


def test_a_stopped_call_keeps_its_line_and_reads_canceled_at_its_end() -> None:
    stopped = after(ACCEPTED, word(CallStatus.RINGING), ours(NewsKind.CANCEL_REQUESTED, hangs_up=True))
    assert (stopped.status, stopped.holds_line, stopped.hangs_up) == (CallStatus.RINGING, True, True)
    assert (stopped.cancel_requested_at, stopped.next_check_at) == (NOW, NOW)
    call = after(stopped, ended("customer-did-not-answer"))
    assert (call.status, call.outcome, call.holds_line) == (CallStatus.CANCELED, Outcome.CANCELED, False)


def test_a_stopped_talk_keeps_how_it_went() -> None:
    call = after(ACCEPTED, word(CallStatus.IN_PROGRESS), ours(NewsKind.CANCEL_REQUESTED), ended(started_at=START))
    assert (call.status, call.outcome) == (CallStatus.CANCELED, Outcome.ANSWERED)


def test_stop_also_reaches_a_call_that_was_given_up_and_is_live_after_all() -> None:
    live = after(ACCEPTED, ours(NewsKind.TIMED_OUT), word(CallStatus.IN_PROGRESS))
    stopped = after(live, ours(NewsKind.CANCEL_REQUESTED, hangs_up=True))
    assert stopped.is_connected
    assert stopped.hangs_up
    assert after(stopped, ended()).status is CallStatus.CANCELED


def test_stop_asks_nobody_about_a_claim_that_was_never_sent() -> None:
    assert after(CLAIMED, ours(NewsKind.CANCEL_REQUESTED)).next_check_at is None


def test_stop_does_not_touch_a_call_that_is_over() -> None:
    over = after(ACCEPTED, ended())
    assert after(over, ours(NewsKind.CANCEL_REQUESTED, hangs_up=True)) == over


# In every order -----------------------------------------------------------------------------------------------------

REASONS = (
    "customer-ended-call",
    "customer-did-not-answer",
    "customer-busy",
    "voicemail",
    "manually-canceled",
    "call.start.error-vapi-number-outbound-daily-limit",
    "call.start.error-vapifault-get-org",
    "call.in-progress.twilio-completed-call",
    LIMIT_REACHED,
    "something-new",
)
told_facts = st.fixed_dictionaries(
    {
        "started_at": st.none() | st.integers(0, 60).map(lambda seconds: START + timedelta(seconds=seconds)),
        "ended_reason": st.none() | st.sampled_from(REASONS),
        "cost_usd": st.none() | st.integers(0, 30).map(Decimal),
        "transcript_rank": st.sampled_from(["", "00005:hello", "00009:hello you"]),
        "success_raw": st.sampled_from([None, "true", "false"]),
    }
)
live_words = st.builds(
    lambda status, source, blocked: word(status, source=source, is_blocked=blocked),
    st.sampled_from([None, *ACTIVE_ORDER]),
    st.sampled_from([Source.DIAL, Source.WEBHOOK, Source.POLL, Source.SWEEP]),
    st.booleans(),
)
last_words = told_facts.map(lambda facts: word(is_over=True, facts=facts))
guesses = st.sampled_from(
    [
        ours(kind)
        for kind in (
            NewsKind.RELEASED,
            NewsKind.LAPSED,
            NewsKind.REFUSED,
            NewsKind.MISSING,
            NewsKind.UNSURE,
            NewsKind.TIMED_OUT,
        )
    ]
)


def essence(call: Call) -> tuple[object, ...]:
    return (
        call.status,
        call.outcome,
        call.facts,
        call.is_final,
        call.counts_as_attempt,
        call.holds_line,
        call.provider_call_id,
        call.is_in_doubt,
        call.success_evaluation,
    )


@given(st.data(), st.lists(live_words | last_words, min_size=1, max_size=6))
def test_every_order_and_repetition_of_the_same_news_gives_the_same_call(
    data: st.DataObject, news: list[CallNews]
) -> None:
    repeated = [*news, *data.draw(st.lists(st.sampled_from(news), max_size=4))]
    shuffled = data.draw(st.permutations(repeated))
    assert essence(after(MARKED, *shuffled)) == essence(after(MARKED, *news))


@given(st.data(), st.lists(live_words, max_size=3), last_words, st.lists(guesses, min_size=1, max_size=5))
def test_no_guess_of_ours_ever_beats_the_providers_last_word(
    data: st.DataObject, live: list[CallNews], last: CallNews, guessed: list[CallNews]
) -> None:
    mixed = data.draw(st.permutations([*live, last, *guessed]))
    assert essence(after(MARKED, *mixed)) == essence(after(MARKED, *live, last))


@given(st.lists(live_words | last_words | guesses, max_size=8))
def test_status_never_moves_back_and_facts_never_get_lost(news: list[CallNews]) -> None:
    call = MARKED
    for one in news:
        following = after(call, one)
        if call.status.is_active and following.status.is_active:
            assert ACTIVE_ORDER.index(following.status) >= ACTIVE_ORDER.index(call.status)
        assert call.status.is_active or not following.status.is_active
        assert following.is_final >= call.is_final
        assert following.was_live >= call.was_live
        assert following.facts.transcript_rank >= call.facts.transcript_rank
        assert call.facts.ended_reason is None or following.facts.ended_reason is not None
        call = following


@given(st.lists(live_words | last_words | guesses, max_size=8))
def test_what_follows_from_a_guess_is_always_looked_at_or_over(news: list[CallNews]) -> None:
    call = after(MARKED, *news)
    assert not call.holds_line or call.next_check_at is not None
    assert call.counts_as_attempt or call.is_released
