"""Rows, each judged alone, and the file of errors that can be mended and uploaded again."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autolynx.domain.csv_cells import csv_line, neutralise_cell, restore_cell
from autolynx.domain.csv_headers import PROBLEM_HEADER
from autolynx.domain.csv_rows import DuplicateRow
from autolynx.domain.import_report import error_header, error_lines, report_row
from tests.support.csv_files import Imported, import_bytes

HEADERS = ["name", "business_name", "phone"]


def imported(*rows: list[str], headers: list[str] = HEADERS) -> Imported:
    text = io.StringIO()
    csv.writer(text).writerows([headers, *rows])
    return import_bytes(text.getvalue().encode())


def errors_of(result: Imported) -> str:
    return error_header(result.columns.headers) + error_lines(result.judged.skipped, result.columns.headers)


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        (["", "Shop", "2025550143"], "name", "Name is missing; add it."),
        (["  ", "Shop", "2025550143"], "name", "Name is missing; add it."),
        (["x" * 101, "Shop", "2025550143"], "name", "Name is longer than 100 characters; shorten it."),
        (["Al", "", "2025550143"], "business_name", "Business name is missing; add it."),
        (["Al"], "phone", "Phone is missing; add a phone number. Business name is missing; add it."),
        (
            ["Al", "x" * 201, "2025550143"],
            "business_name",
            "Business name is longer than 200 characters; shorten it.",
        ),
        (
            ["A\x00l", "Shop", "2025550143"],
            "name",
            "Name contains a line break or a control character; remove it.",
        ),
        (
            ["Al", "Shop\nTwo", "2025550143"],
            "business_name",
            "Business name contains a line break or a control character; remove it.",
        ),
        (
            ["Al", "Shop", "2025550143", "extra"],
            "row",
            (
                "The row has 4 cells but the header has 3; put quotation marks around a text "
                "that contains the delimiter."
            ),
        ),
        (["Al", "Shop", "911"], "phone", "Phone is too short for a US number; add the missing digits."),
    ],
)
def test_a_bad_row_is_skipped_with_the_reason_and_the_others_go_on(row: list[str], field: str, reason: str) -> None:
    result = imported(["Ann", "Acme", "2025550199"], row, ["Bo", "Bar", "2025550144"])
    assert [contact.row for contact in result.judged.contacts] == [2, 4]
    [skipped] = result.judged.skipped
    assert (skipped.row, skipped.field, skipped.reason) == (3, field, reason)


def test_lengths_are_counted_after_trimming() -> None:
    result = imported([f" {'n' * 100} ", f"\u00a0{'b' * 200}\t", " 2025550143 "])
    [contact] = result.judged.contacts
    assert (len(contact.name), len(contact.business_name)) == (100, 200)


def test_variables_keep_their_header_and_empty_ones_are_left_out() -> None:
    headers = [*HEADERS, "City", "Renewal Date"]
    result = imported(["Al", "Shop", "2025550143", " Rome ", ""], ["Bo", "Bar", "2025550144"], headers=headers)
    assert [contact.variables for contact in result.judged.contacts] == [{"City": "Rome"}, {}]


@pytest.mark.parametrize(
    ("notes", "field", "reason"),
    [
        ("bell\x07", "notes", 'Column "notes" contains a control character; remove it.'),
        ("nul\x00", "notes", 'Column "notes" contains a control character; remove it.'),
        ("x" * 20_001, "variables", "The further columns hold more than 20,000 characters; shorten them."),
    ],
)
def test_bad_variables_skip_their_row(notes: str, field: str, reason: str) -> None:
    result = imported(["Al", "Shop", "2025550143", notes], headers=[*HEADERS, "notes"])
    [skipped] = result.judged.skipped
    assert (skipped.field, skipped.reason) == (field, reason)


def test_the_first_of_equal_numbers_wins_and_later_ones_name_it() -> None:
    result = imported(
        ["Al", "Shop", "(202) 555-0143"],
        ["", "Shop", "2025550144"],
        ["Bo", "Bar", "+1 202 555 0143 x9"],
        ["Cy", "Zoo", "2025550144"],
    )
    assert [contact.row for contact in result.judged.contacts] == [2, 5]
    assert result.judged.duplicates == [DuplicateRow(row=4, first_row=2)]
    assert result.judged.duplicates[0].reason == "Same number as row 2; the first one is taken."


def test_a_skipped_row_shows_its_cells_under_their_headers() -> None:
    result = imported(["Al", "Shop", "12", "Rome", "x"], headers=[*HEADERS, "city"])
    shown = report_row(result.judged.skipped[0], result.columns.headers)
    assert shown.data == {
        "name": "Al",
        "business_name": "Shop",
        "phone": "12",
        "city": "Rome",
        "column 5": "x",
    }


def test_a_skipped_row_can_be_stored_by_postgresql() -> None:
    result = imported(["A\x00l", "Shop", "2025550143"])
    [skipped] = result.judged.skipped
    assert skipped.cells == ("A\ufffdl", "Shop", "2025550143")
    assert "\x00" not in skipped.value


def test_the_error_csv_opens_safely_in_a_spreadsheet() -> None:
    result = imported(["=cmd|'/c calc'!A1", "@Shop", "-12", "+1"], headers=[*HEADERS, "notes"])
    lines = list(csv.reader(io.StringIO(errors_of(result).removeprefix("\ufeff"))))
    assert lines[0] == [PROBLEM_HEADER, *HEADERS, "notes"]
    assert lines[1][1:] == ["'=cmd|'/c calc'!A1", "'@Shop", "'-12", "'+1"]


def test_mended_errors_can_be_uploaded_again() -> None:
    first = imported(
        ["Al", "Shop", "+1 202 555 014", "=1+1"],
        ["", "Bar", "+1 202 555 0144", ""],
        headers=[*HEADERS, "sum"],
    )
    mended = errors_of(first).replace("555 014,", "555 0143,").replace(",,Bar", ",Bo,Bar")
    second = import_bytes(mended.encode())
    assert second.judged.skipped == []
    assert [(c.name, c.phone.e164, c.phone.raw, c.variables) for c in second.judged.contacts] == [
        ("Al", "+12025550143", "+1 202 555 0143", {"sum": "=1+1"}),
        ("Bo", "+12025550144", "+1 202 555 0144", {}),
    ]


CELL = st.text(
    st.one_of(st.sampled_from("=+-@'\t,\"\r\n x1"), st.characters(codec="utf-8", exclude_characters="\x00\ufeff")),
    max_size=8,
)


@given(cell=CELL)
def test_a_neutralised_cell_is_restored_exactly(cell: str) -> None:
    once = neutralise_cell(cell)
    assert restore_cell(once) == cell
    assert restore_cell(neutralise_cell(once)) == once
    assert once[:1] not in {"=", "+", "-", "@", "\t", "\r", "\n"}


@given(rows=st.lists(st.tuples(CELL, CELL, st.just("12"), CELL), min_size=1, max_size=5))
def test_the_error_csv_of_the_error_csv_is_the_same(rows: list[tuple[str, ...]]) -> None:
    text = "".join(csv_line(row) for row in [(*HEADERS, "notes"), *rows])
    first = import_bytes(text.encode())
    second = import_bytes(errors_of(first).encode())
    assert [(s.field, s.reason) for s in second.judged.skipped] == [(s.field, s.reason) for s in first.judged.skipped]
    assert errors_of(second) == errors_of(first)
