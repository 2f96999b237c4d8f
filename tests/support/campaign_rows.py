"""Rows of campaigns put straight into the database, for tests of what is shown."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from autolynx.store.database import Database
from tests.support.engine import make_campaign

START = datetime.fromisoformat("2026-03-02T10:00:00+00:00")
CALL = {
    "attempt": 1,
    "counts_as_attempt": True,
    "provider_call_id": None,
    "status": "ENDED",
    "outcome": "answered",
    "holds_line": False,
    "is_final": True,
    "claimed_at": START,
    "lease_until": START,
    "dial_started_at": START,
}


async def add_call(database: Database, campaign_id: UUID, position: int, **values: Any) -> UUID:
    """Insert a call of the contact at that position: ended and answered unless told otherwise."""
    call_id = uuid4()
    row = {**CALL, "id": call_id, **values}
    row = {name: Jsonb(value) if isinstance(value, dict | list) else value for name, value in row.items()}
    async with database.connection() as conn:
        await conn.execute(
            f"""INSERT INTO calls (campaign_id, contact_id, {", ".join(row)})
                SELECT t.campaign_id, t.id, {", ".join(f"%({name})s" for name in row)} FROM contacts t
                WHERE t.campaign_id = %(campaign)s AND t.position = %(position)s""",
            {**row, "campaign": campaign_id, "position": position},
        )
    return call_id


async def change_contact(database: Database, campaign_id: UUID, position: int, **values: Any) -> None:
    """Change columns of the contact at that position."""
    row = {name: Jsonb(value) if isinstance(value, dict) else value for name, value in values.items()}
    async with database.connection() as conn:
        await conn.execute(
            f"""UPDATE contacts SET {", ".join(f"{name} = %({name})s" for name in row)}
                WHERE campaign_id = %(campaign)s AND position = %(position)s""",
            {**row, "campaign": campaign_id, "position": position},
        )


async def change_campaign(database: Database, campaign_id: UUID, **values: Any) -> None:
    """Change columns of a campaign."""
    async with database.connection() as conn:
        await conn.execute(
            f"UPDATE campaigns SET {', '.join(f'{name} = %({name})s' for name in values)} WHERE id = %(id)s",
            {**values, "id": campaign_id},
        )


async def add_event(database: Database, campaign_id: UUID, call_id: UUID, status: str = "ENDED") -> int:
    """Append an event of a call."""
    async with database.connection() as conn:
        cursor = await conn.execute(
            """INSERT INTO call_events (campaign_id, call_id, status, source, payload, created_at)
               VALUES (%s, %s, %s, 'webhook', '{"said": "ended"}', %s) RETURNING id""",
            [campaign_id, call_id, status, START],
        )
        row = await cursor.fetchone()
    assert row is not None
    return int(row["id"])


async def add_assistant(
    database: Database, *, name: str = "Morgan", source: str = "imported", active: bool = True
) -> UUID:
    """Insert an assistant of the simulator's account, or a template."""
    assistant_id = uuid4()
    async with database.connection() as conn:
        await conn.execute(
            """INSERT INTO assistants
                   (id, name, source, provider_assistant_id, config_json, active, created_at, updated_at)
               VALUES (%s, %s, %s, %s, '{}', %s, %s, %s)""",
            [assistant_id, name, source, None if source == "template" else str(uuid4()), active, START, START],
        )
    return assistant_id


async def make_unsure(database: Database, campaign_id: UUID, position: int = 0) -> UUID:
    """Put a contact into the state in which nobody can say whether it was called; returns the call."""
    why = "The request got no answer."
    values = {"status": "TIMEOUT", "outcome": "unsure", "is_final": False, "unsure_at": START, "reason": why}
    call_id = await add_call(database, campaign_id, position, **values)
    await change_contact(database, campaign_id, position, state="unsure", reason=why)
    return call_id


async def add_incident(
    database: Database, kind: str, sentence: str, *, at: datetime = START, campaign_id: UUID | None = None
) -> None:
    """Write down an incident."""
    async with database.connection() as conn:
        await conn.execute(
            "INSERT INTO incidents (kind, sentence, created_at, campaign_id) VALUES (%s, %s, %s, %s)",
            [kind, sentence, at, campaign_id],
        )


__all__ = [
    "START",
    "add_assistant",
    "add_call",
    "add_event",
    "add_incident",
    "change_campaign",
    "change_contact",
    "make_campaign",
    "make_unsure",
]
