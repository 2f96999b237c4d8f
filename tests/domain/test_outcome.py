"""How an ended call is read."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from autolynx.domain.call import CallStatus, Facts, Outcome
from autolynx.domain.outcome import Blame, Verdict, judge

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
LIMIT_REACHED = "call.start.error-subscription-concurrency-limit-reached"


def verdict(
    reason: str | None, *, was_live: bool = False, is_blocked: bool = False, is_canceled: bool = False, **facts: Any
) -> Verdict:
    told = Facts(ended_reason=reason, **facts)
    return judge(told, was_live=was_live, is_blocked=is_blocked, is_canceled=is_canceled)


@pytest.mark.parametrize(
    ("reason", "status", "outcome"),
    [
        ("customer-ended-call", CallStatus.ENDED, Outcome.ANSWERED),
        ("assistant-ended-call", CallStatus.ENDED, Outcome.ANSWERED),
        ("assistant-forwarded-call", CallStatus.ENDED, Outcome.ANSWERED),
        ("voicemail", CallStatus.ENDED, Outcome.VOICEMAIL),
        ("customer-did-not-answer", CallStatus.ENDED, Outcome.NO_ANSWER),
        ("customer-busy", CallStatus.ENDED, Outcome.BUSY),
        ("silence-timed-out", CallStatus.ENDED, Outcome.SILENCE),
        ("twilio-reported-customer-misdialed", CallStatus.FAILED, Outcome.BAD_NUMBER),
        ("twilio-failed-to-connect-call", CallStatus.FAILED, Outcome.REFUSED),
        ("call.start.error-vapi-number-international", CallStatus.FAILED, Outcome.REFUSED),
        ("manually-canceled", CallStatus.CANCELED, Outcome.CANCELED),
        ("worker-shutdown", CallStatus.FAILED, Outcome.PROVIDER_ERROR),
        ("pipeline-error-openai-llm-failed", CallStatus.FAILED, Outcome.PROVIDER_ERROR),
        ("pipeline-error-openai-401-unauthorized", CallStatus.FAILED, Outcome.CONFIG_ERROR),
        ("a-word-of-next-month", CallStatus.ENDED, Outcome.UNKNOWN),
        (None, CallStatus.ENDED, Outcome.UNKNOWN),
    ],
)
def test_each_class_of_end_has_its_status_and_outcome(reason: str | None, status: CallStatus, outcome: Outcome) -> None:
    read = verdict(reason)
    assert (read.status, read.outcome, read.counts_as_attempt) == (status, outcome, True)
    assert read.blame is Blame.NOBODY


@pytest.mark.parametrize(
    ("reason", "blame"),
    [
        (LIMIT_REACHED, Blame.CONCURRENCY),
        ("call.start.error-vapi-number-outbound-daily-limit", Blame.NUMBER),
        ("call.start.error-vapifault-get-org", Blame.PROVIDER),
        ("call.start.error-get-subscription", Blame.PROVIDER),
        ("call.start.error-subscription-frozen", Blame.ACCOUNT),
        ("assistant-not-found", Blame.CAMPAIGN),
    ],
)
def test_who_was_never_called_is_not_charged_and_the_right_thing_rests(reason: str, blame: Blame) -> None:
    read = verdict(reason)
    assert (read.status, read.outcome) == (CallStatus.FAILED, Outcome.NOT_DIALLED)
    assert (read.counts_as_attempt, read.blame) == (False, blame)


@pytest.mark.parametrize(
    "signs",
    [{"was_live": True}, {"started_at": START}, {"transcript_rank": "00005:hello"}],
    ids=["live", "start", "words"],
)
@pytest.mark.parametrize("reason", [LIMIT_REACHED, "assistant-not-found", "call.start.error-vapifault-get-org"])
def test_with_any_sign_that_it_got_through_a_claim_never_goes_back(reason: str, signs: dict[str, Any]) -> None:
    read = verdict(reason, **signs)
    assert (read.status, read.outcome, read.counts_as_attempt) == (
        CallStatus.FAILED,
        Outcome.PROVIDER_ERROR,
        True,
    )


@pytest.mark.parametrize("reason", [None, LIMIT_REACHED, "a-word-of-next-month", "call.start.error-get-org"])
def test_a_blocked_call_that_ends_without_a_start_was_not_dialled(reason: str | None) -> None:
    read = verdict(reason, is_blocked=True)
    assert (read.outcome, read.counts_as_attempt, read.blame) == (Outcome.NOT_DIALLED, False, Blame.CONCURRENCY)


@pytest.mark.parametrize(
    "reason",
    [
        "customer-busy",
        "customer-did-not-answer",
        "voicemail",
        "customer-ended-call",
        "twilio-failed-to-connect-call",
        "call.in-progress.twilio-completed-call",
    ],
)
def test_a_blocked_call_whose_end_proves_a_dial_is_not_dialled_again(reason: str) -> None:
    assert verdict(reason, is_blocked=True).counts_as_attempt


def test_the_carriers_word_is_a_conversation_only_with_evidence() -> None:
    word = "call.in-progress.twilio-completed-call"
    assert verdict(word).outcome is Outcome.NO_ANSWER
    assert verdict(word, started_at=START, cost_usd=Decimal(0)).outcome is Outcome.NO_ANSWER
    assert verdict(word, started_at=START, cost_usd=Decimal("0.03")).outcome is Outcome.ANSWERED


def test_a_stopped_call_reads_canceled_and_a_stopped_talk_keeps_its_outcome() -> None:
    assert verdict("customer-busy", is_canceled=True) == Verdict(status=CallStatus.CANCELED, outcome=Outcome.CANCELED)
    talked = verdict("customer-ended-call", is_canceled=True, was_live=True)
    assert talked == Verdict(status=CallStatus.CANCELED, outcome=Outcome.ANSWERED)


def test_a_stopped_call_that_was_never_dialled_is_not_charged() -> None:
    assert not verdict(LIMIT_REACHED, is_canceled=True).counts_as_attempt
