"""Which ends of a call are worth another attempt, and when it is made."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from autolynx.domain.call import Call, CallStatus, Facts, Outcome
from autolynx.domain.campaign import CampaignOptions
from autolynx.domain.contact import ContactState, standing_after
from autolynx.domain.retry import is_worth_another_try, retry_at

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
MISSED = Call(
    id=UUID(int=3),
    campaign_id=UUID(int=2),
    contact_id=UUID(int=1),
    attempt=1,
    status=CallStatus.ENDED,
    outcome=Outcome.NO_ANSWER,
    holds_line=False,
    is_final=True,
    claimed_at=NOW,
    lease_until=NOW,
)
THREE = CampaignOptions(max_attempts=3, retry_after_minutes=20)
WORTH = {Outcome.NO_ANSWER, Outcome.BUSY, Outcome.PROVIDER_ERROR}


@pytest.mark.parametrize("outcome", Outcome)
def test_only_who_was_not_reached_and_may_be_later_is_called_again(outcome: Outcome) -> None:
    assert is_worth_another_try(replace(MISSED, outcome=outcome)) == (outcome in WORTH)


@pytest.mark.parametrize(
    "call",
    [
        replace(MISSED, cancel_requested_at=NOW),
        replace(MISSED, status=CallStatus.CANCELED),
        replace(MISSED, status=CallStatus.TIMEOUT),
        replace(MISSED, is_final=False),
        replace(MISSED, counts_as_attempt=False),
        replace(MISSED, outcome=Outcome.PROVIDER_ERROR, facts=Facts(transcript_rank="0012 Hello")),
        replace(MISSED, was_live=True),
    ],
    ids=[
        *("stopped", "canceled", "a guess", "not the provider's word", "not counted", "broke down after words"),
        "picked up",
    ],
)
def test_what_was_stopped_guessed_or_spoken_is_not_tried_again(call: Call) -> None:
    assert not is_worth_another_try(call)


@pytest.mark.parametrize(("made", "again"), [(1, True), (2, True), (3, False), (4, False)])
def test_the_next_attempt_is_due_after_the_campaigns_distance_while_attempts_are_left(made: int, again: bool) -> None:
    at = retry_at(MISSED, THREE, made=made, now=NOW)
    assert at == (NOW + timedelta(minutes=20) if again else None)


def test_the_distance_follows_the_time_scale() -> None:
    at = retry_at(MISSED, THREE, made=1, now=NOW, time_scale=100)
    assert at == NOW + timedelta(seconds=12)


def test_one_attempt_is_all_unless_the_campaign_says_otherwise() -> None:
    assert retry_at(MISSED, CampaignOptions(), made=1, now=NOW) is None


def test_another_attempt_leaves_the_contact_due_and_says_why() -> None:
    at = NOW + timedelta(hours=1)
    standing = standing_after(MISSED, now=NOW, releases=0, retry_at=at)
    assert (standing.state, standing.due_at) == (ContactState.DUE, at)
    assert standing.reason == "Nobody was reached (no answer): it is called again."
