"""What settling a piece of news reads and writes around the call itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from autolynx.domain.call import Call, CallStatus, Source
from autolynx.domain.campaign import Campaign
from autolynx.domain.contact import ContactState
from autolynx.domain.retry import WORTH_ANOTHER_TRY
from autolynx.errors import NotFound
from autolynx.store import calls
from autolynx.store.campaigns import CAMPAIGN_NAMES, campaign_from_row
from autolynx.store.database import Connection, Row
from autolynx.store.inbox import Delivery


@dataclass(frozen=True, kw_only=True)
class Locked:
    """A call under lock, with its campaign (locked before it) and what else of its contact matters."""

    call: Call
    campaign: Campaign
    contact_state: ContactState
    contact_reason: str | None
    releases: int  # claims of this contact that went back
    is_latest: bool  # no later claim of the same contact exists
    dialled_besides: int  # other calls of the same contact that were dialled, or may have been
    was_dialled_later: bool  # one of them was claimed after this call
    was_reached_besides: bool  # another call of the contact had an end that is not worth another try
    extra_attempts: int  # granted to the contact by a person
    other_is_active: bool  # another call of the same contact is active
    may_be_last: bool  # nothing of the campaign was due when the lock was asked for
    is_failing: bool  # the provider's latest calls failed, as far as the gate knew then


_CAMPAIGN = ", ".join(f"c.{name} AS campaign_{name}" for name in CAMPAIGN_NAMES)


async def lock(conn: Connection, call_id: UUID) -> Locked:
    """Lock the call's campaign, then the call. Raises NotFound."""
    locked = await find_locked(conn, call_id)
    if locked is None:
        raise NotFound("There is no call of that id.")
    return locked


async def find_locked(conn: Connection, call_id: UUID) -> Locked | None:
    """Lock the call's campaign, then the call; None if there is no such call."""
    found = await list_locked(conn, [call_id])
    return found[0] if found else None


async def list_locked(conn: Connection, call_ids: Sequence[UUID]) -> list[Locked]:
    """Lock the calls' campaigns, then the calls and their contacts, each in the order of their ids.

    One statement does it in that order: no call is looked at before every campaign has been counted, and so locked.
    Which campaign it is never changes for a call, so that it is found without a lock. The figures of other rows are
    as of the moment the statement began; `may_be_last` is therefore only ever too cautious.
    """
    cursor = await conn.execute(
        f"""WITH c AS MATERIALIZED (SELECT * FROM campaigns
                WHERE id = ANY(ARRAY(SELECT campaign_id FROM calls WHERE id = ANY(%(ids)s)))
                ORDER BY id FOR NO KEY UPDATE)
            SELECT {_CAMPAIGN}, {calls.COLUMNS}, t.state AS contact_state, t.reason AS contact_reason,
                t.extra_attempts, o.releases, o.is_latest, o.dialled_besides, o.was_dialled_later,
                o.was_reached_besides, o.other_is_active,
                (SELECT n.due = 0 FROM campaign_counters n WHERE n.campaign_id = c.id) AS may_be_last,
                (SELECT g.failures > 0 FROM gate g WHERE g.id = 1) AS is_failing
            FROM (SELECT * FROM calls WHERE id = ANY(%(ids)s) AND (SELECT count(*) FROM c) > 0
                ORDER BY id FOR NO KEY UPDATE) k
            JOIN c ON c.id = k.campaign_id
            CROSS JOIN LATERAL (SELECT * FROM contacts WHERE id = k.contact_id FOR NO KEY UPDATE) t
            CROSS JOIN LATERAL (SELECT
                count(*) FILTER (WHERE NOT s.counts_as_attempt) AS releases,
                coalesce(max(s.attempt), 0) = k.attempt AS is_latest,
                count(*) FILTER (WHERE s.id <> k.id AND s.counts_as_attempt AND s.dial_started_at IS NOT NULL)
                    AS dialled_besides,
                coalesce(bool_or(s.attempt > k.attempt AND s.counts_as_attempt AND s.dial_started_at IS NOT NULL),
                    false) AS was_dialled_later,
                coalesce(bool_or(s.id <> k.id AND s.is_final AND s.counts_as_attempt AND s.outcome <> ALL(%(missed)s)),
                    false) AS was_reached_besides,
                coalesce(bool_or(s.id <> k.id AND s.status IN ('QUEUED', 'RINGING', 'IN_PROGRESS')), false)
                    AS other_is_active
                FROM calls s WHERE s.contact_id = k.contact_id) o""",
        {"ids": list(call_ids), "missed": list(WORTH_ANOTHER_TRY)},
    )
    return [_locked(row) for row in await cursor.fetchall()]


