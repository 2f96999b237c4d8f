"""Query strings of lists: limits, ids and the eight date filters."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from vapisim.refusals import Refused
from vapisim.validation import parse_iso

DEFAULT_LIMIT = 100
MOST = 1000
DATE_FILTERS = {f"{field}{op}": (field, op) for field in ("createdAt", "updatedAt") for op in ("Gt", "Lt", "Ge", "Le")}


class ListQuery:
    """A checked query; unknown keys are refused as everywhere."""

    def __init__(self, query: Mapping[str, str], *, ids: Iterable[str] = ()) -> None:
        allowed = {"limit", *ids, *DATE_FILTERS}
        problems = [f"property {key} should not exist" for key in query if key not in allowed]
        self.limit = _limit(query.get("limit"), problems)
        self.ids = {key: query[key] for key in ids if key in query}
        self._dates: list[tuple[str, str, float]] = []
        for key, (field, op) in DATE_FILTERS.items():
            if key in query:
                moment = parse_iso(query[key].replace(" ", "+"))
                if moment is None:
                    problems.append(f"{key} must be a valid ISO 8601 date string")
                else:
                    self._dates.append((field, op, moment))
        if problems:
            raise Refused(400, problems, "validation")

    def admits(self, *, created_at: float, updated_at: float) -> bool:
        """Whether the dates of a row pass; compared in milliseconds, the precision on the wire."""
        times = {"createdAt": _ms(created_at), "updatedAt": _ms(updated_at)}
        return all(_compares(times[field], op, _ms(moment)) for field, op, moment in self._dates)

    def cut(self, rows: Iterable[Any]) -> list[Any]:
        """Take the first rows, as many as were asked for."""
        return list(islice(rows, self.limit))


def _limit(value: str | None, problems: list[str]) -> int:
    if value is None:
        return DEFAULT_LIMIT
    if not value.lstrip("-").isdigit():
        problems.append("limit must be a number conforming to the specified constraints")
        return 0
    if int(value) > MOST:
        problems.append(f"limit must not be greater than {MOST}")
    if int(value) < 0:
        problems.append("limit must not be less than 0")
    return max(0, int(value))


def _ms(seconds: float) -> int:
    return int(seconds * 1000 + 1e-4)


def _compares(left: int, op: str, right: int) -> bool:
    return {"Gt": left > right, "Lt": left < right, "Ge": left >= right, "Le": left <= right}[op]
