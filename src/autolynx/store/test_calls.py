"""Test calls: campaigns of one contact."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from autolynx.domain.campaign import CampaignStatus
from autolynx.domain.phone import Phone
from autolynx.store.database import Connection


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A test call that was placed, by the id of its campaign; `outcome` is None before its end."""

    id: UUID
    status: CampaignStatus
    created_at: datetime
    outcome: str | None


async def lock_phone(conn: Connection, phone: str) -> None:
    """Let nobody else place a test call to that number until the transaction ends."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"test-call:{phone}"])


async def is_being_called(conn: Connection, phone: str) -> bool:
    """Whether any campaign is on a call with that number, or another test call to it is still to be placed.

    One that is only CREATED was never started: it is started as it is made, and nobody starts it later.
    """
    cursor = await conn.execute(
        """SELECT EXISTS (SELECT FROM contacts t JOIN calls k ON k.contact_id = t.id
                WHERE t.phone = %(phone)s AND k.status IN ('QUEUED', 'RINGING', 'IN_PROGRESS'))
            OR EXISTS (SELECT FROM contacts t JOIN campaigns c ON c.id = t.campaign_id
                WHERE t.phone = %(phone)s AND c.is_test AND c.deleted_at IS NULL
                    AND c.status IN ('QUEUED', 'DIALING', 'RUNNING')) AS is_being_called""",
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


async def list_latest(conn: Connection, assistant_id: UUID, *, owner_id: UUID | None = None, most: int) -> list[Placed]:
    """Return the test calls of an assistant, placed by one person or (None) by anybody, the latest first."""
    cursor = await conn.execute(
        """SELECT c.id, c.status, c.created_at, (SELECT k.outcome FROM calls k WHERE k.campaign_id = c.id
                ORDER BY k.claimed_at DESC, k.id LIMIT 1) AS outcome
           FROM campaigns c WHERE c.assistant_id = %(assistant)s AND c.is_test AND c.deleted_at IS NULL
               AND (%(owner)s::uuid IS NULL OR c.owner_id = %(owner)s)
           ORDER BY c.created_at DESC, c.id LIMIT %(most)s""",
        {"assistant": assistant_id, "owner": owner_id, "most": most},
    )
    return [Placed(**{**row, "status": CampaignStatus(row["status"])}) for row in await cursor.fetchall()]
