"""How long a line stays unused: from the webhook that ends a call to the next request to dial.

    python -m benchmarks.refill_latency [--speed 10] [--seconds 60] [--reread off]

Both moments are told by the simulator: when the `ended` webhook left it, and when the next `POST /call` came in (it
answers 0.3 s later, which is not counted; asked about a call, as it is at each end with `--reread on`, it answers at
once). Every line is in use, so that the n-th freed line of a campaign makes room for its n-th dial after the first
filling. Then the database round trips between the two, counted on the wire. Ends with 1 below the reach.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import Any

from autolynx.store.database import Database
from benchmarks.support.campaigns import begin_campaign, tick, wait_for_the_end
from benchmarks.support.machine import describe, percentile
from benchmarks.support.programs import copied_database, running_autolynx, running_postgres
from tests.support.refill_trips import count_trips_to_the_next_dial
from tests.support.sim import running_sim

LATENCY_SECONDS = 0.3  # real ones
CAMPAIGNS, CAP = 4, 5
MEAN_CALL_SECONDS = 54
REACH_MS = {95: 50, 99: 150}
REACH_TRIPS = 7


def latencies(dials: Sequence[dict[str, Any]]) -> list[float]:
    """Return seconds from each freed line to the dial that used it; a campaign at its cap only uses its own lines."""
    campaigns: dict[str, list[dict[str, Any]]] = {}
    for dial in dials:
        campaigns.setdefault(dial["metadata"]["campaignId"], []).append(dial)
    waits: list[float] = []
    for own in campaigns.values():
        admitted = sorted(dial["admittedReal"] for dial in own)[CAP:]
        freed = sorted(dial["endedWebhookReal"] for dial in own)[: len(admitted)]
        waits += [dialled - free for free, dialled in zip(freed, admitted, strict=True)]
    return waits


async def call_a_town(url: str, *, speed: float, contacts: int, reread: str) -> list[dict[str, Any]]:
    """Call `contacts` people over all lines by a real server, and return the dials."""
    lines = CAMPAIGNS * CAP
    options = ("--latency", str(LATENCY_SECONDS * speed), "--concurrency-limit", str(lines))
    settings = {"TIME_SCALE": speed, "ACCOUNT_CONCURRENCY_CAP": lines, "INBOUND_RESERVE": 0, "WEBHOOK_REREAD": reread}
    each = contacts // CAMPAIGNS
    async with running_sim(*options, speed=speed) as sim:
        database = await Database.open(url, max_size=2)
        async with running_autolynx(url, sim.url, **settings) as served:
            campaigns = [
                await begin_campaign(database, sim.url, contacts=each, cap=CAP, first=number * each)
                for number in range(CAMPAIGNS)
            ]
            await tick(served)
            await wait_for_the_end(database, campaigns, seconds=600)
        print(await describe(database))
        await database.close()
        dials: list[dict[str, Any]] = (await sim.ledger())["dials"]
    return dials


async def run(speed: float, seconds: float, reread: str) -> int:
    lines = CAMPAIGNS * CAP
    contacts = int(seconds * speed * lines / MEAN_CALL_SECONDS)
    async with running_postgres() as url:
        empty = copied_database(url, "counted")
        dials = await call_a_town(url, speed=speed, contacts=contacts, reread=reread)
        trips = await count_trips_to_the_next_dial(empty)
    waits = [wait * 1000 for wait in latencies(dials)]
    told = ", ".join(f"p{percent} {percentile(waits, percent):.0f} ms" for percent in (50, 95, 99))
    rate = lines * speed / MEAN_CALL_SECONDS
    print(f"webhook -> dial   {told}   ({len(waits)} lines freed, about {rate:.1f} a second; reach p95 50, p99 150 ms)")
    print(f"round trips       {trips}   (reach {REACH_TRIPS})")
    is_reached = trips <= REACH_TRIPS and all(percentile(waits, at) <= most for at, most in REACH_MS.items())
    print(f"reach: {'met' if is_reached else 'MISSED'}")
    return 0 if is_reached else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speed", type=float, default=10)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--reread", choices=["on", "off"], default="on")
    chosen = parser.parse_args()
    sys.exit(asyncio.run(run(chosen.speed, chosen.seconds, chosen.reread)))
