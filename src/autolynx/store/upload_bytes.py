"""The bytes of an upload, kept until its rows are judged: parts as they were sent, and the inflated file in blocks."""

from dataclasses import dataclass
from uuid import UUID

from autolynx.errors import NotFound
from autolynx.store.database import Connection

BLOCK_BYTES = 1 << 18  # every block of a file but its last has this size


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part as it was sent, without its body."""

    number: int
    size_bytes: int
    sha256: str


async def list_parts(conn: Connection, upload_id: UUID) -> list[Part]:
    """Return the parts that have arrived, in order."""
    cursor = await conn.execute(
        "SELECT number, size_bytes, sha256 FROM upload_parts WHERE upload_id = %s ORDER BY number", [upload_id]
    )
    return [Part(**row) async for row in cursor]


async def insert_part(conn: Connection, upload_id: UUID, part: Part, *, body: bytes) -> None:
    """Keep a part; the caller has looked that its number is free."""
    await conn.execute(
        "INSERT INTO upload_parts (upload_id, number, size_bytes, sha256, body) VALUES (%s, %s, %s, %s, %b)",
        [upload_id, part.number, part.size_bytes, part.sha256, body],
    )


async def get_part_body(conn: Connection, upload_id: UUID, number: int) -> bytes:
    """Return the bytes of a part. Raises NotFound when it has not arrived."""
    cursor = await conn.execute(
        "SELECT body FROM upload_parts WHERE upload_id = %s AND number = %s", [upload_id, number], binary=True
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFound(f"Part {number} of the upload has not arrived; send it again.")
    return bytes(row["body"])


async def insert_block(conn: Connection, upload_id: UUID, number: int, body: bytes) -> None:
    """Keep block `number` (from 0) of the inflated file."""
    await conn.execute(
        "INSERT INTO upload_blocks (upload_id, number, body) VALUES (%s, %s, %b)", [upload_id, number, body]
    )


async def get_bytes(conn: Connection, upload_id: UUID, *, offset: int, size_bytes: int) -> bytes:
    """Return that many bytes of the inflated file from an offset on; fewer at its end."""
    first, last = offset // BLOCK_BYTES, (offset + size_bytes - 1) // BLOCK_BYTES
    cursor = await conn.execute(
        "SELECT body FROM upload_blocks WHERE upload_id = %s AND number BETWEEN %s AND %s ORDER BY number",
        [upload_id, first, last],
        binary=True,
    )
    found = b"".join([bytes(row["body"]) async for row in cursor])
    start = offset - first * BLOCK_BYTES
    return found[start : start + size_bytes]


async def delete_bytes(conn: Connection, upload_id: UUID) -> None:
    """Forget the bytes of an upload whose rows are all judged."""
    await conn.execute("DELETE FROM upload_parts WHERE upload_id = %s", [upload_id])
    await conn.execute("DELETE FROM upload_blocks WHERE upload_id = %s", [upload_id])
