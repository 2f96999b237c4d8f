"""The live feed: within a second, nothing missed, nothing held."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from autolynx.errors import DatabaseUnavailable
from autolynx.flows import live_feed
from autolynx.flows.live_feed import LiveFeed
from autolynx.flows.live_watch import News, Update
from autolynx.store.database import Connection, Database
from tests.support.campaign_rows import START, add_call, add_event, change_campaign, make_campaign
from tests.support.checks import query
from tests.support.engine import make_runtime, settings_for_test

pytestmark = pytest.mark.anyio

NOWHERE = "http://127.0.0.1:9"
SETTLED_SECONDS = 3 * live_feed.LOOK_SECONDS
END = "UPDATE calls SET status = 'ENDED', outcome = 'answered', version = version + 1 WHERE id = %s"


@asynccontextmanager
async def running_feed(database: Database) -> AsyncIterator[LiveFeed]:
    feed = LiveFeed(make_runtime(database, NOWHERE, settings=settings_for_test()))
    yield feed
    await feed.close()


async def news(updates: AsyncIterator[Update], *, seconds: float = 2.0) -> Update:
    async with asyncio.timeout(seconds):
        return await anext(updates)


async def end_call(database: Database, campaign_id: UUID, call_id: UUID) -> None:
    async with database.transaction() as conn:
        await conn.execute(END, [call_id])
        await conn.execute(
            """INSERT INTO call_events (campaign_id, call_id, status, source, created_at)
               VALUES (%s, %s, 'ENDED', 'webhook', %s)""",
            [campaign_id, call_id, START],
        )


async def add_live_call(database: Database, campaign_id: UUID, position: int) -> UUID:
    live = {"status": "RINGING", "outcome": None, "holds_line": True, "is_final": False}
    return await add_call(database, campaign_id, position, **live)


async def test_the_figures_come_first_and_then_a_change(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=3)
    call_id = await add_live_call(database, campaign_id, 1)
    async with running_feed(database) as feed, aclosing(feed.watch(campaign_id)) as updates:
        first = await news(updates)
        assert first.report is not None
        assert first.report.counters.ringing == 1
        await end_call(database, campaign_id, call_id)
        update = await news(updates)
    assert update.report is not None
    assert (update.report.counters.ringing, update.report.counters.answered) == (0, 1)
    (row,) = update.rows.values()
    assert (row.name, row.call_status, row.outcome) == ("Ada 1", "ENDED", "answered")


async def test_a_claim_shows_at_once_though_it_leaves_no_event(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=2)
    async with running_feed(database) as feed, aclosing(feed.watch(campaign_id)) as updates:
        await news(updates)
        await add_call(database, campaign_id, 0, status="QUEUED", outcome=None, holds_line=True, is_final=False)
        update = await news(updates)
    assert [row.call_status for row in update.rows.values()] == ["QUEUED"]


async def test_an_event_that_is_committed_after_a_later_one_is_not_missed(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=2)
    slow, quick = [await add_call(database, campaign_id, position, outcome="unknown") for position in (0, 1)]
    async with running_feed(database) as feed, aclosing(feed.watch(campaign_id)) as updates:
        await news(updates)
        async with database.transaction() as conn:
            await conn.execute(
                """INSERT INTO call_events (campaign_id, call_id, status, source, created_at)
                   VALUES (%s, %s, 'ENDED', 'webhook', %s)""",
                [campaign_id, slow, START],
            )
            await add_event(database, campaign_id, quick)
            seen_first = await news(updates)
            await asyncio.sleep(SETTLED_SECONDS)
        seen_late = await news(updates)
    assert [row.name for row in seen_first.rows.values()] == ["Ada 1"]
    assert [row.name for row in seen_late.rows.values()] == ["Ada 0"]


async def test_one_who_comes_back_gets_what_changed_meanwhile(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=3)
    first, second = [await add_call(database, campaign_id, position) for position in (0, 2)]
    known = await add_event(database, campaign_id, first)
    await add_event(database, campaign_id, second)
    async with running_feed(database) as feed, aclosing(feed.watch(campaign_id, after=known)) as updates:
        update = await news(updates)
    assert "Ada 2" in {row.name for row in update.rows.values()}
    assert update.last_event_id > known


async def test_nothing_is_sent_while_nothing_changes(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=1)
    await add_event(database, campaign_id, await add_call(database, campaign_id, 0))
    async with running_feed(database) as feed, aclosing(feed.watch(campaign_id)) as updates:
        await news(updates)
        with pytest.raises(TimeoutError):
            await news(updates, seconds=SETTLED_SECONDS)


async def test_each_watcher_sees_his_own_campaign(database: Database) -> None:
    one = await make_campaign(database, contacts=1)
    other = await make_campaign(database, contacts=1, first=5)
    async with (
        running_feed(database) as feed,
        aclosing(feed.watch(one)) as ones,
        aclosing(feed.watch(other)) as others,
    ):
        await asyncio.gather(news(ones), news(others))
        await add_event(database, other, await add_call(database, other, 0))
        update = await news(others)
        assert [row.name for row in update.rows.values()] == ["Ada 5"]
        with pytest.raises(TimeoutError):
            await news(ones, seconds=SETTLED_SECONDS)


async def test_a_slow_watcher_gets_the_latest_state_and_no_queue(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=2)
    async with running_feed(database) as feed, aclosing(feed.watch(campaign_id)) as updates:
        await news(updates)
        call_id = await add_live_call(database, campaign_id, 0)
        await asyncio.sleep(SETTLED_SECONDS)
        await end_call(database, campaign_id, call_id)
        await asyncio.sleep(SETTLED_SECONDS)
        update = await news(updates)
    assert [row.call_status for row in update.rows.values()] == ["ENDED"]
    assert update.report is not None
    assert update.report.counters.answered == 1


async def test_a_deleted_campaign_ends_its_stream(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=1)
    async with running_feed(database) as feed, aclosing(feed.watch(campaign_id)) as updates:
        await news(updates)
        await change_campaign(database, campaign_id, deleted_at=START)
        assert (await news(updates)).is_gone
        with pytest.raises(StopAsyncIteration):
            await news(updates)


async def test_closing_the_feed_ends_every_stream_and_the_poller(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=1)
    async with running_feed(database) as feed, aclosing(feed.watch(campaign_id)) as updates:
        await news(updates)
        await feed.close()
        with pytest.raises(StopAsyncIteration):
            await news(updates)
        assert feed.watchers == 0
        assert [task for task in asyncio.all_tasks() if "_poll" in repr(task)] == []


async def test_nobody_is_asked_while_nobody_watches(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=1)
    async with running_feed(database) as feed:
        async with aclosing(feed.watch(campaign_id)) as updates:
            await news(updates)
        await asyncio.sleep(SETTLED_SECONDS)
        assert feed.watchers == 0
        assert [task for task in asyncio.all_tasks() if "_poll" in repr(task)] == []
        async with aclosing(feed.watch(campaign_id)) as updates:
            assert (await news(updates)).report is not None


async def test_between_two_looks_no_connection_is_held(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=1)
    looks = []
    async with running_feed(database) as feed, aclosing(feed.watch(campaign_id)) as updates:
        await news(updates)
        for _ in range(20):
            await asyncio.sleep(0.05)
            looks.append(database._pool.get_stats()["pool_available"] == database._pool.get_stats()["pool_size"])
    assert sum(looks) >= 15


async def test_a_hundred_watchers_cost_one_statement_for_each_look(database: Database) -> None:
    campaigns = [await make_campaign(database, contacts=1, first=10 * number) for number in range(5)]
    async with running_feed(database) as feed:
        streams = [feed.watch(campaigns[number % 5]) for number in range(100)]
        await asyncio.gather(*(news(one) for one in streams))
        before = await counted(database)
        await asyncio.sleep(5 * live_feed.LOOK_SECONDS)
        asked = await counted(database) - before
        for one in streams:
            await one.aclose()  # type: ignore[attr-defined]
    assert asked <= 12


async def counted(database: Database) -> int:
    """Transactions of this database so far, as the server counts them."""
    await query(database, "SELECT pg_stat_force_next_flush(), pg_stat_clear_snapshot()")
    (row,) = await query(database, "SELECT xact_commit AS n FROM pg_stat_database WHERE datname = current_database()")
    return int(row["n"])


async def test_a_database_that_is_away_for_a_moment_breaks_no_stream(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=1)
    async with running_feed(database) as feed, aclosing(feed.watch(campaign_id)) as updates:
        await news(updates)
        await query(
            database,
            """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()""",
        )
        await asyncio.sleep(SETTLED_SECONDS)
        await add_event(database, campaign_id, await add_call(database, campaign_id, 0))
        async with asyncio.timeout(20):
            while not (await news(updates, seconds=10)).rows:
                pass  # the counters moved with the call, a moment before its event


async def test_a_campaign_that_never_was_is_gone_at_once(database: Database) -> None:
    async with running_feed(database) as feed, aclosing(feed.watch(uuid4())) as updates:
        assert (await news(updates)).is_gone


async def all_news(stream: AsyncIterator[News], *, seconds: float = 2.0) -> News:
    async with asyncio.timeout(seconds):
        return await anext(stream)


async def test_a_deleted_campaign_is_told_once_and_the_others_go_on(database: Database) -> None:
    gone, kept = await make_campaign(database, contacts=1), await make_campaign(database, contacts=1)
    async with running_feed(database) as feed, aclosing(feed.watch_all({gone: None, kept: None})) as stream:
        await all_news(stream)
        await change_campaign(database, gone, deleted_at=START)
        while not any(one.is_gone for one in (await all_news(stream)).updates.values()):
            pass
        later: list[News] = []
        try:
            while True:
                later.append(await all_news(stream, seconds=SETTLED_SECONDS))
        except TimeoutError:
            assert not any(gone in one.updates for one in later)
        # A stream that was interrupted cannot be asked again; the other campaign has one of its own.
        async with aclosing(feed.watch(kept)) as others:
            await news(others)
            await change_campaign(database, kept, name="Other")
            assert (await news(others)).report is not None
    assert feed.watchers == 0


async def test_who_comes_later_does_not_make_the_others_hear_everything_again(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=5)
    call_ids = [await add_call(database, campaign_id, position) for position in range(5)]
    for call_id in call_ids:
        await add_event(database, campaign_id, call_id)
    async with running_feed(database) as feed, aclosing(feed.watch(campaign_id, after=0)) as first:
        await news(first)
        async with aclosing(feed.watch(campaign_id, after=1)) as second:
            assert len((await news(second)).rows) == 5
            with pytest.raises(TimeoutError):
                await news(first, seconds=SETTLED_SECONDS)


class _Hiccup:
    """A database that fails one look just where its rows are read."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.fails = False

    def connection(self, **kinds: bool) -> AbstractAsyncContextManager[Connection]:
        if not self.fails:
            return self._database.connection(**kinds)
        return self._broken()

    @asynccontextmanager
    async def _broken(self) -> AsyncIterator[Connection]:
        self.fails = False
        async with self._database.connection() as conn:
            yield cast("Connection", _FailsOnRows(conn))


