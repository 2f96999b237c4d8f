"""The circuit breaker: failures in a row open it, single calls probe, and a call that starts closes it."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from autolynx.domain.pacing import PROBE_SECONDS
from autolynx.flows.refill import refill
from autolynx.store.database import Database
from tests.support.checks import assert_counters_are_a_recount
from tests.support.refill_trips import count_trips_to_the_next_dial
from tests.support.scripted_vapi import accepted, broken
from tests.support.stage import Stage, a_stage

pytestmark = pytest.mark.anyio

NEVER_STARTED = "call.start.error-vapifault-get-org"  # the platform failed before it dialled


async def fail_all(stage: Stage) -> Sequence[str]:
    """Let every live call end without having started, because of the platform; returns which."""
    live = [call["provider_call_id"] for call in await stage.calls() if call["holds_line"]]
    for provider_call_id in live:
        await stage.end(provider_call_id, NEVER_STARTED)
    return live


async def opened(stage: Stage) -> None:
    """Play until calls that were accepted and never started have opened the circuit."""
    await stage.campaign(contacts=20, cap=8)
    await refill(stage.runtime)
    assert len(await fail_all(stage)) == 8
    assert (await stage.gate())["failures"] == stage.runtime.settings.breaker_threshold


async def test_calls_that_are_accepted_and_never_start_open_the_circuit_and_burn_nobody(database: Database) -> None:
    async with a_stage(database, BREAKER_THRESHOLD=3) as stage:
        await opened(stage)
        gate = await stage.gate()
        assert gate["not_before"] - stage.clock.now() == timedelta(seconds=5)
        await refill(stage.runtime)
        assert len(stage.vapi.dials) == 8
        assert set(await stage.contacts()) == {"due"}
        assert not any(call["counts_as_attempt"] for call in await stage.calls())
        await assert_counters_are_a_recount(database)


async def test_one_failing_call_after_the_other_opens_it_although_each_was_accepted(database: Database) -> None:
    async with a_stage(database, BREAKER_THRESHOLD=4) as stage:
        await stage.campaign(contacts=4, cap=1)
        for failures in range(1, 5):
            await refill(stage.runtime)
            assert len(stage.vapi.dials) == failures
            await fail_all(stage)
            assert (await stage.gate())["failures"] == failures
            stage.clock.move(11)
        assert (await stage.gate())["opened_at"] is not None


async def test_probes_go_out_one_at_a_time_at_growing_distances(database: Database) -> None:
    async with a_stage(database, BREAKER_THRESHOLD=3) as stage:
        await opened(stage)
        for distance in PROBE_SECONDS:
            sent = len(stage.vapi.dials)
            stage.clock.move(distance - 0.5)
            await refill(stage.runtime)
            assert len(stage.vapi.dials) == sent
            stage.clock.move(0.5)
            await refill(stage.runtime)
            await refill(stage.runtime)
            assert len(stage.vapi.dials) == sent + 1
            assert len(await fail_all(stage)) == 1
        gate = await stage.gate()
        assert gate["failures"] == 3 + len(PROBE_SECONDS)
        assert gate["not_before"] - stage.clock.now() == timedelta(seconds=PROBE_SECONDS[-1])


@pytest.mark.parametrize("sign", ["ringing", "in-progress", "ended"])
async def test_a_probe_closes_the_circuit_when_it_starts_and_not_when_it_is_accepted(
    database: Database, sign: str
) -> None:
    async with a_stage(database, BREAKER_THRESHOLD=3) as stage:
        await opened(stage)
        stage.clock.move(5)
        await refill(stage.runtime)
        (probe,) = [call["provider_call_id"] for call in await stage.calls() if call["holds_line"]]
        assert (await stage.gate())["failures"] == 3
        news = await (stage.end(probe, "customer-busy") if sign == "ended" else stage.tell(probe, sign))
        assert news.freed_line  # somebody has to refill at once
        gate = await stage.gate()
        assert (gate["failures"], gate["opened_at"], gate["not_before"]) == (0, None, None)
        await stage.tick(6)
        assert await stage.lines() == 8


async def test_a_call_that_starts_begins_the_row_anew(database: Database) -> None:
    async with a_stage(database, BREAKER_THRESHOLD=3) as stage:
        await stage.campaign(contacts=9, cap=1)
        for _ in range(3):
            for _ in range(2):
                await refill(stage.runtime)
                await fail_all(stage)
                stage.clock.move(20)
            await refill(stage.runtime)
            (live,) = [call["provider_call_id"] for call in await stage.calls() if call["holds_line"]]
            await stage.end(live, "customer-busy")
        assert (await stage.gate())["failures"] == 0
        assert len(stage.vapi.dials) == 9


async def test_failed_requests_and_calls_that_never_start_are_one_row(database: Database) -> None:
    async with a_stage(database, BREAKER_THRESHOLD=2) as stage:
        await stage.campaign(contacts=3, cap=3)
        await refill(stage.runtime, most=1)
        await fail_all(stage)
        stage.clock.move(1)
        stage.vapi.on_dial = broken
        await refill(stage.runtime, most=1)
        stage.vapi.on_dial = accepted
        assert (await stage.gate())["opened_at"] == stage.clock.now()


async def test_the_platforms_failure_during_a_call_that_had_started_is_none_of_the_row(database: Database) -> None:
    async with a_stage(database) as stage:
        await stage.campaign()
        await refill(stage.runtime)
        await stage.tell("theirs-1", "in-progress")
        await stage.end("theirs-1", "call.in-progress.error-vapifault-worker-died")
        assert ((await stage.call())["outcome"], (await stage.gate())["failures"]) == ("provider_error", 0)


async def test_an_ordinary_webhook_does_not_write_to_the_gate(database_url: str) -> None:
    database = await Database.open(database_url, max_size=1)
    before = await _gate_version(database)
    await database.close()
    assert await count_trips_to_the_next_dial(database_url) <= 7
    database = await Database.open(database_url, max_size=1)
    assert await _gate_version(database) == before
    await database.close()


async def _gate_version(database: Database) -> str:
    """The row's place: every write of it makes a new one."""
    async with database.connection() as conn:
        row = await (await conn.execute("SELECT ctid::text AS place FROM gate")).fetchone()
    assert row is not None
    return str(row["place"])
