"""One dial, step by step: what a crash of the database between claim and mark leaves."""

import asyncio

import psycopg
import pytest

from autolynx.domain.pacing import Account
from autolynx.flows.claim import claim
from autolynx.flows.dial import _mark, dial
from autolynx.store.database import Database, Timeouts
from tests.support.stage import a_stage

pytestmark = pytest.mark.anyio


async def test_a_claim_that_a_crash_of_the_database_undid_is_not_dialled(database: Database) -> None:
    async with a_stage(database) as stage:
        await stage.campaign()
        (order,) = (await claim(stage.runtime)).orders
        async with database.transaction() as conn:  # what a claim that was never flushed to disk comes to
            await conn.execute("UPDATE campaigns SET next_position = 0")
            await conn.execute("UPDATE contacts SET state = 'due'")
            await conn.execute("DELETE FROM calls")
        dialled = await dial(stage.runtime, order, account=Account())
        assert not dialled.was_sent
        assert stage.vapi.calls == {}
        await stage.tick()
        assert len(stage.vapi.calls) == 1
        assert await stage.contacts() == ["calling"]


async def test_where_the_clock_runs_fast_nobody_gives_up_before_the_request_is_surely_over(database: Database) -> None:
    async with a_stage(database, TIME_SCALE=60) as stage:
        await stage.campaign(contacts=2, cap=2)
        accepted, dead = (await claim(stage.runtime)).orders
        await dial(stage.runtime, accepted, account=Account())
        await _mark(stage.runtime, dead.call_id)  # and its process is killed
        await stage.tick_until(20, every=1)
        stage.vapi.reads = False
        await stage.tick(2)
        stage.vapi.reads = True
        await stage.tick_until(20, every=1)
        assert await stage.incidents() == []
        assert {call["outcome"] for call in await stage.calls() if call["id"] == dead.call_id} == {"not_dialled"}
        assert len(stage.vapi.calls) == 2  # its contact was called by the next claim


async def test_a_burst_of_answers_leaves_connections_to_everybody_else(database_url: str) -> None:
    database = await Database.open(database_url, max_size=6, timeouts=Timeouts(acquire_seconds=2))
    async with a_stage(database, ACCOUNT_CONCURRENCY_CAP=20) as stage:
        await stage.campaign(contacts=12, cap=12)
        orders = (await claim(stage.runtime)).orders
        async with await psycopg.AsyncConnection.connect(database_url) as other:
            await other.execute("SELECT FROM campaigns FOR NO KEY UPDATE")  # every answer has to wait for it
            dialling = asyncio.gather(*(dial(stage.runtime, order, account=Account()) for order in orders))
            async with asyncio.timeout(20):
                while len(stage.vapi.calls) < len(orders):
                    await asyncio.sleep(0.01)
                await asyncio.sleep(0.2)  # for the answers to have come in
                assert await stage.contacts() == ["calling"] * 12
            await other.rollback()
        assert [one.is_accepted for one in await dialling] == [True] * 12
    await database.close()
