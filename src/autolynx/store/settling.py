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
from autolynx.store.campaigns import CAMPAIGN_COLUMNS, campaign_from_row
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


async def lock(conn: Connection, call_id: UUID) -> Locked:
    """Lock the call's campaign, then the call. Raises NotFound.

    The campaign is found without a lock first: it never changes for a call. Both locks are taken in one statement,
    in that order, because the second can only be reached through the row that the first one returns.
    """
    campaign_row = await (
        await conn.execute(
            f"""SELECT {CAMPAIGN_COLUMNS} FROM campaigns c
                WHERE c.id = (SELECT campaign_id FROM calls WHERE id = %s) FOR NO KEY UPDATE""",
            [call_id],
        )
    ).fetchone()
    if campaign_row is None:
        raise NotFound("There is no call of that id.")
    row = await (
        await conn.execute(
            f"""SELECT {calls.COLUMNS}, t.state AS contact_state, o.releases, o.is_latest, o.other_is_active
                FROM calls k JOIN contacts t ON t.id = k.contact_id
                CROSS JOIN LATERAL (SELECT
                    count(*) FILTER (WHERE NOT s.counts_as_attempt) AS releases,
                    coalesce(max(s.attempt), 0) = k.attempt AS is_latest,
                    coalesce(bool_or(s.id <> k.id AND s.status IN ('QUEUED', 'RINGING', 'IN_PROGRESS')), false)
                        AS other_is_active
                    FROM calls s WHERE s.contact_id = k.contact_id) o
                WHERE k.id = %s FOR NO KEY UPDATE OF k""",
            [call_id],
        )
    ).fetchone()
    assert row is not None  # noqa: S101 - a call is never deleted while its campaign is locked
    return Locked(
        call=calls.from_row(row),
        campaign=campaign_from_row(campaign_row),
        contact_state=ContactState(row["contact_state"]),
        releases=row["releases"],
        is_latest=row["is_latest"],
        other_is_active=row["other_is_active"],
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
