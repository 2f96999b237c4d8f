"""What the server takes for each page and list with 1,000,000 calls and 500 campaigns in the database.

    python -m benchmarks.pages [--contacts 1000000] [--campaigns 500] [--rounds 40] [--only WORD] [--database-url URL]

Each request is made straight into the application and, by turns, over HTTP to a server of its own. The floor is the
SQL of the same request, recorded and sent bare by the same driver in the same run. Filling takes a minute or two. For
each page: p50 and p95 over HTTP, p95 in this process, the floor and how many times that p50 is, the processor time of
server and database, and the size. On a busy machine judge by the processor time. Ends with 1 where the 95th percentile
of a list is over 100 ms, or of analytics over 150 ms.
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import httpx
import psycopg

from autolynx.flows.access import create_token
from autolynx.runtime import Runtime, SystemClock
from autolynx.store.database import Database
from autolynx.web.app import build_app
from benchmarks.support.machine import describe, percentile
from benchmarks.support.million import fill_million
from benchmarks.support.programs import cpu_seconds, database_cpu_seconds, running_autolynx, running_postgres
from benchmarks.support.recording import RecordedDatabase, Step
from tests.support.engine import make_runtime, settings_for_test

LIST_MS, ANALYTICS_MS = 100, 150
WARM_UP = 3
BIG, SMALL = "big", "small"


@dataclass(frozen=True)
class Page:
    """An address and how many milliseconds its 95th percentile may take. `{big}` and `{small}` are campaigns."""

    path: str
    reach_ms: int = LIST_MS


def pages(today: Any) -> list[Page]:
    """Return every page and list there is; a new one gets a line."""
    month, year = (today - timedelta(days=days - 1) for days in (30, 365))
    sorts = ("createdAt", "startedAt", "completedAt", "name", "status", "totalContacts", "totalCost")
    contacts = "/api/campaigns/{big}/contacts"
    campaign = "/campaigns/{big}"
    return [
        Page("/"),
        *(Page(f"/?sort={sort}") for sort in ("oldest", "name", "status", "largest", "cost", "finished")),
        Page("/?state=running"),
        Page("/?q=offer"),
        Page("/?page=20"),
        Page(campaign),
        Page(f"{campaign}?page=5000"),
        *(Page(f"{campaign}?sort={sort}") for sort in ("latest", "outcome", "longest", "dearest")),
        Page(f"{campaign}?sort=dearest&outcome=answered"),
        Page(f"{campaign}?sort=longest&success=yes&page=20"),
        Page(f"{campaign}?sort=dearest&q=nobody"),
        Page(f"{campaign}?status=ENDED"),
        Page(f"{campaign}?outcome=provider_error"),
        Page(f"{campaign}?success=yes"),
        Page(f"{campaign}?q=nobody"),
        Page(f"{campaign}/events"),
        Page(f"{campaign}/analytics", ANALYTICS_MS),
        Page("/campaigns/{small}?q=nobody"),
        Page("/calls/{call}/drawer"),
        Page("/assistants"),
        Page("/assistants/{assistant}"),
        Page("/system"),
        Page("/analytics?days=30", ANALYTICS_MS),
        Page("/analytics?days=365", ANALYTICS_MS),
        *(Page(f"/api/campaigns?sort={sort}&order={order}") for sort in sorts for order in ("asc", "desc")),
        Page("/api/campaigns?page=20"),
        Page("/api/campaigns?search=offer"),
        Page("/api/campaigns?status=RUNNING&status=PAUSED"),
        Page("/api/campaigns/{big}"),
        Page("/api/campaigns/{small}"),
        Page(contacts),
        Page(f"{contacts}?page=5000"),
        Page(f"{contacts}?status=ENDED"),
        Page(f"{contacts}?status=FAILED"),
        Page(f"{contacts}?status=NOT_CALLED"),
        Page(f"{contacts}?outcome=answered"),
        Page(f"{contacts}?outcome=provider_error"),
        Page(f"{contacts}?outcome=unsure"),
        Page(f"{contacts}?search=249%20"),
        Page(f"{contacts}?search=nobody"),
        Page(f"{contacts}?search=5550199"),
        Page(f"{contacts}?outcome=answered&search=Company%2049"),
        Page("/api/campaigns/{small}/contacts?outcome=busy&search=Company%2049"),
        Page("/api/calls/{call}"),
        Page("/api/assistants"),
        Page("/assistants"),
        Page("/assistants?q=assistant&page=2"),
        Page("/assistants/{assistant}"),
        Page("/assistants/{assistant}/use"),
        Page("/assistants/{assistant}/versions"),
        Page("/assistants/{assistant}/test-call"),
        Page("/api/unsure"),
        Page("/api/incidents"),
        Page("/api/dialing"),
        Page("/api/metrics"),
        Page("/system"),
        Page("/api/analytics", ANALYTICS_MS),
        Page(f"/api/analytics?from={month}&timezone=Europe/Berlin", ANALYTICS_MS),
        Page(f"/api/analytics?from={year}&timezone=Europe/Berlin", ANALYTICS_MS),
        Page(f"/api/analytics?from={year}&campaignId={{big}}", ANALYTICS_MS),
        Page(f"/api/analytics?from={year}&assistantId={{assistant}}", ANALYTICS_MS),
        Page(f"/api/analytics.csv?from={year}", ANALYTICS_MS),
    ]


@dataclass
class Timed:
    """The milliseconds that one page took: in this process, over HTTP, and its bare SQL."""

    page: Page
    path: str
    inside: list[float] = field(default_factory=list)
    outside: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    server_ms: float = 0  # processor time
    database_ms: float = 0
    size: int = 0

    @property
    def is_reached(self) -> bool:
        return percentile(self.outside, 95) <= self.page.reach_ms

    def told(self) -> str:
        p50, p95, bare = statistics.median(self.outside), percentile(self.outside, 95), statistics.median(self.bare)
        inside = percentile(self.inside, 95)
        return (
            f"{p50:7.1f} {p95:7.1f} {inside:9.1f} {bare:7.1f} {p50 / bare:6.2f}"
            f" {self.server_ms:7.1f} {self.database_ms:8.1f} {self.size / 1024:7.1f}"
            f"  {'' if self.is_reached else 'MISSED '}{self.page.path}"
        )


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Whom to ask: the application in this process, the server beside it, and PostgreSQL itself."""

    inside: httpx.AsyncClient
    outside: httpx.AsyncClient
    recorded: RecordedDatabase
    bare: psycopg.AsyncConnection[Any]
    url: str
    server: int

    def processors(self) -> tuple[float, float]:
        """Return the milliseconds of processor time of server and database until now."""
        return cpu_seconds(self.server) * 1000, database_cpu_seconds(self.url) * 1000


