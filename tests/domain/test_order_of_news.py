"""The promise of the one rule: the same news in every order, however often, ends in the same call."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from autolynx.domain.advance import Timers, advance, merge
from autolynx.domain.call import Call, CallNews, CallStatus, Facts, NewsKind, Outcome, Source

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
    dial_started_at=START,
)
REASONS = (
    "customer-ended-call",
    "assistant-ended-call",
    "customer-did-not-answer",
    "customer-busy",
    "voicemail",
    "silence-timed-out",
    "twilio-failed-to-connect-call",
    "call.start.error-subscription-concurrency-limit-reached",
    "call.in-progress.error-vapifault-worker-died",
    "a-reason-nobody-has-seen-yet",
)

moments = st.none() | st.integers(0, 90).map(lambda seconds: START + timedelta(seconds=seconds))
texts = st.none() | st.sampled_from(["", "short", "longer words", "other words!"])
transcripts = st.sampled_from(["", "00005:hello", "00009:hello you"])
facts = st.builds(
    lambda started, ended, reason, cost, parts, url, transcript, summary, success: Facts(
        started_at=started,
        ended_at=ended,
        ended_reason=reason,
        cost_usd=cost,
        cost_breakdown=parts,
        recording_url=url,
        transcript={"text": transcript} if transcript else None,
        transcript_rank=transcript,
        summary=summary,
        success_raw=success,
    ),
    moments,
    moments,
    st.none() | st.sampled_from(REASONS),
    st.none() | st.integers(0, 300).map(lambda cents: Decimal(cents) / 100),
    st.none()
    | st.sampled_from([{"model": 0.01}, {"model": 0.02, "voice": 0.01}, {"voice": 0.03}, {"voice": 0.000001}]),
    texts,
    transcripts,
    texts,
    st.sampled_from([None, "true", "false", "Excellent"]),
)
words = st.builds(
    lambda status, is_over, is_blocked, told, source: CallNews(
        kind=NewsKind.PROVIDER,
        source=source,
        provider_call_id="call-1",
        status=None if is_over else status,
        is_over=is_over,
        is_blocked=is_blocked,
        facts=told,
    ),
    st.sampled_from([None, CallStatus.QUEUED, CallStatus.RINGING, CallStatus.IN_PROGRESS]),
    st.booleans(),
    st.booleans(),
    facts,
    st.sampled_from([Source.DIAL, Source.WEBHOOK, Source.POLL, Source.SWEEP]),
)
guesses = st.sampled_from(
    [NewsKind.RELEASED, NewsKind.TIMED_OUT, NewsKind.MISSING, NewsKind.UNSURE, NewsKind.LAPSED]
).map(lambda kind: CallNews(kind=kind, source=Source.TICK, reason="a guess"))
last_words = words.filter(lambda news: news.is_over)


def after(news: list[CallNews], call: Call = CLAIMED) -> Call:
    for one in news:
        call = advance(call, one, now=NOW, timers=TIMERS).call
    return call


def essence(call: Call) -> tuple[object, ...]:
    """What a person, a cap or a counter would notice; not when we look next."""
    return (
        call.status,
        call.outcome,
        call.facts,
        call.provider_call_id,
        call.holds_line,
        call.is_final,
        call.was_live,
        call.counts_as_attempt,
        call.success_evaluation,
        call.unsure_at,
    )


@given(st.data(), st.lists(words, max_size=6))
def test_the_providers_words_lead_to_the_same_call_in_every_order_and_repetition(
    data: st.DataObject, news: list[CallNews]
) -> None:
    repeated = news + data.draw(st.lists(st.sampled_from(news), max_size=4)) if news else news
    shuffled = data.draw(st.permutations(repeated))
    assert essence(after(list(shuffled))) == essence(after(news))


@given(st.data(), st.lists(words, max_size=4), last_words, st.lists(guesses, min_size=1, max_size=4))
def test_once_the_provider_has_said_that_it_is_over_no_guess_of_ours_was_ever_there(
    data: st.DataObject, news: list[CallNews], last: CallNews, ours: list[CallNews]
) -> None:
    heard = [*news, last]
    mixed = data.draw(st.permutations([*heard, *ours]))
    assert essence(after(list(mixed))) == essence(after(heard))


@given(st.lists(words | guesses, max_size=8))
def test_a_terminal_call_never_becomes_active_again(news: list[CallNews]) -> None:
    call = CLAIMED
    for one in news:
        following = after([one], call)
        assert following.status.is_active <= call.status.is_active
        call = following


@given(st.lists(words | guesses, max_size=8))
def test_a_line_is_held_while_the_call_is_active_and_never_once_the_provider_said_it_is_over(
    news: list[CallNews],
) -> None:
    call = after(news)
    assert call.holds_line or not call.status.is_active
    assert not (call.holds_line and call.is_final)
    assert (call.outcome is None) == call.status.is_active
    assert call.counts_as_attempt or call.outcome is Outcome.NOT_DIALLED


@given(facts, facts, facts)
def test_facts_are_merged_as_a_join(a: Facts, b: Facts, c: Facts) -> None:
    assert merge(a, b) == merge(b, a)
    assert merge(a, merge(b, c)) == merge(merge(a, b), c)
    assert merge(a, a) == a
