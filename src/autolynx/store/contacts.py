"""Contacts: what their calls leave them as, and what a person decides about them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from autolynx.domain.contact import Standing
from autolynx.store.database import Connection


async def save_standings(conn: Connection, standings: Mapping[UUID, Standing]) -> None:
    """Write what contacts were left as, by their ids, in one statement; the caller holds their campaigns."""
    if standings:
        await conn.execute(
            """UPDATE contacts t SET state = v.state, due_at = v.due_at, reason = v.reason
               FROM jsonb_to_recordset(%s) AS v (id uuid, state text, due_at timestamptz, reason text)
               WHERE t.id = v.id""",
            [Jsonb([_as_record(contact_id, standing) for contact_id, standing in standings.items()])],
        )


def _as_record(contact_id: UUID, standing: Standing) -> dict[str, Any]:
    return {"id": contact_id, "state": standing.state, "due_at": standing.due_at, "reason": standing.reason}


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
