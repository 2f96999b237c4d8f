"""Cutting a block of bytes into CSV records, so that reading can stop and go on at any record.

A block begins at a record's first byte. What is cut off at its end is left for the next block: the only state
between two blocks is a byte offset and a row number.
"""

import codecs
import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from autolynx.errors import ValidationProblem

BLOCK_BYTES = 1 << 20
UNREADABLE = "\ufffd"
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")

Record = list[str]


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How the bytes become cells."""

    encoding: str
    delimiter: str


@dataclass(frozen=True, kw_only=True)
class Cut:
    """The complete records of a block, and how many of its bytes they took."""

    records: list[Record]
    taken_bytes: int


class _Lines(Iterator[str]):
    """Lends lines to the csv module and remembers how many it took, and whether it asked for more."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self.taken = 0
        self.is_exhausted = False

    def __next__(self) -> str:
        if self.taken == len(self._lines):
            self.is_exhausted = True
            raise StopIteration
        self.taken += 1
        return self._lines[self.taken - 1]


def cut_records(
    block: bytes,
    *,
    dialect: Dialect,
    first_row: int,
    is_last: bool,
    stop_after: Callable[[Record], bool] | None = None,
) -> Cut:
    """Cut the block. `first_row`: the spreadsheet row of its first record; `is_last`: the file ends with it.

    A record is complete when its line end is certain. Blank lines are records without cells, so that rows
    keep their spreadsheet numbers. A block shorter than BLOCK_BYTES may hold no complete record: offer more.
    Raises ValidationProblem for a row that does not end.
    """
    text, undecoded_bytes = _decode(block, dialect.encoding, is_last=is_last)
    lines = _LINE.findall(text)
    is_certain = is_last or not lines or lines[-1].endswith("\n")  # a \r may be half of a \r\n
    offered = _Lines(lines if is_certain else lines[:-1])
    records, taken = _read_records(offered, dialect.delimiter, first_row, stop_after)
    is_unfinished = taken < offered.taken
    is_stuck = not records and not is_last and len(block) >= BLOCK_BYTES
    if is_stuck or (is_unfinished and is_last):
        raise _endless_row(first_row + len(records))
    rest_bytes = _count_bytes("".join(lines[taken:]), dialect.encoding) + undecoded_bytes
    return Cut(records=records, taken_bytes=len(block) - rest_bytes)


def _read_records(
    lines: _Lines, delimiter: str, first_row: int, stop_after: Callable[[Record], bool] | None
) -> tuple[list[Record], int]:
    """Return the complete records, and how many lines they took."""
    records: list[Record] = []
    taken = 0
    try:
        for record in csv.reader(lines, delimiter=delimiter, skipinitialspace=True):
            if lines.is_exhausted:  # they ended inside quotation marks
                break
            records.append(record)
            taken = lines.taken
            if stop_after and stop_after(record):
                break
    except csv.Error:  # a cell beyond the csv module's limit
        raise _endless_row(first_row + len(records)) from None
    return records, taken


def is_filled(record: Record) -> bool:
    """Whether any cell holds more than blanks."""
    return any(cell and not cell.isspace() for cell in record)


def _endless_row(row: int) -> ValidationProblem:
    return ValidationProblem(
        f"Row {row} does not end: a quotation mark in it is never closed, or a cell is larger than 128 KB; "
        "correct that row and upload the file again.",
        field="file",
        details={"row": row},
    )


def _decode(block: bytes, encoding: str, *, is_last: bool) -> tuple[str, int]:
    """Return the text of the block and how many bytes at its end are the beginning of a character."""
    if encoding == "cp1252":  # one byte, one character; the five bytes without a meaning become UNREADABLE
        return block.decode("cp1252", "replace"), 0
    decoder = codecs.getincrementaldecoder(encoding)()
    text = decoder.decode(block, is_last)
    return text, len(decoder.getstate()[0])


def _count_bytes(text: str, encoding: str) -> int:
    return len(text) if encoding == "cp1252" else len(text.encode(encoding))
