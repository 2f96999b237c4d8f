"""Judging rows, each alone: a contact, a row to be skipped with the reason, or a number seen before."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass

from autolynx.domain.contact_fields import (
    BUSINESS_NAME,
    NAME,
    UNREADABLE,
    FieldProblem,
    check_variables,
)
from autolynx.domain.csv_cells import restore_cell
from autolynx.domain.csv_headers import Columns
from autolynx.domain.csv_records import Record, is_filled
from autolynx.domain.phone import Phone, PhoneProblem, read_phone

MAX_VALUE_CHARACTERS = 200


@dataclass(frozen=True, kw_only=True)
class ContactRow:
    """A good row. `row` is its number as a spreadsheet shows it: the header is row 1."""

    row: int
    name: str = dataclasses.field(repr=False)
    business_name: str = dataclasses.field(repr=False)
    phone: Phone
    variables: dict[str, str] = dataclasses.field(repr=False)


@dataclass(frozen=True, kw_only=True)
class SkippedRow:
    """A row that is not taken: why, because of which field and value, and its cells for mending."""

    row: int
    field: str | None
    reason: str
    value: str = dataclasses.field(repr=False)
    cells: tuple[str, ...] = dataclasses.field(repr=False)


@dataclass(frozen=True, kw_only=True)
class DuplicateRow:
    """A good row whose number an earlier row already has."""

    row: int
    first_row: int

    @property
    def reason(self) -> str:
        """Say it in a sentence."""
        return f"Same number as row {self.first_row}; the first one is taken."


@dataclass(kw_only=True)
class Judged:
    """What came of a run of records."""

    contacts: list[ContactRow] = dataclasses.field(default_factory=list)
    skipped: list[SkippedRow] = dataclasses.field(default_factory=list)
    duplicates: list[DuplicateRow] = dataclasses.field(default_factory=list)

    @property
    def total_rows(self) -> int:
        """Return how many rows were not blank."""
        return len(self.contacts) + len(self.skipped) + len(self.duplicates)


class SeenNumbers:
    """Which number stood in which row first. About 100 bytes a number, however it was written."""

    def __init__(self, seen: Iterable[tuple[str, int]] = ()) -> None:
        self._rows = {int(e164[1:]): row for e164, row in seen}

    def first_row(self, e164: str, *, row: int) -> int:
        """Return the row in which the number stood first; this row, and remember it, if it is new."""
        return self._rows.setdefault(int(e164[1:]), row)


def judge_rows(
    records: Iterable[Record], *, first_row: int, columns: Columns, region: str, seen: SeenNumbers
) -> Judged:
    """Judge a run of records, the first of which is spreadsheet row `first_row`. `seen` learns their numbers.

    Blank rows are left out and counted nowhere, but keep their row number, as in a spreadsheet.
    """
    judged = Judged()
    for row, record in enumerate(records, first_row):
        if not is_filled(record):
            continue
        verdict = judge_row(record, row=row, columns=columns, region=region)
        if isinstance(verdict, SkippedRow):
            judged.skipped.append(verdict)
        elif (earlier := seen.first_row(verdict.phone.e164, row=row)) != row:
            judged.duplicates.append(DuplicateRow(row=row, first_row=earlier))
        else:
            judged.contacts.append(verdict)
    return judged


def judge_row(record: Record, *, row: int, columns: Columns, region: str) -> ContactRow | SkippedRow:
    """Judge one row by itself."""
    cells = [restore_cell(cell).strip() for cell in record]
    width = len(columns.headers)
    if any(cells[width:]):
        return _skipped(row, record, [_too_wide(len(cells), width)])
    cells += [""] * (width - len(cells))
    name = " ".join(filter(None, (cells[index] for index in columns.name)))
    business_name = cells[columns.business_name]
    phone = read_phone(cells[columns.phone], region=region)
    variables = {header: cells[index] for index, header in columns.variables if cells[index]}
    found = (NAME.check(name), BUSINESS_NAME.check(business_name), check_variables(variables))
    problems = [problem for problem in found if problem]
    if isinstance(phone, PhoneProblem):
        problems.insert(0, FieldProblem(field="phone", reason=phone.reason, value=cells[columns.phone]))
        return _skipped(row, record, problems)
    if problems:
        return _skipped(row, record, problems)
    return ContactRow(row=row, name=name, business_name=business_name, phone=phone, variables=variables)


def _too_wide(cells: int, headers: int) -> FieldProblem:
    reason = (
        f"The row has {cells} cells but the header has {headers}; "
        "put quotation marks around a text that contains the delimiter."
    )
    return FieldProblem(field="row", reason=reason, value="")


def _skipped(row: int, record: Record, problems: list[FieldProblem]) -> SkippedRow:
    """Tell all that is wrong with a row at once, so that it needs mending once."""
    first = problems[0]
    return SkippedRow(
        row=row,
        field=first.field,
        reason=" ".join(problem.reason for problem in problems),
        value=_storable(first.value[:MAX_VALUE_CHARACTERS]),
        cells=tuple(_storable(restore_cell(cell)) for cell in record),
    )


def _storable(text: str) -> str:
    """Return the text without NUL, which PostgreSQL does not store; what replaces it is refused as well."""
    return text.replace("\0", UNREADABLE)
