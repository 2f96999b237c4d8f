"""A campaign's states: which may follow which, and when it moves by itself."""

from datetime import UTC, datetime
from itertools import product
from uuid import UUID

import pytest

from autolynx.domain.campaign import (
    TRANSITIONS,
    Campaign,
    CampaignMode,
    CampaignOptions,
    CampaignStatus,
    Standings,
    due_again_sentence,
    require_resumable,
    require_transition,
    resumed_status,
    status_after,
)
from autolynx.errors import Conflict

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
S = CampaignStatus
LEGAL = {
    S.CREATED: {S.QUEUED, S.CANCELED},
    S.QUEUED: {S.DIALING, S.COMPLETED, S.PAUSED, S.CANCELED, S.FAILED},
    S.DIALING: {S.RUNNING, S.COMPLETED, S.PAUSED, S.CANCELED, S.FAILED},
    S.RUNNING: {S.COMPLETED, S.PAUSED, S.CANCELED, S.FAILED},
    S.PAUSED: {S.QUEUED, S.RUNNING, S.COMPLETED, S.CANCELED, S.FAILED},
    S.FAILED: {S.QUEUED, S.RUNNING, S.CANCELED},
    S.COMPLETED: {S.RUNNING},
    S.CANCELED: set(),
}
BUSY = Standings(due=1, calling=1, lines=1, calls=1)
FINISHED = Standings(due=0, calling=0, lines=0, calls=3)


def campaign(status: CampaignStatus, started_at: datetime | None = None) -> Campaign:
    return Campaign(
        id=UUID(int=1),
        name="Spring",
        status=status,
        mode=CampaignMode.CONTINUOUS,
        cap=8,
        assistant_id=UUID(int=2),
        phone_number_id="number-1",
        total_contacts=3,
        created_at=NOW,
        started_at=started_at,
    )


@pytest.mark.parametrize(("before", "to"), list(product(LEGAL, S)))
def test_the_table_allows_what_it_should_and_nothing_else(before: CampaignStatus, to: CampaignStatus) -> None:
    if to in LEGAL[before]:
        require_transition(campaign(before), to, verb="moved")
        return
    with pytest.raises(Conflict) as refused:
        require_transition(campaign(before), to, verb="moved")
    assert refused.value.details == {"from": before, "to": to}
    assert before.value in refused.value.message


def test_every_state_has_its_row() -> None:
    assert set(TRANSITIONS) == set(S)


def test_resume_leads_to_running_only_after_the_truthful_start() -> None:
    assert resumed_status(campaign(S.PAUSED)) is S.QUEUED
    assert resumed_status(campaign(S.PAUSED, started_at=NOW)) is S.RUNNING


@pytest.mark.parametrize("status", S)
@pytest.mark.parametrize("due", [0, 2])
def test_what_is_paused_or_failed_can_be_resumed_and_what_is_completed_if_somebody_is_due(
    status: CampaignStatus, due: int
) -> None:
    if status in {S.PAUSED, S.FAILED} or (status is S.COMPLETED and due):
        require_resumable(campaign(status), due=due)
        assert resumed_status(campaign(status)) in TRANSITIONS[status]
        return
    with pytest.raises(Conflict, match=f"{status} cannot be resumed"):
        require_resumable(campaign(status), due=due)


def test_only_a_completed_campaign_says_that_somebody_is_due_again() -> None:
    assert [status for status in S if due_again_sentence(status, 3)] == [S.COMPLETED]
    assert due_again_sentence(S.COMPLETED, 0) is None
    assert str(due_again_sentence(S.COMPLETED, 1)).startswith("1 contact is due again")
    assert str(due_again_sentence(S.COMPLETED, 3)).startswith("3 contacts are due again")


def after(status: CampaignStatus, standings: Standings, *, accepted: bool = False, reported: bool = False) -> S:
    return status_after(status, was_accepted=accepted, was_reported=reported, standings=standings)


def test_a_campaign_dials_once_a_call_is_accepted_and_runs_once_one_is_reported() -> None:
    assert after(S.QUEUED, BUSY) is S.QUEUED
    assert after(S.QUEUED, BUSY, accepted=True) is S.DIALING
    assert after(S.DIALING, BUSY, accepted=True) is S.DIALING
    assert after(S.DIALING, BUSY, accepted=True, reported=True) is S.RUNNING
    assert after(S.QUEUED, BUSY, accepted=True, reported=True) is S.RUNNING


@pytest.mark.parametrize("status", [S.QUEUED, S.DIALING, S.RUNNING, S.PAUSED])
def test_it_is_completed_when_nothing_is_due_or_active(status: CampaignStatus) -> None:
    assert after(status, FINISHED) is S.COMPLETED


@pytest.mark.parametrize("status", [S.CREATED, S.COMPLETED, S.CANCELED, S.FAILED])
def test_from_other_states_nothing_completes_it(status: CampaignStatus) -> None:
    assert after(status, FINISHED, accepted=True, reported=True) is status


@pytest.mark.parametrize(
    "standings",
    [
        Standings(due=1, calling=0, lines=0, calls=3),
        Standings(due=0, calling=1, lines=0, calls=3),
        Standings(due=0, calling=0, lines=1, calls=3),
        Standings(due=0, calling=0, lines=0, calls=0),
    ],
    ids=["a contact is due", "a contact is calling", "a line is held", "there was no call"],
)
def test_it_is_not_completed_while_anything_is_open(standings: Standings) -> None:
    assert after(S.RUNNING, standings) is S.RUNNING


def test_late_news_leaves_a_paused_campaign_paused() -> None:
    assert after(S.PAUSED, BUSY, accepted=True, reported=True) is S.PAUSED


def test_running_and_terminal_states_are_told_apart() -> None:
    assert {status for status in S if status.is_running} == {S.QUEUED, S.DIALING, S.RUNNING}
    assert {status for status in S if status.is_terminal} == {S.COMPLETED, S.CANCELED}


def test_options_are_read_from_the_stored_row_and_unknown_keys_do_no_harm() -> None:
    assert CampaignOptions.from_json({}) == CampaignOptions()
    read = CampaignOptions.from_json({"lineQuiet": True, "maxAttempts": 3, "region": "GB", "later": 1})
    assert read == CampaignOptions(line_quiet=True, max_attempts=3, region="GB")
