"""Making contacts nobody: what was personal goes, a tombstone stays, so that counts, costs and durations stay true."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from autolynx.domain.contact import ERASED
from autolynx.store.database import Connection

NOBODY = "Erased"  # stands where a name and a business stood
# Country 999 does not exist: such a number cannot be dialled, and none like it passes an upload.
_NO_NUMBER = "'+999' || lpad(t.position::text, 11, '0')"
ERASED_BODY = {"erased": True}


@dataclass(frozen=True, kw_only=True)
class Erased:
    """How much was made nobody's."""

    contacts: int = 0
    calls: int = 0
    recordings: int = 0
    bodies: int = 0

    def __add__(self, other: "Erased") -> "Erased":
        """Count together."""
        return Erased(
            contacts=self.contacts + other.contacts,
            calls=self.calls + other.calls,
            recordings=self.recordings + other.recordings,
            bodies=self.bodies + other.bodies,
        )


async def erase_contacts(
    conn: Connection,
    contact_ids: Sequence[UUID],
    *,
    now: datetime,
    recopied_by: datetime | None,
    at_provider: bool = False,
) -> Erased:
    """Erase contacts and their calls; the caller holds their campaigns, and none of the calls holds a line.

    Files and, with `at_provider`, the provider's data are noted as removals. A copy that is being made right now is
    there by `recopied_by`, None where none are made. What it does is done once, however often it is called.
    """
    cursor = await conn.execute(
        "SELECT id FROM calls WHERE contact_id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [list(contact_ids)]
    )
    call_ids = [row["id"] for row in await cursor.fetchall()]
    if at_provider:
        await note_removals_at_provider(conn, call_ids, now=now)
    recordings = await note_archive_removals(conn, call_ids, now=now, recopied_by=recopied_by)
    bodies = await _erase_bodies(conn, call_ids)
    await _erase_calls(conn, call_ids, now=now)
    await conn.execute("SELECT rewrite_history('events of erased calls', NULL, %s, NULL)", [call_ids])
    contacts = await _erase_rows(conn, contact_ids, now=now)
    return Erased(contacts=contacts, calls=len(call_ids), recordings=recordings, bodies=bodies)


async def note_archive_removals(
    conn: Connection, call_ids: Sequence[UUID], *, now: datetime, recopied_by: datetime | None
) -> int:
    """Forget the recordings of calls and note their copies for removal; returns how many there may be."""
    cursor = await conn.execute(
        """WITH gone AS (DELETE FROM call_recordings WHERE call_id = ANY(%(ids)s) RETURNING call_id, state)
           INSERT INTO removals (place, name, due_at, created_at)
           SELECT 'archive', call_id::text, CASE WHEN state = 'kept' THEN %(now)s::timestamptz ELSE %(recopied)s END,
               %(now)s FROM gone WHERE state = 'kept' OR (state = 'due' AND %(recopied)s::timestamptz IS NOT NULL)
           ON CONFLICT ON CONSTRAINT removals_pkey DO UPDATE SET due_at = excluded.due_at""",
        {"ids": list(call_ids), "now": now, "recopied": recopied_by},
    )
    return cursor.rowcount


async def note_removals_at_provider(conn: Connection, call_ids: Sequence[UUID], *, now: datetime) -> None:
    """Note everything that the provider keeps of these calls for removal, under every id that it gave them."""
    await conn.execute(
        """INSERT INTO removals (place, name, due_at, created_at)
           SELECT 'provider', provider_call_id, %(now)s, %(now)s FROM (
               SELECT provider_call_id FROM calls WHERE id = ANY(%(ids)s) AND provider_call_id IS NOT NULL
               UNION SELECT provider_call_id FROM call_aliases WHERE call_id = ANY(%(ids)s)) known
           ON CONFLICT ON CONSTRAINT removals_pkey DO UPDATE SET due_at = excluded.due_at""",
        {"ids": list(call_ids), "now": now},
    )


async def _erase_bodies(conn: Connection, call_ids: Sequence[UUID]) -> int:
    """Empty what the provider sent about these calls. What still waited to be settled waits no more."""
    cursor = await conn.execute(
        """UPDATE webhook_inbox SET body = %(erased)s, retry_at = NULL,
               state = CASE WHEN state IN ('received', 'parked') THEN 'ignored' ELSE state END
           WHERE provider_call_id = ANY(ARRAY(
               SELECT provider_call_id FROM calls WHERE id = ANY(%(ids)s) AND provider_call_id IS NOT NULL
               UNION SELECT provider_call_id FROM call_aliases WHERE call_id = ANY(%(ids)s)))
               AND body <> %(erased)s""",
        {"ids": list(call_ids), "erased": Jsonb(ERASED_BODY)},
    )
    return cursor.rowcount


async def _erase_calls(conn: Connection, call_ids: Sequence[UUID], *, now: datetime) -> None:
    """Erase what was said; a trigger of the table does it, and keeps it so for whatever is told later."""
    await conn.execute(
        "UPDATE calls SET erased_at = coalesce(erased_at, %s), next_check_at = NULL, version = version + 1"
        " WHERE id = ANY(%s)",
        [now, list(call_ids)],
    )


async def _erase_rows(conn: Connection, contact_ids: Sequence[UUID], *, now: datetime) -> int:
    """Put nobody in the place of contacts; who was still to be called is not called any more."""
    cursor = await conn.execute(
        f"""UPDATE contacts t SET name = %(nobody)s, business_name = %(nobody)s, phone = {_NO_NUMBER}, phone_raw = '',
                extension = NULL, variables = '{{}}', due_at = NULL, reason = %(reason)s, erased_at = %(now)s,
                state = CASE WHEN state = 'done' THEN 'done' ELSE 'excluded' END
            WHERE id = ANY(%(ids)s) AND erased_at IS NULL""",
        {"ids": list(contact_ids), "nobody": NOBODY, "reason": ERASED, "now": now},
    )
    return cursor.rowcount
