"""A witness of the order in which a transaction locks rows: after every statement the server is asked what it holds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from autolynx.store.database import Connection, Database, Timeouts

# Whoever locks rows of both locks those of the first one first. The rest (inbox, incidents, files, audit) is waited for
# only by those who hold what comes before it already, or by those who hold nothing.
BEFORE = {
    "gate": {"campaigns", "calls", "contacts", "campaign_counters", "webhook_inbox", "phone_numbers"},
    "campaigns": {"calls", "contacts", "campaign_counters", "webhook_inbox", "phone_numbers"},
    "calls": {"contacts", "campaign_counters"},
    "contacts": {"campaign_counters"},
}
RANKS = ("gate", "campaigns", "calls", "contacts", "campaign_counters", "webhook_inbox", "phone_numbers")
# The statements of triggers and of foreign keys are among them.
_HELD = b"""SELECT relation::regclass::text AS name FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'
    AND mode IN ('RowShareLock', 'RowExclusiveLock') AND relation::regclass::text = ANY(%s)"""


def goes_backwards(order: list[str]) -> bool:
    """Whether rows of a table were locked although rows of one that comes after it were held already."""
    return any(set(order[:place]) & BEFORE.get(name, set()) for place, name in enumerate(order))


class WatchedConnection:
    """Notes which tables' rows each statement was the first to lock. Rows that it inserts are nobody's to wait for."""

    def __init__(self, conn: Connection, order: list[str]) -> None:
        self._conn = conn
        self._order = order
        self._known: set[str] = set()

    async def execute(self, statement: Any, values: Any = None, **options: Any) -> Any:
        cursor = await self._conn.execute(statement, values, **options)
        text = statement.decode() if isinstance(statement, bytes) else statement
        rows = await (await self._conn.execute(_HELD, [list(RANKS)])).fetchall()
        found = {row["name"] for row in rows} - self._known
        self._known |= found
        words = text.split()
        is_insert = words[:2] == ["INSERT", "INTO"] and "CONFLICT" not in words
        new = {words[2]} if is_insert else set()
        self._order += sorted(found - new, key=RANKS.index)
        return cursor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._conn, name)


@dataclass
class WatchedDatabase:
    """A database whose transactions are watched; what would travel together goes one by one."""

    inner: Database
    orders: list[list[str]] = field(default_factory=list)

    @asynccontextmanager
    async def transaction(self, *, timeouts: Timeouts | None = None, by_index: bool = False) -> AsyncIterator[Any]:
        order: list[str] = []
        self.orders.append(order)
        async with self.inner.transaction(timeouts=timeouts, by_index=by_index) as conn:
            yield WatchedConnection(conn, order)

    @asynccontextmanager
    async def pipelined(self, *, waits_for_disk: bool = True) -> AsyncIterator[Any]:
        assert waits_for_disk in {True, False}  # whoever is watched waits
        async with self.transaction(by_index=True) as conn:
            yield conn

    @asynccontextmanager
    async def connection(self, *, by_index: bool = False) -> AsyncIterator[Any]:
        async with self.inner.connection(by_index=by_index) as conn:
            yield conn
