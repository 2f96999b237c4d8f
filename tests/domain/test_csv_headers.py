"""Which column is what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autolynx.domain.csv_headers import Columns, Use, read_columns
from autolynx.errors import ValidationProblem


def refusal(*headers: str) -> str:
    with pytest.raises(ValidationProblem) as caught:
        read_columns(list(headers))
    return caught.value.message


def places(columns: Columns) -> tuple[tuple[int, ...], int, int]:
    return columns.name, columns.business_name, columns.phone


@pytest.mark.parametrize(
    "headers",
    [
        ("name", "business_name", "phone"),
        ("NAME", "Business Name", "PHONE"),
        (" Name ", "business-name", "Phone #"),
        ("Full Name", "Company", "Phone Number"),
        ("contact_name", "Organisation", "Mobile"),
        ("Contact", "BusinessName", "Cell phone"),
        ("\uff2e\uff41\uff4d\uff45", "Business", "Tel."),
    ],
)
def test_headers_are_known_in_any_spelling(headers: tuple[str, str, str]) -> None:
    assert places(read_columns(list(headers))) == ((0,), 1, 2)
    assert places(read_columns([*reversed(headers)])) == ((2,), 1, 0)


def test_a_column_with_the_very_name_wins_over_an_alias() -> None:
    columns = read_columns(["Mobile", "phone", "Company", "business_name", "Contact", "name"])
    assert places(columns) == ((5,), 3, 1)
    assert columns.variables == ((0, "Mobile"), (2, "Company"), (4, "Contact"))


def test_first_and_last_name_make_a_name_and_stay_usable() -> None:
    columns = read_columns(["Last Name", "Company", "First Name", "Phone"])
    assert columns.name == (2, 0)
    assert columns.variables == ((0, "Last Name"), (2, "First Name"))
    assert read_columns(["First name", "Company", "Phone"]).name == (0,)
    assert read_columns(["First name", "Name", "Company", "Phone"]).name == (1,)


def test_further_columns_become_variables_under_their_own_header() -> None:
    columns = read_columns(["name", "business_name", "phone", "Renewal Date", "", "city", "AutoLynx problem"])
    assert columns.variables == ((3, "Renewal Date"), (5, "city"))
    assert columns.uses[4:] == (Use.IGNORED, Use.VARIABLE, Use.IGNORED)


def test_reserved_words_are_not_passed_on_and_the_operator_is_told() -> None:
    columns = read_columns(["name", "business_name", "phone", "customer", "Customer", "date"])
    assert columns.variables == ((4, "Customer"),)
    assert columns.notices == (
        (
            'Column "customer" is not passed on, because that word has a meaning of its own in an assistant; '
            "rename the column to use it."
        ),
        (
            'Column "date" is not passed on, because that word has a meaning of its own in an assistant; '
            "rename the column to use it."
        ),
    )


def test_missing_columns_are_named_beside_what_was_found() -> None:
    assert refusal("Name", "E-mail") == (
        "Columns business_name, phone not found; the file has: Name, E-mail. Add or rename the missing ones."
    )
    assert refusal("Last name", "Company", "Phone") == (
        "Column name not found; the file has: Last name, Company, Phone. Add or rename the missing ones."
    )


def test_a_file_without_headers_is_recognised_and_nothing_of_it_is_repeated() -> None:
    assert refusal("Ann Ray", "Acme", "+1 202 555 0143") == (
        "The first row looks like a contact, not like column headers; add a first row name,business_name,phone."
    )


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        (
            ("name", "company", "Mobile", "Telephone"),
            (
                'Columns "Mobile" and "Telephone" could both be phone; rename the right one to phone '
                "and the other to something else."
            ),
        ),
        (
            ("name", "company", "phone", "PHONE"),
            (
                'Columns "phone" and "PHONE" could both be phone; rename the right one to phone '
                "and the other to something else."
            ),
        ),
        (
            ("name", "company", "phone", "notes", "notes"),
            'Two columns are named "notes"; rename or remove one of them.',
        ),
        (
            ("name", "company", "phone", "x" * 101),
            (
                "A column header is longer than 100 characters or contains characters that are not text; "
                "correct the first row."
            ),
        ),
        (
            ("name", "company", "phone", "no\x00tes"),
            (
                "A column header is longer than 100 characters or contains characters that are not text; "
                "correct the first row."
            ),
        ),
        (
            ("name", "company", "phone", *map(str, range(198))),
            "The file has 201 columns; at most 200 are possible, remove the others.",
        ),
    ],
)
def test_unclear_headers_are_refused(headers: tuple[str, ...], message: str) -> None:
    assert refusal(*headers) == message


@given(st.permutations(["name", "Company", "Mobile", "city", "now"]))
def test_the_order_of_columns_does_not_matter(headers: list[str]) -> None:
    columns = read_columns(headers)
    assert [headers[index] for index in (*columns.name, columns.business_name, columns.phone)] == [
        "name",
        "Company",
        "Mobile",
    ]
    assert [header for _, header in columns.variables] == ["city"]


def test_a_contact_in_place_of_headers_is_never_repeated_in_the_error() -> None:
    for row in (["Ada", "Acme", "+12025550143"], ["Ada", "Acme", "Acme", "+12025550143"]):
        with pytest.raises(ValidationProblem, match="looks like a contact") as refused:
            read_columns(row)
        assert "Acme" not in f"{refused.value.message} {refused.value.details}"
