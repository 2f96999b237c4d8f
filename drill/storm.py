"""What befalls database and provider while the campaign runs: crashes, and hours in which nobody answers."""

import asyncio
import random

from drill.plan import Plan
from drill.postgres import CrashingPostgres
from tests.support.sim import Sim

AWAY_SECONDS = (0.0, 1.5)
OUTAGE_SECONDS = (0.5, 2.0)
PAUSE_SECONDS = (3.0, 9.0)


async def rage(plan: Plan, database: CrashingPostgres, sim: Sim) -> None:
    """Bring on every crash and outage of the plan, one after the other at random distances."""
    dice = random.Random(f"storm {plan.seed}")
    blows = ["crash"] * plan.restarts + ["outage"] * plan.outages
    dice.shuffle(blows)
    for blow in blows:
        await asyncio.sleep(dice.uniform(*PAUSE_SECONDS))
        if blow == "crash":
            await database.crash(dice.uniform(*AWAY_SECONDS))
        else:
            await sim.faults(outage=True)
            await asyncio.sleep(dice.uniform(*OUTAGE_SECONDS))
            await sim.faults(outage=False)
