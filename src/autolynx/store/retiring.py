"""Ephemeral assistants whose last campaign is over: the only ones that are ever deleted at the provider.

Once that is done the row is ephemeral no more: nothing is left to be deleted there.
"""

from datetime import datetime
from uuid import UUID

from autolynx.store.database import Connection

# Made here; nobody may call with it any more, no line of it is held; taken out by a person, or used up: campaigns of
# it, more than test calls, are over, and in none of them somebody is due or waits for a decision.
_MAY_GO = """a.ephemeral AND a.source = 'local'
    AND NOT EXISTS (SELECT FROM campaigns c WHERE c.assistant_id = a.id AND c.deleted_at IS NULL
        AND c.status NOT IN ('COMPLETED', 'CANCELED'))
    AND NOT EXISTS (SELECT FROM campaigns c JOIN calls k ON k.campaign_id = c.id
        WHERE c.assistant_id = a.id AND k.holds_line)
    AND (a.deleted_at IS NOT NULL OR EXISTS (SELECT FROM campaigns c WHERE c.assistant_id = a.id AND NOT c.is_test)
        AND NOT EXISTS (SELECT FROM campaigns c JOIN campaign_counters n ON n.campaign_id = c.id
            WHERE c.assistant_id = a.id AND c.deleted_at IS NULL AND c.status = 'COMPLETED'
                AND n.due + n.unsure > 0))"""
RETIRING = f"FROM assistants a WHERE {_MAY_GO}"


async def list_retiring(conn: Connection, *, most: int) -> list[UUID]:
    """Return assistants that may be deleted at the provider now."""
    cursor = await conn.execute(f"SELECT a.id {RETIRING} ORDER BY a.id LIMIT %s", [most])
    return [row["id"] for row in await cursor.fetchall()]


async def lock_retiring(conn: Connection, assistant_id: UUID) -> str | None:
    """Lock an assistant that may be deleted at the provider; return its id there, None where it may not any more."""
    await conn.execute("SELECT 1 FROM assistants WHERE id = %s FOR NO KEY UPDATE", [assistant_id])
    cursor = await conn.execute(f"SELECT a.provider_assistant_id {RETIRING} AND a.id = %s", [assistant_id])
    row = await cursor.fetchone()
    return row["provider_assistant_id"] if row else None


async def save_taken_out(conn: Connection, assistant_id: UUID, now: datetime) -> None:
    """Take an assistant out of the directory, if it is not out yet."""
    await conn.execute(
        """UPDATE assistants SET active = false, deleted_at = %(now)s, updated_at = %(now)s
           WHERE id = %(id)s AND deleted_at IS NULL""",
        {"id": assistant_id, "now": now},
    )


async def save_gone(conn: Connection, assistant_id: UUID) -> None:
    """Note that the provider has an assistant no more."""
    await conn.execute("UPDATE assistants SET ephemeral = false WHERE id = %s", [assistant_id])
