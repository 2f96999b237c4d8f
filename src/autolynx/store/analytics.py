"""The figures of analytics: calls that are over come from `call_figures`, the few that go on from `calls` itself.

One statement, so that a call that ends meanwhile is in one of the two and never in both. Test calls are left out;
deleted campaigns count on: their calls were made, and paid.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import psycopg

from autolynx.domain.analytics import FIGURES, Analytics, AssistantFigures, Figures, Period, complete
from autolynx.errors import NotFound
from autolynx.store.database import Connection, Row

MOST_CHOICES = 100
_KEPT = tuple(name for name in FIGURES if name != "active")
_SUMS = ", ".join(f"coalesce(sum({name}), 0) AS {name}" for name in FIGURES)
_FIGURES = f"""
    WITH chosen AS (SELECT id, assistant_id FROM campaigns
        WHERE options_json ->> 'testCall' IS DISTINCT FROM 'true'
            AND (%(assistant_id)s::uuid IS NULL OR assistant_id = %(assistant_id)s)
            AND (%(campaign_id)s::uuid IS NULL OR id = %(campaign_id)s)
            AND (%(owner_id)s::uuid IS NULL OR owner_id = %(owner_id)s)),
    bounds AS (SELECT %(first)s::date::timestamp AT TIME ZONE %(timezone)s AS low,
        (%(last)s::date + 1)::timestamp AT TIME ZONE %(timezone)s AS high),
    parts AS (
        SELECT c.assistant_id, f.begins_at AT TIME ZONE %(timezone)s AS at, 0 AS active, {", ".join(_KEPT)}
        FROM call_figures f JOIN chosen c ON c.id = f.campaign_id
        WHERE f.begins_at >= (SELECT low FROM bounds) AND f.begins_at < (SELECT high FROM bounds)
        UNION ALL
        SELECT c.assistant_id, k.claimed_at AT TIME ZONE %(timezone)s, 1, {", ".join("0" for _ in _KEPT)}
        FROM calls k JOIN chosen c ON c.id = k.campaign_id
        WHERE k.holds_line AND k.status IN ('QUEUED', 'RINGING', 'IN_PROGRESS')
            AND k.claimed_at >= (SELECT low FROM bounds) AND k.claimed_at < (SELECT high FROM bounds)),
    sums AS (
        SELECT grouping(day, hour, assistant_id) AS part, day, weekday, hour, assistant_id, {_SUMS}
        FROM (SELECT *, at::date AS day, extract(isodow FROM at)::int AS weekday, extract(hour FROM at)::int AS hour
            FROM parts) p
        GROUP BY GROUPING SETS ((), (day), (weekday, hour), (assistant_id)))
    SELECT s.*, a.name FROM sums s LEFT JOIN assistants a ON a.id = s.assistant_id"""
# What `part` says of a row: a bit for each of day, hour and assistant that it is not about.
_TOTAL, _DAY, _HOUR, _ASSISTANT = 0b111, 0b011, 0b101, 0b110


@dataclass(frozen=True, kw_only=True)
class CallFilter:
    """Which calls count: those of one assistant, of one campaign, of one person's campaigns, or all."""

    assistant_id: UUID | None = None
    campaign_id: UUID | None = None
    owner_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Something to filter by. Deleted ones have figures as well."""

    id: UUID
    name: str
    is_deleted: bool


async def list_assistants(conn: Connection, *, owner_id: UUID | None = None) -> list[Choice]:
    """Return the assistants that a campaign has, of one person or of anybody, by name."""
    cursor = await conn.execute(
        """SELECT a.id, a.name, a.deleted_at IS NOT NULL AS is_deleted FROM assistants a
           WHERE EXISTS (SELECT FROM campaigns c WHERE c.assistant_id = a.id
               AND (%(owner)s::uuid IS NULL OR c.owner_id = %(owner)s)) ORDER BY lower(a.name), a.id""",
        {"owner": owner_id},
    )
    return [Choice(**row) for row in await cursor.fetchall()]


async def list_campaigns(conn: Connection, also: UUID | None, *, owner_id: UUID | None = None) -> list[Choice]:
    """Return the newest campaigns that were started, of one person or of all, and the one named by `also` with them."""
    cursor = await conn.execute(
        """SELECT id, name, deleted_at IS NOT NULL AS is_deleted FROM campaigns
           WHERE id = %(also)s OR id IN (SELECT id FROM campaigns WHERE queued_at IS NOT NULL
               AND options_json ->> 'testCall' IS DISTINCT FROM 'true'
               AND (%(owner)s::uuid IS NULL OR owner_id = %(owner)s) ORDER BY created_at DESC LIMIT %(most)s)
           ORDER BY created_at DESC, id""",
        {"also": also, "most": MOST_CHOICES, "owner": owner_id},
    )
    return [Choice(**row) for row in await cursor.fetchall()]


async def find_today(conn: Connection, timezone: str, *, now: datetime) -> date | None:
    """Return what day it is in a time zone, None where there is no such zone."""
    try:
        cursor = await conn.execute("SELECT (%s::timestamptz AT TIME ZONE %s)::date AS today", [now, timezone])
    except psycopg.errors.InvalidParameterValue:
        return None
    row = await cursor.fetchone()
    today: date = row["today"] if row else now.date()
    return today


async def check_filter(conn: Connection, chosen: CallFilter) -> None:
    """Raise NotFound for a campaign or assistant that never was; deleted ones keep their figures."""
    cursor = await conn.execute(
        """SELECT %(campaign_id)s::uuid IS NULL OR EXISTS (SELECT FROM campaigns WHERE id = %(campaign_id)s)
                   AS campaign,
               %(assistant_id)s::uuid IS NULL OR EXISTS (SELECT FROM assistants WHERE id = %(assistant_id)s)
                   AS assistant""",
        {"campaign_id": chosen.campaign_id, "assistant_id": chosen.assistant_id},
    )
    row = await cursor.fetchone() or {}
    for thing, is_there in row.items():
        if not is_there:
            raise NotFound(f"There is no {thing} of that id.")


async def get_analytics(conn: Connection, period: Period, chosen: CallFilter) -> Analytics:
    """Return the figures of a period."""
    cursor = await conn.execute(
        _FIGURES,
        {
            "first": period.first,
            "last": period.last,
            "timezone": period.timezone,
            "assistant_id": chosen.assistant_id,
            "campaign_id": chosen.campaign_id,
            "owner_id": chosen.owner_id,
        },
    )
    return _analytics(period, await cursor.fetchall())


def _analytics(period: Period, rows: Sequence[Row]) -> Analytics:
    return complete(
        period,
        total=next((_figures(row) for row in rows if row["part"] == _TOTAL), Figures()),
        days={row["day"]: _figures(row) for row in rows if row["part"] == _DAY},
        hours={(row["weekday"], row["hour"]): _figures(row) for row in rows if row["part"] == _HOUR},
        assistants=tuple(
            AssistantFigures(id=row["assistant_id"], name=row["name"], figures=_figures(row))
            for row in rows
            if row["part"] == _ASSISTANT
        ),
    )


def _figures(row: Row) -> Figures:
    return Figures(**{name: row[name] for name in FIGURES})
