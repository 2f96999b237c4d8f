"""A witness of the SQL that a flow sends, and its bare repetition: the floor under everything around it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.types.json import set_json_dumps

from autolynx.store.database import Database
from autolynx.store.pooled import as_json


@dataclass
class Step:
    """One statement of a transaction, and whether somebody waited for its rows before the next one."""

    statement: Any
    values: Any
    is_fetched: bool = False


class RecordedCursor:
    """Notes that rows were asked for."""

    def __init__(self, cursor: Any, step: Step) -> None:
        self._cursor = cursor
        self._step = step

    async def fetchone(self) -> Any:
        self._step.is_fetched = True
        return await self._cursor.fetchone()

    async def fetchall(self) -> Any:
        self._step.is_fetched = True
        return await self._cursor.fetchall()

    @property
    def rowcount(self) -> int:
        return int(self._cursor.rowcount)


class RecordedConnection:
    """Notes every statement."""

    def __init__(self, conn: Any, steps: list[Step]) -> None:
        self._conn = conn
        self._steps = steps

    async def execute(self, statement: Any, values: Any = None) -> RecordedCursor:
        step = Step(statement, values)
        self._steps.append(step)
        return RecordedCursor(await self._conn.execute(statement, values), step)


@dataclass
class RecordedDatabase:
    """A database whose pipelined transactions, and statements alone, are written down; the rest passes unseen."""

    inner: Database
    transactions: list[list[Step]] = field(default_factory=list)
    alone: list[list[Step]] = field(default_factory=list)

    @asynccontextmanager
    async def pipelined(self, *, waits_for_disk: bool = True) -> AsyncIterator[Any]:
        steps: list[Step] = []
        async with self.inner.pipelined(waits_for_disk=waits_for_disk) as conn:
            yield RecordedConnection(conn, steps)
        self.transactions.append(steps)

    @asynccontextmanager
    async def connection(self, *, by_index: bool = False) -> AsyncIterator[Any]:
        steps: list[Step] = []
        async with self.inner.connection(by_index=by_index) as conn:
            yield RecordedConnection(conn, steps)
        self.alone.append(steps)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


async def repeat_bare(url: str, set_local: bytes, lanes: Sequence[Sequence[Sequence[Step]]]) -> None:
    """Send recorded transactions by the bare driver, each lane over a connection of its own."""
    connections = [await psycopg.AsyncConnection.connect(url, autocommit=True, prepare_threshold=None) for _ in lanes]
    for conn in connections:
        set_json_dumps(as_json, conn)
    try:
        async with asyncio.TaskGroup() as group:
            for conn, lane in zip(connections, lanes, strict=True):
                group.create_task(_repeat(conn, set_local, lane))
    finally:
        for conn in connections:
            await conn.close()


async def _repeat(conn: psycopg.AsyncConnection[Any], set_local: bytes, lane: Sequence[Sequence[Step]]) -> None:
    for steps in lane:
        async with conn.pipeline():
            await conn.execute(b"BEGIN ISOLATION LEVEL READ COMMITTED")
            await conn.execute(set_local)
            for step in steps:
                cursor = await conn.execute(step.statement, step.values)
                if step.is_fetched:
                    await cursor.fetchall()
            await conn.execute(b"COMMIT")
