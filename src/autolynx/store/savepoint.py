"""A part of a transaction that may fail without taking the rest with it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg

from autolynx.errors import AutolynxError
from autolynx.store.database import Connection


class Undigested(AutolynxError):
    """PostgreSQL refused what was written under a savepoint; everything before it stands."""


@asynccontextmanager
async def savepoint(conn: Connection) -> AsyncIterator[None]:
    """Run the block under a savepoint of the open transaction.

    Raises Undigested for data that PostgreSQL refuses. A lost connection, a deadlock or a time limit passes as it
    is: then the whole transaction is gone and has to be repeated.
    """
    try:
        async with conn.transaction():
            yield
    except (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError) as error:
        raise Undigested(type(error).__name__) from error
