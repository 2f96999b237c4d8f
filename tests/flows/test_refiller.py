"""The refiller of a server: where only time makes room it asks again by itself, and no line waits for a tick."""

import asyncio
from datetime import timedelta

import pytest

from autolynx.domain.pacing import Account
from autolynx.flows.campaign_life import pause_campaign, start_campaign
from autolynx.flows.claim import claim
from autolynx.flows.dial import dial
from autolynx.flows.refill import Refiller
from autolynx.runtime import Runtime, SystemClock
from autolynx.store.database import Database, Timeouts
from tests.support.checks import query
from tests.support.engine import make_campaign, make_runtime, settings_for_test
from tests.support.scripted_vapi import ScriptedVapi, running_script
from tests.support.stub_vapi import as_json

pytestmark = pytest.mark.anyio


async def _until_dialled(vapi: ScriptedVapi, count: int) -> None:
    async with asyncio.timeout(20):
        while len(vapi.calls) < count:
            await asyncio.sleep(0.01)


async def _refilled(database: Database, vapi: ScriptedVapi, *, contacts: int, **settings: object) -> Runtime:
    """Ask once for a refill, and wait until every contact was dialled, without any tick."""
    runtime = make_runtime(database, vapi.url, settings=settings_for_test(**settings))
    await start_campaign(runtime, await make_campaign(database, contacts=contacts))
    refiller = Refiller(runtime)
    refiller.request()
    try:
        await _until_dialled(vapi, contacts)
    finally:
        await refiller.drain()
        await runtime.provider.close()
    return runtime


async def test_lines_that_a_launch_rate_holds_back_are_used_as_soon_as_it_allows(database: Database) -> None:
    async with running_script(SystemClock().now) as vapi:
        await _refilled(database, vapi, contacts=4, LAUNCH_PER_SECOND=20)
    rows = await query(database, "SELECT DISTINCT claimed_at FROM calls")
    assert len(rows) == 4  # one after the other, as the rate demands


async def test_after_a_cool_down_the_next_call_does_not_wait_for_a_tick(database: Database) -> None:
    refused = as_json({"message": "Over Concurrency Limit", "statusCode": 400}, status=400)

    async with running_script(SystemClock().now) as vapi:
        accept = vapi.on_dial
        vapi.on_dial = lambda script, seen: refused if len(script.dials) == 1 else accept(script, seen)
        await _refilled(database, vapi, contacts=1, TIME_SCALE=100)
        assert len(vapi.dials) == 2


async def test_whoever_comes_due_while_lines_are_free_does_not_wait_for_a_tick(database: Database) -> None:
    async with running_script(SystemClock().now) as vapi:
        runtime = make_runtime(database, vapi.url, settings=settings_for_test())
        campaign_id = await make_campaign(database, contacts=2)
        await start_campaign(runtime, campaign_id)
        soon = SystemClock().now() + timedelta(seconds=1)
        await query(database, "UPDATE contacts SET due_at = %s WHERE position = 1 RETURNING id", soon)
        refiller = Refiller(runtime)
        refiller.request()
        try:
            await _until_dialled(vapi, 2)
        finally:
            await refiller.drain()
            await runtime.provider.close()


async def test_a_claim_that_failed_is_made_again_without_a_tick(database: Database, database_url: str) -> None:
    impatient = await Database.open(database_url, max_size=2, timeouts=Timeouts(lock_seconds=0.1))
    async with running_script(SystemClock().now) as vapi:
        runtime = make_runtime(impatient, vapi.url, settings=settings_for_test())
        await start_campaign(runtime, await make_campaign(database, contacts=1))
        refiller = Refiller(runtime)
        async with database.transaction() as conn:
            await conn.execute("SELECT FROM gate FOR NO KEY UPDATE")
            refiller.request()
            await asyncio.sleep(0.5)
        try:
            await _until_dialled(vapi, 1)
        finally:
            await refiller.drain()
            await runtime.provider.close()
            await impatient.close()


async def test_lines_that_a_paused_campaign_gives_back_are_used_by_the_others(database: Database) -> None:
    async with running_script(SystemClock().now) as vapi:
        runtime = make_runtime(database, vapi.url, settings=settings_for_test(ACCOUNT_CONCURRENCY_CAP=3))
        paused = await make_campaign(database, contacts=1, cap=1)
        other = await make_campaign(database, contacts=1, cap=1, first=200)
        for campaign_id in (paused, other):
            await start_campaign(runtime, campaign_id)
        (order,) = (await claim(runtime, campaign_id=paused)).orders
        await pause_campaign(runtime, paused)
        assert (await dial(runtime, order, account=Account())).freed_line
        await runtime.provider.close()
