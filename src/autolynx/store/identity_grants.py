"""What an identity server gave for sessions, and who asks it again: one at a time, without a lock while it is asked."""

from datetime import datetime
from uuid import UUID

from autolynx.store.database import Connection


async def save_first(conn: Connection, token_id: UUID, *, grant: bytes, until: datetime) -> None:
    """Keep what a new session was given."""
    await conn.execute(
        "UPDATE api_tokens SET identity_grant = %s, identity_until = %s WHERE id = %s", [grant, until, token_id]
    )


async def claim(conn: Connection, token_id: UUID, *, seen: datetime, until: datetime) -> bool:
    """Take on asking the server, before `until`; True for exactly one of those who saw the same moment."""
    cursor = await conn.execute(
        "UPDATE api_tokens SET identity_until = %s WHERE id = %s AND identity_until = %s AND revoked_at IS NULL",
        [until, token_id, seen],
    )
    return cursor.rowcount == 1


async def save_next(conn: Connection, token_id: UUID, *, grant: bytes, until: datetime, was: bytes) -> bool:
    """Keep what the server gave instead of what it used up; False where the session ended, or went on, meanwhile."""
    cursor = await conn.execute(
        """UPDATE api_tokens SET identity_grant = %s, identity_until = %s
           WHERE id = %s AND identity_grant = %s AND revoked_at IS NULL""",
        [grant, until, token_id, was],
    )
    return cursor.rowcount == 1


async def end(conn: Connection, token_id: UUID, now: datetime, *, was: bytes) -> bool:
    """End a session that the server does not vouch for any more; False where it ended, or went on, meanwhile."""
    cursor = await conn.execute(
        "UPDATE api_tokens SET revoked_at = %s WHERE id = %s AND identity_grant = %s AND revoked_at IS NULL",
        [now, token_id, was],
    )
    return cursor.rowcount == 1
