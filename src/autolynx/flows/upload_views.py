"""What a person sees of an upload: the preview, and the rows to be mended."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID

from autolynx.domain.csv_headers import read_columns
from autolynx.domain.import_report import (
    MAX_LISTED_ROWS,
    PREVIEW_ROWS,
    ImportReport,
    UploadStatus,
    UploadView,
    column_uses,
    error_header,
    error_lines,
    report_row,
)
from autolynx.runtime import Runtime
from autolynx.store import upload_bytes, upload_loading, upload_rows, uploads
from autolynx.store.database import Connection
from autolynx.store.uploads import Upload

ERROR_ROWS_AT_ONCE = 1000


def recent_since(now: datetime, days: int) -> datetime | None:
    """Return the moment since when a call counts as recent; None when none does."""
    return now - timedelta(days=days) if days else None


async def view_upload(
    runtime: Runtime, upload_id: UUID, *, owner_id: UUID | None = None, recent_call_days: int | None = None
) -> UploadView:
    """Return the preview of an upload: report, first contacts, columns, and what was called or loaded before.

    `recent_call_days`: RECENT_CALL_DAYS when None, 0 asks about no calls. Raises NotFound, for uploads of
    others as well.
    """
    days = runtime.settings.recent_call_days if recent_call_days is None else recent_call_days
    now = runtime.clock.now()
    async with runtime.database.connection() as conn:
        upload = await uploads.get_upload(conn, upload_id, owner_id=owner_id, now=now)
        columns = read_columns(list(upload.headers)) if upload.headers else None
        return UploadView(
            id=upload.id,
            status=upload.status,
            file_name=upload.file_name,
            region=upload.region,
            report=await report_of(conn, upload),
            preview=await upload_rows.list_preview(conn, upload.id, limit=PREVIEW_ROWS),
            columns=column_uses(columns) if columns else (),
            notices=columns.notices if columns else (),
            seen_before=await upload_loading.list_file_uses(conn, upload.fingerprint, owner_id=owner_id),
            recently_called=await _count_recent(conn, upload, recent_since(now, days)),
            recent_call_days=days,
            received_parts=tuple([part.number for part in await upload_bytes.list_parts(conn, upload.id)]),
            created_at=upload.created_at,
            expires_at=upload.expires_at,
        )


async def report_of(conn: Connection, upload: Upload) -> ImportReport:
    """Return the import report of an upload as far as it is judged."""
    skipped = await upload_rows.list_skipped(conn, upload.id, after_row=0, limit=MAX_LISTED_ROWS)
    return ImportReport(
        total_rows=upload.progress.total_rows,
        accepted=upload.accepted,
        duplicates=upload.duplicates,
        skipped_rows=upload.skipped,
        skipped=tuple(report_row(row, upload.headers) for row in skipped),
        duplicate_rows=await upload_rows.list_duplicates(conn, upload.id, limit=MAX_LISTED_ROWS),
    )


async def errors_csv(runtime: Runtime, upload_id: UUID, *, owner_id: UUID | None = None) -> AsyncIterator[str]:
    """Yield the skipped rows as a CSV that can be mended and uploaded again, with flat memory.

    No connection is held while the reader is slow. Raises NotFound before the first text.
    """
    async with runtime.database.connection() as conn:
        upload = await uploads.get_upload(conn, upload_id, owner_id=owner_id, now=runtime.clock.now())
    yield error_header(upload.headers)
    last_row = 0
    while True:
        async with runtime.database.connection() as conn:
            rows = await upload_rows.list_skipped(conn, upload.id, after_row=last_row, limit=ERROR_ROWS_AT_ONCE)
        if not rows:
            return
        yield error_lines(rows, upload.headers)
        last_row = rows[-1].row


async def _count_recent(conn: Connection, upload: Upload, since: datetime | None) -> int:
    if since is None or upload.status is not UploadStatus.READY:
        return 0
    return await upload_loading.count_called_since(conn, upload.id, since)
