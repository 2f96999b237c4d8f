"""The list that comes with the product."""

import re
from pathlib import Path

from tests.support.csv_files import import_bytes

EXAMPLE = Path(__file__).parents[2] / "examples" / "contacts.csv"


def test_44_of_the_50_example_rows_are_taken_and_six_show_what_can_be_wrong() -> None:
    imported = import_bytes(EXAMPLE.read_bytes())
    judged = imported.judged
    assert imported.total_rows == 50
    assert len(judged.contacts) == 44
    assert all(re.fullmatch(r"\+1[2-9]\d\d55501\d\d", contact.phone.e164) for contact in judged.contacts)
    assert [(row.row, row.first_row) for row in judged.duplicates] == [(35, 7)]
    assert [(row.row, row.field, row.reason.partition(";")[0]) for row in judged.skipped] == [
        (10, "phone", "Phone is too short for a US number"),
        (17, "phone", "Phone contains letters"),
        (24, "name", "Name is missing"),
        (42, "phone", "Excel turned it into 1.2025550143E+10"),
        (48, "phone", "Phone is not a valid US number"),
    ]
    assert [header for _, header in imported.columns.variables] == ["city", "interest", "renewal_date"]
