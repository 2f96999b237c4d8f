"""Campaigns: rows, transitions by compare-and-swap, and the O(1) figures kept beside them."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.errors import UniqueViolation
from psycopg.types.json import Jsonb

from autolynx.domain.campaign import Campaign, CampaignMode, CampaignOptions, CampaignStatus, Standings
from autolynx.domain.self_pause import Watch
from autolynx.errors import Conflict, NotFound
from autolynx.store.database import Connection, Row

CAMPAIGN_NAMES = (
    "id, name, status, status_reason, mode, cap, batch_size, open_batch, assistant_id, phone_number_id, options_json, "
    "next_position, hold_position, watched_calls, watched_failures, total_contacts, created_at, queued_at, started_at, "
    "completed_at"
).split(", ")
_NO_FIELDS = {"options_json", "watched_calls", "watched_failures"}
# The first contacts were all passed by, and none of them is on a call or was given back without one.
CANARY_LEFT = """(SELECT count(*) FROM contacts t WHERE t.campaign_id = c.id AND t.position < c.hold_position
    AND (t.state = 'calling' OR (t.state = 'due'
        AND NOT EXISTS (SELECT FROM calls k WHERE k.contact_id = t.id AND k.counts_as_attempt))))"""
FINISHED = f"""FROM campaigns c JOIN campaign_counters n ON n.campaign_id = c.id
    WHERE c.status IN ('QUEUED', 'DIALING', 'RUNNING') AND c.deleted_at IS NULL
        AND (n.due = 0 AND n.calling = 0
                AND n.queued + n.ringing + n.in_progress + n.ended + n.failed + n.canceled + n.timeout > 0
                AND NOT EXISTS (SELECT FROM calls k WHERE k.campaign_id = c.id AND k.holds_line)
            OR c.next_position >= c.hold_position AND {CANARY_LEFT} = 0)"""
CAMPAIGN_COLUMNS = ", ".join(f"c.{name}" for name in CAMPAIGN_NAMES)


def campaign_from_row(row: Row) -> Campaign:
    """Map a row that holds CAMPAIGN_COLUMNS."""
    values = {name: row[name] for name in CAMPAIGN_NAMES if name not in _NO_FIELDS}
    values["status"] = CampaignStatus(values["status"])
    values["mode"] = CampaignMode(values["mode"])
    watch = None
    if row["watched_calls"] is not None:
        watch = Watch(calls=row["watched_calls"], failures=row["watched_failures"])
    return Campaign(**values, watch=watch, options=CampaignOptions.from_json(row["options_json"]))


async def insert(
    conn: Connection, campaign: Campaign, *, options: Mapping[str, Any], owner_id: UUID | None = None
) -> None:
    """Insert a campaign without contacts. Raises Conflict when the name is taken."""
    with _refusing_a_taken_name():
        await conn.execute(
            """INSERT INTO campaigns (id, name, status, mode, cap, batch_size, assistant_id, phone_number_id,
                   options_json, owner_id, created_at)
               VALUES (%(id)s, %(name)s, %(status)s, %(mode)s, %(cap)s, %(batch_size)s, %(assistant_id)s,
                   %(phone_number_id)s, %(options)s, %(owner_id)s, %(created_at)s)""",
            {
                "id": campaign.id,
                "name": campaign.name,
                "status": campaign.status,
                "mode": campaign.mode,
                "cap": campaign.cap,
                "batch_size": campaign.batch_size,
                "assistant_id": campaign.assistant_id,
                "phone_number_id": campaign.phone_number_id,
                "options": Jsonb(dict(options)),
                "owner_id": owner_id,
                "created_at": campaign.created_at,
            },
        )


@contextmanager
def _refusing_a_taken_name() -> Iterator[None]:
    """Raise Conflict where a statement would give a campaign the name of another one."""
    try:
        yield
    except UniqueViolation as error:
        if error.diag.constraint_name == "campaigns_name_key":
            message = "name: a campaign of that name exists already; choose another name."
            raise Conflict(message, details={"field": "name"}) from None
        raise


async def get(conn: Connection, campaign_id: UUID) -> Campaign:
    """Return a campaign without a lock. Raises NotFound."""
    return await _one(conn, campaign_id, "")


async def lock(conn: Connection, campaign_id: UUID) -> Campaign:
    """Return a campaign locked until the transaction ends; after the gate, before any of its calls. Raises NotFound."""
    return await _one(conn, campaign_id, " FOR NO KEY UPDATE")


async def _one(conn: Connection, campaign_id: UUID, locking: str) -> Campaign:
    cursor = await conn.execute(
        f"SELECT {CAMPAIGN_COLUMNS} FROM campaigns c WHERE c.id = %s AND c.deleted_at IS NULL{locking}", [campaign_id]
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("There is no campaign of that id.")
    return campaign_from_row(row)


async def save_status(
    conn: Connection,
    campaign: Campaign,
    status: CampaignStatus,
    *,
    now: datetime,
    reason: str | None = None,
    started_at: datetime | None = None,
) -> bool:
    """Move a campaign to `status` by compare-and-swap on the status it had; False where it had moved meanwhile.

    `queued_at` and `completed_at` follow from the status; `started_at` is set once, by the truthful start. Whoever
    completes or reopens a campaign has done with its first contacts: no hold outlives that.
    """
    cursor = await conn.execute(
        """UPDATE campaigns SET status = %(to)s::campaign_status, status_reason = %(reason)s,
               queued_at = CASE WHEN %(to)s::campaign_status = 'QUEUED'
                   THEN coalesce(queued_at, %(now)s) ELSE queued_at END,
               started_at = coalesce(started_at, %(started_at)s),
               hold_position = CASE WHEN 'COMPLETED' IN (status, %(to)s::campaign_status) THEN NULL
                   ELSE hold_position END,
               completed_at = CASE
                   WHEN %(to)s::campaign_status IN ('COMPLETED', 'CANCELED') THEN coalesce(completed_at, %(now)s)
                   WHEN %(to)s::campaign_status IN ('QUEUED', 'RUNNING') THEN NULL ELSE completed_at END
           WHERE id = %(id)s AND status = %(from)s::campaign_status""",
        {
            "to": status,
            "reason": reason,
            "now": now,
            "started_at": started_at,
            "id": campaign.id,
            "from": campaign.status,
        },
    )
    return cursor.rowcount == 1


async def save_started_at(conn: Connection, campaign_id: UUID, started_at: datetime) -> None:
    """Set the truthful start once."""
    await conn.execute(
        "UPDATE campaigns SET started_at = %s WHERE id = %s AND started_at IS NULL", [started_at, campaign_id]
    )


async def save_start(
    conn: Connection,
    campaign_id: UUID,
    *,
    batch_size: int | None,
    assistant_snapshot: Mapping[str, Any],
    canary: int | None = None,
) -> None:
    """Keep what the campaign starts with: the size of its batches, its assistant's configuration and its canary."""
    await conn.execute(
        """UPDATE campaigns SET batch_size = %s, assistant_snapshot = coalesce(assistant_snapshot, %s),
               options_json = options_json || %s WHERE id = %s""",
        [
            batch_size,
            Jsonb(dict(assistant_snapshot)),
            Jsonb({"canary": canary} if canary else {}),
            campaign_id,
        ],
    )


