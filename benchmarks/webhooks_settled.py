"""How many webhooks a server settles in a second, over HTTP and with durable commits.

    python -m benchmarks.webhooks_settled [--calls 1200] [--rounds 2]

Five webhooks per call: four status updates and a report of 33 KB. The generator runs beside the server on the same
machine. The floor is the SQL that these webhooks lead to, recorded and sent again by the bare driver. Rounds alternate
between floor and server, so that whatever else the machine does falls on both. Ends with 1 below the reach.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import uvloop

from autolynx.flows.ingest import receive_webhook
from autolynx.store.database import Database
from benchmarks.support.letters import bodies_of
from benchmarks.support.machine import describe, percentile
from benchmarks.support.programs import (
    WEBHOOK_SECRET,
    Served,
    copied_database,
    cpu_seconds,
    database_cpu_seconds,
    running_autolynx,
    running_postgres,
)
from benchmarks.support.recording import RecordedDatabase, Step, repeat_bare
from tests.support.engine import make_campaign, make_runtime, settings_for_test
from tests.support.sim import running_sim
from vapisim.postman import Postman

LANES = 32  # connections of the generator
BARE_LANES = 4  # connections of the bare driver: more bring nothing on two cores
OFFERED_PER_SECOND = 150
OFFERED_SECONDS = 10
REACH = {"twenty campaigns": 600, "one campaign": 300}
REACH_RATIO = 0.6
REACH_P99_MS = 50


@dataclass(frozen=True, kw_only=True)
class Play:
    """A database full of live calls, and the bodies of each of them in order."""

    name: str
    url: str
    letters: Sequence[Sequence[bytes]]

    @property
    def webhooks(self) -> int:
        return sum(len(letters) for letters in self.letters)


async def prepare(url: str, *, name: str, campaigns: int, calls: int) -> Play:
    """Fill a copy of the empty database with running campaigns, all of whose contacts are on a call."""
    copy = copied_database(url, name.replace(" ", "_"))
    database = await Database.open(copy, max_size=1)
    for number in range(campaigns):
        count = calls // campaigns
        await make_campaign(database, contacts=count, cap=50, first=number * count, name=f"Campaign {number}")
    async with database.connection() as conn:
        await conn.execute(
            "UPDATE campaigns SET status = 'RUNNING', started_at = now(), next_position = total_contacts"
        )
        await conn.execute("UPDATE contacts SET state = 'calling'")
        cursor = await conn.execute(
            """INSERT INTO calls (campaign_id, contact_id, attempt, provider_call_id, claimed_at, lease_until,
                   dial_started_at, next_check_at)
               SELECT campaign_id, id, 1, gen_random_uuid()::text, now(), now(), now(), now() + interval '1 hour'
               FROM contacts ORDER BY position, campaign_id RETURNING id, provider_call_id"""
        )
        rows = await cursor.fetchall()
        conn.beside = b""  # VACUUM goes alone
        await conn.execute("VACUUM ANALYZE")
    await database.close()
    return Play(name=name, url=copy, letters=[bodies_of(row["id"], row["provider_call_id"]) for row in rows])


async def record(play: Play) -> list[list[list[Step]]]:
    """Settle every webhook in this process and return its transactions, in lanes."""
    database = await Database.open(copied_database(play.url, "recorded", is_durable=False))
    lanes = [RecordedDatabase(database) for _ in range(BARE_LANES)]
    async with asyncio.TaskGroup() as group:
        for number, lane in enumerate(lanes):
            group.create_task(_record_lane(lane, play.letters[number::BARE_LANES]))
    await database.close()
    return [lane.transactions for lane in lanes]


async def _record_lane(lane: RecordedDatabase, letters: Sequence[Sequence[bytes]]) -> None:
    runtime = make_runtime(lane, "http://127.0.0.1:9", settings=settings_for_test())  # type: ignore[arg-type]
    for body in chain.from_iterable(letters):
        await receive_webhook(runtime, json.loads(body))
    await runtime.provider.close()


async def floor(play: Play, lanes: list[list[list[Step]]]) -> float:
    """Return the webhooks per second of the bare driver."""
    url = copied_database(play.url, "bare")
    set_local = (await open_and_close(url)).timeouts.set_local(by_index=True)
    began = time.perf_counter()
    await repeat_bare(url, set_local, lanes)
    seconds = time.perf_counter() - began
    await check_settled(url, play)
    return play.webhooks / seconds


async def open_and_close(url: str) -> Database:
    """Return a closed database: what it would send is known all the same."""
    database = await Database.open(url, max_size=1)
    await database.close()
    return database


async def check_settled(url: str, play: Play) -> None:
    """Every webhook was kept, every call has ended, and its report was read."""
    database = await Database.open(url, max_size=1)
    async with database.connection() as conn:
        cursor = await conn.execute(
            """SELECT (SELECT count(*) FROM webhook_inbox) AS kept,
                   (SELECT count(*) FROM calls WHERE status = 'ENDED' AND transcript_json IS NOT NULL) AS ended"""
        )
        row = await cursor.fetchone()
    await database.close()
    assert row == {"kept": play.webhooks, "ended": len(play.letters)}, row


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What the generator saw: webhooks per second, seconds per answer, and what processor time each webhook took."""

    rate: float
    answers: list[float]
    server_ms: float
    database_ms: float


