"""The judge of a drill is not blind: each way to break a promise is found in evidence that was made up for it."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from drill.plan import POINTS, Plan
from drill.verdict import Happened, Verdict, judge
from drill.witness import Evidence

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
FIRST, SECOND = UUID(int=1), UUID(int=2)
HAPPENED = Happened(
    killed=dict.fromkeys(POINTS, 1),
    broke=(),
    crashes=0,
    outages=0,
    frozen=0,
    seconds=1,
    webhooks={},
    answers={},
    machine="none",
)


def dial(call_id: UUID, number: str, begin: float, end: float | None, **values: Any) -> dict[str, Any]:
    return {
        "externalId": str(call_id),
        "providerCallId": f"theirs-{call_id}",
        "number": number,
        "admittedReal": begin,
        "endedReal": end,
        "outcome": "busy",
        "endedReason": "customer-busy",
        "costUsd": 0,
        **values,
    }


def call(call_id: UUID, **values: Any) -> dict[str, Any]:
    contact = {"counts_as_attempt": True, "contact_id": UUID(int=10 + call_id.int)}
    looks = {"checks": 0, "next_check_at": None}
    return {"id": call_id, **contact, **looks, "status": "ENDED", "outcome": "busy", "cost_usd": Decimal(0), **values}


def event(call_id: UUID, status: str) -> dict[str, Any]:
    return {"call_id": call_id, "status": status, "created_at": AT, "source": "webhook", "payload": {}}


GOOD = Evidence(
    dials=[dial(FIRST, "+12025550101", 0, 5), dial(SECOND, "+12025550102", 5, 9)],
    contacts=[
        {"id": UUID(int=11), "state": "done", "phone": "+12025550101"},
        {"id": UUID(int=12), "state": "done", "phone": "+12025550102"},
    ],
    calls=[call(FIRST), call(SECOND)],
    events=[event(FIRST, "QUEUED"), event(FIRST, "RINGING"), event(FIRST, "ENDED"), event(SECOND, "ENDED")],
    inbox=[{"provider_call_id": "theirs", "type": "status-update", "state": "settled"}],
    incidents=[],
    drifted=[],
    campaign={"cap": 1, "status": "COMPLETED"},
)


def verdict_on(seen: Evidence, happened: Happened = HAPPENED) -> Verdict:
    return judge(Plan(kills=10), seen, happened)


def test_a_clean_campaign_is_found_clean() -> None:
    assert verdict_on(GOOD).is_good


@pytest.mark.parametrize(
    ("promise", "changes"),
    [
        ("double dials", {"dials": [*GOOD.dials, dial(FIRST, "+12025550101", 10, 11)]}),
        ("dials that the database does not know", {"calls": [call(FIRST)]}),
        ("lost contacts", {"contacts": [{"id": UUID(int=11), "state": "due", "phone": "+12025550101"}]}),
        ("lost contacts", {"contacts": [{"id": UUID(int=13), "state": "done", "phone": "+12025550103"}]}),
        ("moments over the cap", {"dials": [dial(FIRST, "+12025550101", 0, 5), dial(SECOND, "+12025550102", 4, 9)]}),
        ("moments over the cap", {"dials": [dial(FIRST, "+12025550101", 0, None), dial(SECOND, "+12025550102", 4, 9)]}),
        ("wrong final status, outcome or cost", {"calls": [call(FIRST, outcome="answered"), call(SECOND)]}),
        ("wrong final status, outcome or cost", {"calls": [call(FIRST, cost_usd=Decimal("0.1")), call(SECOND)]}),
        ("wrong final status, outcome or cost", {"calls": [call(FIRST, status="QUEUED"), call(SECOND)]}),
        ("unresolved webhooks", {"inbox": [{"provider_call_id": "x", "type": "status-update", "state": "parked"}]}),
        ("illegal event chains", {"events": [event(FIRST, "ENDED"), event(FIRST, "RINGING")]}),
        ("illegal event chains", {"events": [event(FIRST, "IN_PROGRESS"), event(FIRST, "RINGING")]}),
        ("illegal event chains", {"events": [event(FIRST, "ENDED"), event(FIRST, "TIMEOUT")]}),
        ("counters that differ from a recount", {"drifted": [{"campaign_id": UUID(int=9)}]}),
        ("incidents raised", {"incidents": [{"kind": "double_dial", "call_id": FIRST}]}),
        ("campaign not completed", {"campaign": {"cap": 1, "status": "RUNNING"}}),
    ],
)
def test_a_broken_promise_is_found_and_no_other(promise: str, changes: dict[str, Any]) -> None:
    broken = verdict_on(replace(GOOD, **changes)).broken
    assert [name for name, cases in broken.items() if cases] == [promise]


def test_a_guess_that_the_providers_word_replaced_is_a_legal_chain() -> None:
    chain = [event(FIRST, status) for status in ("QUEUED", "TIMEOUT", "ENDED", "ENDED")]
    assert verdict_on(replace(GOOD, events=chain)).is_good


def test_a_call_that_hangs_for_ever_counts_until_it_was_given_up() -> None:
    hanging = dial(FIRST, "+12025550101", AT.timestamp() - 60, None, outcome="stuck-queued", endedReason=None)
    after = dial(SECOND, "+12025550102", AT.timestamp() + 1, AT.timestamp() + 5)
    calls = [call(FIRST, status="TIMEOUT", outcome="unknown"), call(SECOND)]
    seen = replace(GOOD, dials=[hanging, after], calls=calls, events=[event(FIRST, "TIMEOUT")])
    assert verdict_on(seen).is_good


def test_contacts_set_aside_are_told_apart() -> None:
    doubtful = {"id": UUID(int=12), "state": "unsure", "phone": "+12025550102", "reason": "Nobody can say."}
    contacts = [GOOD.contacts[0], doubtful]
    verdict = verdict_on(replace(GOOD, contacts=contacts))
    assert (verdict.is_good, len(verdict.unsure)) == (True, 1)


def test_a_point_at_which_nobody_died_and_a_process_that_broke_spoil_the_verdict() -> None:
    assert not verdict_on(GOOD, replace(HAPPENED, killed=dict.fromkeys(POINTS, 1) | {"sent": 0})).is_good
    assert not verdict_on(GOOD, replace(HAPPENED, broke=("exit code 1",))).is_good
