"""Passwords, as argon2id hashes, and how often somebody failed to sign in."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from autolynx.store.database import Connection


@dataclass(frozen=True, kw_only=True)
class Failures:
    """Failed sign-ins of one subject: an email or an address, known by its hash alone."""

    failures: int
    last_at: datetime
    blocked_until: datetime | None


async def find_hash(conn: Connection, user_id: UUID) -> str | None:
    """Return a person's password hash, None where no password was set."""
    cursor = await conn.execute("SELECT password_hash FROM passwords WHERE user_id = %s", [user_id])
    row = await cursor.fetchone()
    return None if row is None else str(row["password_hash"])


async def save_hash(conn: Connection, user_id: UUID, password_hash: str, now: datetime) -> None:
    """Set a person's password."""
    await conn.execute(
        """INSERT INTO passwords (user_id, password_hash, changed_at) VALUES (%s, %s, %s)
           ON CONFLICT ON CONSTRAINT passwords_pkey DO UPDATE SET password_hash = excluded.password_hash,
               changed_at = excluded.changed_at""",
        [user_id, password_hash, now],
    )


async def delete_hash(conn: Connection, user_id: UUID) -> None:
    """Take a person's password away."""
    await conn.execute("DELETE FROM passwords WHERE user_id = %s", [user_id])


async def list_failures(conn: Connection, subjects: list[bytes]) -> list[Failures]:
    """Return the failures of those subjects that have any."""
    cursor = await conn.execute(
        "SELECT failures, last_at, blocked_until FROM sign_in_failures WHERE subject = ANY(%s)", [subjects]
    )
    return [Failures(**row) for row in await cursor.fetchall()]


async def count_failure(conn: Connection, subject: bytes, *, now: datetime, forgotten_before: datetime) -> int:
    """Count one more failure, beginning anew where the last one is long ago; returns how many there are now."""
    cursor = await conn.execute(
        """INSERT INTO sign_in_failures AS f (subject, failures, last_at) VALUES (%(subject)s, 1, %(now)s)
           ON CONFLICT ON CONSTRAINT sign_in_failures_pkey DO UPDATE SET last_at = excluded.last_at,
               failures = CASE WHEN f.last_at <= %(forgotten)s THEN 1 ELSE f.failures + 1 END
           RETURNING failures""",
        {"subject": subject, "now": now, "forgotten": forgotten_before},
    )
    row = await cursor.fetchone()
    return int(row["failures"]) if row else 1


async def save_block(conn: Connection, subject: bytes, blocked_until: datetime) -> None:
    """Let a subject wait until then."""
    await conn.execute("UPDATE sign_in_failures SET blocked_until = %s WHERE subject = %s", [blocked_until, subject])


async def save_one_fewer(conn: Connection, subject: bytes, *, most: int) -> None:
    """Take one failure back, and the block with it where the subject is below its bound then."""
    await conn.execute(
        """UPDATE sign_in_failures SET failures = greatest(failures - 1, 0),
               blocked_until = CASE WHEN failures - 1 >= %s THEN blocked_until END WHERE subject = %s""",
        [most, subject],
    )


async def delete_failures(conn: Connection, subject: bytes) -> None:
    """Forget the failures of one who has signed in."""
    await conn.execute("DELETE FROM sign_in_failures WHERE subject = %s", [subject])


async def delete_old_failures(conn: Connection, *, last_before: datetime) -> None:
    """Forget failures from before that moment."""
    await conn.execute("DELETE FROM sign_in_failures WHERE last_at < %s", [last_before])
