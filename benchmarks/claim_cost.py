"""What a claim costs in a list of 1,000,000 contacts of which 99 % are done, against a list of 1,000.

    python -m benchmarks.claim_cost [--contacts 1000000] [--claims 60]

Nobody vacuums or analyses either database. Claims of 8 contacts are taken from both in turn, and their calls ended in
between, outside the measured time; the short list is the floor. Then PostgreSQL explains every statement of one more
claim in the long list: finding is all but the rows that are written, for each of which every index has to be entered.
Making the long list takes minutes. Ends with 1 below the reach.
"""

import argparse
import asyncio
import statistics
import sys
import time
from dataclasses import dataclass, field
from typing import cast

from autolynx.flows.claim import claim
from autolynx.runtime import Runtime
from autolynx.store.database import Database
from benchmarks.support.machine import describe
from benchmarks.support.programs import copied_database, running_postgres
from tests.support.engine import make_runtime, settings_for_test
from tests.support.long_list import fill_long_list
from tests.support.plans import ExplainedDatabase

ROOM = 8
SHORT = 1_000
REACH_RATIO = 1.5
REACH_BUFFERS = 50 + 10 * ROOM
WARM_UP = 3
END = (
    """UPDATE calls SET status = 'ENDED', outcome = 'answered', holds_line = false, is_final = true,
           next_check_at = NULL WHERE holds_line""",
    """UPDATE contacts SET state = 'done' WHERE state = 'calling' AND campaign_id = (SELECT id FROM campaigns)
           AND position >= (SELECT next_position FROM campaigns) - 100""",
)


@dataclass
class List:
    """A list of some length, and how many milliseconds its claims took."""

    database: Database
    runtime: Runtime
    took: list[float] = field(default_factory=list)

    @classmethod
    async def of(cls, empty: str, contacts: int, due: int) -> "List":
        url = copied_database(empty, f"list_{contacts}")
        began = time.perf_counter()
        await asyncio.to_thread(fill_long_list, url, contacts=contacts, due=due)
        print(f"filled     {contacts:,} contacts in {time.perf_counter() - began:.0f} s", flush=True)
        database = await Database.open(url, max_size=2)
        return cls(database, _runtime(database))

    async def claim(self) -> None:
        began = time.perf_counter()
        claimed = await claim(self.runtime, most=ROOM)
        self.took.append((time.perf_counter() - began) * 1000)
        assert len(claimed.orders) == ROOM
        await self.end()

    async def end(self) -> None:
        async with self.database.transaction(by_index=True) as conn:
            for statement in END:
                await conn.execute(statement)

    async def close(self) -> None:
        await self.runtime.provider.close()
        await self.database.close()


def _runtime(database: Database) -> Runtime:
    return make_runtime(database, "http://127.0.0.1:9", settings=settings_for_test(ACCOUNT_CONCURRENCY_CAP=60))


async def count_buffers(database: Database) -> tuple[int, int]:
    """Return how many shared buffers a claim touches to find its contacts, and how many to write."""
    witness = ExplainedDatabase(database)
    runtime = _runtime(cast("Database", witness))
    claimed = await claim(runtime, most=ROOM)
    assert len(claimed.orders) == ROOM
    await runtime.provider.close()
    found = sum(one.buffers for one in witness.seen if not one.is_write)
    return found, sum(one.buffers for one in witness.seen) - found


async def main(contacts: int, claims: int) -> int:
    due = ROOM * (claims + WARM_UP + 2)
    async with running_postgres() as empty:
        short, long = await List.of(empty, SHORT, due=min(due, SHORT)), await List.of(empty, contacts, contacts // 100)
        for _ in range(claims + WARM_UP):
            await short.claim()
            await long.claim()
        found, written = await count_buffers(long.database)
        print(await describe(long.database))
        await short.close()
        await long.close()
    brief, lengthy = (statistics.median(one.took[WARM_UP:]) for one in (short, long))
    ratio = lengthy / brief
    print(f"claim      {lengthy:.2f} ms of {contacts:,} contacts, {brief:.2f} ms of {SHORT:,} (median of {claims})")
    print(f"ratio      {ratio:.2f}   (reach {REACH_RATIO})")
    print(f"buffers    {found} to find {ROOM} contacts (reach {REACH_BUFFERS}), {written} to write them")
    is_reached = ratio <= REACH_RATIO and found <= REACH_BUFFERS
    print(f"reach: {'met' if is_reached else 'MISSED'}")
    return 0 if is_reached else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--claims", type=int, default=60)
    chosen = parser.parse_args()
    sys.exit(asyncio.run(main(chosen.contacts, chosen.claims)))