async def save_self_pauses(conn: Connection, changed: Collection[Campaign]) -> None:
    """Write what campaigns pause by themselves for, in one statement; the caller holds them."""
    if not changed:
        return
    await conn.execute(
        """UPDATE campaigns c SET hold_position = v.hold, watched_calls = v.calls, watched_failures = v.failures
           FROM jsonb_to_recordset(%s) AS v (id uuid, hold integer, calls smallint, failures smallint)
           WHERE c.id = v.id""",
        [Jsonb([_self_pause(campaign) for campaign in changed])],
    )


def _self_pause(campaign: Campaign) -> dict[str, Any]:
    watch = campaign.watch
    return {
        "id": str(campaign.id),
        "hold": campaign.hold_position,
        "calls": watch and watch.calls,
        "failures": watch and watch.failures,
    }


async def save_contacts_loaded(
    conn: Connection, campaign_id: UUID, *, total_contacts: int, report: Mapping[str, Any]
) -> None:
    """Keep how many contacts were loaded, and the import report."""
    await conn.execute(
        "UPDATE campaigns SET total_contacts = %s, stats_json = %s WHERE id = %s",
        [total_contacts, Jsonb(dict(report)), campaign_id],
    )


async def save_edit(
    conn: Connection,
    campaign: Campaign,
    *,
    name: str,
    cap: int,
    mode: CampaignMode,
    assistant_id: UUID,
    phone_number_id: str,
    options: Mapping[str, Any],
) -> None:
    """Write what a person may edit; the caller has checked what is allowed now. Raises Conflict for a taken name."""
    with _refusing_a_taken_name():
        await conn.execute(
            """UPDATE campaigns SET name = %s, cap = %s, mode = %s, assistant_id = %s, phone_number_id = %s,
                   options_json = options_json || %s WHERE id = %s""",
            [name, cap, mode, assistant_id, phone_number_id, Jsonb(dict(options)), campaign.id],
        )


