"""A witness that lets PostgreSQL explain the very statements that our code sends, and what each of them touched."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from autolynx.store.database import Connection, Database, Timeouts

EXPLAIN = b"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "
BIG = {"contacts", "calls", "call_events", "webhook_inbox"}  # tables that grow with every call


@dataclass(frozen=True, kw_only=True)
class Explained:
    """One statement and its plan, as it was executed."""

    statement: str
    plan: dict[str, Any]

    @property
    def buffers(self) -> int:
        """How many shared buffers were touched, read in or not; triggers are not in a plan."""
        return int(self.plan["Shared Hit Blocks"] + self.plan["Shared Read Blocks"])

    @property
    def is_write(self) -> bool:
        """Whether rows are written, rather than looked for and locked."""
        return any(node["Node Type"] == "ModifyTable" for node in nodes(self.plan))

    @property
    def scanned(self) -> set[str]:
        """Which of the big tables were read from end to end."""
        read = {str(node.get("Relation Name")) for node in nodes(self.plan) if node["Node Type"] == "Seq Scan"}
        return read & BIG

    @property
    def bitmaps(self) -> set[str]:
        """Which indexes were read into a bitmap: that never clears dead entries away, and so meets them each time."""
        return {str(node["Index Name"]) for node in nodes(self.plan) if node["Node Type"] == "Bitmap Index Scan"}


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Return every node of a plan."""
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


class ExplainedConnection:
    """Has each statement explained, undoes what that did, and sends it."""

    def __init__(self, conn: Connection, seen: list[Explained]) -> None:
        self._conn = conn
        self._seen = seen

    async def execute(self, statement: Any, values: Any = None) -> Any:
        raw = statement if isinstance(statement, bytes) else statement.encode()
        await self._conn.execute(b"SAVEPOINT explained")
        row = await (await self._conn.execute(EXPLAIN + raw, values)).fetchone()
        await self._conn.execute(b"ROLLBACK TO SAVEPOINT explained")
        assert row is not None
        self._seen.append(Explained(statement=raw.decode(), plan=row["QUERY PLAN"][0]["Plan"]))
        return await self._conn.execute(statement, values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._conn, name)


@dataclass
class ExplainedDatabase:
    """A database that explains; what would travel together goes one by one."""

    inner: Database
    seen: list[Explained] = field(default_factory=list)

    @asynccontextmanager
    async def transaction(self, *, timeouts: Timeouts | None = None, by_index: bool = False) -> AsyncIterator[Any]:
        async with self.inner.transaction(timeouts=timeouts, by_index=by_index) as conn:
            yield ExplainedConnection(conn, self.seen)

    @asynccontextmanager
    async def pipelined(self, *, waits_for_disk: bool = True) -> AsyncIterator[Any]:
        assert waits_for_disk in {True, False}  # what is explained waits
        async with self.transaction(by_index=True) as conn:
            yield conn

    @asynccontextmanager
    async def connection(self, *, by_index: bool = False) -> AsyncIterator[Any]:
        async with self.transaction(by_index=by_index) as conn:
            yield conn
