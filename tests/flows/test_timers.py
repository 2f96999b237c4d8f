"""Timers that nothing else watches, with a clock that is moved by hand: just before it nothing, at it something."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from autolynx.flows.confirmed_start import FUNCTION_SECONDS, SERVER_SECONDS, wait_for_start
from autolynx.flows.health import check_health
from autolynx.flows.refill import refill
from autolynx.flows.tick import run_once
from autolynx.store.database import Database
from tests.support.checks import query
from tests.support.scripted_vapi import accepted, broken, refused
from tests.support.stage import Stage, a_stage

pytestmark = pytest.mark.anyio


async def dialled_after(stage: Stage, seconds: float) -> bool:
    """Let time pass and refill; whether a call went out by that."""
    before = len(stage.vapi.dials)
    stage.clock.move(seconds)
    await refill(stage.runtime, most=1)
    return len(stage.vapi.dials) > before


# Rests of the account -----------------------------------------------------------------------------------------------


async def test_after_failed_requests_the_account_rests_one_four_and_ten_seconds(database: Database) -> None:
    async with a_stage(database, BREAKER_THRESHOLD=100) as stage:
        stage.vapi.on_dial = broken
        await stage.campaign(contacts=8, cap=8)
        await refill(stage.runtime, most=1)
        for rest in (1, 4, 10, 10):
            assert not await dialled_after(stage, rest - 0.1)
            assert await dialled_after(stage, 0.1)


async def test_too_many_requests_without_a_date_rest_until_the_next_minute_and_a_second_at_most(
    database: Database,
) -> None:
    async with a_stage(database) as stage:
        now = stage.clock.now()
        stage.clock.move(80 - now.second - now.microsecond / 1e6)  # twenty seconds past a minute
        stage.vapi.on_dial = refused(429, "Rate limit exceeded")
        await stage.campaign(contacts=2, cap=2)
        await refill(stage.runtime, most=1)
        stage.vapi.on_dial = accepted
        assert not await dialled_after(stage, 39.9)
        assert await dialled_after(stage, 1.2)


async def test_a_provider_that_cannot_be_asked_keeps_dialling_at_rest_for_ninety_seconds(database: Database) -> None:
    async with a_stage(database) as stage:
        await stage.campaign(contacts=4, cap=4)
        await refill(stage.runtime, most=1)
        stage.vapi.reads = False
        await stage.tick(30)
        assert (await stage.gate())["not_before"] == stage.clock.now() + timedelta(seconds=90)
        assert not await dialled_after(stage, 89.9)
        stage.vapi.reads = True
        await run_once(stage.runtime)  # it can be asked again: the rest ends with that
        assert await stage.lines() == 4


# Contacts whose claims go back --------------------------------------------------------------------------------------


async def test_a_contact_whose_claims_go_back_again_and_again_waits_longer_and_longer(database: Database) -> None:
    async with a_stage(database) as stage:
        stage.vapi.on_dial = refused(429, "Rate limit exceeded", Retry_After="0")
        await stage.campaign()
        await refill(stage.runtime, most=1)
        for wait in (1, 1, 5, 15, 60, 300, 300):  # the first two as long as the account rests
            assert not await dialled_after(stage, wait - 0.1)
            assert await dialled_after(stage, 0.1)
        assert len({call["id"] for call in await stage.calls()}) == 8


# Looks --------------------------------------------------------------------------------------------------------------


async def test_a_silent_call_is_asked_about_at_growing_distances(database: Database) -> None:
    async with a_stage(database, DEFAULT_CRON_CADENCE=3600, RECONCILE_AFTER_SECONDS=30) as stage:
        await stage.campaign()
        await stage.tick()
        asked: list[float] = []
        begun = stage.clock.now()
        for _ in range(900):
            before = (await stage.call())["checks"]
            await stage.tick(1)
            if (await stage.call())["checks"] > before:
                asked.append((stage.clock.now() - begun).total_seconds())
            if len(asked) == 4:
                break
        assert [late - early for early, late in zip([0, *asked], asked, strict=False)] == [30, 60, 120, 240]


@pytest.mark.parametrize("cadence", [60, 20])
async def test_a_lost_webhook_leaves_no_line_idle_for_longer_than_half_a_cadence(
    database: Database, cadence: int
) -> None:
    async with a_stage(database, DEFAULT_CRON_CADENCE=cadence) as stage:
        await stage.campaign(contacts=2, cap=1)
        await stage.tick()
        ticked = await run_once(stage.runtime)
        assert ticked.next_at == stage.clock.now() + timedelta(seconds=cadence / 2)
        stage.vapi.change("theirs-1", status="ended", endedReason="customer-busy")
        await stage.tick(cadence / 2 - 0.1)
        assert len(stage.vapi.dials) == 1
        await stage.tick(0.1)
        assert len(stage.vapi.dials) == 2


# The inbox ----------------------------------------------------------------------------------------------------------


async def test_a_parked_webhook_is_tried_again_every_hour(database: Database) -> None:
    async with a_stage(database) as stage:
        await stage.tell("of-somebody-else", "ended")
        for _ in range(3):
            (row,) = await query(database, "SELECT state, retry_at FROM webhook_inbox")
            assert (row["state"], row["retry_at"]) == ("parked", stage.clock.now() + timedelta(hours=1))
            assert (await run_once(stage.runtime)).next_at == row["retry_at"]
            await stage.tick(3600)


async def test_health_tells_of_webhooks_that_wait_for_more_than_ten_minutes(database: Database) -> None:
    async def inbox() -> tuple[Any, str]:
        (found,) = [one for one in (await check_health(stage.runtime)).checks if one.name == "inbox"]
        return found.status, found.message

    async with a_stage(database) as stage:
        await query(
            database,
            """INSERT INTO webhook_inbox (provider_call_id, type, status, state, body, retry_at, received_at)
               VALUES ('theirs', 'status-update', 'ended', 'received', '{}', %s, %s) RETURNING id""",
            stage.clock.now(),
            stage.clock.now(),
        )
        stage.clock.move(599)
        assert (await inbox())[0] == "healthy"
        stage.clock.move(2)
        status, message = await inbox()
        assert (status, message) == ("degraded", "1 webhooks wait to be settled for more than ten minutes.")


# Waiting for the truthful start -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("runtime", "seconds"), [("server", SERVER_SECONDS), ("function", FUNCTION_SECONDS)])
async def test_nobody_is_held_for_confirmation_longer_than_the_runtime_allows(
    database: Database, runtime: str, seconds: float
) -> None:
    async with a_stage(database, RUNTIME=runtime) as stage:
        campaign_id = await stage.campaign()
        begun = stage.clock.now()
        status, started_at = await wait_for_start(stage.runtime, campaign_id)
        waited = (stage.clock.now() - begun).total_seconds()
        assert (status, started_at) == ("QUEUED", None)
        assert seconds <= waited < seconds + 0.5


# A number that the provider holds -----------------------------------------------------------------------------------


async def test_a_number_that_is_held_until_a_moment_goes_on_by_itself_at_that_moment(database: Database) -> None:
    words = "Couldn't Start Call. Numbers Bought On Vapi Have A Daily Outbound Call Limit."
    async with a_stage(database) as stage:
        stage.vapi.on_dial = refused(400, words)
        await stage.campaign()
        ticked = await run_once(stage.runtime)
        midnight = datetime.combine(stage.clock.now().date() + timedelta(days=1), datetime.min.time(), tzinfo=UTC)
        assert (len(stage.vapi.dials), ticked.next_at) == (1, midnight)
