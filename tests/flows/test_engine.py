"""The engine end to end, with the simulator's ledger as the witness."""

import asyncio

import pytest

from autolynx.flows.campaign_life import pause_campaign, resume_campaign, start_campaign, stop_campaign
from autolynx.flows.dialing import hold_dialling, release_dialling
from autolynx.flows.tick import run_once
from autolynx.store.database import Database
from tests.support.checks import (
    assert_counters_are_a_recount,
    assert_every_contact_has_an_end,
    assert_export_counters_and_ledger_agree,
    assert_nobody_twice,
    query,
)
from tests.support.engine import make_campaign, running_engine, wait_until_settled
from tests.support.sim import TWILIO_SECOND, Sim, running_sim

pytestmark = pytest.mark.anyio


async def until_dialled(sim: Sim, dials: int) -> None:
    """Wait until the simulator has seen so many dials."""
    async with asyncio.timeout(30):
        while (await sim.summary())["dials"] < dials:
            await asyncio.sleep(0.01)


async def until_answered(database: Database) -> None:
    """Wait until no request to dial is under way."""
    async with asyncio.timeout(30):
        while await query(database, "SELECT id FROM calls WHERE holds_line AND provider_call_id IS NULL"):
            await asyncio.sleep(0.01)


async def until_free(database: Database) -> None:
    """Wait until no line is held."""
    async with asyncio.timeout(30):
        while await query(database, "SELECT id FROM calls WHERE holds_line"):
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("scenario", ["busy-town", "all-answer", "voicemail-heavy", "outage", "webhook-storm"])
async def test_in_every_town_each_contact_is_dialled_once_and_the_cap_holds(database: Database, scenario: str) -> None:
    async with (
        running_sim("--concurrency-limit", "60", "--scenario", scenario, speed=20) as sim,
        running_engine(database, sim.url, TIME_SCALE=20, ACCOUNT_CONCURRENCY_CAP=60) as engine,
    ):
        campaign_id = await make_campaign(database, contacts=250, cap=40)
        await start_campaign(engine.runtime, campaign_id)
        engine.refiller.request()
        assert await wait_until_settled(database, campaign_id, seconds=90) == "COMPLETED"
        summary = await sim.summary()
        await assert_export_counters_and_ledger_agree(engine.runtime, campaign_id, summary, contacts=250)
    await assert_nobody_twice(summary)
    await assert_every_contact_has_an_end(database, campaign_id, summary)
    await assert_counters_are_a_recount(database)
    assert summary["peakConcurrent"] <= 40


async def test_batches_do_not_overlap(database: Database) -> None:
    async with (
        running_sim("--concurrency-limit", "20") as sim,
        running_engine(database, sim.url, TIME_SCALE=100) as engine,
    ):
        campaign_id = await make_campaign(database, contacts=43, cap=8, mode="batch")
        await start_campaign(engine.runtime, campaign_id)
        engine.refiller.request()
        assert await wait_until_settled(database, campaign_id) == "COMPLETED"
        ledger = await sim.ledger()
    batches = {
        row["phone"]: row["batch_index"]
        for row in await query(database, "SELECT phone, batch_index FROM contacts WHERE campaign_id = %s", campaign_id)
    }
    begun: dict[int, list[float]] = {}
    ended: dict[int, list[float]] = {}
    for dial in ledger["dials"]:
        batch = batches[dial["number"]]
        begun.setdefault(batch, []).append(dial["admittedReal"])
        ended.setdefault(batch, []).append(dial["endedReal"])
    assert sorted(begun) == [0, 1, 2, 3, 4, 5]
    for batch in range(1, 6):
        assert min(begun[batch]) > max(ended[batch - 1])


async def test_two_campaigns_share_the_account_and_neither_starves(database: Database) -> None:
    async with (
        running_sim("--concurrency-limit", "20") as sim,
        running_engine(database, sim.url, TIME_SCALE=100, ACCOUNT_CONCURRENCY_CAP=10, INBOUND_RESERVE=2) as engine,
    ):
        first = await make_campaign(database, contacts=30, cap=8)
        second = await make_campaign(database, contacts=30, cap=8, first=30, phone_number_id=TWILIO_SECOND)
        await start_campaign(engine.runtime, first)
        await start_campaign(engine.runtime, second)
        engine.refiller.request()
        assert await wait_until_settled(database, first) == "COMPLETED"
        assert await wait_until_settled(database, second) == "COMPLETED"
        ledger = await sim.ledger()
    assert ledger["summary"]["peakConcurrent"] <= 8
    order = [dial["metadata"]["campaignId"] for dial in ledger["dials"]]
    shares = [order[:16].count(str(one)) for one in (first, second)]
    assert min(shares) >= 4


