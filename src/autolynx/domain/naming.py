"""Names that people give: tidied, and a free one suggested where theirs is taken."""

import re
from collections.abc import Collection, Iterator

from autolynx.errors import ValidationProblem

MOST_SUGGESTIONS = 200


def tidy_name(name: str, *, longest: int, field: str = "name") -> str:
    """Return the name with single spaces. Raises ValidationProblem for an empty or too long one, or odd characters."""
    tidy = re.sub(r" {2,}", " ", name.strip())
    if not tidy:
        raise ValidationProblem(f"{field}: give a name of 1 to {longest} characters.", field=field)
    if len(tidy) > longest:
        raise ValidationProblem(f"{field}: the name has {len(tidy)} characters; use at most {longest}.", field=field)
    if not tidy.isprintable():
        raise ValidationProblem(f"{field}: the name has characters that cannot be shown; remove them.", field=field)
    return tidy


def name_candidates(name: str, *, longest: int) -> Iterator[str]:
    """Yield `Name 2`, `Name 3`, ..., cut so that each fits; `Name 2` itself is followed by `Name 3`."""
    numbered = re.fullmatch(r"(.+) (\d{1,6})", name)
    base, first = (numbered[1], int(numbered[2]) + 1) if numbered else (name, 2)
    for number in range(first, first + MOST_SUGGESTIONS):
        ending = f" {number}"
        yield base[: longest - len(ending)].rstrip() + ending


def free_name(name: str, taken: Collection[str], *, longest: int) -> str | None:
    """Return the first candidate that nobody bears, in any case; None when all of them are taken."""
    lowered = {one.lower() for one in taken}
    return next((one for one in name_candidates(name, longest=longest) if one.lower() not in lowered), None)
