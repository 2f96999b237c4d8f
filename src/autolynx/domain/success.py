"""Whether a call did what it was meant to do, read from the judge's words.

Each rubric of the provider answers in its own way:

- pass or fail: `true`, `false`, and in old bodies `Pass`, `successful`, `failed`, ...
- a number from 1 to 10: a success from 6 on, the upper half of the scale
- a percentage: a success from 60 % on, the same line drawn on the longer scale
- `Excellent`, `Good` are a success, `Fair`, `Poor` are not: fair is the lower half of four words
- `Strongly Agree`, `Agree` are a success, `Disagree`, `Strongly Disagree` are not, `Neutral` decides nothing

Checklists, matrices and free text are *not evaluated* (None): guessing from prose would put invented rates
on a dashboard.
"""

import math
import re

_YES = frozenset("true yes pass passed success successful succeeded excellent good agree strongly-agree".split())
_NO = frozenset("false no fail failed failure unsuccessful fair poor disagree strongly-disagree".split())
_NUMBER = re.compile(r"(?P<value>[0-9]{1,4}(?:\.[0-9]{1,6})?)\s*(?P<scale>%|/\s*10|/\s*100)?")
_LEAST_SHARE = 0.6  # of the scale, from which on a figure is a success
_TEN = 10
_HUNDRED = 100


def derive_success(raw: str | None) -> bool | None:
    """Return whether the call was a success; None where the judge said nothing that can be read as yes or no.

    `raw` is the provider's string. A bare number up to 10 is read on the scale of ten, a greater one up to
    100 as a percentage; anything outside is not evaluated.
    """
    word = re.sub(r"[\s_-]+", "-", (raw or "").strip().strip(".\"'").lower())
    if word in _YES:
        return True
    if word in _NO:
        return False
    return _from_number((raw or "").strip())


def _from_number(text: str) -> bool | None:
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    value, scale = float(match["value"]), (match["scale"] or "").replace(" ", "")
    top = _top_of_scale(value, scale)
    if top is None or value > top:
        return None
    return value / top >= _LEAST_SHARE or math.isclose(value / top, _LEAST_SHARE)


def _top_of_scale(value: float, scale: str) -> int | None:
    if scale in {"%", "/100"}:
        return _HUNDRED
    if scale == "/10":
        return _TEN
    return _TEN if value <= _TEN else _HUNDRED
