"""Files as they come: encodings, delimiters, line ends, gzip, and files that are no CSV at all."""

import csv
import gzip
import io
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autolynx.domain.csv_intake import INFLATE_STEP_BYTES, Inflater
from autolynx.errors import AutolynxError, PayloadTooLarge, ValidationProblem
from tests.support.csv_files import import_bytes, take_in

GOOD = "name,business_name,phone\nZo\u00eb Ray,Caf\u00e9 Sol,+1 202 555 0143\n"


def refusal(body: bytes, **limits: int) -> str:
    with pytest.raises(AutolynxError) as caught:
        import_bytes(body, **limits)
    return caught.value.message


@pytest.mark.parametrize(
    ("encoding", "seen_as"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16-le"),
        ("cp1252", "cp1252"),
        ("latin-1", "cp1252"),
    ],
)
def test_the_encoding_is_recognised(encoding: str, seen_as: str) -> None:
    imported = import_bytes(GOOD.encode(encoding))
    assert imported.file.encoding == seen_as
    assert [(c.name, c.business_name) for c in imported.judged.contacts] == [("Zo\u00eb Ray", "Caf\u00e9 Sol")]


def test_utf_16_with_the_big_end_first_is_read() -> None:
    imported = import_bytes(b"\xfe\xff" + GOOD.encode("utf-16-be"))
    assert imported.file.encoding == "utf-16-be"
    assert imported.judged.contacts[0].name == "Zo\u00eb Ray"


def test_one_byte_at_the_very_end_decides_between_utf_8_and_cp1252() -> None:
    body = b"name,business_name,phone\n" + b"Al,Shop,2025550143\n" * 2000 + b"Zo\xeb,Shop,2025550144\n"
    imported = import_bytes(body)
    assert imported.file.encoding == "cp1252"
    assert imported.judged.contacts[-1].name == "Zo\u00eb"


def test_a_byte_without_meaning_in_cp1252_skips_its_row_only() -> None:
    imported = import_bytes(b"name,business_name,phone\nZo\x81\xeb,Shop,2025550143\nAl,Shop,2025550144\n")
    assert [contact.row for contact in imported.judged.contacts] == [3]
    assert imported.judged.skipped[0].reason == (
        "Name contains characters that cannot be read; save the file as CSV UTF-8 and correct them."
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends_are_detected(delimiter: str, newline: str) -> None:
    lines = [
        ["name", "business_name", "phone"],
        ["Al", 'Shop; "1|2", 3', "2025550143"],
        ["Bo", "Bar", "2025550144"],
    ]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=newline).writerows(lines)
    imported = import_bytes(text.getvalue().encode())
    assert imported.delimiter == delimiter
    assert [(c.row, c.business_name) for c in imported.judged.contacts] == [(2, 'Shop; "1|2", 3'), (3, "Bar")]


def test_the_delimiter_line_of_excel_is_obeyed_and_not_counted() -> None:
    imported = import_bytes(b"sep=;\r\nname;business_name;phone\r\nAl;Shop;2025550143\r\n")
    assert imported.delimiter == ";"
    assert [contact.row for contact in imported.judged.contacts] == [2]


def test_commas_in_headers_do_not_win_over_the_true_delimiter() -> None:
    imported = import_bytes(b"name;business_name;phone;notes, remarks, more, and more\nAl;Shop;2025550143;x\n")
    assert imported.delimiter == ";"
    assert imported.judged.contacts[0].variables == {"notes, remarks, more, and more": "x"}


def test_rows_are_numbered_as_a_spreadsheet_shows_them() -> None:
    body = (
        '\r\nname,business_name,phone,notes\r\n\r\nAl,Shop,2025550143,"two\r\nlines"\r\n,,,\r\n'
        "Bo,Bar,2025550144,\r\n   \r\nCy,,2025550145,\r\n"
    )
    imported = import_bytes(body.encode())
    assert [(contact.row, contact.name) for contact in imported.judged.contacts] == [(4, "Al"), (6, "Bo")]
    assert [skipped.row for skipped in imported.judged.skipped] == [8]
    assert imported.total_rows == 3
    assert imported.judged.contacts[0].variables == {"notes": "two\r\nlines"}


@pytest.mark.parametrize("body", [b"", b"\xef\xbb\xbf", b"\n \r\n\t\n", b"\xff\xfe"])
def test_an_empty_file_is_refused(body: bytes) -> None:
    assert refusal(body) == "The file is empty; choose a CSV with contacts."


@pytest.mark.parametrize("rows", ["", "\n", "\n,,\n  \n"])
def test_a_file_without_rows_is_refused(rows: str) -> None:
    message = refusal(f"name,business_name,phone{rows}".encode())
    assert message == "The file has column headers but no rows; add contacts below them."


