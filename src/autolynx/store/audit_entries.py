"""Reading the audit log: by page, and piece by piece for an export."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from autolynx.store.database import Connection
from autolynx.store.matching import like_pattern

_COLUMNS = "id, at, actor, origin, action, subject, details"


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """Who did what, when and from where; `subject` is the id of what it was done to."""

    id: int
    at: datetime
    actor: str
    origin: str | None
    action: str
    subject: str | None
    details: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class AuditFilter:
    """Which entries are wanted. `actor` is a part of it; `action` one in full, or what stands before a dot.

    From `begins_at` on, before `ends_at`.
    """

    actor: str | None = None
    action: str | None = None
    begins_at: datetime | None = None
    ends_at: datetime | None = None

    def where(self) -> str:
        """Return the conditions."""
        conditions = ["true"]
        if self.actor:
            conditions.append("actor ILIKE %(actor)s")
        if self.action:
            conditions.append("(action = %(action)s OR action LIKE %(below)s)")
        if self.begins_at:
            conditions.append("at >= %(begins_at)s")
        if self.ends_at:
            conditions.append("at < %(ends_at)s")
        return " AND ".join(conditions)

    def parameters(self) -> dict[str, Any]:
        """Return the values of the conditions."""
        return {
            "actor": like_pattern(self.actor or ""),
            "action": self.action,
            "below": like_pattern(f"{self.action}.").removeprefix("%"),
            "begins_at": self.begins_at,
            "ends_at": self.ends_at,
        }


async def list_entries(conn: Connection, chosen: AuditFilter, *, limit: int, skip: int) -> list[AuditEntry]:
    """Return a page of entries, newest first."""
    cursor = await conn.execute(
        f"SELECT {_COLUMNS} FROM audit_log WHERE {chosen.where()} ORDER BY id DESC LIMIT %(limit)s OFFSET %(skip)s",
        {**chosen.parameters(), "limit": limit, "skip": skip},
    )
    return [AuditEntry(**row) for row in await cursor.fetchall()]


async def count_entries(conn: Connection, chosen: AuditFilter, *, most: int) -> int:
    """Count the entries, up to `most`."""
    cursor = await conn.execute(
        f"SELECT count(*) AS n FROM (SELECT FROM audit_log WHERE {chosen.where()} LIMIT %(most)s) found",
        {**chosen.parameters(), "most": most},
    )
    row = await cursor.fetchone()
    return int(row["n"]) if row else 0


async def list_after(conn: Connection, chosen: AuditFilter, *, after: int, most: int) -> list[AuditEntry]:
    """Return the next entries behind an id, oldest first."""
    cursor = await conn.execute(
        f"""SELECT {_COLUMNS} FROM audit_log WHERE {chosen.where()} AND id > %(after)s ORDER BY id LIMIT %(most)s""",
        {**chosen.parameters(), "after": after, "most": most},
    )
    return [AuditEntry(**row) for row in await cursor.fetchall()]


async def list_actions(conn: Connection) -> list[str]:
    """Return every action that stands in the log, one look at the index for each."""
    cursor = await conn.execute(
        """WITH RECURSIVE known AS (
               (SELECT action FROM audit_log ORDER BY action LIMIT 1)
               UNION ALL SELECT (SELECT a.action FROM audit_log a WHERE a.action > k.action ORDER BY a.action LIMIT 1)
               FROM known k WHERE k.action IS NOT NULL)
           SELECT action FROM known WHERE action IS NOT NULL"""
    )
    return [row["action"] for row in await cursor.fetchall()]
