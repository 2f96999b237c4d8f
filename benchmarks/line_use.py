"""How much of its lines a campaign uses, from the moment its cap is filled to its last dial.

    python -m benchmarks.line_use [--speed 5] [--contacts 72]

Cap 8, calls of 54 s in the mean, a provider that takes 0.3 s to answer; everything that takes time runs `speed` times
faster, except our own machine, which therefore counts `speed` times as much. The simulator's ledger is the witness:
seconds in which lines were held, by (cap x window). Three towns are called side by side: one whose webhooks all arrive,
one that loses 20 % of them, and, for comparison, one that is dialled by a tick every 60 s and by nothing else.
Ends with 1 below the reach.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import Any

from autolynx.flows.tick import run_once
from autolynx.store.database import Database
from benchmarks.support.campaigns import begin_campaign, tick, wait_for_the_end
from benchmarks.support.machine import describe
from benchmarks.support.programs import copied_database, running_autolynx, running_postgres
from tests.support.engine import running_engine, wait_until_settled
from tests.support.sim import running_sim

CAP = 8
LATENCY_SECONDS = 0.3
TICK_SECONDS = 60
REACH = {"all webhooks arrive": 0.99, "20 % of them are lost": 0.90}


def line_use(dials: Sequence[dict[str, Any]], cap: int) -> tuple[float, float]:
    """Return the share of the lines in use from when the cap was filled to the last dial, and idle seconds per dial."""
    spans = sorted((dial["admittedVirtual"], dial["endedVirtual"]) for dial in dials)
    changes = sorted([(begin, 1) for begin, _ in spans] + [(end, -1) for _, end in spans])
    lines, filled_at = 0, None
    for at, change in changes:
        lines += change
        if lines == cap:
            filled_at = at
            break
    assert filled_at is not None, "the cap was never filled"
    last = spans[-1][0]
    held = sum(max(0.0, min(end, last) - max(begin, filled_at)) for begin, end in spans)
    whole = cap * (last - filled_at)
    return held / whole, (whole - held) / sum(begin > filled_at for begin, _ in spans)


def mean_seconds(dials: Sequence[dict[str, Any]]) -> float:
    return sum(float(dial["endedVirtual"] - dial["admittedVirtual"]) for dial in dials) / len(dials)


async def by_events(url: str, *, speed: float, contacts: int, faults: Sequence[str]) -> list[dict[str, Any]]:
    """Call a town by a real server, and return the dials."""
    latency = ("--latency", str(LATENCY_SECONDS), "--concurrency-limit", "20")
    async with running_sim(*latency, *faults, speed=speed) as sim:
        database = await Database.open(url, max_size=2)
        async with running_autolynx(url, sim.url, TIME_SCALE=speed, ACCOUNT_CONCURRENCY_CAP=20) as served:
            campaign_id = await begin_campaign(database, sim.url, contacts=contacts, cap=CAP)
            await tick(served)
            await wait_for_the_end(database, [campaign_id], seconds=600)
        await database.close()
        dials: list[dict[str, Any]] = (await sim.ledger())["dials"]
    return dials


async def by_ticks(url: str, *, speed: float, contacts: int) -> list[dict[str, Any]]:
    """Call a town by our own engine, but let it dial only once a minute."""
    latency = ("--latency", str(LATENCY_SECONDS), "--concurrency-limit", "20")
    async with running_sim(*latency, speed=speed) as sim:
        database = await Database.open(url)
        async with running_engine(
            database, sim.url, ticks=False, TIME_SCALE=speed, ACCOUNT_CONCURRENCY_CAP=20
        ) as engine:
            await engine.refiller.drain()  # from now on it takes no requests
            campaign_id = await begin_campaign(database, sim.url, contacts=contacts, cap=CAP)
            ticking = asyncio.create_task(_tick_for_ever(engine.runtime, TICK_SECONDS / speed))
            await wait_until_settled(database, campaign_id, seconds=600)
            ticking.cancel()
        await database.close()
        dials: list[dict[str, Any]] = (await sim.ledger())["dials"]
    return dials


async def _tick_for_ever(runtime: Any, seconds: float) -> None:
    while True:
        await asyncio.gather(run_once(runtime), asyncio.sleep(seconds))


async def run(speed: float, contacts: int) -> int:
    async with running_postgres() as url:
        urls = [copied_database(url, f"town_{number}") for number in range(3)]
        lossy = ("--fault", "webhook_loss=0.2")
        towns = await asyncio.gather(
            by_events(urls[0], speed=speed, contacts=contacts, faults=()),
            by_events(urls[1], speed=speed, contacts=contacts, faults=lossy),
            by_ticks(urls[2], speed=speed, contacts=contacts),
        )
        database = await Database.open(url, max_size=1)
        print(await describe(database))
        await database.close()
    print(f"towns      {contacts} contacts, cap {CAP}, {speed:g} times as fast as life")
    is_reached = True
    for name, dials in zip((*REACH, f"only a tick every {TICK_SECONDS} s"), towns, strict=True):
        (use, idle), reach = line_use(dials, CAP), REACH.get(name)
        is_reached = is_reached and (reach is None or use >= reach)
        wanted = f"   (reach {reach:.0%})" if reach else ""
        print(
            f"{name:<28} {use:7.2%} of the lines used   calls of {mean_seconds(dials):.1f} s, "
            f"each after {idle:.2f} idle s, which this machine had {idle / speed * 1000:.0f} ms for{wanted}"
        )
    print(f"reach: {'met' if is_reached else 'MISSED'}")
    return 0 if is_reached else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speed", type=float, default=5)
    parser.add_argument("--contacts", type=int, default=72)
    chosen = parser.parse_args()
    sys.exit(asyncio.run(run(chosen.speed, chosen.contacts)))
