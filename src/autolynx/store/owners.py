"""Whose something is: a campaign belongs to who created it, and with it its calls and uploads."""

from enum import StrEnum
from uuid import UUID

from autolynx.store.database import Connection


class Owned(StrEnum):
    """What belongs to somebody."""

    CAMPAIGN = "campaign"
    CALL = "call"
    UPLOAD = "upload"


# What an address calls the id of which, in its path and in its query.
OF_PARAMETER = {
    "campaign_id": Owned.CAMPAIGN,
    "campaignId": Owned.CAMPAIGN,
    "campaign": Owned.CAMPAIGN,
    "call_id": Owned.CALL,
    "upload_id": Owned.UPLOAD,
}
_IS_OWNED = {
    Owned.CAMPAIGN: "SELECT 1 AS one FROM campaigns WHERE id = %(id)s AND owner_id = %(owner)s",
    Owned.CALL: """SELECT 1 AS one FROM calls k JOIN campaigns c ON c.id = k.campaign_id
        WHERE k.id = %(id)s AND c.owner_id = %(owner)s""",
    Owned.UPLOAD: "SELECT 1 AS one FROM uploads WHERE id = %(id)s AND owner_id = %(owner)s",
}


async def owns(conn: Connection, kind: Owned, known_id: UUID, *, owner_id: UUID) -> bool:
    """Whether it is there and belongs to that person."""
    cursor = await conn.execute(_IS_OWNED[kind], {"id": known_id, "owner": owner_id})
    return await cursor.fetchone() is not None


async def find_owner(conn: Connection, campaign_id: UUID) -> UUID | None:
    """Return whose a campaign is, None where it is nobody's or does not exist."""
    cursor = await conn.execute("SELECT owner_id FROM campaigns WHERE id = %s", [campaign_id])
    row = await cursor.fetchone()
    return None if row is None else row["owner_id"]


async def list_owned_calls(conn: Connection, call_ids: list[UUID], *, owner_id: UUID) -> set[UUID]:
    """Return those of the calls that belong to that person."""
    cursor = await conn.execute(
        """SELECT k.id FROM calls k JOIN campaigns c ON c.id = k.campaign_id
           WHERE k.id = ANY(%s) AND c.owner_id = %s""",
        [call_ids, owner_id],
    )
    return {row["id"] for row in await cursor.fetchall()}


async def list_owned_campaigns(conn: Connection, campaign_ids: list[UUID], *, owner_id: UUID) -> set[UUID]:
    """Return those of the campaigns that belong to that person."""
    cursor = await conn.execute(
        "SELECT id FROM campaigns WHERE id = ANY(%s) AND owner_id = %s", [campaign_ids, owner_id]
    )
    return {row["id"] for row in await cursor.fetchall()}