@asynccontextmanager
async def staged(url: str) -> AsyncIterator[Stage]:
    database = await Database.open(url, max_size=4)
    recorded = RecordedDatabase(database)
    runtime = make_runtime(cast("Database", recorded), "http://127.0.0.1:9", settings=settings_for_test())
    async with (
        running_autolynx(url, "http://127.0.0.1:9", DEFAULT_CRON_CADENCE=3600, LOG_LEVEL="error") as served,
        httpx.AsyncClient(transport=httpx.ASGITransport(build_app(runtime)), base_url="http://127.0.0.1") as inside,
        httpx.AsyncClient(base_url=served.url, timeout=60) as outside,
        await psycopg.AsyncConnection.connect(url, autocommit=True, prepare_threshold=None) as bare,
    ):
        await open_session(runtime, inside, outside)
        print(await describe(database))
        yield Stage(inside=inside, outside=outside, recorded=recorded, bare=bare, url=url, server=served.pid)
    await runtime.provider.close()
    await database.close()


async def open_session(runtime: Runtime, *clients: httpx.AsyncClient) -> None:
    """Let the clients in."""
    made = await create_token(runtime, "benchmark")
    for client in clients:
        client.headers["Authorization"] = f"Bearer {made.secret}"


async def milliseconds(work: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await work()
    return (time.perf_counter() - began) * 1000


async def get(client: httpx.AsyncClient, path: str) -> int:
    answer = await client.get(path)
    assert answer.status_code == 200, (path, answer.text)
    return len(answer.content)


async def steps_of(stage: Stage, path: str) -> list[Step]:
    """Return the statements that a request leads to, without what lets its caller in."""
    stage.recorded.alone.clear()
    await get(stage.inside, path)
    return [step for steps in stage.recorded.alone for step in steps if "api_tokens" not in str(step.statement)]


async def send_bare(stage: Stage, steps: Sequence[Step]) -> None:
    for step in steps:
        cursor = await stage.bare.execute(step.statement, step.values)
        if step.is_fetched:
            await cursor.fetchall()


async def measure(stage: Stage, timed: Timed, rounds: int) -> None:
    steps = await steps_of(stage, timed.path)
    timed.size = await get(stage.outside, timed.path)
    for number in range(rounds + WARM_UP):
        if number == WARM_UP:
            server, postgres = stage.processors()
        took = (
            await milliseconds(lambda: get(stage.inside, timed.path)),
            await milliseconds(lambda: get(stage.outside, timed.path)),
            await milliseconds(lambda: send_bare(stage, steps)),
        )
        if number >= WARM_UP:
            for values, one in zip((timed.inside, timed.outside, timed.bare), took, strict=True):
                values.append(one)
    server_now, postgres_now = stage.processors()
    timed.server_ms = (server_now - server) / rounds
    timed.database_ms = (postgres_now - postgres) / rounds / len(took)  # it answered all three


async def ids_of(stage: Stage) -> dict[str, str]:
    cursor = await stage.bare.execute(
        """SELECT md5('campaign0')::uuid::text, md5('campaign1')::uuid::text, md5('assistant1')::uuid::text,
               (SELECT id::text FROM calls WHERE campaign_id = md5('campaign1')::uuid LIMIT 1)"""
    )
    row = await cursor.fetchone()
    assert row is not None
    return dict(zip(("big", "small", "assistant", "call"), row, strict=True))


@asynccontextmanager
async def filled(url: str | None, *, contacts: int, campaigns: int) -> AsyncIterator[str]:
    """Give the URL of a filled database: the one named, or one of this run's own."""
    if url is not None:
        yield url
        return
    async with running_postgres() as own:
        began = time.perf_counter()
        now = SystemClock().now()
        await asyncio.to_thread(fill_million, own, contacts=contacts, campaigns=campaigns, now=now)
        print(f"filled     {contacts:,} calls in {time.perf_counter() - began:.0f} s", flush=True)
        yield own


async def main(opening: AbstractAsyncContextManager[str], rounds: int, only: str) -> int:
    now = SystemClock().now()
    async with opening as url, staged(url) as stage:
        ids = await ids_of(stage)
        found = [Timed(page, page.path.format(**ids)) for page in pages(now.date()) if only in page.path]
        print("    p50     p95 in proc.    bare  ratio      KB  milliseconds over HTTP; ratio to the bare SQL")
        for timed in found:
            await measure(stage, timed, rounds)
            print(timed.told(), flush=True)
    is_reached = all(timed.is_reached for timed in found)
    print(f"reach: {'met' if is_reached else 'MISSED'} (p95: lists {LIST_MS} ms, analytics {ANALYTICS_MS} ms)")
    return 0 if is_reached else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--campaigns", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--only", default="", help="measure what has this in its address")
    parser.add_argument("--database-url", help="one that was filled already")
    chosen = parser.parse_args()
    opening = filled(chosen.database_url, contacts=chosen.contacts, campaigns=chosen.campaigns)
    sys.exit(asyncio.run(main(opening, chosen.rounds, chosen.only)))
