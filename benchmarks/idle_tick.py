"""What a tick costs that finds nothing to do, with 1,000 campaigns running.

    python -m benchmarks.idle_tick [--campaigns 1000] [--ticks 60]

Every campaign runs and waits for contacts that come due later, a part of them batch by batch; nobody analysed the
database. The statements are counted on the wire. The floor is the same SQL, sent bare by the same driver in the same
run; a round trip with nothing in it stands beside. Ends with 1 below the reach.
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, cast

import psycopg

from autolynx.flows.tick import run_once
from autolynx.runtime import Runtime
from autolynx.store.database import Database
from benchmarks.support.machine import describe, percentile
from benchmarks.support.programs import copied_database, running_postgres
from benchmarks.support.recording import RecordedDatabase
from tests.support.engine import make_campaign, make_runtime, settings_for_test
from tests.support.round_trips import counting_round_trips

CONTACTS_EACH = 20
REACH_MS = 100
REACH_STATEMENTS = 5


async def fill(url: str, campaigns: int) -> None:
    """Make running campaigns, all of whose contacts wait for their next attempt."""
    database = await Database.open(url, max_size=1)
    for number in range(campaigns):
        mode = "batch" if number % 4 == 0 else "continuous"
        await make_campaign(database, contacts=CONTACTS_EACH, first=number * CONTACTS_EACH, mode=mode)
    async with database.connection() as conn:
        await conn.execute(
            """UPDATE campaigns SET batch_size = CASE WHEN mode = 'batch' THEN cap END, status = 'RUNNING',
                   started_at = created_at, next_position = CASE WHEN mode = 'batch' THEN cap ELSE total_contacts END"""
        )
        await conn.execute(
            """UPDATE contacts t SET due_at = now() + interval '1 day' FROM campaigns c
               WHERE c.id = t.campaign_id AND t.position < c.next_position"""
        )
        await conn.execute("UPDATE contacts SET phone_raw = phone")  # dead rows, as they are
    await database.close()


async def measure(work: Callable[[], Awaitable[object]], times: int) -> list[float]:
    """Return the milliseconds that the work took each time, after a first one."""
    took = []
    for _ in range(times + 1):
        began = time.perf_counter()
        await work()
        took.append((time.perf_counter() - began) * 1000)
    return took[1:]


async def count_statements(url: str) -> int:
    async with counting_round_trips(url) as trips:
        database = await Database.open(trips.url, max_size=1)
        runtime = _runtime(database)
        await run_once(runtime)
        trips.statements = 0
        await run_once(runtime)
        await runtime.provider.close()
        await database.close()
    return trips.statements


def _runtime(database: Database) -> Runtime:
    return make_runtime(database, "http://127.0.0.1:9", settings=settings_for_test())


async def bare_ticks(url: str, database: Database) -> tuple[Callable[[], Awaitable[None]], AsyncExitStack]:
    """Return what sends a tick's own statements by the driver alone, and what ends it."""
    recorded = RecordedDatabase(database)
    runtime = _runtime(cast("Database", recorded))
    await run_once(runtime)
    await runtime.provider.close()
    stack = AsyncExitStack()
    conn = await psycopg.AsyncConnection.connect(url, autocommit=True, prepare_threshold=None)
    stack.push_async_callback(conn.close)
    await conn.execute(
        "SELECT set_config('enable_seqscan', 'off', false), set_config('enable_bitmapscan', 'off', false)"
    )

    async def send() -> None:
        for steps in recorded.alone:
            for step in steps:
                cursor: Any = await conn.execute(step.statement, step.values)
                if step.is_fetched:
                    await cursor.fetchall()

    return send, stack


async def main(campaigns: int, ticks: int) -> int:
    async with running_postgres() as empty:
        url = copied_database(empty, "idle")
        await fill(url, campaigns)
        statements = await count_statements(url)
        database = await Database.open(url, max_size=2)
        runtime = _runtime(database)
        ticked = await measure(lambda: run_once(runtime), ticks)
        send, stack = await bare_ticks(url, database)
        async with stack:
            bare = await measure(send, ticks)
        empty_trip = await measure(lambda: _select_one(database), ticks)
        print(await describe(database))
        await runtime.provider.close()
        await database.close()
    middle, floor = statistics.median(ticked), statistics.median(bare)
    slow = percentile(ticked, 95)
    print(f"idle tick  {middle:.1f} ms, p95 {slow:.1f} ms, over {campaigns:,} campaigns (reach {REACH_MS})")
    print(
        f"bare SQL   {floor:.1f} ms   ratio {middle / floor:.2f}   (SELECT 1: {statistics.median(empty_trip):.1f} ms)"
    )
    print(f"statements {statements}   (reach {REACH_STATEMENTS})")
    is_reached = middle <= REACH_MS and statements <= REACH_STATEMENTS
    print(f"reach: {'met' if is_reached else 'MISSED'}")
    return 0 if is_reached else 1


async def _select_one(database: Database) -> None:
    async with database.connection() as conn:
        await conn.execute("SELECT 1")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--campaigns", type=int, default=1000)
    parser.add_argument("--ticks", type=int, default=60)
    chosen = parser.parse_args()
    sys.exit(asyncio.run(main(chosen.campaigns, chosen.ticks)))
