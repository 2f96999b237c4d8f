"""Connections to PostgreSQL, safe behind a transaction pooler.

Nothing here lives longer than a transaction on the server: no prepared statements, no session settings,
no startup `options`, no LISTEN. Connections are in autocommit; a transaction is an explicit BEGIN that
carries its time limits as SET LOCAL in the same round trip, and a statement alone carries them beside it.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Self, TypeAlias, TypeVar

import anyio
import psycopg
from psycopg.pq import TransactionStatus
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from autolynx.errors import DatabaseCollision, DatabaseUnavailable
from autolynx.store.pooled import LastFailure, PooledConnection, connection_arguments, is_alive
from autolynx.store.trouble import refused_data, translated

T = TypeVar("T")
Row: TypeAlias = dict[str, Any]
Connection: TypeAlias = PooledConnection

# For statements that are to cost the same however long the list is. A table that was never analysed looks to the
# planner as if half of its calls held a line; and only a plain index scan clears dead entries out of its way.
BY_INDEX: dict[str, int | str] = {"enable_seqscan": "off", "enable_bitmapscan": "off"}
LET_THROUGH_SECONDS = 0.1  # PostgreSQL took a second to find the deadlock
RECONNECT_SECONDS = 5.0  # how long one series of attempts backs off; the next request starts a fresh series


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """Limits in seconds: one statement, one lock, an idle open transaction, the wait for a connection."""

    statement_seconds: float = 30.0
    lock_seconds: float = 5.0
    idle_seconds: float = 30.0
    acquire_seconds: float = 5.0

    def _limits(self, *, by_index: bool) -> dict[str, int | str]:
        limits = {
            "statement_timeout": self.statement_seconds,
            "lock_timeout": self.lock_seconds,
            "idle_in_transaction_session_timeout": self.idle_seconds,
        }
        return {name: round(seconds * 1000) for name, seconds in limits.items()} | (BY_INDEX if by_index else {})

    def begin(self, *, by_index: bool = False) -> bytes:
        """Return the SQL that opens a transaction under these limits, as one simple query."""
        local = "".join(f"; SET LOCAL {name} = {limit}" for name, limit in self._limits(by_index=by_index).items())
        return f"BEGIN ISOLATION LEVEL READ COMMITTED{local}".encode()

    def set_local(self, *, waits_for_disk: bool = True, by_index: bool = False) -> bytes:
        """Return the SQL that puts an open transaction under these limits, as one statement fit for a pipeline."""
        chosen = self._limits(by_index=by_index) | ({} if waits_for_disk else {"synchronous_commit": "off"})
        calls = ", ".join(f"set_config('{name}', '{limit}', true)" for name, limit in chosen.items())
        return f"SELECT {calls}".encode()


@dataclass(frozen=True, kw_only=True)
class Database:
    """A pool of connections to one PostgreSQL database. Build it with `open`, end it with `close`."""

    _pool: AsyncConnectionPool[PooledConnection]
    _failure: LastFailure
    timeouts: Timeouts

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        min_size: int = 1,
        max_size: int = 10,
        application_name: str = "autolynx",
        timeouts: Timeouts = Timeouts(),
    ) -> Self:
        """Open a pool on a `postgresql://` URL (TCP or socket); return once `min_size` connections stand.

        Raises ConfigurationError when the URL is malformed, DatabaseUnavailable when nobody answers there.
        """
        failure = LastFailure()
        pool = AsyncConnectionPool(
            url,
            connection_class=PooledConnection,
            kwargs=connection_arguments(url, application_name) | {"failure": failure},
            min_size=min_size,
            max_size=max_size,
            open=False,
            timeout=timeouts.acquire_seconds,
            reconnect_timeout=RECONNECT_SECONDS,
            name=application_name,
        )
        database = cls(_pool=pool, _failure=failure, timeouts=timeouts)
        try:
            with database._translated():
                await pool.open(wait=True, timeout=timeouts.acquire_seconds)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await pool.close()
            raise
        return database

    @asynccontextmanager
    async def connection(self, *, by_index: bool = False) -> AsyncIterator[Connection]:
        """Lend a connection in autocommit, for single statements and reads: each is a transaction under the limits.

        So none may be several in one text, nor VACUUM, which PostgreSQL takes alone only. `by_index`: look only where
        an index points. Raises DatabaseUnavailable when no connection is to be had, when it breaks, or when a time
        limit is reached.
        """
        async with self._lent(beside=self.timeouts.set_local(by_index=by_index)) as conn:
            yield conn

    @asynccontextmanager
    async def transaction(
        self, *, timeouts: Timeouts | None = None, by_index: bool = False
    ) -> AsyncIterator[Connection]:
        """Lend a connection inside a READ COMMITTED transaction: COMMIT at the end, ROLLBACK on an error.

        `timeouts` replaces the database's limits for this one transaction; `by_index` as for `connection`. Raises
        DatabaseUnavailable as `connection` does (when the connection is lost during COMMIT, the outcome is unknown),
        and DatabaseCollision after a deadlock or a serialization failure: then nothing was changed and the whole
        transaction may be repeated.
        """
        async with self._lent() as conn:
            await conn.execute((timeouts or self.timeouts).begin(by_index=by_index))
            yield conn  # an exception leaves from here; _give_back rolls back
            committed = await conn.execute(b"COMMIT")
            if committed.statusmessage != "COMMIT":
                raise psycopg.errors.InFailedSqlTransaction(
                    "an error inside the transaction was swallowed: PostgreSQL rolled back, not committed"
                )

    @asynccontextmanager
    async def pipelined(self, *, waits_for_disk: bool = True) -> AsyncIterator[Connection]:
        """Lend a connection inside a transaction whose statements travel together, and look only where an index points.

        Only reading a result waits for the server: BEGIN goes out with the first statement, COMMIT with the last
        ones, so that locks are held for as few turns as possible. Do not look at `rowcount` without a fetch. Without
        `waits_for_disk` a crash of PostgreSQL within the next moments undoes the transaction as a whole; any later
        commit that does wait makes it last as well. Raises as `transaction` does, and DataRefused when PostgreSQL
        refuses a value.
        """
        async with self._lent() as conn:
            with refused_data():
                async with conn.pipeline():
                    await conn.execute(b"BEGIN ISOLATION LEVEL READ COMMITTED")
                    await conn.execute(self.timeouts.set_local(waits_for_disk=waits_for_disk, by_index=True))
                    yield conn
                    committed = await conn.execute(b"COMMIT")
            if committed.statusmessage != "COMMIT":
                raise psycopg.errors.InFailedSqlTransaction(
                    "an error inside the transaction was swallowed: PostgreSQL rolled back, not committed"
                )

    async def close(self) -> None:
        """Close every connection; those still lent are closed when they come back. May be called twice."""
        await self._pool.close()

    @asynccontextmanager
    async def _lent(self, *, beside: bytes = b"") -> AsyncIterator[Connection]:
        with self._translated():
            conn = await self._take()
            conn.beside = beside
            try:
                yield conn
            finally:
                with anyio.CancelScope(shield=True):
                    await self._give_back(conn)

    async def _take(self) -> PooledConnection:
        """Return a living connection; dead ones met on the way are thrown out, at most one pool full."""
        for _ in range(self._pool.max_size):
            conn = await self._pool.getconn()
            is_usable = False
            try:
                is_usable = await is_alive(conn)
            finally:
                if not is_usable:
                    await self._discard(conn)
            if is_usable:
                return conn
        return await self._pool.getconn()

    async def _discard(self, conn: PooledConnection) -> None:
        with anyio.CancelScope(shield=True):
            await conn.close()
            await self._pool.putconn(conn)

    async def _give_back(self, conn: PooledConnection) -> None:
        """Return a connection clean: an open transaction is rolled back, anything less certain is closed."""
        try:
            # (A statement still running means we were cancelled; the pool closes such a connection.)
            if conn.pgconn.transaction_status in {TransactionStatus.INTRANS, TransactionStatus.INERROR}:
                await conn.execute(b"ROLLBACK")
        except psycopg.Error:
            await conn.close()  # what spoiled it is already on its way to the caller
        finally:
            conn.beside = b""
            conn.seen_alive_at = time.monotonic()
            await self._pool.putconn(conn)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn transient errors of the pool and the driver into ours; everything else passes unchanged."""
        with translated():
            try:
                yield
            except PoolTimeout as error:
                raise DatabaseUnavailable(self._no_connection()) from error
            except PoolClosed as error:
                raise DatabaseUnavailable("The database is closed: the program is shutting down.") from error

    def _no_connection(self) -> str:
        if self._failure.reason:
            return f"PostgreSQL cannot be reached: {self._failure.reason}"
        seconds = self.timeouts.acquire_seconds
        return f"No connection to PostgreSQL became free within {seconds:g} s; try again."


async def retry_once_on_deadlock(work: Callable[[], Awaitable[T]]) -> T:
    """Run `work`, one or more whole transactions, and once more if it raises DatabaseCollision.

    For the edges only: never inside a transaction, and never around work that also does HTTP. The other transaction
    is let through first: who comes again at once may overtake it, and meet it a second time.
    """
    try:
        return await work()
    except DatabaseCollision:
        await anyio.sleep(LET_THROUGH_SECONDS)
        return await work()
