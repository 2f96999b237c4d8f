"""Whether a contact may be dialled, and what its calls leave it as."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from autolynx.domain.call import Call, CallStatus, Outcome
from autolynx.domain.contact import Contact, ContactState, LaterAt, Never, Now, eligibility, standing_after

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
CONTACT = Contact(
    id=UUID(int=1), campaign_id=UUID(int=2), position=0, phone="+12125550100", name="Ada", business_name="Acme"
)
CALL = Call(
    id=UUID(int=3),
    campaign_id=UUID(int=2),
    contact_id=UUID(int=1),
    attempt=1,
    status=CallStatus.QUEUED,
    claimed_at=NOW,
    lease_until=NOW,
)
OVER = replace(CALL, status=CallStatus.ENDED, outcome=Outcome.BUSY, holds_line=False)
RELEASED = replace(
    OVER, status=CallStatus.FAILED, outcome=Outcome.NOT_DIALLED, counts_as_attempt=False, reason="Not sent."
)


def test_a_fresh_contact_may_be_dialled_now() -> None:
    assert eligibility(CONTACT, max_attempts=1, now=NOW) == Now()


def test_a_contact_that_is_due_later_waits_and_one_that_is_due_now_does_not() -> None:
    later = NOW + timedelta(seconds=1)
    assert eligibility(replace(CONTACT, due_at=later), max_attempts=1, now=NOW) == LaterAt(later)
    assert eligibility(replace(CONTACT, due_at=NOW), max_attempts=1, now=NOW) == Now()


def test_used_attempts_end_it_and_a_persons_decision_grants_exactly_one_more() -> None:
    used = replace(CONTACT, attempts=1)
    assert isinstance(eligibility(used, max_attempts=1, now=NOW), Never)
    granted = replace(used, extra_attempts=1)
    assert eligibility(granted, max_attempts=1, now=NOW) == Now()
    assert isinstance(eligibility(replace(granted, attempts=2), max_attempts=1, now=NOW), Never)


def test_claims_that_went_back_use_up_nothing() -> None:
    assert eligibility(replace(CONTACT, claims=9, attempts=0), max_attempts=1, now=NOW) == Now()


@pytest.mark.parametrize("status", [CallStatus.QUEUED, CallStatus.RINGING, CallStatus.IN_PROGRESS])
def test_while_a_call_is_active_its_contact_is_calling(status: CallStatus) -> None:
    assert standing_after(replace(CALL, status=status), now=NOW, releases=0).state is ContactState.CALLING


@pytest.mark.parametrize("status", [CallStatus.ENDED, CallStatus.FAILED, CallStatus.CANCELED, CallStatus.TIMEOUT])
def test_a_counted_end_leaves_the_contact_done(status: CallStatus) -> None:
    assert standing_after(replace(OVER, status=status), now=NOW, releases=0).state is ContactState.DONE


def test_a_claim_that_went_back_is_due_again_at_growing_distances() -> None:
    waits = [standing_after(RELEASED, now=NOW, releases=releases).due_at for releases in range(8)]
    assert [(at or NOW) - NOW for at in waits] == [timedelta(seconds=s) for s in (0, 0, 5, 15, 60, 300, 300, 300)]
    scaled = standing_after(RELEASED, now=NOW, releases=5, time_scale=100)
    assert (scaled.state, scaled.due_at, scaled.reason) == (
        ContactState.DUE,
        NOW + timedelta(seconds=3),
        "Not sent.",
    )


def test_a_claim_that_went_back_leaves_nothing_to_do_where_other_calls_are_all_that_are_allowed() -> None:
    assert standing_after(RELEASED, now=NOW, releases=0, is_used_up=True).state is ContactState.DONE
    active = replace(CALL, status=CallStatus.RINGING)
    assert standing_after(active, now=NOW, releases=0, is_used_up=True).state is ContactState.CALLING


def test_a_call_in_doubt_leaves_the_contact_to_a_person() -> None:
    doubtful = replace(CALL, unsure_at=NOW, reason="Nobody can say.")
    assert standing_after(doubtful, now=NOW, releases=0).state is ContactState.UNSURE
    given_up = replace(OVER, status=CallStatus.TIMEOUT, outcome=Outcome.UNSURE)
    assert standing_after(given_up, now=NOW, releases=0).state is ContactState.UNSURE