def test_a_file_that_begins_with_a_flood_of_blank_lines_is_refused_at_once() -> None:
    message = refusal(b"\n" * 3_000_000 + GOOD.encode())
    assert message == "No column headers were found; the first row must hold name,business_name,phone."


def _zip() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("xl/workbook.xml", "<workbook/>")
    return archive.getvalue()


def by_message(value: bytes | str) -> str:
    """Name a case by its message alone: an archive holds the time of its making, and every worker makes its own."""
    return value if isinstance(value, str) else ""


WORKBOOK = "The file is an Excel workbook or a zip archive, not a CSV; save it as CSV UTF-8 and upload that."
BINARY = "The file is a binary file, not a CSV; save it as CSV UTF-8 and upload that."


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (_zip(), WORKBOOK),
        (gzip.compress(_zip()), WORKBOOK),
        (b"%PDF-1.7\n...", "The file is a PDF, not a CSV; export the contacts as CSV and upload that."),
        (
            b"\xd0\xcf\x11\xe0\xa1",
            "The file is an old Excel workbook, not a CSV; save it as CSV UTF-8 and upload that.",
        ),
        (
            b"\x89PNG\r\n\x1a\n",
            "The file is a picture, not a CSV; export the contacts as CSV and upload that.",
        ),
        (
            b"<!DOCTYPE html>",
            "The file is a web page, not a CSV; export the contacts as CSV and upload that.",
        ),
        (
            gzip.compress(gzip.compress(b"a,b")),
            "The file is a file compressed twice, not a CSV; compress the CSV once.",
        ),
        (b"\x7fELF\x02\x01\x01\x00\x00", BINARY),
        (GOOD.encode("utf-16-le"), BINARY),
    ],
    ids=by_message,
)
def test_a_file_that_is_no_csv_is_refused_by_its_kind(body: bytes, message: str) -> None:
    assert refusal(body) == message


def test_a_file_that_breaks_its_own_mark_is_refused() -> None:
    utf8 = "The file says that it is UTF-8 but is not; save it as CSV UTF-8 and upload it again."
    assert refusal(b"\xef\xbb\xbf" + GOOD.encode("cp1252")) == utf8
    assert refusal(GOOD.encode("utf-16")[:-1]) == utf8.replace("it is UTF-8", "it is UTF-16")


def test_a_file_over_the_byte_limit_is_refused_with_the_limit() -> None:
    assert refusal(GOOD.encode() * 30_000, limit_bytes=1 << 20) == (
        "The file is larger than 1 MB; split it into several files."
    )
    assert len(GOOD.encode()) < 2000
    assert refusal(GOOD.encode() * 60, limit_bytes=2000) == (
        "The file is larger than 2,000 bytes; split it into several files."
    )


def test_a_file_of_exactly_the_limit_is_accepted() -> None:
    body = GOOD.encode()
    assert import_bytes(body, limit_bytes=len(body)).total_rows == 1
    with pytest.raises(PayloadTooLarge):
        import_bytes(body, limit_bytes=len(body) - 1)


def test_a_file_over_the_row_limit_is_refused_with_the_limit() -> None:
    rows = "".join(f"Al,Shop,202555{number:04d}\n" for number in range(101))
    body = f"name,business_name,phone\n{rows}".encode()
    assert refusal(body, max_rows=100) == "The file has more than 100 rows; split it into several files."
    assert import_bytes(body, max_rows=101).total_rows == 101


def test_gzip_is_accepted_whole_and_in_several_members() -> None:
    body = GOOD.encode()
    assert import_bytes(gzip.compress(body)).file == import_bytes(body).file
    members = gzip.compress(body[:30]) + gzip.compress(body[30:])
    assert import_bytes(members, piece_bytes=1).file == import_bytes(body).file
    assert import_bytes(gzip.compress(body) + b"\0" * 100).file == import_bytes(body).file


def test_a_gzip_bomb_is_stopped_early() -> None:
    bomb = gzip.compress(b"name,business_name,phone\n" * 8_000_000)  # 200 MB in 400 KB
    inflater = Inflater(limit_bytes=1 << 20)
    fed, inflated = [], []

    def feed_all() -> None:
        for start in range(0, len(bomb), 1024):
            fed.append(start)
            inflated.extend(len(piece) for piece in inflater.feed(bomb[start : start + 1024]))

    with pytest.raises(PayloadTooLarge, match=r"The file is larger than 1 MB; split it into several files\."):
        feed_all()
    assert max(inflated) <= INFLATE_STEP_BYTES
    assert sum(inflated) <= 1 << 20
    assert len(fed) < len(bomb) / 1024 / 50
    assert refusal(bomb) == "The file is larger than 10 MB; split it into several files."


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (gzip.compress(GOOD.encode())[:-9], "The gzip file is incomplete; compress the CSV again."),
        (gzip.compress(GOOD.encode()) + b"garbage", "The gzip file is damaged; compress the CSV again."),
        (b"\x1f\x8b\x08", "The gzip file is incomplete; compress the CSV again."),
        (b"\x1f\x8bxx", "The gzip file is damaged; compress the CSV again."),
    ],
    ids=by_message,
)
def test_broken_gzip_is_refused(body: bytes, message: str) -> None:
    assert refusal(body) == message


