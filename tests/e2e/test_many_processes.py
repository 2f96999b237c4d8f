"""Several processes on one database: caps hold, nobody is called twice, and a dead process costs nothing."""

import asyncio
from contextlib import AsyncExitStack

import httpx
import pytest

from autolynx.flows.campaign_life import start_campaign
from autolynx.store.database import Database
from tests.support.checks import (
    assert_counters_are_a_recount,
    assert_every_contact_has_an_end,
    assert_nobody_twice,
    query,
)
from tests.support.engine import free_port, make_campaign, make_runtime, settings_for_test, wait_until_settled
from tests.support.serve import CRON_SECRET, environment, running_serve, start_serve
from tests.support.sim import running_sim

pytestmark = [pytest.mark.anyio, pytest.mark.e2e]


async def _tick_for_ever(port: int) -> None:
    headers = {"Authorization": f"Bearer {CRON_SECRET}"}
    async with httpx.AsyncClient(timeout=90, headers=headers) as client:
        while True:
            (await client.post(f"http://127.0.0.1:{port}/api/scheduler/tick")).raise_for_status()
            await asyncio.sleep(0.5)


async def test_two_servers_and_a_storm_of_ticks_dial_500_contacts_once_each(
    database: Database, database_url: str
) -> None:
    async with AsyncExitStack() as stack:
        sim = await stack.enter_async_context(running_sim("--concurrency-limit", "60", speed=20))
        environ = environment(database_url, sim.url, TIME_SCALE=20, ACCOUNT_CONCURRENCY_CAP=60)
        ports = [free_port(), free_port()]
        for port in ports:
            await stack.enter_async_context(running_serve(environ, port=port))
        runtime = make_runtime(database, sim.url, settings=settings_for_test())
        stack.push_async_callback(runtime.provider.close)
        campaign_id = await make_campaign(database, contacts=500, cap=50)
        await start_campaign(runtime, campaign_id)
        ticks = [asyncio.create_task(_tick_for_ever(port)) for port in (*ports, *ports)]
        assert await wait_until_settled(database, campaign_id, seconds=150) == "COMPLETED"
        for tick in ticks:
            tick.cancel()
        outcomes = await asyncio.gather(*ticks, return_exceptions=True)
        assert [type(one) for one in outcomes] == [asyncio.CancelledError] * 4
        summary = await sim.summary()
    await assert_nobody_twice(summary)
    await assert_every_contact_has_an_end(database, campaign_id, summary)
    await assert_counters_are_a_recount(database)
    assert summary["dials"] == 500
    assert summary["peakConcurrent"] <= 50


async def test_a_server_killed_in_the_middle_leaves_nothing_lost_and_nothing_twice(
    database: Database, database_url: str
) -> None:
    async with running_sim("--concurrency-limit", "20", speed=25) as sim:
        environ = environment(database_url, sim.url, TIME_SCALE=25, ACCOUNT_CONCURRENCY_CAP=12)
        port = free_port()
        runtime = make_runtime(database, sim.url, settings=settings_for_test())
        campaign_id = await make_campaign(database, contacts=60, cap=10)
        server = await start_serve(environ, port=port)
        await start_campaign(runtime, campaign_id)
        for _ in range(3):
            await asyncio.sleep(2.5)
            server.kill()
            await server.wait()
            server = await start_serve(environ, port=port)
        try:
            assert await wait_until_settled(database, campaign_id, seconds=120) == "COMPLETED"
        finally:
            server.terminate()
            await server.wait()
            await runtime.provider.close()
        summary = await sim.summary()
    await assert_nobody_twice(summary)
    await assert_every_contact_has_an_end(database, campaign_id, summary)
    assert summary["dials"] == 60
    assert summary["peakConcurrent"] <= 10
    assert await query(database, "SELECT kind FROM incidents") == []
