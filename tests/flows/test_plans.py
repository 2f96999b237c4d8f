"""PostgreSQL's view of the engine: in a long list that is nearly done, nothing is looked for from end to end.

The list has 60,000 contacts here, and nobody vacuumed it; `benchmarks/claim_cost.py` takes a million.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, cast

import psycopg
import pytest

from autolynx.flows.campaign_life import stop_campaign
from autolynx.flows.claim import claim
from autolynx.flows.dialing import hold_dialling
from autolynx.flows.dialing_state import get_dialing_state
from autolynx.flows.refill import refill
from autolynx.flows.resting import note_concurrency
from autolynx.flows.tick import run_once
from autolynx.runtime import SystemClock
from autolynx.store.database import Database
from tests.support.checks import query
from tests.support.engine import make_runtime, settings_for_test
from tests.support.long_list import fill_long_list
from tests.support.plans import Explained, ExplainedDatabase
from tests.support.postgres import QUIET, Servers, read_statistics
from tests.support.scripted_vapi import running_script
from tests.support.stage import JumpingClock, Stage

pytestmark = pytest.mark.anyio

CONTACTS = 60_000
MOST_FOUND_WITH = 50  # buffers, and so many more for each contact:
MOST_PER_CONTACT = 10
MOST_OF_A_LOOK = 100


@pytest.fixture
def long_list_url(postgres_servers: Servers) -> Iterator[str]:
    """The URL of a database with the long list, which belongs to this test."""
    postgres = postgres_servers.get(QUIET)
    url = postgres.create_filled("long_list", partial(fill_long_list, contacts=CONTACTS))
    yield url
    postgres.drop_database(url)


@asynccontextmanager
async def explained_stage(url: str, **settings: Any) -> AsyncIterator[tuple[Stage, list[Explained]]]:
    """Set a stage on the long list; what it sends to PostgreSQL is explained."""
    clock = JumpingClock(SystemClock().now())
    database = await Database.open(url)
    witness = ExplainedDatabase(database)
    async with running_script(clock.now) as vapi:
        chosen = settings_for_test(**{"ACCOUNT_CONCURRENCY_CAP": 60, **settings})
        runtime = make_runtime(cast("Database", witness), vapi.url, settings=chosen, clock=clock)
        yield Stage(runtime=runtime, clock=clock, vapi=vapi, database=database), witness.seen
        await runtime.provider.close()
    await database.close()


def analyse(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("ANALYZE")


def told(seen: list[Explained]) -> list[tuple[int, str]]:
    """Return buffers and statements, for the eyes of whoever reads a failure."""
    return [(one.buffers, " ".join(one.statement.split())[:80]) for one in seen]


@pytest.mark.parametrize("is_analysed", [False, True])
@pytest.mark.parametrize("room", [1, 8, 40])
async def test_a_claim_finds_its_contacts_with_a_few_buffers_each(
    long_list_url: str, room: int, *, is_analysed: bool
) -> None:
    if is_analysed:
        analyse(long_list_url)
    async with explained_stage(long_list_url) as (stage, seen):
        claimed = await claim(stage.runtime, most=room)
    assert len(claimed.orders) == room
    found = [one for one in seen if not one.is_write]
    assert sum(one.buffers for one in found) <= MOST_FOUND_WITH + MOST_PER_CONTACT * room, told(found)


@pytest.mark.parametrize("is_analysed", [False, True])
async def test_the_engine_reads_no_long_table_from_end_to_end_and_clears_dead_entries_as_it_goes(
    long_list_url: str, *, is_analysed: bool
) -> None:
    if is_analysed:
        analyse(long_list_url)
    async with explained_stage(long_list_url, ACCOUNT_CONCURRENCY_CAP=8) as (stage, seen):
        runtime = stage.runtime
        await claim(runtime, most=3)  # nobody dials these: they lapse
        await refill(runtime)
        await stage.tell("theirs-1", "ringing")
        await stage.tell("theirs-1", "ended", endedReason="customer-busy")
        await stage.report("theirs-2", "customer-ended-call")
        await stage.tell("theirs-unknown", "ringing", is_ours=False)
        await stage.tick(after=700)
        await stage.tick(after=4000)
        await note_concurrency(runtime)
        await get_dialing_state(runtime)
        (campaign,) = await query(stage.database, "SELECT id FROM campaigns")
        await stop_campaign(runtime, campaign["id"])
        await hold_dialling(runtime, reason="for a moment")
    assert len({one.statement for one in seen}) > 30
    assert [(one.statement, one.scanned) for one in seen if one.scanned] == []
    assert [(one.statement, one.bitmaps) for one in seen if one.bitmaps] == []


async def test_what_a_tick_looks_for_costs_the_same_however_many_calls_are_over(long_list_url: str) -> None:
    async with explained_stage(long_list_url, ACCOUNT_CONCURRENCY_CAP=5) as (stage, seen):
        await refill(stage.runtime)
        seen.clear()
        await run_once(stage.runtime)
    looks = [one for one in seen if not one.is_write]
    assert looks
    assert all(one.buffers <= MOST_OF_A_LOOK for one in looks), told(looks)


async def test_a_contacts_way_from_due_to_done_writes_no_index_anew(long_list_url: str) -> None:
    counts = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'contacts'"
    before = read_statistics(long_list_url, counts)
    database = await Database.open(long_list_url)
    async with running_script(SystemClock().now) as vapi:
        runtime = make_runtime(database, vapi.url, settings=settings_for_test(ACCOUNT_CONCURRENCY_CAP=60))
        stage = Stage(runtime=runtime, clock=JumpingClock(SystemClock().now()), vapi=vapi, database=database)
        await refill(runtime, most=5)
        for number in range(1, 6):
            await stage.report(f"theirs-{number}", "customer-ended-call")
        await runtime.provider.close()
    await database.close()
    updates, of_one_page = (new - old for new, old in zip(read_statistics(long_list_url, counts), before, strict=True))
    assert (updates, of_one_page) == (10, 10)
