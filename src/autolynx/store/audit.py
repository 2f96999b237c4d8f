"""The audit log: who did what, appended and never rewritten."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from autolynx.origin import get_origin
from autolynx.store.database import Connection


async def append(
    conn: Connection,
    *,
    now: datetime,
    actor: str,
    action: str,
    subject: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Append one entry, with the origin of what goes on.

    `action` is dotted (`token.created`); details hold no secrets, names or phone numbers.
    """
    await conn.execute(
        "INSERT INTO audit_log (at, actor, action, subject, details, origin) VALUES (%s, %s, %s, %s, %s, %s)",
        [now, actor, action, subject, Jsonb(dict(details or {})), get_origin()],
    )


async def append_once_since(
    conn: Connection,
    *,
    since: datetime,
    now: datetime,
    actor: str,
    action: str,
    details: Mapping[str, Any],
) -> bool:
    """Append an entry unless one of the same actor and action stands there since that moment; say whether it was.

    The lock makes several processes agree; it ends with the transaction.
    """
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"audit:{action}:{actor}"])
    cursor = await conn.execute(
        """INSERT INTO audit_log (at, actor, action, details, origin)
           SELECT %(now)s, %(actor)s, %(action)s, %(details)s, %(origin)s
           WHERE NOT EXISTS (SELECT 1 FROM audit_log
               WHERE at >= %(since)s AND actor = %(actor)s AND action = %(action)s)""",
        {
            "now": now,
            "since": since,
            "actor": actor,
            "action": action,
            "details": Jsonb(dict(details)),
            "origin": get_origin(),
        },
    )
    return cursor.rowcount == 1
