"""The part of a file that a player asks for, so that it can jump to a place in a recording."""

import re
from dataclasses import dataclass

_ONE_RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Part:
    """Bytes `first` to `last`, both included."""

    first: int
    last: int

    @property
    def size(self) -> int:
        """How many bytes these are."""
        return self.last - self.first + 1


def wanted_part(header: str | None, *, size: int) -> Part | None:
    """Return the part that a Range header asks for; None for the whole file: no, odd or several ranges.

    A part that lies behind the end has a size of 0 or less: it cannot be given.
    """
    asked = _ONE_RANGE.fullmatch(header or "")
    if asked is None or asked[1] == asked[2] == "":
        return None
    if not asked[1]:
        length = min(int(asked[2]), size)
        return Part(first=size - length, last=size - 1)
    first = int(asked[1])
    last = min(int(asked[2]), size - 1) if asked[2] else size - 1
    if asked[2] and int(asked[2]) < first:
        return None
    return Part(first=first, last=last)
