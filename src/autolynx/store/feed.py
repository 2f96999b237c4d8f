"""What the live feed asks, in one statement: figures of all watched campaigns and the events since its last look."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from autolynx.domain.pacing import Account
from autolynx.store import gate
from autolynx.store.database import Connection
from autolynx.store.reports import SELECT, CampaignReport, report_from_row


@dataclass(frozen=True, kw_only=True)
class Event:
    """An event, as far as the feed needs it: whose call, and when it was written."""

    call_id: UUID
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A campaign now: figures, events after the id asked for (oldest first, by id), and calls on a line."""

    report: CampaignReport
    events: Mapping[int, Event]
    lines: frozenset[UUID]
    last_event_id: int  # the highest there is, 0 before the first


@dataclass(frozen=True, kw_only=True)
class AccountSeen:
    """The account now: what holds it, its lines, and the sums of everything that runs.

    `campaigns` and `newest_at` change when a campaign is created or deleted.
    """

    account: Account
    lines: int
    running: int
    due: int
    unsure: int
    last_incident_id: int
    campaigns: int
    newest_at: datetime | None


# One who names no event begins a short way back, where numbers may still be missing that are not committed yet.
_WAY_BACK = 1000


async def look(conn: Connection, after: Mapping[UUID, int | None], *, most: int) -> dict[UUID, Seen]:
    """Look at campaigns: for each, the newest `most` events with an id above the one given.

    None instead of an id asks for a short way back from the latest. Deleted campaigns are left out.
    """
    cursor = await conn.execute(
        f"""SELECT w.*, e.ids, e.call_ids, e.times, l.lines, coalesce(m.last, 0) AS last_event_id
            FROM ({SELECT} AND c.id = ANY(%(ids)s)) w
            JOIN unnest(%(ids)s::uuid[], %(after)s::bigint[]) AS s (campaign_id, after) ON s.campaign_id = w.id
            LEFT JOIN LATERAL (SELECT id AS last FROM call_events v WHERE v.campaign_id = w.id
                ORDER BY id DESC LIMIT 1) m ON true
            CROSS JOIN LATERAL (SELECT array_agg(id ORDER BY id) AS ids, array_agg(call_id ORDER BY id) AS call_ids,
                    array_agg(created_at ORDER BY id) AS times
                FROM (SELECT id, call_id, created_at FROM call_events v
                    WHERE v.campaign_id = w.id AND v.id > coalesce(s.after, m.last - {_WAY_BACK})
                    ORDER BY id DESC LIMIT %(most)s) v) e
            CROSS JOIN LATERAL (SELECT array_agg(k.id) AS lines FROM calls k
                WHERE k.campaign_id = w.id AND k.holds_line) l""",
        {"ids": list(after), "after": list(after.values()), "most": most},
    )
    return {
        row["id"]: Seen(
            report=report_from_row(row),
            events={
                event_id: Event(call_id=call_id, created_at=at)
                for event_id, call_id, at in zip(
                    row["ids"] or (), row["call_ids"] or (), row["times"] or (), strict=True
                )
            },
            lines=frozenset(row["lines"] or ()),
            last_event_id=row["last_event_id"],
        )
        for row in await cursor.fetchall()
    }


async def look_at_account(conn: Connection) -> AccountSeen:
    """Look at the account, by one query. What every tick writes is left out: it is no news."""
    cursor = await conn.execute(
        f"""SELECT {gate.COLUMNS}, l.n AS lines, r.n AS running, r.due, u.n AS unsure,
                coalesce((SELECT id FROM incidents ORDER BY id DESC LIMIT 1), 0) AS last_incident_id,
                c.n AS campaigns, c.newest_at
            FROM gate g
            CROSS JOIN LATERAL ({gate.COUNT_LINES}) l
            CROSS JOIN LATERAL (SELECT count(*) AS n, coalesce(sum(k.due), 0) AS due FROM campaigns c
                JOIN campaign_counters k ON k.campaign_id = c.id
                WHERE c.status IN ('QUEUED', 'DIALING', 'RUNNING') AND c.deleted_at IS NULL AND NOT c.is_test) r
            CROSS JOIN LATERAL (SELECT coalesce(sum(k.unsure), 0) AS n FROM campaigns c
                JOIN campaign_counters k ON k.campaign_id = c.id WHERE c.deleted_at IS NULL) u
            CROSS JOIN LATERAL (SELECT count(*) AS n, max(created_at) AS newest_at FROM campaigns
                WHERE deleted_at IS NULL AND NOT is_test) c
            WHERE g.id = 1"""
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - the migration put it there and nothing deletes it
    account = gate.account_from_row(row)
    return AccountSeen(
        account=replace(account, last_tick_at=None, next_tick_at=None, swept_until=None, echo_seen_at=None),
        lines=row["lines"],
        running=row["running"],
        due=int(row["due"]),
        unsure=int(row["unsure"]),
        last_incident_id=row["last_incident_id"],
        campaigns=row["campaigns"],
        newest_at=row["newest_at"],
    )


async def get_last_event_id(conn: Connection, campaign_id: UUID) -> int:
    """Return the id of a campaign's newest event, 0 before the first."""
    cursor = await conn.execute(
        "SELECT id FROM call_events WHERE campaign_id = %s ORDER BY id DESC LIMIT 1", [campaign_id]
    )
    row = await cursor.fetchone()
    return int(row["id"]) if row else 0