async def save_deleted(conn: Connection, campaign_id: UUID, now: datetime) -> None:
    """Delete softly: the row stays for its calls and events."""
    await conn.execute("UPDATE campaigns SET deleted_at = %s WHERE id = %s", [now, campaign_id])


async def lock_deleted(conn: Connection, campaign_id: UUID, *, since: datetime) -> Campaign:
    """Return a campaign that was deleted after that moment, locked. Raises NotFound."""
    cursor = await conn.execute(
        f"SELECT {CAMPAIGN_COLUMNS} FROM campaigns c WHERE c.id = %s AND c.deleted_at > %s FOR NO KEY UPDATE",
        [campaign_id, since],
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("There is no campaign of that id that was deleted a moment ago.")
    return campaign_from_row(row)


async def save_restored(conn: Connection, campaign_id: UUID, *, name: str) -> None:
    """Take a deletion back, under a name that is free. Raises Conflict where it is not."""
    with _refusing_a_taken_name():
        await conn.execute("UPDATE campaigns SET deleted_at = NULL, name = %s WHERE id = %s", [name, campaign_id])


async def save_quiet(conn: Connection, campaign_id: UUID, now: datetime) -> None:
    """Note that the campaign's line was just seen quiet; the next claim uses it up."""
    await conn.execute("UPDATE campaigns SET quiet_at = %s WHERE id = %s", [now, campaign_id])


async def get_standings(conn: Connection, campaign_id: UUID) -> Standings:
    """Return how many contacts stand where, from the counters, and how many lines are held."""
    found = await list_standings(conn, [campaign_id])
    if not found:
        raise NotFound("There is no campaign of that id.")
    return found[campaign_id]


async def list_standings(conn: Connection, campaign_ids: Collection[UUID]) -> dict[UUID, Standings]:
    """Return `get_standings` of several campaigns at once, by their ids."""
    if not campaign_ids:
        return {}
    cursor = await conn.execute(
        f"""SELECT n.campaign_id, n.due, n.calling,
               (SELECT count(*) FROM calls k WHERE k.campaign_id = n.campaign_id AND k.holds_line) AS lines,
               n.queued + n.ringing + n.in_progress + n.ended + n.failed + n.canceled + n.timeout AS calls,
               (SELECT CASE WHEN c.hold_position IS NOT NULL THEN {CANARY_LEFT} END
                   FROM campaigns c WHERE c.id = n.campaign_id) AS canary_left
           FROM campaign_counters n WHERE n.campaign_id = ANY(%s)""",
        [list(campaign_ids)],
    )
    return {row.pop("campaign_id"): Standings(**row) for row in await cursor.fetchall()}


async def list_finished(conn: Connection, *, most: int) -> list[UUID]:
    """Return running campaigns that only wait to be called completed, or to pause: nobody may be called in them."""
    cursor = await conn.execute(f"SELECT c.id {FINISHED} LIMIT %s", [most])
    return [row["id"] for row in await cursor.fetchall()]
