"""The base of every shape at this edge: camelCase outside, our names inside."""

import math
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.alias_generators import to_camel

DEEPEST = 50


class Shape(BaseModel):
    """What we answer."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class Input(BaseModel):
    """What we are asked. Unknown fields are refused, and so is text that PostgreSQL cannot store."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _is_storable(cls, value: Any) -> Any:
        problem = unstorable(value)
        if problem:
            raise ValueError(problem)
        return value


class Pagination(Shape):
    """Where a page stands in its list; `pages` is at least 1."""

    page: int
    limit: int
    total: int
    pages: int

    @classmethod
    def of(cls, *, page: int, limit: int, total: int) -> "Pagination":
        """Count the pages."""
        return cls(page=page, limit=limit, total=total, pages=max(1, math.ceil(total / limit)))


def unstorable(value: Any, depth: int = 0) -> str | None:
    """Say why a JSON value cannot be stored (NUL, half a surrogate pair, NaN, too deep); None when it can."""
    if depth > DEEPEST:
        return f"the value is nested deeper than {DEEPEST} levels"
    if isinstance(value, str):
        return _unstorable_text(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN and Infinity are not numbers that can be kept"
    if isinstance(value, dict):
        parts: list[Any] = [*value.keys(), *value.values()]
    else:
        parts = value if isinstance(value, list) else []
    return next((problem for part in parts if (problem := unstorable(part, depth + 1))), None)


def _unstorable_text(text: str) -> str | None:
    if "\x00" in text:
        return "the text contains a NUL character; remove it"
    if any("\ud800" <= character <= "\udfff" for character in text):
        return "the text contains half of a surrogate pair; send valid Unicode"
    return None
