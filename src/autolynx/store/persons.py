"""What is kept of one person, found by phone number: everywhere, and nowhere but here by it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from autolynx.store.database import Connection
from autolynx.store.erasing import ERASED_BODY

_KNOWN_IDS = """SELECT provider_call_id FROM calls WHERE contact_id = ANY(%(contacts)s) AND provider_call_id IS NOT NULL
    UNION SELECT a.provider_call_id FROM call_aliases a JOIN calls k ON k.id = a.call_id
        WHERE k.contact_id = ANY(%(contacts)s)"""
# Bodies about no call of ours (an inbound call, say) may name the number all the same: written together, with its plus.
_OTHER_BODIES = "state <> 'settled' AND position(%(phone)s IN body::text) > 0"
# The digits of every cell, cells apart.
_DIGITS = "regexp_replace(array_to_string({row}cells || {row}value, 'x'), '[^0-9x]', '', 'g')"


@dataclass(frozen=True, kw_only=True)
class Holdings:
    """How much is kept of a person."""

    contacts: int = 0
    campaigns: int = 0
    calls: int = 0
    transcripts: int = 0
    recordings: int = 0  # of which we have a copy
    bodies: int = 0  # of the provider
    upload_rows: int = 0
    live_calls: int = 0  # that hold a line, or wait for a decision

    @property
    def is_nothing(self) -> bool:
        """Whether nothing is kept."""
        return not (self.contacts or self.bodies or self.upload_rows)


async def list_contact_ids(conn: Connection, phone: str) -> list[UUID]:
    """Return the contacts of every campaign, deleted ones too, with that number in E.164."""
    cursor = await conn.execute("SELECT id FROM contacts WHERE phone = %s ORDER BY id", [phone])
    return [row["id"] for row in await cursor.fetchall()]


async def lock_campaigns(conn: Connection, phone: str) -> None:
    """Lock the campaigns in which the number is: then nobody claims it, and nobody settles a call of it."""
    await conn.execute(
        """SELECT id FROM campaigns WHERE id = ANY(ARRAY(SELECT campaign_id FROM contacts WHERE phone = %s))
           ORDER BY id FOR NO KEY UPDATE""",
        [phone],
    )


async def count_holdings(conn: Connection, phone: str) -> Holdings:
    """Count what is kept."""
    contacts = await list_contact_ids(conn, phone)
    cursor = await conn.execute(
        f"""SELECT (SELECT count(DISTINCT campaign_id) FROM contacts WHERE id = ANY(%(contacts)s)) AS campaigns,
                count(*) AS calls, count(*) FILTER (WHERE transcript_json IS NOT NULL) AS transcripts,
                count(*) FILTER (WHERE holds_line)
                    + (SELECT count(*) FROM contacts WHERE id = ANY(%(contacts)s) AND is_unsure) AS live_calls,
                (SELECT count(*) FROM call_recordings r JOIN calls c ON c.id = r.call_id
                    WHERE c.contact_id = ANY(%(contacts)s) AND r.state = 'kept') AS recordings,
                (SELECT count(*) FROM webhook_inbox WHERE provider_call_id = ANY(ARRAY({_KNOWN_IDS}))
                    OR {_OTHER_BODIES}) AS bodies,
                (SELECT count(*) FROM upload_rows WHERE phone = %(phone)s)
                + (SELECT count(*) FROM upload_problems WHERE {_DIGITS.format(row="")} LIKE %(digits)s)
                    AS upload_rows
            FROM calls WHERE contact_id = ANY(%(contacts)s)""",
        _values(phone, contacts),
    )
    row = await cursor.fetchone()
    return Holdings(contacts=len(contacts), **{name: int(count) for name, count in (row or {}).items()})


async def list_contacts(conn: Connection, phone: str) -> list[dict[str, Any]]:
    """Return the contacts, with the campaigns they are in."""
    cursor = await conn.execute(
        """SELECT t.id, c.id AS campaign_id, c.name AS campaign, c.created_at, t.name, t.business_name, t.phone,
               t.phone_raw, t.extension, t.variables, t.state, t.reason, t.due_at
           FROM contacts t JOIN campaigns c ON c.id = t.campaign_id WHERE t.phone = %s ORDER BY c.created_at, t.id""",
        [phone],
    )
    return await cursor.fetchall()


async def list_calls(conn: Connection, contact_id: UUID) -> list[dict[str, Any]]:
    """Return the calls of a contact with all that is kept of them; released claims too."""
    cursor = await conn.execute(
        """SELECT k.id, k.attempt, k.status::text, k.outcome, k.claimed_at, k.dial_started_at, k.started_at, k.ended_at,
               k.ended_reason, k.reason, k.cost_usd, k.provider_call_id, k.transcript_json AS transcript, k.summary,
               k.success_raw, k.success_evaluation, r.state = 'kept' AS has_recording_copy
           FROM calls k LEFT JOIN call_recordings r ON r.call_id = k.id
           WHERE k.contact_id = %s ORDER BY k.attempt""",
        [contact_id],
    )
    return await cursor.fetchall()


async def list_events(conn: Connection, call_id: UUID) -> list[dict[str, Any]]:
    """Return the history of a call."""
    cursor = await conn.execute(
        "SELECT created_at AS at, status::text, source, payload FROM call_events WHERE call_id = %s ORDER BY id",
        [call_id],
    )
    return await cursor.fetchall()


async def list_bodies(conn: Connection, phone: str) -> list[dict[str, Any]]:
    """Return what the provider sent about the calls of that number, as it was kept."""
    contacts = await list_contact_ids(conn, phone)
    cursor = await conn.execute(
        f"""SELECT received_at, type, status, body FROM webhook_inbox
            WHERE provider_call_id = ANY(ARRAY({_KNOWN_IDS})) OR {_OTHER_BODIES} ORDER BY id""",
        _values(phone, contacts),
    )
    return await cursor.fetchall()


async def list_upload_rows(conn: Connection, phone: str) -> list[dict[str, Any]]:
    """Return rows of uploads that no campaign has taken yet."""
    cursor = await conn.execute(
        f"""SELECT u.file_name, u.expires_at, r.row_number,
                to_jsonb(ARRAY[r.name, r.business_name, r.phone_raw]) AS cells
            FROM upload_rows r JOIN uploads u ON u.id = r.upload_id WHERE r.phone = %(phone)s
            UNION ALL SELECT u.file_name, u.expires_at, p.row_number, to_jsonb(p.cells || p.value)
            FROM upload_problems p JOIN uploads u ON u.id = p.upload_id
            WHERE {_DIGITS.format(row="p.")} LIKE %(digits)s""",
        _values(phone, ()),
    )
    return await cursor.fetchall()


async def count_unread_uploads(conn: Connection) -> int:
    """Count uploads that are not read through, so that nobody can say who is in them."""
    row = await (await conn.execute("SELECT count(*) AS n FROM uploads WHERE status <> 'ready'")).fetchone()
    return int(row["n"]) if row else 0


async def erase_other_bodies(conn: Connection, phone: str) -> int:
    """Empty the provider's bodies that name the number and are about no call of ours."""
    cursor = await conn.execute(
        f"UPDATE webhook_inbox SET body = %(erased)s, state = 'ignored', retry_at = NULL WHERE {_OTHER_BODIES}",
        {"phone": phone, "erased": Jsonb(ERASED_BODY)},
    )
    return cursor.rowcount


