"""The kinds of faults: how a value is checked, and how a fault is described to people."""

from collections.abc import Callable
from dataclasses import field
from typing import Any

Check = Callable[[Any], Any]


def probability(meaning: str) -> Any:
    """Declare a chance from 0 to 1; true and false stand for always and never."""

    def check(value: Any) -> float:
        if isinstance(value, bool):
            return float(value)
        if not _is_number(value) or not 0 <= value <= 1:
            raise ValueError("must be a probability from 0 to 1")
        return float(value)

    return _fault(0.0, check, "probability", meaning)


def seconds(default: float, meaning: str) -> Any:
    """Declare a length of virtual time."""

    def check(value: Any) -> float:
        if not _is_number(value) or value < 0:
            raise ValueError("must be a number from 0 up")
        return float(value)

    return _fault(default, check, "seconds", meaning)


def count(default: int, meaning: str) -> Any:
    """Declare a whole number."""

    def check(value: Any) -> int:
        if not is_count(value):
            raise ValueError("must be a whole number from 0 up")
        return int(value)

    return _fault(default, check, "count", meaning)


def switch(*, default: bool, meaning: str) -> Any:
    """Declare a switch: on or off."""

    def check(value: Any) -> bool:
        if value is not True and value is not False:
            raise ValueError("must be true or false")
        return value

    return _fault(default, check, "switch", meaning)


def choice(choices: tuple[str, ...], meaning: str) -> Any:
    """Declare a choice: one word out of several; the first is the default."""

    def check(value: Any) -> str:
        if value not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return str(value)

    return _fault(choices[0], check, " | ".join(choices), meaning)


def mapping(is_valid: Callable[[Any], bool], values: str, meaning: str) -> Any:
    """Declare a JSON object whose values all follow one rule."""

    def check(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict) or not all(map(is_valid, value.values())):
            raise ValueError(f"must be an object of {values}")
        return dict(value)

    described = {"check": check, "kind": f"object of {values}", "meaning": meaning}
    return field(default_factory=dict, metadata=described)


def is_count(value: Any) -> bool:
    """Tell whether a value is a whole number from 0 up."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _fault(default: Any, check: Check, kind: str, meaning: str) -> Any:
    return field(default=default, metadata={"check": check, "kind": kind, "meaning": meaning})
