"""Who asked never to be called again: by a keyed hash of the number, made and compared by the database alone."""

from datetime import datetime
from uuid import UUID

from autolynx.store.database import Connection

_IS_SUPPRESSED = "EXISTS (SELECT FROM suppressions s WHERE s.number_hash = suppression_hash({phone}))"


async def lock(conn: Connection) -> None:
    """Let nobody add contacts until the transaction ends; who is adding some is waited for."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('suppressions', 0))")


async def insert(conn: Connection, phone: str, *, now: datetime) -> None:
    """Let this number never be called again; contacts that bear it by now are the caller's matter."""
    await conn.execute(
        "INSERT INTO suppressions (number_hash, created_at) VALUES (suppression_hash(%s), %s) ON CONFLICT DO NOTHING",
        [phone, now],
    )


async def delete(conn: Connection, phone: str) -> bool:
    """Let it be called again; False where it might be."""
    cursor = await conn.execute("DELETE FROM suppressions WHERE number_hash = suppression_hash(%s)", [phone])
    return cursor.rowcount == 1


async def is_suppressed(conn: Connection, phone: str) -> bool:
    """Whether the person of this number asked not to be called."""
    cursor = await conn.execute(f"SELECT {_IS_SUPPRESSED.format(phone='%s')} AS is_so", [phone])
    row = await cursor.fetchone()
    return bool(row and row["is_so"])


async def count(conn: Connection) -> int:
    """Count the numbers."""
    row = await (await conn.execute("SELECT count(*) AS n FROM suppressions")).fetchone()
    return int(row["n"]) if row else 0


async def count_in_upload(conn: Connection, upload_id: UUID) -> int:
    """Count the rows of an upload whose people asked not to be called."""
    cursor = await conn.execute(
        f"""SELECT count(*) AS n FROM upload_rows r WHERE r.upload_id = %s AND EXISTS (SELECT FROM suppressions)
                AND {_IS_SUPPRESSED.format(phone="r.phone")}""",
        [upload_id],
    )
    row = await cursor.fetchone()
    return int(row["n"]) if row else 0
