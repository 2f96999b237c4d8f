"""Which recordings are still to be copied, which are kept, and which were given up."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from autolynx.store.database import Connection


@dataclass(frozen=True, kw_only=True)
class DueRecording:
    """A recording whose turn has come; `tries` counts this one."""

    call_id: UUID
    provider_call_id: str
    tries: int


@dataclass(frozen=True, kw_only=True)
class KeptRecording:
    """A recording of which we have a copy."""

    call_id: UUID
    content_type: str
    size_bytes: int


async def claim_due(conn: Connection, *, now: datetime, again_at: datetime, most: int) -> list[DueRecording]:
    """Take recordings whose turn has come; nobody else takes them before `again_at`, should we die meanwhile."""
    cursor = await conn.execute(
        """WITH due AS (SELECT call_id FROM call_recordings WHERE state = 'due' AND due_at <= %(now)s
                ORDER BY due_at LIMIT %(most)s FOR NO KEY UPDATE SKIP LOCKED)
           UPDATE call_recordings r SET due_at = %(again_at)s, tries = r.tries + 1
           FROM due JOIN calls k ON k.id = due.call_id WHERE r.call_id = due.call_id
           RETURNING r.call_id, k.provider_call_id, r.tries""",
        {"now": now, "again_at": again_at, "most": most},
    )
    return [DueRecording(**row) for row in await cursor.fetchall()]


async def save_kept(conn: Connection, call_id: UUID, *, content_type: str, size_bytes: int, now: datetime) -> None:
    """Note that the copy is there."""
    await conn.execute(
        """UPDATE call_recordings SET state = 'kept', due_at = NULL, last_error = NULL, content_type = %s,
               size_bytes = %s, kept_at = %s WHERE call_id = %s""",
        [content_type, size_bytes, now, call_id],
    )


async def save_failed(conn: Connection, call_id: UUID, *, error: str, due_at: datetime | None) -> None:
    """Note why a copy failed and when it is tried again; None gives it up."""
    await conn.execute(
        """UPDATE call_recordings SET state = CASE WHEN %(due_at)s::timestamptz IS NULL THEN 'given_up' ELSE 'due' END,
               due_at = %(due_at)s, last_error = %(error)s WHERE call_id = %(id)s AND state = 'due'""",
        {"id": call_id, "error": error, "due_at": due_at},
    )


async def find_kept(conn: Connection, call_id: UUID) -> KeptRecording | None:
    """Return our copy of a call's recording, None where there is none."""
    cursor = await conn.execute(
        "SELECT call_id, content_type, size_bytes FROM call_recordings WHERE call_id = %s AND state = 'kept'",
        [call_id],
    )
    row = await cursor.fetchone()
    return KeptRecording(**row) if row else None