async def flood(play: Play, sim_url: str) -> Measured:
    """Post every call's webhooks in order, many calls side by side, as fast as the server answers."""
    url = copied_database(play.url, "served")
    async with running_autolynx(url, sim_url, WEBHOOK_REREAD="off") as served:
        poster = Poster(served)
        waiting = list(reversed(play.letters))

        async def lane() -> None:
            while waiting:
                for body in waiting.pop():
                    await poster.post(body)

        processors, began = Processors(served, url), time.perf_counter()
        await asyncio.gather(*(lane() for _ in range(LANES)))
        seconds = time.perf_counter() - began
        measured = processors.measured(poster, rate=play.webhooks / seconds)
        poster.close()
    await check_settled(url, play)
    return measured


async def offer(play: Play, sim_url: str) -> Measured:
    """Post at a fixed rate, whatever the server does: what an answer takes counts from when it was due."""
    url = copied_database(play.url, "served")
    lanes = OFFERED_PER_SECOND * OFFERED_SECONDS // 5
    async with running_autolynx(url, sim_url, WEBHOOK_REREAD="off") as served:
        poster = Poster(served)
        loop = asyncio.get_running_loop()
        began = loop.time() + 0.5

        async def one_call(number: int, letters: Sequence[bytes]) -> None:
            # A call's own webhooks are a second apart; calls begin evenly.
            for step, body in enumerate(letters):
                due = began + number * 5 / OFFERED_PER_SECOND + step
                await asyncio.sleep(due - loop.time())
                await poster.post(body, due=due - loop.time() + time.perf_counter())

        processors = Processors(served, url)
        await asyncio.gather(*(one_call(number, letters) for number, letters in enumerate(play.letters[:lanes])))
        measured = processors.measured(poster, rate=OFFERED_PER_SECOND)
        poster.close()
    return measured


class Poster:
    """Posts webhooks and notes how long each answer took."""

    def __init__(self, served: Served) -> None:
        self._url = f"{served.url}/api/webhooks/vapi"
        self._postman = Postman()
        self._headers = {"Content-Type": "application/json", "X-Vapi-Secret": WEBHOOK_SECRET}
        self.answers: list[float] = []

    async def post(self, body: bytes, *, due: float | None = None) -> None:
        """Post one body; `due` is when it should have left."""
        began = time.perf_counter() if due is None else due
        status = await self._postman.post(self._url, body, self._headers, timeout_seconds=30)
        assert status == 200, status
        self.answers.append(time.perf_counter() - began)

    def close(self) -> None:
        """Hang up."""
        self._postman.close()


class Processors:
    """Watches what processor time server and database use from now on."""

    def __init__(self, served: Served, url: str) -> None:
        self._served, self._url = served, url
        self._server, self._database = cpu_seconds(served.pid), database_cpu_seconds(url)

    def measured(self, poster: "Poster", *, rate: float) -> Measured:
        """Return what was measured since."""
        each = 1000 / len(poster.answers)
        return Measured(
            rate=rate,
            answers=poster.answers,
            server_ms=(cpu_seconds(self._served.pid) - self._server) * each,
            database_ms=(database_cpu_seconds(self._url) - self._database) * each,
        )


def told(name: str, measured: Measured) -> str:
    p50, p99 = (percentile(measured.answers, percent) * 1000 for percent in (50, 99))
    return (
        f"{name:<20} {measured.rate:6.0f}/s   answer p50 {p50:5.1f} ms, p99 {p99:6.1f} ms   "
        f"processor each: server {measured.server_ms:.2f} ms, database {measured.database_ms:.2f} ms"
    )


async def compare(play: Play, sim_url: str, rounds: int) -> bool:
    """Measure floor and server by turns, print both, and say whether the reach was met."""
    lanes = await record(play)
    floors, floods = [], []
    for _ in range(rounds):
        floors.append(await floor(play, lanes))
        floods.append(await flood(play, sim_url))
    bare = statistics.median(floors)
    best = statistics.median(measured.rate for measured in floods)
    print(f"{play.name + ', bare SQL':<28} {bare:6.0f}/s   rounds {', '.join(f'{rate:.0f}' for rate in floors)}")
    for measured in floods:
        print(told(play.name, measured))
    print(f"{'':<28} {best:6.0f}/s is {best / bare:.2f} x the bare SQL  (reach {REACH[play.name]}/s)")
    return best >= REACH[play.name]


async def run(calls: int, rounds: int) -> int:
    async with running_postgres() as url, running_sim() as sim:
        twenty = await prepare(url, name="twenty campaigns", campaigns=20, calls=calls)
        single = await prepare(url, name="one campaign", campaigns=1, calls=calls // 2)
        database = await Database.open(url, max_size=1)
        print(await describe(database))
        await database.close()
        is_reached = [await compare(play, sim.url, rounds) for play in (twenty, single)]
        calm = await offer(twenty, sim.url)
        print(told(f"at {OFFERED_PER_SECOND}/s offered", calm))
        is_reached.append(percentile(calm.answers, 99) * 1000 <= REACH_P99_MS)
    print(f"reach: {'met' if all(is_reached) else 'MISSED'}")
    return 0 if all(is_reached) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1200)
    parser.add_argument("--rounds", type=int, default=2)
    chosen = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.exit(runner.run(run(chosen.calls, chosen.rounds)))
