"""One call in full, with its transcript and its history; and the lists of what a person has to look at."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from autolynx.errors import NotFound
from autolynx.store.database import Connection
from autolynx.store.report_rows import DURATION


@dataclass(frozen=True, kw_only=True)
class CallReport:
    """A call as a person may see it: everything but the address by which it can be controlled.

    `recording_state`: due, kept or given_up, of our copy; None where there is nothing to copy.
    """

    id: UUID
    campaign_id: UUID
    campaign: str
    contact_id: UUID
    name: str = field(repr=False)
    business_name: str = field(repr=False)
    phone: str = field(repr=False)
    attempt: int
    counts_as_attempt: bool
    provider_call_id: str | None
    status: str
    outcome: str | None
    reason: str | None
    ended_reason: str | None
    claimed_at: datetime
    dial_started_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    cancel_requested_at: datetime | None
    duration_seconds: Decimal | None
    cost_usd: Decimal | None
    cost_breakdown: Any
    has_recording: bool
    recording_state: str | None
    contact_state: str
    contact_reason: str | None
    transcript_json: Any = field(repr=False)
    summary: str | None = field(repr=False)
    success_raw: str | None
    success_evaluation: bool | None
    last_status_at: datetime | None
    version: int


@dataclass(frozen=True, kw_only=True)
class EventReport:
    """One line of a call's history; `payload` holds our own words, never a body of the provider."""

    id: int
    status: str
    source: str
    payload: dict[str, Any]
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class UnsureReport:
    """A contact that may or may not have been called, and the call that makes it so."""

    call_id: UUID
    campaign_id: UUID
    campaign: str
    campaign_status: str
    contact_id: UUID
    name: str = field(repr=False)
    business_name: str = field(repr=False)
    phone: str = field(repr=False)
    reason: str | None
    claimed_at: datetime
    dial_started_at: datetime | None
    unsure_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class IncidentReport:
    """Something that should not have happened, in a sentence."""

    id: int
    kind: str
    campaign_id: UUID | None
    campaign: str | None
    call_id: UUID | None
    sentence: str
    created_at: datetime


_CALL = {
    **{one.name: f"k.{one.name}" for one in fields(CallReport)},
    "campaign": "c.name",
    "name": "t.name",
    "business_name": "t.business_name",
    "phone": "t.phone",
    "status": "k.status::text",
    "has_recording": "(k.recording_url IS NOT NULL AND k.provider_call_id IS NOT NULL)",
    "recording_state": "(SELECT r.state FROM call_recordings r WHERE r.call_id = k.id)",
    "contact_state": "t.state",
    "contact_reason": "t.reason",
    "duration_seconds": DURATION,
}


async def get_call(conn: Connection, call_id: UUID) -> CallReport:
    """Return a call; released claims and calls of deleted campaigns as well. Raises NotFound."""
    cursor = await conn.execute(
        f"""SELECT {", ".join(f"{source} AS {name}" for name, source in _CALL.items())}
            FROM calls k JOIN contacts t ON t.id = k.contact_id JOIN campaigns c ON c.id = k.campaign_id
            WHERE k.id = %s""",
        [call_id],
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("There is no call of that id.")
    return CallReport(**row)


async def list_events(conn: Connection, call_id: UUID, *, most: int) -> list[EventReport]:
    """Return a call's history, oldest first."""
    cursor = await conn.execute(
        """SELECT id, status::text, source, payload, created_at FROM call_events WHERE call_id = %s
           ORDER BY id LIMIT %s""",
        [call_id, most],
    )
    return [EventReport(**row) for row in await cursor.fetchall()]


async def list_unsure(
    conn: Connection, *, campaign_id: UUID | None = None, owner_id: UUID | None = None, limit: int, skip: int
) -> list[UnsureReport]:
    """Return the contacts that wait for a decision, in the order of the file: of one campaign, one person's, or all."""
    cursor = await conn.execute(
        """SELECT k.id AS call_id, t.campaign_id, c.name AS campaign,
               c.status::text AS campaign_status, t.id AS contact_id, t.name, t.business_name,
               t.phone, coalesce(k.reason, t.reason) AS reason, k.claimed_at, k.dial_started_at, k.unsure_at
           FROM contacts t JOIN campaigns c ON c.id = t.campaign_id AND c.deleted_at IS NULL
           CROSS JOIN LATERAL (SELECT * FROM calls s WHERE s.contact_id = t.id
               AND s.outcome IS DISTINCT FROM 'not_dialled' ORDER BY s.attempt DESC LIMIT 1) k
           WHERE t.is_unsure AND (%(campaign_id)s::uuid IS NULL OR t.campaign_id = %(campaign_id)s)
               AND (%(owner_id)s::uuid IS NULL OR c.owner_id = %(owner_id)s)
           ORDER BY c.created_at, c.id, t.position LIMIT %(limit)s OFFSET %(skip)s""",
        {"campaign_id": campaign_id, "owner_id": owner_id, "limit": limit, "skip": skip},
    )
    return [UnsureReport(**row) for row in await cursor.fetchall()]


async def count_unsure(conn: Connection, *, owner_id: UUID | None = None) -> int:
    """Count the contacts that wait for a decision, of one person's campaigns or of all, from the counters."""
    cursor = await conn.execute(
        """SELECT coalesce(sum(n.unsure), 0) AS found FROM campaign_counters n
           JOIN campaigns c ON c.id = n.campaign_id WHERE c.deleted_at IS NULL AND n.unsure > 0
               AND (%(owner)s::uuid IS NULL OR c.owner_id = %(owner)s)""",
        {"owner": owner_id},
    )
    row = await cursor.fetchone()
    return int(row["found"]) if row else 0


async def list_incidents(
    conn: Connection, *, kinds: Sequence[str] = (), owner_id: UUID | None = None, limit: int, skip: int
) -> tuple[list[IncidentReport], int]:
    """Return incidents, newest first, and how many there are; of some kinds or one person's campaigns, if wanted."""
    where = """(cardinality(%(kinds)s::text[]) = 0 OR i.kind = ANY(%(kinds)s)) AND (%(owner)s::uuid IS NULL
        OR i.campaign_id IN (SELECT id FROM campaigns WHERE owner_id = %(owner)s))"""
    values = {"kinds": list(kinds), "owner": owner_id, "limit": limit, "skip": skip}
    cursor = await conn.execute(
        f"""SELECT i.id, i.kind, i.campaign_id, c.name AS campaign, i.call_id, i.sentence, i.created_at
            FROM incidents i LEFT JOIN campaigns c ON c.id = i.campaign_id
            WHERE {where} ORDER BY i.id DESC LIMIT %(limit)s OFFSET %(skip)s""",
        values,
    )
    found = [IncidentReport(**row) for row in await cursor.fetchall()]
    counted = await (await conn.execute(f"SELECT count(*) AS n FROM incidents i WHERE {where}", values)).fetchone()
    return found, int(counted["n"]) if counted else 0
