"""What spreadsheets, address books and people do to a phone number before anybody judges it.

Cleaning is a closed list of known accidents. Whatever is not on it stays in the text and is refused later.
"""

import re
import unicodedata
from dataclasses import dataclass

FEWEST_DIGITS_OF_A_NUMBER = 7

_SPREADSHEET_TEXT = re.compile(r'="([^"]*)"')
_REMARK = re.compile(r"\(([^()0-9]*[^\W\d_][^()0-9]*)\)")
_EXCEL = re.compile(r"[+-]?\d+(?:[.,]\d*)?[eE][+-]?\d+")
_FLOAT = re.compile(r"(\+?\d+)\.0")
_FRACTION = re.compile(r"\+?\d{5,}\.\d{1,2}")
_EXTENSION = re.compile(
    r"(?P<number>.*\d[\s)]*)(?:;\s*ext=|[;,]?\s*(?:extension|extn|ext|x)\s*[.:]?|[;,]?\s*#)\s*(?P<extension>\d+)",
    re.IGNORECASE | re.DOTALL,
)
_SEVERAL = re.compile(r"[/;,|&\r\n]| or | and ", re.IGNORECASE)
_OPTIONAL_ZERO = re.compile(r"(\+[0-9][0-9 .\-]*)\(0\)")
# Typographic hyphens, dashes and the minus sign, then full-width - + ( ) and full stop.
_LOOKALIKES = dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d", "-") | {
    "\uff0b": "+",
    "\uff08": "(",
    "\uff09": ")",
    "\uff0e": ".",
}


@dataclass(frozen=True, kw_only=True)
class WrittenPhone:
    """A cleaned number, apart from its extension."""

    number: str
    extension: str | None


def clean_phone(text: str) -> str:
    """Undo what is known to happen to a number: `2025550143.0`, `="202..."`, `'+1...`, `tel:`, `(cell)`."""
    visible = (text if text.isascii() else "".join(map(_plain_character, text))).strip()
    if wrapped := _SPREADSHEET_TEXT.fullmatch(visible):
        visible = wrapped[1].strip()
    visible = visible.removeprefix("'").strip()
    if visible[:4].lower() == "tel:":
        visible = visible[4:].strip()
    visible = _REMARK.sub("", visible).strip()
    if floated := _FLOAT.fullmatch(visible):
        visible = floated[1]
    return _OPTIONAL_ZERO.sub(r"\1", visible)


def split_extension(text: str) -> WrittenPhone:
    """Part `202-555-0143 x12` (also ext. 12, extension 12, #12, ;ext=12) into number and extension."""
    found = _EXTENSION.fullmatch(text)
    if not found:
        return WrittenPhone(number=text, extension=None)
    return WrittenPhone(number=found["number"].strip(), extension=found["extension"])


def is_excel_notation(text: str) -> bool:
    """Whether a spreadsheet rounded the number to something like 1.5551E+10: its digits are lost."""
    return _EXCEL.fullmatch(text) is not None


def has_fraction(text: str) -> bool:
    """Whether the number was computed with, as in 2025550143.5: what follows the point was never dialled."""
    return _FRACTION.fullmatch(text) is not None


def holds_several_numbers(text: str) -> bool:
    """Whether two or more numbers share the cell, as in `202-555-0143 / 202-555-0144`."""
    parts = _SEVERAL.split(text)
    return len(parts) > 1 and sum(_count_digits(part) >= FEWEST_DIGITS_OF_A_NUMBER for part in parts) > 1


def _plain_character(character: str) -> str:
    """Return the ASCII digit, dash, plus or space that a character stands for; '' for an invisible one.

    Digits of every script count (full-width, Arabic-Indic): each stands for exactly one digit.
    """
    if character.isascii():
        return character
    if (digit := unicodedata.decimal(character, None)) is not None:
        return str(digit)
    category = unicodedata.category(character)
    if category == "Cf":  # direction marks and zero-width spaces that address books put around numbers
        return ""
    return " " if category == "Zs" else _LOOKALIKES.get(character, character)


def _count_digits(text: str) -> int:
    return sum(character.isdigit() for character in text)