@pytest.mark.parametrize("mode", ["http400", "http400-error", "blocked201", "ended201", "queue"])
async def test_over_the_providers_limit_no_contact_is_burnt(database: Database, mode: str) -> None:
    async with (
        running_sim("--concurrency-limit", "4", "--fault", f"over_limit_mode={mode}") as sim,
        running_engine(database, sim.url, TIME_SCALE=100, ACCOUNT_CONCURRENCY_CAP=12) as engine,
    ):
        campaign_id = await make_campaign(database, contacts=30, cap=8)
        await start_campaign(engine.runtime, campaign_id)
        engine.refiller.request()
        assert await wait_until_settled(database, campaign_id) == "COMPLETED"
        summary = await sim.summary()
    await assert_nobody_twice(summary)
    await assert_every_contact_has_an_end(database, campaign_id, summary)
    assert summary["dials"] == 30
    assert summary["peakConcurrent"] <= 4


async def test_without_credit_the_account_is_held_and_no_contact_is_burnt(database: Database) -> None:
    async with (
        running_sim("--fault", "no_credit=true") as sim,
        running_engine(database, sim.url, TIME_SCALE=100) as engine,
    ):
        campaign_id = await make_campaign(database, contacts=10, cap=4)
        await start_campaign(engine.runtime, campaign_id)
        engine.refiller.request()
        async with asyncio.timeout(10):
            while not (await query(database, "SELECT trouble FROM gate"))[0]["trouble"]:
                await asyncio.sleep(0.02)
            while await query(database, "SELECT id FROM calls WHERE holds_line"):
                await asyncio.sleep(0.02)
        burnt = await query(database, "SELECT id FROM calls WHERE counts_as_attempt AND outcome IS NOT NULL")
        assert burnt == []
        await sim.faults(no_credit=False)
        await release_dialling(engine.runtime)
        engine.refiller.request()
        assert await wait_until_settled(database, campaign_id) == "COMPLETED"
        await assert_nobody_twice(await sim.summary())


async def test_pause_places_nothing_new_and_resume_goes_on(database: Database) -> None:
    async with (
        running_sim() as sim,
        running_engine(database, sim.url, TIME_SCALE=100) as engine,
    ):
        campaign_id = await make_campaign(database, contacts=30, cap=4)
        await start_campaign(engine.runtime, campaign_id)
        engine.refiller.request()
        await until_dialled(sim, 6)
        await pause_campaign(engine.runtime, campaign_id)
        await until_answered(database)
        before = (await sim.summary())["dials"]
        await until_free(database)
        await run_once(engine.runtime)
        assert (await sim.summary())["dials"] == before < 30
        await resume_campaign(engine.runtime, campaign_id)
        engine.refiller.request()
        assert await wait_until_settled(database, campaign_id) == "COMPLETED"
        summary = await sim.summary()
    await assert_nobody_twice(summary)
    assert summary["dials"] == 30


async def test_stop_with_hang_up_ends_live_calls_as_canceled(database: Database) -> None:
    async with (
        running_sim("--scenario", "all-answer", speed=20) as sim,
        running_engine(database, sim.url, TIME_SCALE=20) as engine,
    ):
        campaign_id = await make_campaign(database, contacts=20, cap=5)
        await start_campaign(engine.runtime, campaign_id)
        engine.refiller.request()
        await until_dialled(sim, 5)
        await stop_campaign(engine.runtime, campaign_id, hangs_up=True)
        await until_free(database)
        summary = await sim.summary()
    statuses = await query(database, "SELECT DISTINCT status FROM calls WHERE counts_as_attempt")
    assert [row["status"] for row in statuses] == ["CANCELED"]
    assert summary["dials"] == 5
    assert summary["controls"] >= 5


async def test_the_red_button_stops_new_calls_everywhere_at_once(database: Database) -> None:
    async with (
        running_sim() as sim,
        running_engine(database, sim.url, TIME_SCALE=100) as engine,
    ):
        campaign_id = await make_campaign(database, contacts=30, cap=4)
        await start_campaign(engine.runtime, campaign_id)
        engine.refiller.request()
        await until_dialled(sim, 6)
        await hold_dialling(engine.runtime, reason="Pressed in a test.")
        await until_answered(database)
        before = (await sim.summary())["dials"]
        await until_free(database)
        await run_once(engine.runtime)
        assert (await sim.summary())["dials"] == before < 30
        await release_dialling(engine.runtime)
        engine.refiller.request()
        assert await wait_until_settled(database, campaign_id) == "COMPLETED"
        await assert_nobody_twice(await sim.summary())


@pytest.mark.parametrize(
    "fault",
    ["error_after_accept", "drop_after_accept", "html_522_after_accept", "error_before_accept", "drop_before_accept"],
)
async def test_a_request_of_unknown_outcome_is_looked_for_and_never_repeated_blindly(
    database: Database, fault: str
) -> None:
    async with (
        running_sim("--concurrency-limit", "20", "--fault", f"{fault}=0.3", "--fault", "list_lag_seconds=20") as sim,
        running_engine(database, sim.url, TIME_SCALE=100, BREAKER_THRESHOLD=1000) as engine,
    ):
        campaign_id = await make_campaign(database, contacts=40, cap=8)
        await start_campaign(engine.runtime, campaign_id)
        engine.refiller.request()
        assert await wait_until_settled(database, campaign_id, seconds=90) == "COMPLETED"
        summary = await sim.summary()
    await assert_nobody_twice(summary)
    assert summary["dials"] == 40
    assert summary["peakConcurrent"] <= 8
    assert await query(database, "SELECT id FROM incidents") == []
