"""What an import tells the person who uploaded the file."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from autolynx.domain.csv_cells import csv_line
from autolynx.domain.csv_headers import PROBLEM_HEADER, Columns, Use
from autolynx.domain.csv_rows import DuplicateRow, SkippedRow

MAX_LISTED_ROWS = 1000
PREVIEW_ROWS = 10
BYTE_ORDER_MARK = "\ufeff"


class UploadStatus(StrEnum):
    """Where an upload stands."""

    RECEIVING = "receiving"  # parts are still expected
    JUDGING = "judging"  # all bytes are here, rows are being read
    READY = "ready"


@dataclass(frozen=True, kw_only=True)
class ReportRow:
    """A skipped row as the report shows it; `data` maps headers to cells."""

    row: int
    field: str | None
    reason: str
    value: str = dataclasses.field(repr=False)
    data: dict[str, str] = dataclasses.field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """The counts (total = accepted + duplicates + skipped), and the first MAX_LISTED_ROWS of each kind."""

    total_rows: int
    accepted: int
    duplicates: int
    skipped_rows: int
    skipped: tuple[ReportRow, ...] = ()
    duplicate_rows: tuple[DuplicateRow, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PreviewRow:
    """A contact as it will be called."""

    row: int
    name: str = dataclasses.field(repr=False)
    business_name: str = dataclasses.field(repr=False)
    phone: str = dataclasses.field(repr=False)
    extension: str | None = dataclasses.field(repr=False)
    variables: dict[str, str] = dataclasses.field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ColumnUse:
    """A column of the file, and what it is used for."""

    header: str
    use: Use


@dataclass(frozen=True, kw_only=True)
class FileUse:
    """A campaign that took the very same file; without id and name when it is somebody else's."""

    campaign_id: UUID | None
    campaign_name: str | None
    loaded_at: datetime


@dataclass(frozen=True, kw_only=True)
class UploadView:
    """Everything the preview of an upload shows. Before it is READY the counts are those so far."""

    id: UUID
    status: UploadStatus
    file_name: str
    region: str
    report: ImportReport
    preview: tuple[PreviewRow, ...]
    columns: tuple[ColumnUse, ...]
    notices: tuple[str, ...]
    seen_before: tuple[FileUse, ...]
    recently_called: int
    recent_call_days: int
    received_parts: tuple[int, ...]
    created_at: datetime
    expires_at: datetime


def column_uses(columns: Columns) -> tuple[ColumnUse, ...]:
    """Return every column with its use, in the file's order."""
    return tuple(ColumnUse(header=header, use=use) for header, use in zip(columns.headers, columns.uses, strict=True))


def report_row(skipped: SkippedRow, headers: tuple[str, ...]) -> ReportRow:
    """Return a skipped row with its cells under their headers; cells without one are called `column 5`."""
    names = [headers[index] if index < len(headers) else "" for index in range(len(skipped.cells))]
    data = {
        name or f"column {index}": cell for index, (name, cell) in enumerate(zip(names, skipped.cells, strict=True), 1)
    }
    return ReportRow(row=skipped.row, field=skipped.field, reason=skipped.reason, value=skipped.value, data=data)


def error_header(headers: tuple[str, ...]) -> str:
    """Return the beginning of the error CSV: a byte order mark for Excel, our column, then the file's."""
    return BYTE_ORDER_MARK + csv_line((PROBLEM_HEADER, *_without_own(headers, headers)))


def error_lines(rows: Iterable[SkippedRow], headers: tuple[str, ...]) -> str:
    """Return skipped rows as lines of the error CSV: the reason, then the cells as they were."""
    return "".join(csv_line((row.reason, *_without_own(row.cells, headers))) for row in rows)


def _without_own(cells: tuple[str, ...], headers: tuple[str, ...]) -> list[str]:
    """Leave out what an earlier round wrote: the error CSV of an error CSV says only what is wrong now."""
    own = headers.index(PROBLEM_HEADER) if PROBLEM_HEADER in headers else None
    return [cell for index, cell in enumerate(cells) if index != own]