def _locked(row: Row) -> Locked:
    return Locked(
        call=calls.from_row(row),
        campaign=campaign_from_row({name: row[f"campaign_{name}"] for name in CAMPAIGN_NAMES}),
        contact_state=ContactState(row["contact_state"]),
        contact_reason=row["contact_reason"],
        releases=row["releases"],
        is_latest=row["is_latest"],
        dialled_besides=row["dialled_besides"],
        was_dialled_later=row["was_dialled_later"],
        was_reached_besides=row["was_reached_besides"],
        extra_attempts=row["extra_attempts"],
        other_is_active=row["other_is_active"],
        may_be_last=row["may_be_last"],
        is_failing=row["is_failing"],
    )


async def find_unsent_claim(conn: Connection, contact_id: UUID) -> UUID | None:
    """Return the contact's claim that is not marked as perhaps sent; the caller holds its campaign."""
    cursor = await conn.execute(
        """SELECT id FROM calls WHERE contact_id = %s AND status = 'QUEUED' AND dial_started_at IS NULL
               AND provider_call_id IS NULL""",
        [contact_id],
    )
    row = await cursor.fetchone()
    return row["id"] if row else None


@dataclass(frozen=True, kw_only=True)
class Event:
    """One line of a call's history: what it was after the news. `delivery` is the kept body that told it."""

    campaign_id: UUID
    call_id: UUID
    status: CallStatus
    source: Source
    payload: Mapping[str, Any]
    delivery: Delivery | None


async def append_events(conn: Connection, events: Sequence[Event], *, now: datetime) -> None:
    """Append to the history of calls; bodies that told it were put into the inbox before."""
    await conn.execute(
        """INSERT INTO call_events (campaign_id, call_id, status, source, payload, created_at, inbox_id)
           SELECT e.campaign_id, e.call_id, e.status, e.source, e.payload, %s, i.id
           FROM ROWS FROM (jsonb_to_recordset(%s) AS (campaign_id uuid, call_id uuid, status call_status, source text,
               payload jsonb, body_call text, body_type text, body_status text)) WITH ORDINALITY AS e
           LEFT JOIN webhook_inbox i
               ON i.provider_call_id = e.body_call AND i.type = e.body_type AND i.status = e.body_status
           ORDER BY e.ordinality""",
        [now, Jsonb([_as_record(event) for event in events])],
    )


def _as_record(event: Event) -> dict[str, Any]:
    body = event.delivery
    return {
        "campaign_id": str(event.campaign_id),
        "call_id": str(event.call_id),
        "status": event.status,
        "source": event.source,
        "payload": dict(event.payload),
        "body_call": body and body.provider_call_id,
        "body_type": body and body.type,
        "body_status": body and body.status,
    }


async def raise_incident(
    conn: Connection, *, kind: str, sentence: str, now: datetime, call: Call | None = None
) -> bool:
    """Record an incident, once per kind and call; False where it was recorded already."""
    cursor = await conn.execute(
        """INSERT INTO incidents (kind, campaign_id, call_id, sentence, created_at) VALUES (%s, %s, %s, %s, %s)
           ON CONFLICT DO NOTHING""",
        [kind, call and call.campaign_id, call and call.id, sentence, now],
    )
    return cursor.rowcount == 1
