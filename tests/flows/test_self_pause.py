"""A campaign that pauses by itself: after its first contacts, and when most of its first calls come to nothing."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from autolynx.errors import ValidationProblem
from autolynx.flows.campaign_life import complete_finished, pause_campaign, resume_campaign, start_campaign
from autolynx.flows.claim import claim
from autolynx.flows.dialing import Decision, decide_unsure
from autolynx.flows.ingest import receive_webhook
from autolynx.flows.refill import refill
from autolynx.flows.tick import run_once
from autolynx.store.database import Database
from tests.support.checks import assert_counters_are_a_recount, query
from tests.support.processes import processes
from tests.support.scripted_vapi import accepted, dropped
from tests.support.stage import Stage, a_stage

pytestmark = pytest.mark.anyio

WATCHED = '{"pauseOnFailures": true}'
LATE = 3600.0


async def started(stage: Stage, *, canary: int | None = None, **values: Any) -> UUID:
    campaign_id = await stage.campaign(is_started=False, **values)
    await start_campaign(stage.runtime, campaign_id, canary=canary)
    await stage.tick()
    return campaign_id


async def state(stage: Stage, campaign_id: UUID) -> tuple[str, str | None]:
    (row,) = await query(stage.database, "SELECT status, status_reason FROM campaigns WHERE id = %s", campaign_id)
    return row["status"], row["status_reason"]


async def ended(stage: Stage, *numbers: int, reason: str = "customer-ended-call", talk: float | None = 30) -> None:
    """Let these calls, counted from 1, end one after the other."""
    for number in numbers:
        now = stage.clock.now()
        times = (
            {}
            if talk is None
            else {"startedAt": now.isoformat(), "endedAt": (now + timedelta(seconds=talk)).isoformat()}
        )
        await stage.end(f"theirs-{number}", reason, **times)


async def called_positions(stage: Stage) -> list[int]:
    rows = await query(
        stage.database,
        "SELECT DISTINCT t.position FROM calls k JOIN contacts t ON t.id = k.contact_id ORDER BY 1",
    )
    return [row["position"] for row in rows]


# The canary -----------------------------------------------------------------------------------------------------------


async def test_only_the_first_contacts_are_called_and_then_it_waits_for_a_person(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await started(stage, canary=3, contacts=10, cap=2)
        await ended(stage, 1, 2)
        await refill(stage.runtime)
        assert await called_positions(stage) == [0, 1, 2]
        assert await state(stage, campaign_id) == ("RUNNING", None)
        await ended(stage, 3)
        status, reason = await state(stage, campaign_id)
        assert status == "PAUSED"
        assert reason is not None
        assert "first 3 contacts were called" in reason
        await stage.tick(LATE)
        assert await called_positions(stage) == [0, 1, 2]
        await resume_campaign(stage.runtime, campaign_id)
        await stage.tick()
        assert await state(stage, campaign_id) == ("RUNNING", None)
        assert await called_positions(stage) == [0, 1, 2, 3, 4]
        for first in (4, 6, 8):
            await ended(stage, first, first + 1)
            await stage.tick()
        await ended(stage, 10)
        assert await stage.status(campaign_id) == "COMPLETED"
        await assert_counters_are_a_recount(database)


async def test_a_retry_of_the_canary_widens_it_by_nobody_and_does_not_keep_it_from_pausing(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await started(stage, canary=2, contacts=6, options='{"maxAttempts": 2, "retryAfterMinutes": 1}')
        await ended(stage, 1, reason="customer-busy", talk=None)
        await stage.tick(61)  # the retry is due while another of the canary still talks
        assert await called_positions(stage) == [0, 1]
        assert len(stage.vapi.dials) == 3
        await ended(stage, 2, reason="customer-busy", talk=None)
        assert await stage.status(campaign_id) == "RUNNING"
        await ended(stage, 3)
        assert await stage.status(campaign_id) == "PAUSED"  # one is due again, later
        await stage.tick(61)
        assert len(stage.vapi.dials) == 3
        await resume_campaign(stage.runtime, campaign_id)
        await stage.tick()
        assert await called_positions(stage) == [0, 1, 2, 3, 4, 5]
        assert len(stage.vapi.dials) == 8


async def test_a_claim_that_was_given_back_is_called_before_the_canary_is_over(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await stage.campaign(is_started=False, contacts=5)
        await start_campaign(stage.runtime, campaign_id, canary=2)
        await claim(stage.runtime, most=1)  # and its process dies
        await stage.tick()
        await ended(stage, 1)
        assert await stage.status(campaign_id) == "RUNNING"
        await stage.tick(40)
        await stage.tick(10)
        assert await called_positions(stage) == [0, 1]
        await ended(stage, 2)
        assert await stage.status(campaign_id) == "PAUSED"


async def test_batches_keep_their_size_beside_a_canary(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await started(stage, canary=5, contacts=8, cap=3, mode="batch")
        await ended(stage, 1, 2, 3)
        await stage.tick()
        assert await called_positions(stage) == [0, 1, 2, 3, 4]
        await ended(stage, 4, 5)
        assert await stage.status(campaign_id) == "PAUSED"
        await resume_campaign(stage.runtime, campaign_id)
        await stage.tick()
        assert await called_positions(stage) == [0, 1, 2, 3, 4, 5]  # the rest of its batch, and no more
        await ended(stage, 6)
        await stage.tick()
        assert await called_positions(stage) == list(range(8))


async def test_a_canary_as_long_as_the_list_completes_it(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await started(stage, canary=5, contacts=2)
        await ended(stage, 1, 2)
        assert await state(stage, campaign_id) == ("COMPLETED", None)
        assert await query(database, "SELECT hold_position FROM campaigns") == [{"hold_position": None}]


async def test_who_is_dialled_again_by_decision_is_called_although_there_was_a_canary_once(database: Database) -> None:
    async with a_stage(database) as stage:
        stage.vapi.on_dial = dropped
        campaign_id = await started(stage, canary=5, contacts=2, cap=2, options='{"maxAttempts": 3}')
        for seconds in (3, 61, *[170] * 7):
            await stage.tick(seconds)
        assert (await stage.contacts(), await stage.status(campaign_id)) == (["unsure", "unsure"], "COMPLETED")
        await query(database, "UPDATE campaigns SET hold_position = 2 RETURNING id")  # as earlier releases left it
        stage.vapi.on_dial = accepted
        dials = len(stage.vapi.dials)
        first, _ = await stage.calls()
        await decide_unsure(stage.runtime, first["id"], Decision.REDIAL)
        await stage.tick()
        assert len(stage.vapi.dials) == dials + 1
        await stage.end(next(iter(stage.vapi.calls)), "customer-busy")
        assert sorted(await stage.contacts()) == ["due", "unsure"]
        await complete_finished(stage.runtime)
        assert await state(stage, campaign_id) == ("RUNNING", None)


async def test_a_pause_by_hand_does_not_end_the_canary_unless_all_of_it_was_called(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await started(stage, canary=3, contacts=6, cap=2)
        await pause_campaign(stage.runtime, campaign_id)
        await resume_campaign(stage.runtime, campaign_id)
        await ended(stage, 1, 2)
        await stage.tick()
        assert await called_positions(stage) == [0, 1, 2]
        await pause_campaign(stage.runtime, campaign_id)
        await ended(stage, 3)
        await resume_campaign(stage.runtime, campaign_id)
        await stage.tick()
        assert await called_positions(stage) == [0, 1, 2, 3, 4]


async def test_the_tick_pauses_what_no_end_of_a_call_could(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await started(stage, canary=2, contacts=5)
        await ended(stage, 1, 2)
        await query(
            database,
            """UPDATE campaigns SET status = 'RUNNING', status_reason = NULL, hold_position = 2
               WHERE id = %s RETURNING id""",
            campaign_id,
        )
        await run_once(stage.runtime)
        assert await stage.status(campaign_id) == "PAUSED"
        assert await called_positions(stage) == [0, 1]


@pytest.mark.parametrize("canary", [0, 101, -1])
async def test_a_canary_is_from_1_to_100_contacts(database: Database, canary: int) -> None:
    async with a_stage(database) as stage:
        campaign_id = await stage.campaign(is_started=False)
        with pytest.raises(ValidationProblem, match="canary: must be from 1 to 100"):
            await start_campaign(stage.runtime, campaign_id, canary=canary)


async def test_many_processes_call_no_more_than_the_canary_and_pause_it_once(
    database: Database, database_url: str
) -> None:
    async with a_stage(database) as stage, processes(database_url, stage.vapi.url, 4) as runtimes:
        campaign_id = await stage.campaign(is_started=False, contacts=60)
        await start_campaign(stage.runtime, campaign_id, canary=7)
        for _ in range(3):
            await asyncio.gather(*(refill(runtime) for runtime in runtimes))
        assert await called_positions(stage) == list(range(7))
        for call in stage.vapi.calls.values():
            call |= {"status": "ended", "endedReason": "customer-busy"}
        bodies = [
            {"message": {"type": "status-update", "status": "ended", "endedReason": "customer-busy", "call": call}}
            for call in stage.vapi.calls.values()
        ]
        await asyncio.gather(
            *(receive_webhook(runtimes[number % 4], body) for number, body in enumerate(bodies)),
            *(refill(runtime) for runtime in runtimes),
        )
        assert await stage.status(campaign_id) == "PAUSED"
        assert await called_positions(stage) == list(range(7))
        entries = await query(database, "SELECT id FROM audit_log WHERE action = 'campaign.paused'")
        assert len(entries) == 1


# Most of the first calls come to nothing ------------------------------------------------------------------------------


async def test_it_pauses_as_soon_as_most_of_its_first_twenty_calls_came_to_nothing(database: Database) -> None:
    async with a_stage(database, ACCOUNT_CONCURRENCY_CAP=60) as stage:
        campaign_id = await started(stage, contacts=40, cap=30, options=WATCHED)
        await ended(stage, *range(1, 7), talk=1)
        await ended(stage, *range(7, 10), talk=40)
        await ended(stage, *range(10, 14), reason="twilio-failed-to-connect-call", talk=None)
        assert await state(stage, campaign_id) == ("RUNNING", None)
        await ended(stage, 14, talk=2)
        status, reason = await state(stage, campaign_id)
        assert status == "PAUSED"
        assert reason is not None
        assert "11 of the first 14 calls failed or ended within 5 seconds" in reason
        dials = len(stage.vapi.dials)
        await stage.tick(1)
        assert len(stage.vapi.dials) == dials


async def test_after_resume_it_does_not_pause_for_the_same_again(database: Database) -> None:
    async with a_stage(database, ACCOUNT_CONCURRENCY_CAP=60) as stage:
        campaign_id = await started(stage, contacts=50, cap=30, options=WATCHED)
        await ended(stage, *range(1, 12), talk=1)
        assert await stage.status(campaign_id) == "PAUSED"
        await ended(stage, *range(12, 15), talk=1)
        await resume_campaign(stage.runtime, campaign_id)
        await ended(stage, *range(15, 30), talk=1)
        await stage.tick()
        assert await state(stage, campaign_id) == ("RUNNING", None)


async def test_after_its_first_twenty_calls_nobody_counts_any_more(database: Database) -> None:
    async with a_stage(database, ACCOUNT_CONCURRENCY_CAP=60) as stage:
        campaign_id = await started(stage, contacts=60, cap=50, options=WATCHED)
        await ended(stage, *range(1, 11), talk=1)
        await ended(stage, *range(11, 21), talk=40)
        await ended(stage, *range(21, 41), talk=1)
        assert await state(stage, campaign_id) == ("RUNNING", None)
        (row,) = await query(database, "SELECT watched_calls, watched_failures FROM campaigns")
        assert (row["watched_calls"], row["watched_failures"]) == (None, None)


async def test_nobody_there_is_no_sign_that_something_is_wrong(database: Database) -> None:
    async with a_stage(database, ACCOUNT_CONCURRENCY_CAP=60) as stage:
        campaign_id = await started(stage, contacts=40, cap=30, options=WATCHED)
        await ended(stage, *range(1, 31), reason="customer-did-not-answer", talk=None)
        assert await stage.status(campaign_id) == "RUNNING"


async def test_without_the_option_it_goes_on_whatever_happens(database: Database) -> None:
    async with a_stage(database, ACCOUNT_CONCURRENCY_CAP=60) as stage:
        campaign_id = await started(stage, contacts=40, cap=30)
        await ended(stage, *range(1, 31), talk=1)
        assert await stage.status(campaign_id) == "RUNNING"


async def test_a_pause_by_hand_after_such_calls_is_not_followed_by_another(database: Database) -> None:
    async with a_stage(database, ACCOUNT_CONCURRENCY_CAP=60) as stage:
        campaign_id = await started(stage, contacts=40, cap=30, options=WATCHED)
        await pause_campaign(stage.runtime, campaign_id)
        await ended(stage, *range(1, 15), talk=1)
        await resume_campaign(stage.runtime, campaign_id)
        await ended(stage, 15, 16, talk=1)
        assert await state(stage, campaign_id) == ("RUNNING", None)


async def test_a_canary_that_comes_to_nothing_pauses_once_with_both_reasons(database: Database) -> None:
    async with a_stage(database, ACCOUNT_CONCURRENCY_CAP=60) as stage:
        campaign_id = await started(stage, canary=11, contacts=40, cap=30, options=WATCHED)
        await ended(stage, *range(1, 12), talk=1)
        status, reason = await state(stage, campaign_id)
        assert status == "PAUSED"
        assert reason is not None
        assert "11 of the first 11 calls" in reason
        assert "first 11 contacts" in reason
        await resume_campaign(stage.runtime, campaign_id)
        await stage.tick()
        assert await stage.status(campaign_id) == "RUNNING"


async def test_several_processes_count_each_of_the_first_calls_once(database: Database, database_url: str) -> None:
    async with (
        a_stage(database, ACCOUNT_CONCURRENCY_CAP=60) as stage,
        processes(database_url, stage.vapi.url, 4) as many,
    ):
        campaign_id = await started(stage, contacts=40, cap=10, options=WATCHED)
        now = stage.clock.now()
        times = {"startedAt": now.isoformat(), "endedAt": (now + timedelta(seconds=1)).isoformat()}
        bodies = [
            {"message": {"type": kind, "status": "ended", "endedReason": "customer-ended-call", "call": call, **times}}
            for call in stage.vapi.calls.values()
            for kind in ("status-update", "end-of-call-report")
        ]
        await asyncio.gather(*(receive_webhook(many[number % 4], body) for number, body in enumerate(bodies)))
        (row,) = await query(database, "SELECT status, watched_calls, watched_failures FROM campaigns")
        assert (row["status"], row["watched_calls"], row["watched_failures"]) == ("RUNNING", 10, 10)
        assert await stage.status(campaign_id) == "RUNNING"
