"""Many campaigns under one account: each gets its share, whatever the length of its list and whenever it began.

The bound: while a running campaign with due contacts holds no line, each other campaign gets at most one line before
it. In a steady state nobody is more than one line behind.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

import pytest

from autolynx.flows.campaign_life import start_campaign
from autolynx.flows.ingest import receive_webhook
from autolynx.flows.refill import refill
from autolynx.runtime import Runtime, SystemClock
from autolynx.store.database import Database
from tests.support.checks import assert_counters_are_a_recount, query
from tests.support.engine import make_campaign
from tests.support.processes import count_lines, processes, slowly
from tests.support.scripted_vapi import ScriptedVapi, running_script
from tests.support.stage import Stage, a_stage

pytestmark = pytest.mark.anyio

LISTS = (40, 3, 25, 1, 60, 8, 2, 30, 5)  # contacts of each campaign


async def due(database: Database) -> set[UUID]:
    """Return the running campaigns that have somebody to call."""
    rows = await query(
        database,
        """SELECT c.id FROM campaigns c JOIN campaign_counters n ON n.campaign_id = c.id
           WHERE c.status IN ('QUEUED', 'DIALING', 'RUNNING') AND n.due > 0""",
    )
    return {row["id"] for row in rows}


async def end_some(stage: Stage, dice: random.Random) -> None:
    live = await query(stage.database, "SELECT provider_call_id FROM calls WHERE holds_line ORDER BY claimed_at, id")
    for row in dice.sample(live, k=min(len(live), dice.randint(1, 3))):
        await stage.end(row["provider_call_id"], "customer-busy")


class Waiting:
    """Counts, for every campaign without a line, the lines that each other one gets before it."""

    def __init__(self) -> None:
        self.overtaken: dict[UUID, Counter[UUID]] = {}
        self.most_refills = 0
        self._refills: Counter[UUID] = Counter()

    def note(self, served: Counter[UUID], waiting: set[UUID]) -> None:
        """Note what one refill gave, and who had nothing and could have got it."""
        for one in waiting - served.keys():
            self.overtaken.setdefault(one, Counter()).update(served)
            self._refills[one] += bool(served)
            self.most_refills = max(self.most_refills, self._refills[one])
        for one in served:
            self.overtaken.pop(one, None)
            self._refills.pop(one, None)

    @property
    def most(self) -> int:
        """The most lines that one campaign got while another had none and waited."""
        return max((max(one.values(), default=0) for one in self.overtaken.values()), default=0)


@pytest.mark.parametrize("seed", range(3))
async def test_nobody_without_a_line_is_overtaken_twice_by_the_same_campaign(database: Database, seed: int) -> None:
    dice, waiting = random.Random(seed), Waiting()  # noqa: S311 - chooses a life, guards nothing
    async with a_stage(database, ACCOUNT_CONCURRENCY_CAP=6) as stage:
        assert stage.runtime.settings.account_room == 4
        starts = {dice.randint(0, 40): (number, size) for number, size in enumerate(LISTS)}
        while len(starts) < len(LISTS):
            starts[41 + len(starts)] = (len(starts), LISTS[len(starts)])
        for turn in range(400):
            if turn in starts:
                number, size = starts[turn]
                await stage.campaign(contacts=size, first=100 * number, cap=dice.choice([2, 8]))
            stage.clock.move(dice.uniform(0.1, 5))
            await end_some(stage, dice)
            before, ready = await count_lines(database), await due(database)
            await refill(stage.runtime)
            served = await count_lines(database) - before
            waiting.note(served, {one for one in ready if not before[one]})
            assert waiting.most <= 1
            assert sum((await count_lines(database)).values()) <= 4
            if turn > max(starts) and not ready and not await stage.lines():
                break
        assert waiting.most_refills <= len(LISTS) - 1
        assert {row["status"] for row in await query(database, "SELECT status FROM campaigns")} == {"COMPLETED"}
        assert len(stage.vapi.dials) == sum(size for _, size in starts.values())


async def _end_all(runtimes: Sequence[Runtime], vapi: ScriptedVapi, database: Database, dice: random.Random) -> None:
    """Let about half of the live calls end at once, each told to another process, which refills at once."""

    async def tell(provider_call_id: str) -> None:
        runtime = dice.choice(runtimes)
        vapi.change(provider_call_id, status="ended", endedReason="customer-busy")
        call = vapi.calls[provider_call_id]
        body = {"message": {"type": "status-update", "status": "ended", "endedReason": "customer-busy", "call": call}}
        if (await receive_webhook(runtime, body)).freed_line:
            await refill(runtime)

    live = await query(database, "SELECT provider_call_id FROM calls WHERE holds_line ORDER BY id")
    await asyncio.gather(*(tell(row["provider_call_id"]) for row in dice.sample(live, k=-(-len(live) // 2))))


async def test_processes_that_refill_at_once_share_evenly_and_never_exceed_the_room(
    database: Database, database_url: str
) -> None:
    dice, peaks = random.Random(5), list[int]()  # noqa: S311 - chooses a life, guards nothing
    async with (
        running_script(SystemClock().now) as vapi,
        processes(database_url, vapi.url, 4, ACCOUNT_CONCURRENCY_CAP=8) as runtimes,
    ):
        vapi.on_dial = slowly
        made = [await make_campaign(database, contacts=size, first=100 * n) for n, size in enumerate((30, 12, 20, 16))]
        for campaign_id in made:
            await start_campaign(runtimes[0], campaign_id)
        watching = asyncio.create_task(_watch(database, peaks))
        await asyncio.gather(*(refill(runtime) for runtime in runtimes))
        while still_due := await due(database):
            lines = await count_lines(database)
            assert sum(lines.values()) == 6
            if len(still_due) == len(made):
                assert max(lines.values()) - min(lines[one] for one in made) <= 1
            await _end_all(runtimes, vapi, database, dice)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    assert max(peaks) == 6
    assert len(set(vapi.dials)) == len(vapi.dials) == 78
    await assert_counters_are_a_recount(database)


async def _watch(database: Database, peaks: list[int]) -> None:
    """Count the lines again and again, from outside."""
    while True:
        peaks.append(sum((await count_lines(database)).values()))
        await asyncio.sleep(0)
