"""What settling a piece of news reads and writes around the call itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from autolynx.domain.call import Call, CallStatus, Source
from autolynx.domain.campaign import Campaign
from autolynx.domain.contact import ContactState
from autolynx.errors import NotFound
from autolynx.store import calls
from autolynx.store.campaigns import CAMPAIGN_NAMES, campaign_from_row
from autolynx.store.database import Connection


@dataclass(frozen=True, kw_only=True)
class Locked:
    """A call under lock, with its campaign (locked before it) and what else of its contact matters."""

    call: Call
    campaign: Campaign
    contact_state: ContactState
    releases: int  # claims of this contact that went back
    is_latest: bool  # no later claim of the same contact exists
    other_is_active: bool  # another call of the same contact is active
    may_be_last: bool  # nothing of the campaign was due when the lock was asked for


_CAMPAIGN = ", ".join(f"c.{name} AS campaign_{name}" for name in CAMPAIGN_NAMES)


async def lock(conn: Connection, call_id: UUID) -> Locked:
    """Lock the call's campaign, then the call. Raises NotFound.

    One statement does it in that order: the row of the call can only be reached through the locked campaign's. Which
    campaign it is never changes for a call, so that it is found without a lock. The figures of other rows are as of
    the moment the statement began; `may_be_last` is therefore only ever too cautious.
    """
    cursor = await conn.execute(
        f"""WITH c AS MATERIALIZED (SELECT * FROM campaigns
                WHERE id = (SELECT campaign_id FROM calls WHERE id = %(id)s) FOR NO KEY UPDATE)
            SELECT {_CAMPAIGN}, {calls.COLUMNS}, t.state AS contact_state, o.releases, o.is_latest, o.other_is_active,
                n.due = 0 AS may_be_last
            FROM c CROSS JOIN LATERAL (SELECT * FROM calls WHERE id = %(id)s FOR NO KEY UPDATE) k
            CROSS JOIN LATERAL (SELECT * FROM contacts WHERE id = k.contact_id FOR NO KEY UPDATE) t
            JOIN campaign_counters n ON n.campaign_id = c.id
            CROSS JOIN LATERAL (SELECT
                count(*) FILTER (WHERE NOT s.counts_as_attempt) AS releases,
                coalesce(max(s.attempt), 0) = k.attempt AS is_latest,
                coalesce(bool_or(s.id <> k.id AND s.status IN ('QUEUED', 'RINGING', 'IN_PROGRESS')), false)
                    AS other_is_active
                FROM calls s WHERE s.contact_id = k.contact_id) o""",
        {"id": call_id},
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("There is no call of that id.")
    return Locked(
        call=calls.from_row(row),
        campaign=campaign_from_row({name: row[f"campaign_{name}"] for name in CAMPAIGN_NAMES}),
        contact_state=ContactState(row["contact_state"]),
        releases=row["releases"],
        is_latest=row["is_latest"],
        other_is_active=row["other_is_active"],
        may_be_last=row["may_be_last"],
    )


async def append_event(
    conn: Connection,
    *,
    call: Call,
    status: CallStatus,
    source: Source,
    payload: Mapping[str, Any],
    inbox_id: int | None,
    now: datetime,
) -> None:
    """Append one line to a call's history."""
    await conn.execute(
        """INSERT INTO call_events (campaign_id, call_id, status, source, inbox_id, payload, created_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s)""",
        [call.campaign_id, call.id, status, source, inbox_id, Jsonb(dict(payload)), now],
    )


async def raise_incident(
    conn: Connection, *, kind: str, sentence: str, now: datetime, campaign_id: UUID | None, call_id: UUID | None
) -> bool:
    """Record an incident, once per kind and call; False where it was recorded already."""
    cursor = await conn.execute(
        """INSERT INTO incidents (kind, campaign_id, call_id, sentence, created_at) VALUES (%s, %s, %s, %s, %s)
           ON CONFLICT DO NOTHING""",
        [kind, campaign_id, call_id, sentence, now],
    )
    return cursor.rowcount == 1
