"""Uploads: what is known of a file, from its first byte until a day has passed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from autolynx.domain.csv_import import Progress
from autolynx.domain.csv_intake import TextFile
from autolynx.domain.csv_opening import Opening
from autolynx.domain.csv_records import Dialect
from autolynx.domain.import_report import UploadStatus
from autolynx.errors import NotFound
from autolynx.store.database import Connection, Row

_GONE = "There is no such upload, or its 24 hours are over; upload the file again."
_COLUMNS = """id, owner_id, file_name, region, status, size_bytes, fingerprint, encoding, delimiter, headers,
    next_offset, next_row, total_rows, accepted, duplicates, skipped, created_at, expires_at"""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A row of `uploads`. Size, fingerprint, dialect and headers are known once it is no longer RECEIVING."""

    id: UUID
    owner_id: UUID | None
    file_name: str
    region: str
    status: UploadStatus
    size_bytes: int
    fingerprint: str
    dialect: Dialect
    headers: tuple[str, ...]
    progress: Progress
    accepted: int
    duplicates: int
    skipped: int
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Counted:
    """How many rows a step brought, by what became of them."""

    accepted: int
    duplicates: int
    skipped: int


async def insert_upload(
    conn: Connection,
    upload_id: UUID,
    *,
    owner_id: UUID | None,
    file_name: str,
    region: str,
    created_at: datetime,
    expires_at: datetime,
) -> None:
    """Begin an upload."""
    await conn.execute(
        """INSERT INTO uploads (id, owner_id, file_name, region, created_at, expires_at)
           VALUES (%s, %s, %s, %s, %s, %s)""",
        [upload_id, owner_id, file_name, region, created_at, expires_at],
    )


async def get_upload(conn: Connection, upload_id: UUID, *, owner_id: UUID | None, now: datetime) -> Upload:
    """Return an upload of that owner (None: of anybody). Raises NotFound when there is none, or no longer."""
    return await _get(conn, upload_id, owner_id=owner_id, now=now, suffix="")


async def lock_upload(conn: Connection, upload_id: UUID, *, owner_id: UUID | None, now: datetime) -> Upload:
    """Return an upload as `get_upload` does; nobody else changes it until the transaction ends."""
    return await _get(conn, upload_id, owner_id=owner_id, now=now, suffix="FOR NO KEY UPDATE")


async def save_opening(conn: Connection, upload_id: UUID, *, file: TextFile, opening: Opening) -> bool:
    """Write what was learned from all bytes and the header row; False when somebody else already did."""
    cursor = await conn.execute(
        """UPDATE uploads SET status = 'judging', size_bytes = %(size)s, fingerprint = %(fingerprint)s,
               encoding = %(encoding)s, delimiter = %(delimiter)s, headers = %(headers)s,
               next_offset = %(offset)s, next_row = %(row)s
           WHERE id = %(id)s AND status = 'receiving'""",
        {
            "id": upload_id,
            "size": file.size_bytes,
            "fingerprint": file.fingerprint,
            "encoding": opening.dialect.encoding,
            "delimiter": opening.dialect.delimiter,
            "headers": list(opening.columns.headers),
            "offset": opening.next_offset,
            "row": opening.next_row,
        },
    )
    return cursor.rowcount == 1


async def save_progress(
    conn: Connection, upload_id: UUID, *, before: Progress, after: Progress, counted: Counted
) -> bool:
    """Move an upload on from where it was read; False when somebody else moved it in the meantime.

    At the end of the file it becomes READY.
    """
    cursor = await conn.execute(
        """UPDATE uploads SET next_offset = %(after)s, next_row = %(row)s, total_rows = %(total)s,
               accepted = accepted + %(accepted)s, duplicates = duplicates + %(duplicates)s,
               skipped = skipped + %(skipped)s,
               status = CASE WHEN %(after)s = size_bytes THEN 'ready' ELSE status END
           WHERE id = %(id)s AND status = 'judging' AND next_offset = %(before)s""",
        {
            "id": upload_id,
            "before": before.next_offset,
            "after": after.next_offset,
            "row": after.next_row,
            "total": after.total_rows,
            "accepted": counted.accepted,
            "duplicates": counted.duplicates,
            "skipped": counted.skipped,
        },
    )
    return cursor.rowcount == 1


async def delete_upload(conn: Connection, upload_id: UUID) -> None:
    """Delete an upload with everything that belongs to it."""
    await conn.execute("DELETE FROM uploads WHERE id = %s", [upload_id])


async def delete_one_expired(conn: Connection, *, now: datetime) -> bool:
    """Delete one upload whose time is over, unless somebody works on it; False when there is none."""
    cursor = await conn.execute(
        """DELETE FROM uploads WHERE id = (
               SELECT id FROM uploads WHERE expires_at <= %s ORDER BY expires_at LIMIT 1 FOR UPDATE SKIP LOCKED)""",
        [now],
    )
    return cursor.rowcount == 1


async def _get(conn: Connection, upload_id: UUID, *, owner_id: UUID | None, now: datetime, suffix: str) -> Upload:
    cursor = await conn.execute(
        f"""SELECT {_COLUMNS} FROM uploads
            WHERE id = %(id)s AND expires_at > %(now)s AND (%(owner)s::uuid IS NULL OR owner_id = %(owner)s)
            {suffix}""",
        {"id": upload_id, "now": now, "owner": owner_id},
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFound(_GONE)
    return _upload(row)


def _upload(row: Row) -> Upload:
    known: dict[str, Any] = dict(row)
    dialect = Dialect(encoding=known.pop("encoding") or "", delimiter=known.pop("delimiter") or "")
    progress = Progress(
        next_offset=known.pop("next_offset"),
        next_row=known.pop("next_row"),
        total_rows=known.pop("total_rows"),
    )
    headers: Sequence[str] = known.pop("headers") or ()
    known |= {"size_bytes": known["size_bytes"] or 0, "fingerprint": known["fingerprint"] or ""}
    known |= {"status": UploadStatus(known["status"]), "headers": tuple(headers)}
    return Upload(dialect=dialect, progress=progress, **known)