class _FailsOnRows:
    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    async def execute(self, query: str, *values: Any) -> Any:
        if "SELECT contact_id FROM calls WHERE id = ANY" in query:
            raise DatabaseUnavailable("PostgreSQL went away.")
        return await self._conn.execute(query, *values)


async def test_a_database_that_fails_for_a_moment_loses_no_change(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=2)
    call_id = await add_live_call(database, campaign_id, 1)
    hiccup = _Hiccup(database)
    runtime = replace(make_runtime(database, NOWHERE, settings=settings_for_test()), database=cast("Database", hiccup))
    feed = LiveFeed(runtime)
    async with aclosing(feed.watch(campaign_id)) as updates:
        await news(updates)
        hiccup.fails = True
        await end_call(database, campaign_id, call_id)
        update = await news(updates, seconds=5)
        assert [row.call_status for row in update.rows.values()] == ["ENDED"]
    await feed.close()


async def test_watches_end_where_the_database_stays_away(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=1)
    hiccup = _Hiccup(database)
    runtime = replace(make_runtime(database, NOWHERE, settings=settings_for_test()), database=cast("Database", hiccup))
    feed = LiveFeed(runtime)
    async with aclosing(feed.watch(campaign_id)) as updates:
        await news(updates)
        await database.close()
        with pytest.raises(StopAsyncIteration):
            await news(updates, seconds=30)
    await feed.close()
