"""Campaigns as lists and details show them. Figures come from the counters: one row each, however long the list."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from autolynx.domain.campaign import Campaign, CampaignStatus
from autolynx.domain.metrics import Counters
from autolynx.errors import NotFound
from autolynx.store.campaigns import CAMPAIGN_COLUMNS, campaign_from_row
from autolynx.store.database import Connection, Row
from autolynx.store.matching import like_pattern

_COUNTED = tuple(field.name for field in fields(Counters))
COUNTER_COLUMNS = ", ".join(f"n.{name} AS counted_{name}" for name in _COUNTED)
SELECT = f"""SELECT {CAMPAIGN_COLUMNS}, c.options_json AS raw_options, c.stats_json, a.name AS assistant,
        a.active AS assistant_active, {COUNTER_COLUMNS}
    FROM campaigns c JOIN campaign_counters n ON n.campaign_id = c.id JOIN assistants a ON a.id = c.assistant_id
    WHERE c.deleted_at IS NULL"""
# What a list may be sorted by, in the words of the API. The id breaks ties, so that pages never overlap.
SORTS: dict[str, str] = {
    "createdAt": "c.created_at",
    "startedAt": "c.started_at",
    "completedAt": "c.completed_at",
    "name": "lower(c.name)",
    "status": "c.status",
    "totalContacts": "c.total_contacts",
    "totalCost": "n.cost_usd",
}


@dataclass(frozen=True, kw_only=True)
class CampaignReport:
    """A campaign with its assistant and its figures; `import_report` is what was kept when it was created."""

    campaign: Campaign
    options: dict[str, Any]
    assistant: str
    is_assistant_active: bool
    counters: Counters
    import_report: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class CampaignFilter:
    """Which campaigns are wanted: in any of these states, with this text in the name, test calls too or not, of whom.

    `owner_id` None: of everybody.
    """

    statuses: Sequence[CampaignStatus] = ()
    search: str = ""
    includes_tests: bool = False
    owner_id: UUID | None = None


_WHERE = """AND (cardinality(%(statuses)s::text[]) = 0 OR c.status::text = ANY(%(statuses)s))
    AND (%(search)s = '' OR c.name ILIKE %(like)s) AND (%(tests)s OR NOT c.is_test)
    AND (%(owner)s::uuid IS NULL OR c.owner_id = %(owner)s)"""


async def list_campaigns(
    conn: Connection, chosen: CampaignFilter, *, sort: str, is_descending: bool, limit: int, skip: int
) -> list[CampaignReport]:
    """Return campaigns in the order of one of SORTS; those without a value come last."""
    way = "DESC" if is_descending else "ASC"
    cursor = await conn.execute(
        f"{SELECT} {_WHERE} ORDER BY {SORTS[sort]} {way} NULLS LAST, c.id LIMIT %(limit)s OFFSET %(skip)s",
        {**_parameters(chosen), "limit": limit, "skip": skip},
    )
    return [report_from_row(row) for row in await cursor.fetchall()]


async def count_campaigns(conn: Connection, chosen: CampaignFilter) -> int:
    """Count the campaigns that a filter lets through."""
    cursor = await conn.execute(
        f"SELECT count(*) AS found FROM campaigns c WHERE c.deleted_at IS NULL {_WHERE}", _parameters(chosen)
    )
    row = await cursor.fetchone()
    return int(row["found"]) if row else 0


async def get_campaign(conn: Connection, campaign_id: UUID) -> CampaignReport:
    """Return one campaign. Raises NotFound."""
    row = await (await conn.execute(f"{SELECT} AND c.id = %s", [campaign_id])).fetchone()
    if row is None:
        raise NotFound("There is no campaign of that id.")
    return report_from_row(row)


async def find_started_at(conn: Connection, campaign_id: UUID) -> tuple[CampaignStatus, datetime | None]:
    """Return a campaign's status and its truthful start, None before it. Raises NotFound."""
    cursor = await conn.execute(
        "SELECT status, started_at FROM campaigns WHERE id = %s AND deleted_at IS NULL", [campaign_id]
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("There is no campaign of that id.")
    return CampaignStatus(row["status"]), row["started_at"]


async def list_taken_names(conn: Connection, names: Sequence[str], *, owner_id: UUID | None) -> set[str]:
    """Return those of these names that campaigns of that owner (None: of nobody) bear, in lower case."""
    cursor = await conn.execute(
        """SELECT lower(name) AS name FROM campaigns
           WHERE deleted_at IS NULL AND owner_id IS NOT DISTINCT FROM %s::uuid
               AND lower(name) = ANY(SELECT lower(n) FROM unnest(%s::text[]) AS n)""",
        [owner_id, list(names)],
    )
    return {row["name"] for row in await cursor.fetchall()}


def report_from_row(row: Row) -> CampaignReport:
    """Map a row of SELECT."""
    return CampaignReport(
        campaign=campaign_from_row(row),
        options=row["raw_options"],
        assistant=row["assistant"],
        is_assistant_active=row["assistant_active"],
        counters=Counters(**{name: row[f"counted_{name}"] for name in _COUNTED}),
        import_report=row["stats_json"],
    )


def _parameters(chosen: CampaignFilter) -> dict[str, Any]:
    return {
        "statuses": [status.value for status in chosen.statuses],
        "search": chosen.search,
        "owner": chosen.owner_id,
        "like": like_pattern(chosen.search),
        "tests": chosen.includes_tests,
    }
