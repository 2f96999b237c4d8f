"""Which column is what. Headers are compared without case, spaces, hyphens, underscores and punctuation."""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from autolynx.errors import ValidationProblem

PROBLEM_HEADER = "AutoLynx problem"  # the column that the error CSV adds; ignored when it comes back
MAX_COLUMNS = 200
MAX_HEADER_CHARACTERS = 100
DIGITS_OF_A_CONTACT = 7

REQUIRED = ("name", "business_name", "phone")
# Other headers that mean the same, already without case, spaces and punctuation.
ALIASES: dict[str, frozenset[str]] = {
    "name": frozenset({
        "fullname", "contactname", "contactfullname", "contact", "contactperson", "person", "personname",
        "customername", "clientname", "ownername", "recipient", "recipientname",
    }),
    "business_name": frozenset({
        "business", "company", "companyname", "organization", "organisation", "organizationname",
        "organisationname", "org", "account", "accountname", "firm", "employer",
    }),
    "phone": frozenset({
        "phonenumber", "phoneno", "phonenr", "phone1", "mobile", "mobilenumber", "mobileno", "mobilephone",
        "mobilephonenumber", "cell", "cellnumber", "cellphone", "cellphonenumber", "telephone", "telephoneno",
        "telephonenumber", "tel", "telno", "telnumber", "number", "contactnumber", "contactphone",
        "businessphone", "companyphone", "workphone", "directphone", "e164",
    }),
}  # fmt: skip
FIRST_NAME = frozenset({"firstname", "givenname", "forename"})
LAST_NAME = frozenset({"lastname", "surname", "familyname"})
# Words with a meaning of their own inside an assistant: a column cannot replace them.
RESERVED = frozenset({"customer", "phoneNumber", "call", "transport", "now", "date", "time", "month", "day", "year"})
_SEPARATORS = re.compile(r"[\W_]+")


