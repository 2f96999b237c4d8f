"""A webhook with a plain secret says that a call is over: it counts when the provider says the same."""

import asyncio
from typing import Any

import pytest

from autolynx.flows.ingest import receive_webhook
from autolynx.store.database import Database
from tests.support.checks import assert_counters_are_a_recount, query
from tests.support.stage import Stage, a_stage

pytestmark = pytest.mark.anyio

ON = {"WEBHOOK_REREAD": "auto"}
TRUE_END = {
    "endedReason": "customer-ended-call",
    "startedAt": "2026-03-02T10:00:05.000Z",
    "endedAt": "2026-03-02T10:01:05.000Z",
    "cost": 0.07,
    "analysis": {"summary": "The truth.", "successEvaluation": "false"},
}
FORGED_END = {
    "cost": 99,
    "analysis": {"summary": "A lie.", "successEvaluation": "true"},
    "artifact": {"transcript": "AI: A lie.\n", "recordingUrl": "https://evil.test/lie.wav"},
}


async def inbox(stage: Stage) -> list[tuple[str, str]]:
    rows = await query(stage.database, "SELECT type, state FROM webhook_inbox ORDER BY id")
    return [(row["type"], row["state"]) for row in rows]


async def one_live_call(stage: Stage, **values: Any) -> None:
    await stage.campaign(**values)
    await stage.tick()
    await stage.tell("theirs-1", "in-progress")
    stage.vapi.change("theirs-1", status="in-progress")


@pytest.mark.parametrize("form", ["status", "report"])
async def test_a_forged_end_frees_no_line_and_sets_no_outcome(database: Database, form: str) -> None:
    async with a_stage(database, **ON) as stage:
        await one_live_call(stage)
        if form == "report":
            received = await stage.report("theirs-1", "customer-ended-call", **FORGED_END)
        else:
            received = await stage.tell("theirs-1", "ended", endedReason="customer-ended-call", **FORGED_END)
        assert not received.freed_line
        call = await stage.call()
        assert (call["status"], call["holds_line"], call["outcome"]) == ("IN_PROGRESS", True, None)
        assert call["summary"] is None
        assert [state for kind, state in await inbox(stage)][-1] == "received"


async def test_a_real_end_counts_at_once_and_by_what_the_provider_says(database: Database) -> None:
    async with a_stage(database, **ON) as stage:
        await one_live_call(stage)
        stage.vapi.change("theirs-1", status="ended", **TRUE_END)
        received = await stage.report("theirs-1", "customer-ended-call", **FORGED_END)
        assert received.freed_line
        call = await stage.call()
        assert (call["status"], call["outcome"], call["success_evaluation"]) == ("ENDED", "answered", False)
        assert (float(call["cost_usd"]), call["summary"]) == (0.07, "The truth.")
        assert call["recording_url"] is None
        assert (await inbox(stage))[-1] == ("end-of-call-report", "settled")
        await assert_counters_are_a_recount(database)


async def test_a_claim_that_came_too_early_is_confirmed_by_a_later_look(database: Database) -> None:
    async with a_stage(database, **ON) as stage:
        await one_live_call(stage)
        await stage.tell("theirs-1", "ended", endedReason="customer-ended-call")
        assert await stage.lines() == 1
        stage.vapi.change("theirs-1", status="ended", **TRUE_END)
        await stage.tick(6)
        assert (await stage.call())["status"] == "ENDED"
        assert (await inbox(stage))[-1] == ("status-update", "settled")
        assert await stage.incidents() == []


async def test_a_provider_that_cannot_be_asked_loses_no_news(database: Database) -> None:
    async with a_stage(database, **ON) as stage:
        await one_live_call(stage)
        stage.vapi.change("theirs-1", status="ended", **TRUE_END)
        stage.vapi.reads = False
        received = await stage.tell("theirs-1", "ended", endedReason="customer-ended-call")
        assert not received.freed_line
        await stage.tick(6)
        await stage.tick(40)
        assert await stage.lines() == 1
        (row,) = await query(stage.database, "SELECT state, failures FROM webhook_inbox WHERE status = 'ended'")
        assert row == {"state": "received", "failures": 0}
        stage.vapi.reads = True
        await stage.tick(40)
        assert (await stage.call())["outcome"] == "answered"
        assert (await inbox(stage))[-1][1] == "settled"


