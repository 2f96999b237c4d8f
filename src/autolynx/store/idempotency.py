"""Idempotency keys: what a client calls one wish is answered once, and the answer is repeated."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from autolynx.store.database import Connection


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A key as it stands: `status` is None while the first request is still being worked on."""

    request_hash: bytes
    status: int | None
    body: Any
    created_at: datetime


async def claim(
    conn: Connection, *, actor: str, key: str, request_hash: bytes, now: datetime, stale_before: datetime
) -> bool:
    """Take a key for one request: True for exactly one of those who ask at once.

    A key whose first request was never answered may be taken over after `stale_before`, by the same request only.
    """
    cursor = await conn.execute(
        """INSERT INTO idempotency_keys AS k (actor, key, request_hash, created_at)
           VALUES (%(actor)s, %(key)s, %(hash)s, %(now)s)
           ON CONFLICT ON CONSTRAINT idempotency_keys_pkey DO UPDATE SET created_at = excluded.created_at
               WHERE k.status IS NULL AND k.created_at < %(stale)s AND k.request_hash = excluded.request_hash""",
        {"actor": actor, "key": key, "hash": request_hash, "now": now, "stale": stale_before},
    )
    return cursor.rowcount == 1


async def find(conn: Connection, *, actor: str, key: str) -> Kept | None:
    """Return a key as it stands."""
    cursor = await conn.execute(
        "SELECT request_hash, status, body, created_at FROM idempotency_keys WHERE actor = %s AND key = %s",
        [actor, key],
    )
    row = await cursor.fetchone()
    return None if row is None else Kept(**row)


async def save_answer(conn: Connection, *, actor: str, key: str, status: int, body: Any) -> None:
    """Keep the answer, to be repeated."""
    await conn.execute(
        "UPDATE idempotency_keys SET status = %s, body = %s WHERE actor = %s AND key = %s",
        [status, Jsonb(body), actor, key],
    )


async def delete(conn: Connection, *, actor: str, key: str) -> None:
    """Give a key back: its request changed nothing."""
    await conn.execute("DELETE FROM idempotency_keys WHERE actor = %s AND key = %s", [actor, key])


async def delete_old(conn: Connection, *, created_before: datetime) -> None:
    """Forget keys from before that moment."""
    await conn.execute("DELETE FROM idempotency_keys WHERE created_at < %s", [created_before])
