"""Phone numbers that we call from: their pace, their day and what holds them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

from autolynx.domain.pacing import NumberPace
from autolynx.store.database import Connection


@dataclass(frozen=True, kw_only=True)
class NumberLabel:
    """How a phone number is called by people, and who issued it."""

    label: str | None
    provider: str
    seen_at: datetime


_PACE = "id, next_launch_at, daily_limit, day, launched_today, hold_reason, held_until"


async def remember(
    conn: Connection, *, phone_number_id: str, label: str | None, provider: str, daily_limit: int | None, now: datetime
) -> None:
    """Insert a phone number or bring what the provider says of it up to date."""
    await conn.execute(
        """INSERT INTO phone_numbers (id, label, provider, daily_limit, seen_at) VALUES (%s, %s, %s, %s, %s)
           ON CONFLICT ON CONSTRAINT phone_numbers_pkey DO UPDATE SET label = excluded.label,
               provider = excluded.provider, daily_limit = excluded.daily_limit, seen_at = excluded.seen_at""",
        [phone_number_id, label, provider, daily_limit, now],
    )


async def list_paces(conn: Connection, ids: Sequence[str]) -> dict[str, NumberPace]:
    """Return the pace of each of these numbers; one never seen before has no limits but the launch rate."""
    cursor = await conn.execute(f"SELECT {_PACE} FROM phone_numbers WHERE id = ANY(%s)", [list(ids)])
    known = {row["id"]: NumberPace(**row) for row in await cursor.fetchall()}
    return {number_id: known.get(number_id, NumberPace(id=number_id)) for number_id in ids}


async def get_pace(conn: Connection, phone_number_id: str) -> NumberPace:
    """Return the pace of one number; one never seen before has no limits but the launch rate."""
    return (await list_paces(conn, [phone_number_id]))[phone_number_id]


async def list_all(conn: Connection) -> list[NumberPace]:
    """Return the pace of every number known here."""
    cursor = await conn.execute(f"SELECT {_PACE} FROM phone_numbers ORDER BY id")
    return [NumberPace(**row) for row in await cursor.fetchall()]


async def list_labels(conn: Connection) -> dict[str, NumberLabel]:
    """Return what every number known here is called."""
    cursor = await conn.execute("SELECT id, label, provider, seen_at FROM phone_numbers")
    return {
        row["id"]: NumberLabel(label=row["label"], provider=row["provider"], seen_at=row["seen_at"])
        for row in await cursor.fetchall()
    }


async def save_pace(conn: Connection, number: NumberPace, now: datetime, *, launches: int) -> None:
    """Write a number's pace; the caller holds the gate.

    `launches`: how many of the day's were made just now. They are added to what the row has by then: settling corrects
    it without the gate.
    """
    await conn.execute(
        """INSERT INTO phone_numbers
               (id, provider, next_launch_at, daily_limit, day, launched_today, hold_reason, held_until, seen_at)
           VALUES (%(id)s, 'unknown', %(next_launch_at)s, %(daily_limit)s, %(day)s, %(launched_today)s,
               %(hold_reason)s, %(held_until)s, %(now)s)
           ON CONFLICT ON CONSTRAINT phone_numbers_pkey DO UPDATE SET next_launch_at = excluded.next_launch_at,
               day = excluded.day, launched_today = %(launches)s
                   + CASE WHEN phone_numbers.day = excluded.day THEN phone_numbers.launched_today ELSE 0 END,
               hold_reason = excluded.hold_reason,
               held_until = excluded.held_until""",
        {**asdict(number), "now": now, "launches": launches},
    )


async def correct_launches(conn: Connection, phone_number_id: str, *, day: date, more: int) -> None:
    """Count so many launches more (or fewer) for that UTC day, if it is the one that is being counted."""
    await conn.execute(
        "UPDATE phone_numbers SET launched_today = greatest(0, launched_today + %s) WHERE id = %s AND day = %s",
        [more, phone_number_id, day],
    )


async def hold(conn: Connection, phone_number_id: str, *, reason: str, until: datetime | None, now: datetime) -> None:
    """Hold a number, until a moment or until a person releases it."""
    await conn.execute(
        """INSERT INTO phone_numbers (id, provider, hold_reason, held_until, seen_at)
           VALUES (%(id)s, 'unknown', %(reason)s, %(until)s, %(now)s)
           ON CONFLICT ON CONSTRAINT phone_numbers_pkey
           DO UPDATE SET hold_reason = excluded.hold_reason, held_until = excluded.held_until""",
        {"id": phone_number_id, "reason": reason, "until": until, "now": now},
    )


async def release_all(conn: Connection) -> None:
    """Lift every hold on a number."""
    await conn.execute(
        """WITH held AS (SELECT id FROM phone_numbers WHERE hold_reason IS NOT NULL ORDER BY id FOR NO KEY UPDATE)
           UPDATE phone_numbers p SET hold_reason = NULL, held_until = NULL FROM held WHERE p.id = held.id"""
    )
