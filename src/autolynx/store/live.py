"""What the live page and the terminal ask beyond the reports: lines in use, the latest calls, a campaign by its name.

Every query costs the same for a list of ten and of a million: a few rows by index, nothing counted but lines.
"""

from uuid import UUID

from autolynx.store.database import Connection
from autolynx.store.report_rows import PARAMETERS, SELECT_ROW, SOURCES, ReportRow
from autolynx.store.reports import SELECT, CampaignReport, report_from_row


async def count_lines(conn: Connection, campaign_ids: list[UUID]) -> dict[UUID, int]:
    """Return how many lines each of these campaigns holds now: by calls just claimed, ringing or talked on."""
    cursor = await conn.execute(
        """SELECT campaign_id, count(*) AS lines FROM calls WHERE campaign_id = ANY(%s) AND holds_line
           GROUP BY campaign_id""",
        [campaign_ids],
    )
    found = {row["campaign_id"]: int(row["lines"]) for row in await cursor.fetchall()}
    return {campaign_id: found.get(campaign_id, 0) for campaign_id in campaign_ids}


async def list_by_name_or_id(conn: Connection, wanted: str) -> list[CampaignReport]:
    """Return the campaigns that bear that name (in any case), that id, or an id that begins so; newest first."""
    cursor = await conn.execute(
        f"{SELECT} AND (lower(c.name) = lower(%(wanted)s) OR starts_with(c.id::text, lower(%(wanted)s)))"
        " ORDER BY c.created_at DESC LIMIT 20",
        {"wanted": wanted},
    )
    return [report_from_row(row) for row in await cursor.fetchall()]


async def list_latest(conn: Connection, campaign_id: UUID, *, most: int) -> list[ReportRow]:
    """Return the contacts that were called last, the latest first; claims that were given back are left out."""
    cursor = await conn.execute(
        f"""WITH latest AS MATERIALIZED (SELECT contact_id FROM calls s WHERE s.campaign_id = %(campaign_id)s
                AND s.outcome IS DISTINCT FROM 'not_dialled' ORDER BY s.claimed_at DESC LIMIT %(most)s)
            {SELECT_ROW} FROM {SOURCES} WHERE t.id IN (SELECT contact_id FROM latest)
            ORDER BY k.claimed_at DESC, t.position DESC""",
        {**PARAMETERS, "campaign_id": campaign_id, "most": most},
    )
    return [ReportRow.of(row) for row in await cursor.fetchall()]
