"""The connections in the pool: how they are made, and whether an idle one still lives."""

import json
import selectors
import time
from dataclasses import dataclass
from typing import Any, Self

import orjson
import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import PipelineStatus, TransactionStatus
from psycopg.rows import dict_row
from psycopg.types.json import set_json_dumps

from autolynx.errors import ConfigurationError

TRUSTED_IDLE_SECONDS = 30.0  # a connection idle for longer is asked before use; any other is only looked at
# Made anew for each look: poll costs one system call then, the default four. Windows has no poll.
Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)
DEFAULTS = {
    "connect_timeout": "5",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}


@dataclass(kw_only=True)
class LastFailure:
    """Why the latest attempt to connect failed: the pool itself only says that time ran out."""

    reason: str = ""


class PooledConnection(psycopg.AsyncConnection[dict[str, Any]]):
    """A connection that knows when it was last seen alive, and what goes beside a statement outside a transaction."""

    seen_alive_at: float = 0.0  # on the monotonic clock
    beside: bytes = b""

    @classmethod
    async def connect(cls, conninfo: str = "", **kwargs: Any) -> Self:
        """Connect; `failure` among the arguments is told why not."""
        failure: LastFailure = kwargs.pop("failure")
        try:
            conn = await super().connect(conninfo, **kwargs)
        except psycopg.Error as error:
            told = [line for line in str(error).splitlines() if line and not line.startswith("\t")]  # less hints
            failure.reason = told[-1] if told else type(error).__name__
            raise
        failure.reason = ""
        set_json_dumps(as_json, conn)
        conn.seen_alive_at = time.monotonic()
        return conn

    async def execute(self, query: Any, params: Any = None, **options: Any) -> psycopg.AsyncCursor[dict[str, Any]]:
        """Execute as the driver does; alone, a statement shares round trip and transaction with what goes beside it."""
        is_alone = self.pgconn.transaction_status == TransactionStatus.IDLE
        if not (self.beside and is_alone and self.pgconn.pipeline_status == PipelineStatus.OFF):
            return await super().execute(query, params, **options)
        async with self.pipeline():
            await super().execute(self.beside)
            return await super().execute(query, params, **options)


def as_json(value: Any) -> bytes:
    """Return the value as JSON; ids and moments become text."""
    try:
        return orjson.dumps(value)
    except TypeError:  # integers beyond 64 bits, and keys that are text but of a class of their own
        return json.dumps(value, default=str).encode()


def connection_arguments(url: str, application_name: str) -> dict[str, Any]:
    """Return the keyword arguments of `connect`; what the URL itself says about time limits is left alone."""
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # The driver's message may repeat parts of the URL, and with them the password.
        message = "DATABASE_URL is not a PostgreSQL URL; write postgresql://user:password@host:5432/database."
        raise ConfigurationError(message) from None
    defaults = DEFAULTS | {"application_name": application_name}
    chosen: dict[str, Any] = {name: value for name, value in defaults.items() if name not in given}
    return chosen | {"autocommit": True, "prepare_threshold": None, "row_factory": dict_row}


async def is_alive(conn: PooledConnection) -> bool:
    """Say whether an idle connection still works, without a round trip when it was in use a moment ago.

    A server that goes away says so: an idle connection with something to read has been closed or told to go.
    """
    fresh = time.monotonic() - conn.seen_alive_at < TRUSTED_IDLE_SECONDS
    if fresh and not _has_input(conn):
        return True
    try:
        await conn.execute(b"")
    except psycopg.Error:
        return False
    return True


def _has_input(conn: PooledConnection) -> bool:
    with Selector() as selector:
        selector.register(conn.fileno(), selectors.EVENT_READ)
        return bool(selector.select(0))
