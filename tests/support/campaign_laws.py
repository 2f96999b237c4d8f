"""The laws of campaigns, contacts and calls, written down a second time and without a look at the code."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tests.support.campaign_witness import Row, Scene

MAY_START = {"CREATED"}
MAY_PAUSE = {"QUEUED", "DIALING", "RUNNING"}
MAY_RESUME = {"PAUSED", "FAILED"}
MAY_STOP = {"CREATED", "QUEUED", "DIALING", "RUNNING", "PAUSED", "FAILED"}
MAY_DIAL = {"QUEUED", "DIALING", "RUNNING"}
MOVES = {
    "CREATED": {"QUEUED", "CANCELED"},
    "QUEUED": {"DIALING", "COMPLETED", "PAUSED", "CANCELED", "FAILED"},
    "DIALING": {"RUNNING", "COMPLETED", "PAUSED", "CANCELED", "FAILED"},
    "RUNNING": {"COMPLETED", "PAUSED", "CANCELED", "FAILED"},
    "PAUSED": {"QUEUED", "RUNNING", "COMPLETED", "CANCELED", "FAILED"},
    "FAILED": {"QUEUED", "RUNNING", "CANCELED"},
    "COMPLETED": {"RUNNING"},
    "CANCELED": set(),
}
# A campaign whose first call was accepted and reported in one piece of news goes through DIALING unseen.
MOVES["QUEUED"] = MOVES["QUEUED"] | {"RUNNING"}
ACTIVE = ["QUEUED", "RINGING", "IN_PROGRESS"]
TERMINAL = {"ENDED", "FAILED", "CANCELED", "TIMEOUT"}
REOPENED = "COMPLETED", "RUNNING"


def check_moves(scene: Scene, *, account_cap: int, may_reopen: bool) -> None:
    """Every move was legal, and every claim respected every cap at the moment when it was made.

    `may_reopen`: a person wanted somebody to be called again.
    """
    for move in scene.moves:
        before, after = move["before"], move["after"]
        if move["what"] == "campaigns":
            assert after in MOVES[before], f"a campaign went from {before} to {after}"
            assert (before, after) != REOPENED or may_reopen, "a completed campaign was reopened by no person"
        elif move["what"] == "calls":
            assert before in ACTIVE or after in TERMINAL, f"a call that was {before} is {after} again"
            is_backwards = before in ACTIVE and after in ACTIVE and ACTIVE.index(after) < ACTIVE.index(before)
            assert not is_backwards, f"a call went back from {before} to {after}"
        else:
            assert before in MAY_DIAL, f"a line was taken by a campaign that is {before}"
            assert move["lines"] <= move["cap"], "a claim broke the cap of its campaign"
            assert move["account_lines"] <= account_cap, "a claim broke the cap of the account"
            assert not move["is_held"], "a line was taken although dialling is held"


def check_campaign(scene: Scene, campaign: Row, *, before: Row | None, now: datetime) -> None:
    """Start, end and counters of a campaign agree with its calls and contacts."""
    calls, contacts = scene.calls_of(campaign), scene.contacts_of(campaign)
    was_accepted = any(call["provider_call_id"] for call in calls)
    assert (campaign["started_at"] is not None) == was_accepted, "started_at is not the first accepted call"
    if before is not None and before["started_at"] != campaign["started_at"]:
        assert before["started_at"] is None, "started_at was changed"
        assert campaign["started_at"] == now, "started_at is not the moment of the first accepted call"
    is_over = not any(call["holds_line"] for call in calls) and not any(
        contact["state"] in {"due", "calling"} for contact in contacts
    )
    has_calls = any(call["outcome"] != "not_dialled" for call in calls)
    if campaign["deleted_at"] is None and is_over and has_calls:
        assert campaign["status"] not in {*MAY_DIAL, "PAUSED"}, f"all is over, and it is {campaign['status']}"
    if campaign["status"] == "COMPLETED" and before is not None and before["status"] != "COMPLETED":
        assert is_over, "it is completed, and something is still to be done"


def check_contact(contact: Row, calls: list[Row], *, is_left: bool) -> None:
    """What a contact is agrees with its calls."""
    state = contact["state"]
    active = [call for call in calls if call["status"] in ACTIVE]
    certain = [call for call in active if call["unsure_at"] is None]
    doubtful = [call for call in calls if call["unsure_at"] is not None or call["outcome"] == "unsure"]
    assert len(active) <= 1, "one contact is on two calls"
    assert len([call for call in calls if call["counts_as_attempt"]]) <= 1 + contact["extra_attempts"]
    assert bool(certain) == (state == "calling") or is_left, f"{state}, with {len(certain)} active calls"
    if state == "due":
        assert not active
        assert not any(call["holds_line"] and call["status"] in ACTIVE for call in calls)
    if state == "unsure":
        assert doubtful
    if state == "done" and not is_left:
        assert any(call["counts_as_attempt"] for call in calls)
    if state == "excluded":
        assert contact["reason"]


def may_resume(scene: Scene, campaign: Row) -> set[str]:
    """Return from where it may be resumed: a completed one only for those who became due again after its end."""
    is_due = any(contact["state"] == "due" for contact in scene.contacts_of(campaign))
    return MAY_RESUME | ({"COMPLETED"} if is_due else set())


def check_call(call: Row) -> None:
    """What a call is agrees with itself."""
    assert (call["outcome"] is None) == (call["status"] in ACTIVE)
    assert call["holds_line"] or call["status"] in TERMINAL
    assert not (call["outcome"] == "not_dialled" and call["counts_as_attempt"])
    assert call["dial_started_at"] is not None or call["provider_call_id"] is None


def unchanged(before: Scene, after: Scene) -> bool:
    """Whether nothing is different, besides what the witness wrote."""
    return (before.campaigns, before.contacts, before.calls) == (after.campaigns, after.contacts, after.calls)


def is_nobody_twice(rung: Mapping[str, int], redials: Mapping[str, int]) -> dict[str, Any]:
    """Return the numbers that were put through more often than once and once more per decision of a person."""
    return {number: times for number, times in rung.items() if times > 1 + redials.get(number, 0)}
