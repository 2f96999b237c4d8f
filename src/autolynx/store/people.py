"""People: the allow-list with roles, and who an entry was bound to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.errors import UniqueViolation

from autolynx.domain.permission import Role
from autolynx.errors import Conflict, NotFound
from autolynx.store.database import Connection, Row

_NAMES = "id, email, name, role, allowlisted, identity, sub, added_by, created_at, last_seen_at, removed_at".split(", ")
COLUMNS = ", ".join(f"p.{name}" for name in _NAMES)
JOINED_COLUMNS = ", ".join(f"p.{name} AS person_{name}" for name in _NAMES)


@dataclass(frozen=True, kw_only=True)
class Person:
    """A row of `user_profiles`. Only who is `allowlisted` comes in."""

    id: UUID
    email: str
    role: Role
    allowlisted: bool
    created_at: datetime
    name: str = ""
    identity: str | None = None
    sub: str | None = None
    added_by: str = "console"
    last_seen_at: datetime | None = None
    removed_at: datetime | None = None


def person_from_row(row: Row, *, prefix: str = "") -> Person:
    """Map a row that holds COLUMNS, or JOINED_COLUMNS with the prefix `person_`."""
    values: dict[str, Any] = {name: row[f"{prefix}{name}"] for name in _NAMES}
    return Person(**{**values, "role": Role(values["role"])})


async def insert(conn: Connection, person: Person) -> None:
    """Insert a person. Raises Conflict where the email is there already."""
    try:
        await conn.execute(
            """INSERT INTO user_profiles (id, email, name, role, allowlisted, added_by, created_at)
               VALUES (%s, %s, %s, %s, %s, %s, %s)""",
            [person.id, person.email, person.name, person.role, person.allowlisted, person.added_by, person.created_at],
        )
    except UniqueViolation as error:
        if error.diag.constraint_name != "user_profiles_email_key":
            raise
        raise Conflict("email: this person is on the list already.", details={"field": "email"}) from None


async def find_by_email(conn: Connection, email: str) -> Person | None:
    """Return the person of that email, on the list or removed from it; in whatever case it is written."""
    cursor = await conn.execute(f"SELECT {COLUMNS} FROM user_profiles p WHERE lower(p.email) = lower(%s)", [email])
    row = await cursor.fetchone()
    return None if row is None else person_from_row(row)


async def find_by_sub(conn: Connection, identity: str, sub: str) -> Person | None:
    """Return the person whom an identity was bound to."""
    cursor = await conn.execute(
        f"SELECT {COLUMNS} FROM user_profiles p WHERE p.identity = %s AND p.sub = %s", [identity, sub]
    )
    row = await cursor.fetchone()
    return None if row is None else person_from_row(row)


async def get(conn: Connection, user_id: UUID) -> Person:
    """Return a person. Raises NotFound."""
    return await _one(conn, user_id, "")


async def lock_list(conn: Connection) -> None:
    """Let nobody else change the list until the transaction ends: there must be one admin left."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('people', 0))")


async def lock(conn: Connection, user_id: UUID) -> Person:
    """Return a person; nobody else changes them until the transaction ends. Raises NotFound."""
    return await _one(conn, user_id, " FOR NO KEY UPDATE")


async def list_all(conn: Connection) -> list[Person]:
    """Return the people on the list, by email."""
    cursor = await conn.execute(f"SELECT {COLUMNS} FROM user_profiles p WHERE p.allowlisted ORDER BY lower(p.email)")
    return [person_from_row(row) for row in await cursor.fetchall()]


async def count_admins(conn: Connection) -> int:
    """Count the admins on the list."""
    cursor = await conn.execute("SELECT count(*) AS n FROM user_profiles WHERE allowlisted AND role = 'admin'")
    row = await cursor.fetchone()
    return int(row["n"]) if row else 0


async def save(conn: Connection, person: Person) -> None:
    """Save a person who is locked. Raises Conflict where their identity is bound to somebody else."""
    values = [person.name, person.role, person.allowlisted, person.identity, person.sub, person.added_by]
    try:
        await conn.execute(
            """UPDATE user_profiles SET name = %s, role = %s, allowlisted = %s, identity = %s, sub = %s, added_by = %s,
                   removed_at = %s WHERE id = %s""",
            [*values, person.removed_at, person.id],
        )
    except UniqueViolation as error:
        if error.diag.constraint_name != "user_profiles_sub_key":
            raise
        raise Conflict("This account elsewhere belongs to somebody else on the list.") from None


async def save_seen(conn: Connection, user_id: UUID, now: datetime) -> None:
    """Note that a person was here."""
    await conn.execute("UPDATE user_profiles SET last_seen_at = %s WHERE id = %s", [now, user_id])


async def _one(conn: Connection, user_id: UUID, locking: str) -> Person:
    cursor = await conn.execute(f"SELECT {COLUMNS} FROM user_profiles p WHERE p.id = %s{locking}", [user_id])
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("There is no person of that id.")
    return person_from_row(row)
