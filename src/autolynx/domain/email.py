"""Email addresses, as people are known by them."""

import re

from autolynx.errors import ValidationProblem

MOST_CHARACTERS = 254
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")


def checked_email(text: str) -> str:
    """Return an address in the one form in which it is kept and compared: trimmed, in small letters.

    Only ASCII: two addresses that look alike, or that fold to the same letters, must never be taken for each other.
    Raises ValidationProblem.
    """
    address = text.strip()
    if len(address) > MOST_CHARACTERS or not _ADDRESS.fullmatch(address) or ".." in address:
        raise ValidationProblem("email: give an address like ada@example.com.", field="email")
    return address.lower()
