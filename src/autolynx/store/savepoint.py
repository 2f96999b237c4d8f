"""A part of a transaction that may fail without taking the rest with it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from autolynx.store.database import Connection
from autolynx.store.trouble import refused_data


@asynccontextmanager
async def savepoint(conn: Connection) -> AsyncIterator[None]:
    """Run the block under a savepoint of the open transaction.

    Raises DataRefused for data that PostgreSQL refuses. A lost connection, a deadlock or a time limit passes as it
    is: then the whole transaction is gone and has to be repeated.
    """
    with refused_data():
        async with conn.transaction():
            yield
