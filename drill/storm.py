"""What befalls database, provider and processes while the campaign runs: crashes, outages, and standing still."""

import asyncio
import random

from drill.fleet import Fleet
from drill.plan import Plan
from drill.postgres import CrashingPostgres
from tests.support.sim import Sim

AWAY_SECONDS = (0.0, 1.5)
OUTAGE_SECONDS = (0.5, 2.0)
FROZEN_SECONDS = (6.0, 9.0)  # longer than a mark holds
PAUSE_SECONDS = (2.0, 6.0)


async def rage(plan: Plan, *, database: CrashingPostgres, sim: Sim, fleet: Fleet) -> None:
    """Bring on everything that the plan has besides kills, one after the other at random distances."""
    dice = random.Random(f"storm {plan.seed}")
    blows = ["crash"] * plan.restarts + ["outage"] * plan.outages + ["freeze"] * plan.freezes
    dice.shuffle(blows)
    for blow in blows:
        await asyncio.sleep(dice.uniform(*PAUSE_SECONDS))
        match blow:
            case "crash":
                await database.crash(dice.uniform(*AWAY_SECONDS))
            case "outage":
                await sim.faults(outage=True)
                await asyncio.sleep(dice.uniform(*OUTAGE_SECONDS))
                await sim.faults(outage=False)
            case _:
                await fleet.freeze_one(dice.uniform(*FROZEN_SECONDS))
