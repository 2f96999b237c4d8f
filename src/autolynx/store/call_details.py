"""What stands around a call: other attempts of its contact, the bodies that told of it, the history of its campaign."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from autolynx.store.database import Connection
from autolynx.store.report_rows import DURATION


@dataclass(frozen=True, kw_only=True)
class AttemptReport:
    """One counted call of a contact, in short."""

    id: UUID
    attempt: int
    status: str
    outcome: str | None
    ended_reason: str | None
    claimed_at: datetime
    duration_seconds: Decimal | None
    cost_usd: Decimal | None


@dataclass(frozen=True, kw_only=True)
class PayloadReport:
    """A body of the provider as it was kept: without secrets, but with whatever else it held."""

    id: int
    type: str
    status: str
    state: str
    deliveries: int
    received_at: datetime
    body: Any = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class CampaignEventReport:
    """One line of a campaign's history, and whom it is about."""

    id: int
    call_id: UUID
    contact_id: UUID
    name: str = field(repr=False)
    business_name: str = field(repr=False)
    attempt: int
    status: str
    source: str
    payload: dict[str, Any]
    created_at: datetime


class EventKind(StrEnum):
    """What an event may be filtered by."""

    DIALLED = "dialled"  # what came back when we asked for the call
    LIVE = "live"  # the provider says that it rings, or that somebody is on the line
    ENDED = "ended"  # the provider says that it is over
    LOOKED = "looked"  # we asked the provider
    DECIDED = "decided"  # our own clock, or a person


_KINDS: dict[EventKind, str] = {
    EventKind.DIALLED: "e.source = 'dial'",
    EventKind.LIVE: "e.source = 'webhook' AND e.payload ->> 'said' IN ('RINGING', 'IN_PROGRESS')",
    EventKind.ENDED: "e.payload ->> 'said' = 'ended'",
    EventKind.LOOKED: "e.source IN ('poll', 'sweep') AND e.source NOT IN ('webhook', 'dial')",
    EventKind.DECIDED: "e.source IN ('tick', 'operator') AND e.source NOT IN ('webhook', 'dial')",
}


async def list_attempts(conn: Connection, contact_id: UUID) -> list[AttemptReport]:
    """Return the calls of a contact, the first one first; claims that were given back are left out."""
    cursor = await conn.execute(
        f"""SELECT k.id, k.attempt, k.status::text, k.outcome, coalesce(k.ended_reason, k.reason) AS ended_reason,
                k.claimed_at, {DURATION} AS duration_seconds, k.cost_usd
            FROM calls k WHERE k.contact_id = %s AND k.outcome IS DISTINCT FROM 'not_dialled' ORDER BY k.attempt""",
        [contact_id],
    )
    return [AttemptReport(**row) for row in await cursor.fetchall()]


async def list_payloads(conn: Connection, call_id: UUID, *, most: int) -> list[PayloadReport]:
    """Return the bodies that were kept about a call, under any id that the provider gave it; oldest first."""
    cursor = await conn.execute(
        """SELECT id, type, status, state, deliveries, received_at, body FROM webhook_inbox
           WHERE provider_call_id = ANY(ARRAY(
               SELECT provider_call_id FROM calls WHERE id = %(id)s AND provider_call_id IS NOT NULL
               UNION SELECT provider_call_id FROM call_aliases WHERE call_id = %(id)s))
           ORDER BY id LIMIT %(most)s""",
        {"id": call_id, "most": most},
    )
    return [PayloadReport(**row) for row in await cursor.fetchall()]


async def list_campaign_events(
    conn: Connection, campaign_id: UUID, *, kind: EventKind | None = None, before: int | None = None, most: int
) -> list[CampaignEventReport]:
    """Return the history of a campaign, newest first, from below an event's id on."""
    cursor = await conn.execute(
        f"""WITH page AS MATERIALIZED (SELECT e.* FROM call_events e WHERE e.campaign_id = %(campaign_id)s
                AND (%(before)s::bigint IS NULL OR e.id < %(before)s) AND {_KINDS[kind] if kind else "true"}
                ORDER BY e.id DESC LIMIT %(most)s)
            SELECT e.id, e.call_id, k.contact_id, t.name, t.business_name, k.attempt, e.status::text, e.source,
                e.payload, e.created_at
            FROM page e JOIN calls k ON k.id = e.call_id JOIN contacts t ON t.id = k.contact_id ORDER BY e.id DESC""",
        {"campaign_id": campaign_id, "before": before, "most": most},
    )
    return [CampaignEventReport(**row) for row in await cursor.fetchall()]
