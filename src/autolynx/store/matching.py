"""What a person types into a search box, as a pattern of LIKE."""

import re

LEAST_DIGITS = 3
_ONLY_PHONE = re.compile(r"[+\d\s().\-/]+")


def like_pattern(text: str) -> str:
    """Return a pattern that finds the text anywhere, taken literally: %, _ and backslash mean themselves."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def phone_pattern(text: str) -> str | None:
    """Return a pattern for an E.164 number if the text looks like part of one, however it is written."""
    digits = "".join(character for character in text if character in "0123456789")
    if not _ONLY_PHONE.fullmatch(text) or len(digits) < LEAST_DIGITS:
        return None
    return f"%{digits}%"
