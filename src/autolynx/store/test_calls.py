"""Test calls: campaigns of one contact."""

from uuid import UUID

from autolynx.domain.phone import Phone
from autolynx.store.database import Connection


async def lock_phone(conn: Connection, phone: str) -> None:
    """Let nobody else place a test call to that number until the transaction ends."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"test-call:{phone}"])


async def is_being_called(conn: Connection, phone: str) -> bool:
    """Whether any campaign is on a call with that number, or another test call to it is still to be placed."""
    cursor = await conn.execute(
        """SELECT EXISTS (SELECT FROM contacts t JOIN calls k ON k.contact_id = t.id
                WHERE t.phone = %(phone)s AND k.status IN ('QUEUED', 'RINGING', 'IN_PROGRESS'))
            OR EXISTS (SELECT FROM contacts t JOIN campaigns c ON c.id = t.campaign_id
                WHERE t.phone = %(phone)s AND c.is_test AND c.deleted_at IS NULL
                    AND c.status IN ('CREATED', 'QUEUED', 'DIALING', 'RUNNING')) AS is_being_called""",
        {"phone": phone},
    )
    row = await cursor.fetchone()
    return bool(row and row["is_being_called"])


async def insert_contact(conn: Connection, campaign_id: UUID, *, name: str, business_name: str, phone: Phone) -> None:
    """Insert the one contact of a test call."""
    await conn.execute(
        """INSERT INTO contacts (campaign_id, name, business_name, phone, phone_raw, extension, position)
           VALUES (%s, %s, %s, %s, %s, %s, 0)""",
        [campaign_id, name, business_name, phone.e164, phone.raw, phone.extension],
    )
