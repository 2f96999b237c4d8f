"""What is still to be deleted outside of the database: copies of recordings, and calls at the provider."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from autolynx.store.database import Connection


class Place(StrEnum):
    """Where something is to be deleted."""

    ARCHIVE = "archive"
    PROVIDER = "provider"


@dataclass(frozen=True, kw_only=True)
class Removal:
    """One thing to delete, by its name there; `tries` counts this one."""

    place: Place
    name: str
    tries: int


async def claim_due(conn: Connection, *, now: datetime, again_at: datetime, most: int) -> list[Removal]:
    """Take removals whose turn has come; nobody else takes them before `again_at`, should we die meanwhile."""
    cursor = await conn.execute(
        """WITH due AS (SELECT place, name FROM removals WHERE due_at <= %(now)s ORDER BY due_at LIMIT %(most)s
                FOR NO KEY UPDATE SKIP LOCKED)
           UPDATE removals r SET due_at = %(again_at)s, tries = r.tries + 1 FROM due
           WHERE (r.place, r.name) = (due.place, due.name) RETURNING r.place, r.name, r.tries""",
        {"now": now, "again_at": again_at, "most": most},
    )
    return [Removal(place=Place(row["place"]), name=row["name"], tries=row["tries"]) for row in await cursor.fetchall()]


async def delete(conn: Connection, removal: Removal) -> None:
    """Note that it is gone."""
    await conn.execute("DELETE FROM removals WHERE (place, name) = (%s, %s)", [removal.place, removal.name])


async def save_failed(conn: Connection, removal: Removal, *, error: str, due_at: datetime | None) -> None:
    """Note why it failed and when it is tried again; None gives it up."""
    await conn.execute(
        "UPDATE removals SET due_at = %s, last_error = %s WHERE (place, name) = (%s, %s)",
        [due_at, error, removal.place, removal.name],
    )