async def erase_upload_rows(conn: Connection, phone: str) -> int:
    """Take the person out of uploads that no campaign has taken yet; their counts follow.

    A row that repeats another one is kept as its place in the file alone, and stays.
    """
    cursor = await conn.execute(
        f"""WITH good AS (DELETE FROM upload_rows WHERE phone = %(phone)s RETURNING upload_id),
            bad AS (DELETE FROM upload_problems WHERE {_DIGITS.format(row="")} LIKE %(digits)s RETURNING upload_id),
            counted AS (SELECT upload_id, count(*) FILTER (WHERE is_good) AS accepted, count(*) AS all_rows
                FROM (SELECT upload_id, true AS is_good FROM good UNION ALL SELECT upload_id, false FROM bad) rows
                GROUP BY upload_id),
            changed AS (UPDATE uploads u SET accepted = u.accepted - n.accepted,
                    skipped = u.skipped - (n.all_rows - n.accepted), total_rows = u.total_rows - n.all_rows
                FROM counted n WHERE u.id = n.upload_id RETURNING u.id)
            SELECT coalesce(sum(all_rows), 0) AS n FROM counted""",
        _values(phone, ()),
    )
    row = await cursor.fetchone()
    return int(row["n"]) if row else 0


async def erase_in_kept_answers(conn: Connection, *, numbers: Sequence[str], values: Sequence[str]) -> None:
    """Take a person out of answers that are kept for a day to be repeated; what they answer stays answered.

    `numbers` go wherever they stand, `values` where a text is nothing else.
    """
    patterns = [re.escape(_as_in_json(number)) for number in numbers]
    patterns += [f'(?<=")(?:{re.escape(_as_in_json(value))})(?="[^:])' for value in values]
    for pattern in patterns:
        await conn.execute(
            """UPDATE idempotency_keys SET body = regexp_replace(body::text, %(pattern)s, '[erased]', 'g')::jsonb
               WHERE body::text ~ %(pattern)s""",
            {"pattern": pattern},
        )


def _as_in_json(word: str) -> str:
    """Return a word as PostgreSQL writes it within a JSON text."""
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return "".join(escapes.get(letter, letter) for letter in word)


def _values(phone: str, contacts: Sequence[UUID]) -> Mapping[str, Any]:
    return {"phone": phone, "contacts": list(contacts), "digits": f"%{phone.removeprefix('+1').removeprefix('+')}%"}