async def test_an_end_that_is_never_confirmed_is_given_up_and_said(database: Database) -> None:
    async with a_stage(database, CALL_TIMEOUT_SECONDS=86400, **ON) as stage:
        await one_live_call(stage)
        await stage.tell("theirs-1", "ended", endedReason="customer-ended-call")
        for seconds in (6, 31, 121, 601, 3601):
            await stage.tick(seconds)
            stage.vapi.change("theirs-1", status="in-progress")
        assert ("status-update", "dead") in await inbox(stage)
        assert await stage.incidents() == ["dead_letter"]
        (incident,) = await query(stage.database, "SELECT sentence FROM incidents")
        assert "change it" in incident["sentence"]
        assert await stage.lines() == 1


async def test_a_call_that_the_provider_does_not_know_is_not_ended(database: Database) -> None:
    async with a_stage(database, **ON) as stage:
        await one_live_call(stage)
        body = {
            "message": {
                "type": "end-of-call-report",
                "endedReason": "customer-ended-call",
                "call": {**stage.vapi.calls["theirs-1"], "id": "invented"},
            }
        }
        await receive_webhook(stage.runtime, body)
        assert await stage.lines() == 1
        assert (await stage.call())["provider_call_id"] == "theirs-1"


async def test_an_ended_call_cannot_be_passed_off_as_another_one(database: Database) -> None:
    async with a_stage(database, **ON) as stage:
        await stage.campaign(contacts=2, cap=2)
        await stage.tick()
        for call_id in ("theirs-1", "theirs-2"):
            await stage.tell(call_id, "in-progress")
            stage.vapi.change(call_id, status="in-progress")
        stage.vapi.change("theirs-1", status="ended", **TRUE_END)
        passed_off = {**stage.vapi.calls["theirs-2"], "id": "theirs-1"}  # the id of one, the marks of the other
        body = {"message": {"type": "end-of-call-report", "endedReason": "x", "call": passed_off}}
        await receive_webhook(stage.runtime, body)
        ended = {call["provider_call_id"]: call["status"] for call in await stage.calls()}
        assert ended == {"theirs-1": "ENDED", "theirs-2": "IN_PROGRESS"}


async def test_the_same_end_many_times_at_once_ends_it_once(database: Database) -> None:
    async with a_stage(database, **ON) as stage:
        await one_live_call(stage, contacts=2, cap=1)
        stage.vapi.change("theirs-1", status="ended", **TRUE_END)
        received = await asyncio.gather(
            *(stage.tell("theirs-1", "ended", endedReason="customer-ended-call") for _ in range(12))
        )
        assert sum(one.freed_line for one in received) == 1
        (row,) = await query(stage.database, "SELECT deliveries, state FROM webhook_inbox WHERE status = 'ended'")
        assert row == {"deliveries": 12, "state": "settled"}
        await assert_counters_are_a_recount(database)


async def test_an_end_before_the_dial_was_answered_waits_for_its_call(database: Database) -> None:
    async with a_stage(database, **ON) as stage:
        strange = stage.vapi.place(
            {
                "phoneNumberId": "n",
                "name": "another program",
                "customer": {},
                "assistantOverrides": {"metadata": {}},
            },
            status="ended",
            **TRUE_END,
        )
        await stage.tell(strange["id"], "ended", is_ours=False)
        assert await inbox(stage) == [("status-update", "parked")]


async def test_with_signatures_alone_the_webhook_is_believed_and_nobody_asked(database: Database) -> None:
    async with a_stage(database, WEBHOOK_SCHEMES="hmac", **ON) as stage:
        await one_live_call(stage)
        stage.vapi.reads = False
        assert (await stage.tell("theirs-1", "ended", endedReason="customer-ended-call")).freed_line


@pytest.mark.parametrize(
    ("schemes", "said", "is_asked"),
    [
        ("secret,bearer", "auto", True),
        ("secret", "auto", True),
        ("hmac,bearer", "auto", True),
        ("hmac", "auto", False),
        ("hmac", "on", True),
        ("secret", "off", False),
    ],
)
async def test_who_is_believed_follows_from_the_weakest_proof(
    database: Database, schemes: str, said: str, is_asked: bool
) -> None:
    async with a_stage(database, WEBHOOK_SCHEMES=schemes, WEBHOOK_REREAD=said) as stage:
        assert stage.runtime.settings.rereads_ends is is_asked
