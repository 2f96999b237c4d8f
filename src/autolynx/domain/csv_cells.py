"""Cells that a spreadsheet would run as a formula, made harmless, and made themselves again.

A cell that begins with = + - @ or a tab, after any number of apostrophes, gets one apostrophe more. Taking
one away undoes exactly this, so a file can go out and come back any number of times.
"""

import csv
import io
import re
from collections.abc import Iterable

_RISKY = re.compile(r"'*[=+\-@\t\r\n]")
_NEUTRALISED = re.compile(r"'+[=+\-@\t\r\n]")


def neutralise_cell(cell: str) -> str:
    """Return the cell so that a spreadsheet shows it as text."""
    return f"'{cell}" if _RISKY.match(cell) else cell


def restore_cell(cell: str) -> str:
    """Return the cell as it was before `neutralise_cell`."""
    return cell[1:] if cell[:1] == "'" and _NEUTRALISED.match(cell) else cell


def csv_line(cells: Iterable[str]) -> str:
    """Return one line of CSV, each cell neutralised and quoted where needed."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow([neutralise_cell(cell) for cell in cells])
    return line.getvalue()
