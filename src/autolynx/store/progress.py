"""Where the running campaigns stand, in one statement: what a tick answers."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from autolynx.domain.campaign import CampaignStatus
from autolynx.store.database import Connection


@dataclass(frozen=True, kw_only=True)
class Progress:
    """One campaign: its calls that are active, and those of them that only stand in the queue."""

    campaign_id: UUID
    status: CampaignStatus
    cap: int
    active: int
    queued: int


async def list_progress(conn: Connection, *, also: Collection[UUID], only: UUID | None, most: int) -> list[Progress]:
    """Return the running campaigns and those named by `also`, or `only` one; least recently served first."""
    cursor = await conn.execute(
        """SELECT c.id AS campaign_id, c.status, c.cap, n.queued + n.ringing + n.in_progress AS active, n.queued
           FROM campaigns c JOIN campaign_counters n ON n.campaign_id = c.id
           WHERE c.deleted_at IS NULL AND CASE WHEN %(only)s::uuid IS NOT NULL THEN c.id = %(only)s::uuid
               ELSE c.status IN ('QUEUED', 'DIALING', 'RUNNING') OR c.id = ANY(%(also)s::uuid[]) END
           ORDER BY c.last_served_at NULLS FIRST, c.id LIMIT %(most)s""",
        {"only": only, "also": list(also), "most": most},
    )
    return [Progress(**{**row, "status": CampaignStatus(row["status"])}) for row in await cursor.fetchall()]