def test_a_quotation_mark_that_is_never_closed_is_refused_with_its_row() -> None:
    message = (
        "Row 3 does not end: a quotation mark in it is never closed, or a cell is larger than 128 KB; "
        "correct that row and upload the file again."
    )
    head = b"name,business_name,phone\nAl,Shop,2025550143\n"
    assert refusal(head + b'"Bo,Bar,2025550144\nCy,Zoo,2025550145\n') == message
    assert refusal(head + b'"Bo,Bar,2025550144\n' + b"Cy,Zoo,2025550145\n" * 20_000) == message
    assert refusal(head + b"Bo," + b"B" * 140_000 + b",2025550144\n") == message


def test_a_quotation_mark_inside_a_cell_is_only_a_character() -> None:
    imported = import_bytes(b'name,business_name,phone\nJoe "Bud" Ray,5" Pipes, "202-555-0143"\n')
    contact = imported.judged.contacts[0]
    assert (contact.name, contact.business_name) == ('Joe "Bud" Ray', '5" Pipes')
    assert contact.phone.e164 == "+12025550143"


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
CODECS = ["utf-8", "utf-8-sig", "utf-16"]


@given(
    rows=st.lists(st.lists(CELL, min_size=1, max_size=5), min_size=1, max_size=12),
    codec=st.sampled_from(CODECS),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    sizes=st.tuples(st.integers(1, 50), st.integers(1, 50)),
)
def test_the_size_of_pieces_and_blocks_changes_nothing(
    rows: list[list[str]], codec: str, newline: str, delimiter: str, sizes: tuple[int, int]
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=newline)
    writer.writerows([["name", "business_name", "phone"], ["Al", "Shop", "2025550143"], *rows])
    body = text.getvalue().encode(codec)
    assert import_bytes(body, piece_bytes=sizes[0], block_bytes=sizes[1]) == import_bytes(body)


@given(body=st.binary(max_size=300))
def test_no_bytes_whatever_crash_the_import(body: bytes) -> None:
    for file in (body, b"name,business_name,phone\n" + body, b"\xff\xfe" + body, b"\x1f\x8b" + body):
        try:
            imported = import_bytes(file, block_bytes=16)
        except (ValidationProblem, PayloadTooLarge) as problem:
            assert problem.message.endswith(".")  # noqa: PT017 - either way is right, each has its check
        else:
            judged = imported.judged
            assert imported.total_rows == len(judged.contacts) + len(judged.skipped) + len(judged.duplicates)


@given(body=st.binary(min_size=2, max_size=200), level=st.integers(0, 9), cut=st.integers(1, 20))
def test_inflating_gives_back_what_was_compressed(body: bytes, level: int, cut: int) -> None:
    packed = zlib.compressobj(level, zlib.DEFLATED, 31)
    file = packed.compress(body) + packed.flush()
    try:
        assert take_in(file, limit_bytes=1000, piece_bytes=cut)[0] == body
    except ValidationProblem as problem:
        assert "not a CSV" in problem.message or "is not; save" in problem.message  # noqa: PT017 - as above


PHONE_CELL = st.text(alphabet="0123456789+-(). ;,|\t\"'=e\n", max_size=24) | st.just("202-555-0143")


@given(
    rows=st.lists(st.tuples(PHONE_CELL, CELL | PHONE_CELL), min_size=1, max_size=8),
    codec=st.sampled_from(CODECS),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
)
def test_nobody_gets_a_number_that_does_not_stand_in_their_own_cell(
    rows: list[tuple[str, str]], codec: str, newline: str, delimiter: str
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=newline)
    writer.writerow(["notes", "name", "business_name", "phone"])
    writer.writerows([notes, f"P{place}", "Shop", cell] for place, (cell, notes) in enumerate(rows))
    for contact in import_bytes(text.getvalue().encode(codec)).judged.contacts:
        cell = iter(rows[int(contact.name[1:])][0])
        national = contact.phone.e164.removeprefix("+1")
        assert all(digit in cell for digit in national), contact.phone.e164
