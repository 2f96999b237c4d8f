"""Contacts: what their calls leave them as, and what a person decides about them."""

from datetime import datetime
from uuid import UUID

from autolynx.domain.contact import Standing
from autolynx.store.database import Connection


async def save_standing(conn: Connection, contact_id: UUID, standing: Standing) -> None:
    """Write what a contact was left as; the caller holds its campaign."""
    await conn.execute(
        "UPDATE contacts SET state = %s, due_at = %s, reason = %s WHERE id = %s",
        [standing.state, standing.due_at, standing.reason, contact_id],
    )


async def note_position_batches(conn: Connection, campaign_id: UUID, batch_size: int | None) -> None:
    """Write each contact's batch from its place in the file; none for a continuous campaign."""
    await conn.execute(
        """UPDATE contacts SET batch_index = position / %(size)s::int
           WHERE campaign_id = %(id)s AND batch_index IS DISTINCT FROM position / %(size)s::int""",
        {"size": batch_size, "id": campaign_id},
    )


async def set_due_at(conn: Connection, contact_id: UUID, due_at: datetime) -> None:
    """Let a due contact wait until that moment."""
    await conn.execute("UPDATE contacts SET due_at = %s WHERE id = %s AND state = 'due'", [due_at, contact_id])


async def exclude(conn: Connection, contact_id: UUID, reason: str) -> None:
    """Take a contact out of its campaign, saying why."""
    await conn.execute(
        "UPDATE contacts SET state = 'excluded', due_at = NULL, reason = %s WHERE id = %s", [reason, contact_id]
    )


async def grant_redial(conn: Connection, contact_id: UUID, *, now: datetime) -> None:
    """Let a contact be dialled once more, by a person's decision."""
    await conn.execute(
        """UPDATE contacts SET state = 'due', due_at = %s, reason = NULL, extra_attempts = extra_attempts + 1
           WHERE id = %s""",
        [now, contact_id],
    )
