"""What is old enough to go, and letting it go, a bounded number of rows at a time.

A campaign that somebody is busy with is passed over (`SKIP LOCKED`), so that nothing here ever waits for dialling, nor
dialling for longer than one bite takes.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from autolynx.domain.retention import Cutoffs
from autolynx.store.database import Connection
from autolynx.store.erasing import Erased, erase_contacts, note_archive_removals

# Over since before a moment, and nobody is on the line nor waits for a decision.
_IS_OVER = """(c.deleted_at < {before} OR (c.status IN ('COMPLETED', 'CANCELED') AND c.completed_at < {before}))
    AND NOT EXISTS (SELECT FROM calls k WHERE k.campaign_id = c.id AND k.holds_line)
    AND NOT EXISTS (SELECT FROM contacts t WHERE t.campaign_id = c.id AND t.is_unsure)"""
_TO_FORGET = _IS_OVER.format(before="%(campaigns)s::timestamptz")
_TO_ANONYMISE = f"c.anonymised_at IS NULL AND {_IS_OVER.format(before='%(people)s::timestamptz')}"


@dataclass(frozen=True, kw_only=True)
class Work:
    """What is old enough at this moment."""

    campaigns: bool
    people: bool
    webhooks: bool
    events: bool
    audit: bool
    keys: bool


@dataclass(frozen=True, kw_only=True)
class Forgotten:
    """How much of a campaign went; `is_whole`: nothing of it is left."""

    contacts: int
    calls: int
    is_whole: bool


async def claim_turn(conn: Connection, cutoffs: Cutoffs, *, now: datetime, again_at: datetime) -> Work | None:
    """Take the turn to look, for one of those who ask at once; say what there is to do. One statement."""
    cursor = await conn.execute(
        f"""UPDATE retention SET due_at = %(again_at)s WHERE id = 1 AND due_at <= %(now)s RETURNING
            EXISTS (SELECT FROM campaigns c WHERE {_TO_FORGET}) AS campaigns,
            EXISTS (SELECT FROM campaigns c WHERE {_TO_ANONYMISE}) AS people,
            coalesce((SELECT received_at FROM webhook_inbox ORDER BY id LIMIT 1) < %(webhooks)s, false) AS webhooks,
            coalesce((SELECT created_at FROM call_events ORDER BY id LIMIT 1) < %(events)s, false) AS events,
            coalesce((SELECT at FROM audit_log ORDER BY id LIMIT 1) < %(audit)s, false) AS audit,
            EXISTS (SELECT FROM idempotency_keys WHERE created_at < %(keys)s) AS keys""",
        {**asdict(cutoffs), "now": now, "again_at": again_at},
    )
    row = await cursor.fetchone()
    return Work(**row) if row else None


async def save_unfinished(conn: Connection, *, due_at: datetime) -> None:
    """Let the next tick go on."""
    await conn.execute("UPDATE retention SET due_at = %s WHERE id = 1", [due_at])


async def forget_history(conn: Connection, *, what: str, before: datetime, most: int) -> int:
    """Let old events or old entries of the audit log go, by the only function that may."""
    cursor = await conn.execute("SELECT rewrite_history(%s, %s, NULL, %s) AS n", [what, before, most])
    row = await cursor.fetchone()
    return int(row["n"]) if row else 0


async def forget_webhooks(conn: Connection, *, before: datetime, most: int) -> int:
    """Let old bodies of the provider go."""
    cursor = await conn.execute(
        """DELETE FROM webhook_inbox WHERE id IN (SELECT o.id FROM
               (SELECT id, received_at FROM webhook_inbox ORDER BY id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED) o
               WHERE o.received_at < %s)""",
        [most, before],
    )
    return cursor.rowcount


async def anonymise_some(
    conn: Connection, *, people: datetime, now: datetime, recopied_by: datetime | None, most: int
) -> Erased | None:
    """Erase the next contacts of one campaign that is over for long; None where there is no such campaign."""
    campaign = await _lock_one(conn, _TO_ANONYMISE, {"people": people})
    if campaign is None:
        return None
    cursor = await conn.execute(
        """SELECT id, position FROM contacts WHERE campaign_id = %(id)s AND erased_at IS NULL
               AND position >= (SELECT anonymised_to FROM campaigns WHERE id = %(id)s) ORDER BY position
           LIMIT %(most)s""",
        {"id": campaign, "most": most},
    )
    found = await cursor.fetchall()
    erased = await erase_contacts(conn, [row["id"] for row in found], now=now, recopied_by=recopied_by)
    is_through = len(found) < most
    await conn.execute(
        "UPDATE campaigns SET anonymised_to = coalesce(%s, anonymised_to), anonymised_at = %s WHERE id = %s",
        [found[-1]["position"] + 1 if found else None, now if is_through else None, campaign],
    )
    if is_through:
        await _erase_file_names(conn, campaign)
    return erased


async def forget_some(
    conn: Connection, *, campaigns: datetime, now: datetime, recopied_by: datetime | None, most: int
) -> Forgotten | None:
    """Delete the next contacts of one old campaign with their calls, at last itself; None where there is none.

    It is out of all lists from the first bite on. Its events stay: they go by their own age.
    """
    campaign = await _lock_one(conn, _TO_FORGET, {"campaigns": campaigns})
    if campaign is None:
        return None
    await conn.execute("UPDATE campaigns SET deleted_at = %s WHERE id = %s AND deleted_at IS NULL", [now, campaign])
    cursor = await conn.execute("SELECT id FROM contacts WHERE campaign_id = %s LIMIT %s", [campaign, most])
    contacts = [row["id"] for row in await cursor.fetchall()]
    cursor = await conn.execute(
        "SELECT id FROM calls WHERE contact_id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [contacts]
    )
    calls = [row["id"] for row in await cursor.fetchall()]
    await note_archive_removals(conn, calls, now=now, recopied_by=recopied_by)
    await conn.execute(
        """DELETE FROM webhook_inbox WHERE provider_call_id = ANY(ARRAY(
               SELECT provider_call_id FROM calls WHERE id = ANY(%(ids)s) AND provider_call_id IS NOT NULL
               UNION SELECT provider_call_id FROM call_aliases WHERE call_id = ANY(%(ids)s)))""",
        {"ids": calls},
    )
    await conn.execute("DELETE FROM call_aliases WHERE call_id = ANY(%s)", [calls])
    await conn.execute("DELETE FROM calls WHERE id = ANY(%s)", [calls])
    await conn.execute("DELETE FROM contacts WHERE id = ANY(%s)", [contacts])
    is_whole = len(contacts) < most
    if is_whole:
        for table, column in (
            ("call_figures", "campaign_id"),
            ("campaign_counters", "campaign_id"),
            ("campaigns", "id"),
        ):
            await conn.execute(f"DELETE FROM {table} WHERE {column} = %s", [campaign])
    return Forgotten(contacts=len(contacts), calls=len(calls), is_whole=is_whole)


async def _lock_one(conn: Connection, where: str, values: dict[str, datetime]) -> UUID | None:
    cursor = await conn.execute(
        f"SELECT c.id FROM campaigns c WHERE {where} ORDER BY c.created_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED",
        values,
    )
    row = await cursor.fetchone()
    return row["id"] if row else None


async def _erase_file_names(conn: Connection, campaign_id: UUID) -> None:
    await conn.execute("UPDATE campaign_files SET file_name = 'erased' WHERE campaign_id = %s", [campaign_id])