class Use(StrEnum):
    """What a column is used for."""

    NAME = "name"
    BUSINESS_NAME = "business_name"
    PHONE = "phone"
    VARIABLE = "variable"
    RESERVED = "reserved"  # not passed on: the word has another meaning inside an assistant
    IGNORED = "ignored"  # a column without a header, or our own column of an error CSV


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The header row, understood. Numbers are positions in it from 0; two columns may make a name."""

    headers: tuple[str, ...]
    name: tuple[int, ...]
    business_name: int
    phone: int
    variables: tuple[tuple[int, str], ...]
    uses: tuple[Use, ...]

    @property
    def notices(self) -> tuple[str, ...]:
        """What the operator should know about columns that are not passed on, in sentences."""
        return tuple(
            f'Column "{header}" is not passed on, because that word has a meaning of its own in an '
            "assistant; rename the column to use it."
            for header, use in zip(self.headers, self.uses, strict=True)
            if use is Use.RESERVED
        )


def read_columns(cells: list[str]) -> Columns:
    """Understand a header row. Raises ValidationProblem for one that is missing, ambiguous or too long."""
    headers = tuple(cell.strip() for cell in cells)
    _check_headers(headers)
    keys = [comparable(header) for header in headers]
    found = {field: _find(field, keys, headers) for field in ("business_name", "phone")}
    name = _find_name(keys, headers)
    missing = [field for field in REQUIRED if (name if field == "name" else found[field]) in {None, ()}]
    if missing:
        raise _missing(missing, headers)
    return _assign(headers, name, business_name=found["business_name"] or 0, phone=found["phone"] or 0)


def comparable(header: str) -> str:
    """Return what of a header counts when two are compared."""
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", header)).casefold()


def count_known(cells: list[str]) -> int:
    """Return how many required fields a row of cells names: the sign of the right delimiter."""
    keys = {comparable(cell) for cell in cells}
    is_named = bool(keys & (ALIASES["name"] | FIRST_NAME | {"name"}))
    is_business = bool(keys & (ALIASES["business_name"] | {"businessname"}))
    return is_named + is_business + bool(keys & (ALIASES["phone"] | {"phone"}))


def _check_headers(headers: tuple[str, ...]) -> None:
    if len(headers) > MAX_COLUMNS:
        raise ValidationProblem(
            f"The file has {len(headers)} columns; at most {MAX_COLUMNS} are possible, remove the others.",
            field="file",
        )
    if any(len(header) > MAX_HEADER_CHARACTERS or not header.isprintable() for header in headers):
        raise ValidationProblem(
            f"A column header is longer than {MAX_HEADER_CHARACTERS} characters or contains characters that "
            "are not text; correct the first row.",
            field="file",
        )
    repeated = [header for header, times in Counter(filter(None, headers)).items() if times > 1]
    if repeated and _is_contact(headers):
        raise _no_headers([])  # whose words those are, nobody needs to read in an error
    if repeated:
        raise ValidationProblem(f'Two columns are named "{repeated[0]}"; rename or remove one of them.', field="file")


def _find(field: str, keys: list[str], headers: tuple[str, ...]) -> int | None:
    """Return the column of a field: the one that bears its very name, else its only alias."""
    exact = [index for index, key in enumerate(keys) if key == comparable(field)]
    matches = exact or [index for index, key in enumerate(keys) if key in ALIASES[field]]
    if len(matches) > 1:
        first, second = headers[matches[0]], headers[matches[1]]
        raise ValidationProblem(
            f'Columns "{first}" and "{second}" could both be {field}; rename the right one to {field} '
            "and the other to something else.",
            field="file",
        )
    return matches[0] if matches else None


def _find_name(keys: list[str], headers: tuple[str, ...]) -> tuple[int, ...]:
    """Return the column of the name, or those of first and last name, in this order."""
    whole = _find("name", keys, headers)
    if whole is not None:
        return (whole,)
    first = [index for index, key in enumerate(keys) if key in FIRST_NAME]
    last = [index for index, key in enumerate(keys) if key in LAST_NAME]
    return (first[0], *last[:1]) if first else ()


def _assign(headers: tuple[str, ...], name: tuple[int, ...], *, business_name: int, phone: int) -> Columns:
    uses = [_other_use(header) for header in headers]
    uses[business_name], uses[phone] = Use.BUSINESS_NAME, Use.PHONE
    for index in name:
        uses[index] = Use.NAME
    is_put_together = len(name) > 1 or comparable(headers[name[0]]) in FIRST_NAME
    kept = {
        *(index for index, use in enumerate(uses) if use is Use.VARIABLE),
        *(name if is_put_together else ()),
    }
    return Columns(
        headers=headers,
        name=name,
        business_name=business_name,
        phone=phone,
        variables=tuple((index, headers[index]) for index in sorted(kept)),
        uses=tuple(uses),
    )


def _other_use(header: str) -> Use:
    if not header or header == PROBLEM_HEADER:
        return Use.IGNORED
    return Use.RESERVED if header in RESERVED else Use.VARIABLE


def _missing(missing: list[str], headers: tuple[str, ...]) -> ValidationProblem:
    if _is_contact(headers):
        return _no_headers(missing)
    found = ", ".join(filter(None, headers))
    noun = "Column" if len(missing) == 1 else "Columns"
    return ValidationProblem(
        f"{noun} {', '.join(missing)} not found; the file has: {found}. Add or rename the missing ones.",
        field="file",
        details={"missing": missing, "found": list(filter(None, headers))},
    )


def _is_contact(headers: tuple[str, ...]) -> bool:
    return any(sum(character.isdigit() for character in header) >= DIGITS_OF_A_CONTACT for header in headers)


def _no_headers(missing: list[str]) -> ValidationProblem:
    return ValidationProblem(
        "The first row looks like a contact, not like column headers; add a first row name,business_name,phone.",
        field="file",
        details={"missing": missing or list(REQUIRED)},
    )
