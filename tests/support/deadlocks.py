"""A real deadlock, provoked: somebody on another connection holds what the work wants, and wants what it holds."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Opponent:
    """Two statements that lock, in the order that the work does not keep."""

    holds: str
    wants: str


async def collide(url: str, work: Coroutine[Any, Any, T], opponent: Opponent) -> T:
    """Let the work run into a deadlock of which it is the victim; return what it makes of it in the end.

    The opponent does not look for deadlocks itself, so that it is always the work that PostgreSQL undoes.
    """
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
        await conn.execute("SET deadlock_timeout = '10min'")
        await conn.execute("BEGIN")
        locked = await conn.execute(opponent.holds.encode())
        assert locked.rowcount == 1, "the opponent holds nothing"
        task = asyncio.create_task(work)
        await _until_somebody_waits(url, for_pid=conn.info.backend_pid, unless=task)
        locked = await conn.execute(opponent.wants.encode())  # returns when the work was undone
        assert locked.rowcount == 1, "the opponent wants nothing"
        await conn.execute("COMMIT")
        return await task


async def _until_somebody_waits(url: str, *, for_pid: int, unless: asyncio.Task[Any]) -> None:
    async with asyncio.timeout(30), await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
        while True:
            cursor = await conn.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))", [for_pid]
            )
            row = await cursor.fetchone()
            if row and row[0]:
                return
            if unless.done():
                unless.result()
                raise AssertionError("the work came to its end without waiting for the opponent")
            await asyncio.sleep(0.01)


def count_deadlocks(url: str) -> int:
    """Return how many deadlocks the server broke in this database; every process counts at its end, so close first."""
    with psycopg.connect(url, autocommit=True) as conn:
        row = conn.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").fetchone()
    assert row is not None
    return int(row[0])
