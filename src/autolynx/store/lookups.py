"""Look-ups that reconciling needs: calls by whatever id the provider gives, and the lines that are held."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from autolynx.domain.call import Call
from autolynx.store import calls
from autolynx.store.database import Connection


async def list_by_ids(
    conn: Connection, *, provider_call_ids: Sequence[str], our_call_ids: Sequence[UUID]
) -> list[Call]:
    """Return the calls that bear one of these ids, the provider's or ours."""
    cursor = await conn.execute(
        f"""SELECT {calls.COLUMNS} FROM calls k WHERE k.provider_call_id = ANY(%(theirs)s)
            UNION SELECT {calls.COLUMNS} FROM calls k WHERE k.id = ANY(%(ours)s)""",
        {"theirs": list(provider_call_ids), "ours": list(our_call_ids)},
    )
    return [calls.from_row(row) for row in await cursor.fetchall()]


async def list_phone_numbers(conn: Connection, call_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return the phone number that each of these calls goes out from."""
    cursor = await conn.execute(
        """SELECT k.id, c.phone_number_id FROM calls k JOIN campaigns c ON c.id = k.campaign_id
           WHERE k.id = ANY(%s)""",
        [list(call_ids)],
    )
    return {row["id"]: row["phone_number_id"] for row in await cursor.fetchall()}


async def oldest_line_at(conn: Connection) -> datetime | None:
    """Return when the oldest call that still holds a line was claimed."""
    row = await (await conn.execute("SELECT min(claimed_at) AS at FROM calls WHERE holds_line")).fetchone()
    return row["at"] if row else None
