"""One step of an import: a block of the file becomes judged rows and a place to go on from.

Nothing else is carried from step to step but `Progress` and the numbers seen, so an import can stop after any
step and go on in another process.
"""

from dataclasses import dataclass

from autolynx.domain.csv_headers import Columns
from autolynx.domain.csv_records import Dialect, cut_records
from autolynx.domain.csv_rows import Judged, SeenNumbers, judge_rows
from autolynx.errors import PayloadTooLarge, ValidationProblem


@dataclass(frozen=True, kw_only=True)
class ImportRules:
    """What stays the same from the first row to the last. Sizes in bytes, of the inflated file."""

    dialect: Dialect
    columns: Columns
    region: str
    size_bytes: int
    max_rows: int


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far an import has come: where the next record begins, its spreadsheet row, and the rows so far."""

    next_offset: int
    next_row: int
    total_rows: int = 0


@dataclass(frozen=True, kw_only=True)
class Step:
    """What a block brought. A block too short to hold a whole record leaves `progress` where it was."""

    judged: Judged
    progress: Progress


def judge_block(block: bytes, *, progress: Progress, rules: ImportRules, seen: SeenNumbers) -> Step:
    """Judge the records of a block that begins at `progress.next_offset`; `seen` learns their numbers.

    Raises ValidationProblem for a row that does not end or a file without rows, PayloadTooLarge for too many.
    """
    is_last = progress.next_offset + len(block) >= rules.size_bytes
    cut = cut_records(block, dialect=rules.dialect, first_row=progress.next_row, is_last=is_last)
    judged = judge_rows(cut.records, first_row=progress.next_row, columns=rules.columns, region=rules.region, seen=seen)
    total_rows = progress.total_rows + judged.total_rows
    _check_row_count(total_rows, rules.max_rows, is_last=is_last)
    return Step(
        judged=judged,
        progress=Progress(
            next_offset=progress.next_offset + cut.taken_bytes,
            next_row=progress.next_row + len(cut.records),
            total_rows=total_rows,
        ),
    )


def _check_row_count(total_rows: int, max_rows: int, *, is_last: bool) -> None:
    if total_rows > max_rows:
        raise PayloadTooLarge(
            f"The file has more than {max_rows:,} rows; split it into several files.",
            details={"field": "file", "limitRows": max_rows, "setting": "MAX_UPLOAD_ROWS"},
        )
    if is_last and total_rows == 0:
        raise ValidationProblem("The file has column headers but no rows; add contacts below them.", field="file")
