"""The first block of a file: which delimiter, which columns, and where the contacts begin."""

import re
from dataclasses import dataclass

from autolynx.domain.csv_cells import restore_cell
from autolynx.domain.csv_headers import Columns, count_known, read_columns
from autolynx.domain.csv_intake import TextFile
from autolynx.domain.csv_records import Dialect, Record, cut_records, is_filled
from autolynx.errors import ValidationProblem

HEADER_BYTES = 1 << 17
DELIMITERS = (",", ";", "\t", "|")
_EXCEL_DELIMITER_LINE = re.compile(r"\s*\"?sep=(.)\"?\s*", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Opening:
    """Where reading goes on after the header: a byte offset in the inflated file, and a spreadsheet row."""

    dialect: Dialect
    columns: Columns
    next_offset: int
    next_row: int


@dataclass(frozen=True, kw_only=True)
class _Header:
    cells: Record
    delimiter: str
    taken_bytes: int
    row: int


def open_csv(block: bytes, *, file: TextFile) -> Opening:
    """Read the header from the file's first block, which begins with its byte order mark if there is one.

    Raises ValidationProblem for a file without a header, and for headers that are missing or ambiguous.
    """
    head = block[file.mark_bytes : file.mark_bytes + HEADER_BYTES]
    is_last = file.mark_bytes + len(head) >= file.size_bytes
    announced, skipped_bytes = _announced_delimiter(head, file.encoding, is_last=is_last)
    dialects = [Dialect(encoding=file.encoding, delimiter=mark) for mark in announced or DELIMITERS]
    headers = [_first_filled(head[skipped_bytes:], dialect, is_last=is_last) for dialect in dialects]
    best = max(headers, key=lambda header: (count_known(header.cells), len(header.cells)))
    return Opening(
        dialect=Dialect(encoding=file.encoding, delimiter=best.delimiter),
        columns=read_columns(best.cells),
        next_offset=file.mark_bytes + skipped_bytes + best.taken_bytes,
        next_row=best.row + 1,
    )


def _announced_delimiter(head: bytes, encoding: str, *, is_last: bool) -> tuple[str | None, int]:
    """Understand a first line `sep=;`, which Excel writes, obeys and does not count as a row."""
    dialect = Dialect(encoding=encoding, delimiter="\t")
    first = cut_records(head, dialect=dialect, first_row=1, is_last=is_last, stop_after=lambda _: True)
    line = "\t".join(first.records[0]) if first.records else ""
    announced = _EXCEL_DELIMITER_LINE.fullmatch(line)
    if announced and announced[1] in DELIMITERS:
        return announced[1], first.taken_bytes
    return None, 0


def _first_filled(head: bytes, dialect: Dialect, *, is_last: bool) -> _Header:
    """Return the first record with anything in it. Raises ValidationProblem when there is none."""
    cut = cut_records(head, dialect=dialect, first_row=1, is_last=is_last, stop_after=is_filled)
    if cut.records and is_filled(cut.records[-1]):
        return _Header(
            cells=[restore_cell(cell) for cell in cut.records[-1]],
            delimiter=dialect.delimiter,
            taken_bytes=cut.taken_bytes,
            row=len(cut.records),
        )
    if is_last:
        raise ValidationProblem("The file is empty; choose a CSV with contacts.", field="file")
    raise ValidationProblem(
        "No column headers were found; the first row must hold name,business_name,phone.", field="file"
    )
