"""Calls: one row per claim, from the first instant to the last word about it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from autolynx.domain.call import Call, CallStatus, Facts, Outcome
from autolynx.errors import NotFound
from autolynx.store.database import Connection, Row

# The transcript itself is only written, never read back to decide: its rank tells which one is longer.
_OWN = (
    "id, campaign_id, contact_id, attempt, counts_as_attempt, provider_call_id, status, outcome, holds_line, is_final, "
    "is_blocked, was_live, reason, claimed_at, lease_until, dial_started_at, next_check_at, checks, missing_since, "
    "cancel_requested_at, hangs_up, unsure_at, success_evaluation, max_duration_seconds, last_status_at, version"
).split(", ")
_FACTS = (
    "started_at, ended_at, ended_reason, cost_usd, cost_breakdown, recording_url, transcript_rank, summary, "
    "success_raw, control_url"
).split(", ")
COLUMNS = ", ".join(f"k.{name}" for name in (*_OWN, *_FACTS))
_SAVED = tuple(
    name for name in _OWN if name not in {"id", "campaign_id", "contact_id", "attempt", "claimed_at", "version"}
)
_SAVE_ALL = f"""UPDATE calls k SET {"".join(f"{name} = v.{name}, " for name in (*_SAVED, *_FACTS))}
        transcript_json = coalesce(v.transcript_json, k.transcript_json), version = k.version + 1
    FROM jsonb_populate_recordset(NULL::calls, %s) v WHERE k.id = v.id AND k.version = v.version"""


def from_row(row: Row) -> Call:
    """Map a row that holds COLUMNS."""
    own = {name: row[name] for name in _OWN}
    own["status"] = CallStatus(own["status"])
    own["outcome"] = Outcome(own["outcome"]) if own["outcome"] else None
    return Call(**own, facts=Facts(**{name: row[name] for name in _FACTS}))


async def find_id(conn: Connection, provider_call_id: str) -> UUID | None:
    """Return our id of the call that the provider knows by that id, or by an alias of it."""
    cursor = await conn.execute(
        """SELECT id FROM calls WHERE provider_call_id = %(theirs)s
           UNION ALL SELECT call_id FROM call_aliases WHERE provider_call_id = %(theirs)s LIMIT 1""",
        {"theirs": provider_call_id},
    )
    row = await cursor.fetchone()
    return row["id"] if row else None


async def get(conn: Connection, call_id: UUID) -> Call:
    """Return a call without a lock. Raises NotFound."""
    row = await (await conn.execute(f"SELECT {COLUMNS} FROM calls k WHERE k.id = %s", [call_id])).fetchone()
    if row is None:
        raise NotFound("There is no call of that id.")
    return from_row(row)


async def save_all(conn: Connection, changes: Sequence[tuple[Call, Call]]) -> None:
    """Write calls, each given as it was and as it is now, in one statement; the caller holds their locks.

    One that somebody else wrote in between (its version had moved) stays as it is.
    """
    if len(changes) == 1:
        await _save(conn, *changes[0])
    elif changes:
        await conn.execute(_SAVE_ALL, [Jsonb([_as_record(before, after) for before, after in changes])])


async def _save(conn: Connection, before: Call, after: Call) -> None:
    """Write one call: what names only the columns that changed is planned in half the time."""
    old, new = _as_record(before, before), _as_record(before, after)
    changed = {name: value for name, value in new.items() if name not in old or value != old[name]}
    changed |= {name: Jsonb(changed[name]) for name in ("transcript_json", "cost_breakdown") if name in changed}
    sets = "".join(f"{name} = %({name})s, " for name in changed)
    await conn.execute(
        f"UPDATE calls SET {sets}version = version + 1 WHERE id = %(id)s AND version = %(version)s",
        {**changed, "id": before.id, "version": before.version},
    )


def _as_record(before: Call, after: Call) -> dict[str, Any]:
    """Return the columns by name; a transcript only where it is a better one than was kept."""
    facts = after.facts
    record = {name: getattr(after, name) for name in _SAVED} | {name: getattr(facts, name) for name in _FACTS}
    cost = None if facts.cost_usd is None else str(facts.cost_usd)  # JSON has no decimals of its own
    record |= {"id": before.id, "version": before.version, "cost_usd": cost}
    if facts.transcript_rank > before.facts.transcript_rank:
        record["transcript_json"] = facts.transcript
    return record


async def mark_dialling(
    conn: Connection, call_id: UUID, *, now: datetime, look_at: datetime, lease_until: datetime
) -> bool:
    """Set the mark between *claimed* and *perhaps sent*; False: do not dial.

    A function that froze and thawed later, a released claim, a campaign that was paused or stopped meanwhile, or a
    red button all make it False. Should we die now, `look_at` is when somebody looks what became of it. Until
    `lease_until` the request may still be under way: that nobody knows of it then proves nothing.
    """
    cursor = await conn.execute(
        """UPDATE calls k SET dial_started_at = %(now)s, next_check_at = %(look_at)s, lease_until = %(lease_until)s,
               version = version + 1
           WHERE k.id = %(id)s AND k.dial_started_at IS NULL AND k.status = 'QUEUED' AND k.lease_until > %(now)s
               AND k.cancel_requested_at IS NULL
               AND EXISTS (SELECT FROM campaigns c WHERE c.id = k.campaign_id AND c.deleted_at IS NULL
                   AND c.status IN ('QUEUED', 'DIALING', 'RUNNING'))
               AND EXISTS (SELECT FROM gate g WHERE g.id = 1 AND g.held_at IS NULL AND g.trouble IS NULL)""",
        {"id": call_id, "now": now, "look_at": look_at, "lease_until": lease_until},
    )
    return cursor.rowcount == 1


async def save_unknown(conn: Connection, call_id: UUID, *, now: datetime, look_at: datetime) -> None:
    """Note that the request is over and nobody knows what became of it: somebody looks at `look_at`."""
    await conn.execute(
        """UPDATE calls SET lease_until = %s, next_check_at = %s, version = version + 1
           WHERE id = %s AND holds_line AND provider_call_id IS NULL""",
        [now, look_at, call_id],
    )


async def insert_alias(conn: Connection, *, provider_call_id: str, call_id: UUID, now: datetime) -> None:
    """Keep a second provider id of one of our calls."""
    await conn.execute(
        "INSERT INTO call_aliases (provider_call_id, call_id, created_at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        [provider_call_id, call_id, now],
    )


async def list_lapsed(conn: Connection, *, now: datetime, most: int) -> list[UUID]:
    """Return claims whose lease ended before they were marked: certainly never sent."""
    cursor = await conn.execute(
        """SELECT id FROM calls WHERE holds_line AND status = 'QUEUED' AND dial_started_at IS NULL
               AND provider_call_id IS NULL AND lease_until <= %s ORDER BY lease_until LIMIT %s""",
        [now, most],
    )
    return [row["id"] for row in await cursor.fetchall()]


async def claim_checks(conn: Connection, *, now: datetime, again_at: datetime, most: int) -> list[Call]:
    """Take calls whose look is due and push their next look to `again_at`, so that two ticks do not ask twice."""
    cursor = await conn.execute(
        f"""WITH due AS (SELECT id FROM calls WHERE next_check_at <= %(now)s ORDER BY next_check_at LIMIT %(most)s
                FOR NO KEY UPDATE SKIP LOCKED)
            UPDATE calls k SET next_check_at = %(again_at)s, version = version + 1 FROM due WHERE k.id = due.id
            RETURNING {COLUMNS}""",
        {"now": now, "again_at": again_at, "most": most},
    )
    return [from_row(row) for row in await cursor.fetchall()]


async def push_check(conn: Connection, call_id: UUID, *, at: datetime) -> None:
    """Look at an open call again at that moment."""
    await conn.execute(
        "UPDATE calls SET next_check_at = %s, checks = checks + 1, version = version + 1 WHERE id = %s AND holds_line",
        [at, call_id],
    )


async def list_lines(conn: Connection, campaign_id: UUID | None = None) -> list[Call]:
    """Return the calls that hold a line, of one campaign or of all."""
    cursor = await conn.execute(
        f"SELECT {COLUMNS} FROM calls k WHERE k.holds_line AND (%(id)s::uuid IS NULL OR k.campaign_id = %(id)s)",
        {"id": campaign_id},
    )
    return [from_row(row) for row in await cursor.fetchall()]
