"""Line use and refill latency of a simulated campaign, from the simulator's own ledger.

Line use is the share of `cap x time` in which a line was held at the provider, from the moment the cap was filled to
the last dial: its floor is 100 %. Refill latency is the time from the webhook that ends a call leaving the provider
to the next request arriving there. Beside it stands what people know: the same engine, driven by 60 s ticks alone.

Run it with `python -m benchmarks.line_use [--speed 5] [--contacts 100] [--cap 8]`. Every delay, the provider's 0.3 s
included, is divided by the speed; what the machine itself needs is not, so a higher speed only makes us look worse.
"""

import argparse
import asyncio
from dataclasses import dataclass
from typing import Any

from autolynx.flows.campaign_life import start_campaign
from autolynx.flows.tick import run_once
from autolynx.store.database import Database
from benchmarks.support.machine import describe, percentile
from benchmarks.support.programs import running_postgres
from tests.support.engine import make_campaign, running_engine, wait_until_settled
from tests.support.sim import running_sim

CADENCE_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way to run the campaign."""

    title: str
    faults: tuple[str, ...] = ()
    refills: bool = True


VARIANTS = (
    Variant(title="as it is"),
    Variant(title="20 % of webhooks lost", faults=("--fault", "webhook_loss=0.2")),
    Variant(title="60 s ticks alone, no refill", refills=False),
)


async def main(*, speed: float, contacts: int, cap: int) -> None:
    """Run every variant on one fresh server and print a line for each."""
    async with running_postgres() as url:
        database = await Database.open(url)
        print(await describe(database))
        print(f"campaign   {contacts} contacts, cap {cap}, speed {speed:g}, mean call 54 s, latency 0.3 s\n")
        for number, variant in enumerate(VARIANTS):
            dials = await _run(database, variant, speed=speed, contacts=contacts, cap=cap, first=number * contacts)
            _report(variant, dials, cap=cap)
        await database.close()


async def _run(
    database: Database, variant: Variant, *, speed: float, contacts: int, cap: int, first: int
) -> list[dict[str, Any]]:
    lines = cap + 2
    async with (
        running_sim("--concurrency-limit", str(lines), *variant.faults, speed=speed) as sim,
        running_engine(
            database,
            sim.url,
            ticks=variant.refills,
            refills=variant.refills,
            TIME_SCALE=speed,
            ACCOUNT_CONCURRENCY_CAP=lines,
        ) as engine,
    ):
        campaign_id = await make_campaign(database, contacts=contacts, cap=cap, first=first)
        await start_campaign(engine.runtime, campaign_id)
        engine.refiller.request()
        ticks = None if variant.refills else asyncio.create_task(_tick(engine.runtime, CADENCE_SECONDS / speed))
        await wait_until_settled(database, campaign_id, seconds=600)
        if ticks is not None:
            ticks.cancel()
            await asyncio.gather(ticks, return_exceptions=True)
        dials: list[dict[str, Any]] = (await sim.ledger())["dials"]
    return dials


async def _tick(runtime: Any, cadence: float) -> None:
    while True:
        await asyncio.sleep(cadence)
        await run_once(runtime)


def _report(variant: Variant, dials: list[dict[str, Any]], *, cap: int) -> None:
    use = line_use(dials, cap=cap)
    line = f"{variant.title:<28} line use {use:6.1%}"
    if variant.refills:
        waits = [1000 * wait for wait in refill_waits(dials, cap=cap)]
        shown = "  ".join(f"p{percent} {percentile(waits, percent):.0f} ms" for percent in (50, 95, 99))
        line += f"   webhook sent -> next request there: {shown} (n={len(waits)})"
    print(line, flush=True)


def line_use(dials: list[dict[str, Any]], *, cap: int) -> float:
    """Return the share of `cap x window` in which lines were held; the window begins with the cap-th dial."""
    starts = sorted(dial["admittedReal"] for dial in dials)
    begin, end = starts[cap - 1], starts[-1]
    held = sum(max(0.0, min(dial["endedReal"], end) - max(dial["admittedReal"], begin)) for dial in dials)
    return float(held / (cap * (end - begin)))


def refill_waits(dials: list[dict[str, Any]], *, cap: int) -> list[float]:
    """Return, for every line freed by a webhook that was sent, the seconds until the next dial after it began."""
    starts = sorted(dial["admittedReal"] for dial in dials)[cap:]
    freed = sorted(dial["endedWebhookReal"] for dial in dials if dial["endedWebhookReal"])
    waits: list[float] = []
    for moment in freed:
        following = next((start for start in starts if start >= moment), None)
        if following is None:
            break
        starts.remove(following)
        waits.append(following - moment)
    return waits


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speed", type=float, default=10)
    parser.add_argument("--contacts", type=int, default=64)
    parser.add_argument("--cap", type=int, default=8)
    options = parser.parse_args()
    asyncio.run(main(speed=options.speed, contacts=options.contacts, cap=options.cap))
