"""What the live feed asks, in one statement: figures of all watched campaigns and the events since its last look."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from autolynx.store.database import Connection
from autolynx.store.reports import SELECT, CampaignReport, report_from_row


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A campaign now: figures, events after the id asked for (oldest first, by id: whose call), and calls on a line."""

    report: CampaignReport
    events: Mapping[int, UUID]
    lines: frozenset[UUID]
    last_event_id: int  # the highest there is, 0 before the first


# One who names no event begins a short way back, where numbers may still be missing that are not committed yet.
_WAY_BACK = 1000


async def look(conn: Connection, after: Mapping[UUID, int | None], *, most: int) -> dict[UUID, Seen]:
    """Look at campaigns: for each, the newest `most` events with an id above the one given.

    None instead of an id asks for a short way back from the latest. Deleted campaigns are left out.
    """
    cursor = await conn.execute(
        f"""SELECT w.*, e.ids, e.call_ids, l.lines, coalesce(m.last, 0) AS last_event_id
            FROM ({SELECT} AND c.id = ANY(%(ids)s)) w
            JOIN unnest(%(ids)s::uuid[], %(after)s::bigint[]) AS s (campaign_id, after) ON s.campaign_id = w.id
            LEFT JOIN LATERAL (SELECT id AS last FROM call_events v WHERE v.campaign_id = w.id
                ORDER BY id DESC LIMIT 1) m ON true
            CROSS JOIN LATERAL (SELECT array_agg(id ORDER BY id) AS ids, array_agg(call_id ORDER BY id) AS call_ids
                FROM (SELECT id, call_id FROM call_events v
                    WHERE v.campaign_id = w.id AND v.id > coalesce(s.after, m.last - {_WAY_BACK})
                    ORDER BY id DESC LIMIT %(most)s) v) e
            CROSS JOIN LATERAL (SELECT array_agg(k.id) AS lines FROM calls k
                WHERE k.campaign_id = w.id AND k.holds_line) l""",
        {"ids": list(after), "after": list(after.values()), "most": most},
    )
    return {
        row["id"]: Seen(
            report=report_from_row(row),
            events=dict(zip(row["ids"] or (), row["call_ids"] or (), strict=True)),
            lines=frozenset(row["lines"] or ()),
            last_event_id=row["last_event_id"],
        )
        for row in await cursor.fetchall()
    }
