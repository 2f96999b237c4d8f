"""Checks of request bodies: every violation in one list, in the words of the service.

A rule looks at a value under a dotted path and yields one sentence per violation. Absent and null are the
same and pass, unless the key is required.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

Rule = Callable[[str, Any], Iterator[str]]

E164 = re.compile(r"^\+[1-9]\d{1,14}$")
LOOSE_NUMBER = re.compile(r"^\+?[a-zA-Z0-9]+$")
E164_HINT = (
    "must be a valid phone number in the E.164 format. Hot tip, you may be missing the country code (Eg. US: +1)."
)


def violations(rule: Rule, body: object) -> list[str]:
    """Every violation of a rule by a whole body."""
    return list(rule("", body))


def anything() -> Rule:
    """No constraint."""
    return lambda _path, _value: iter(())


def text(*, longest: int | None = None, shortest: int | None = None) -> Rule:
    """Require a string, perhaps with bounds on its length."""

    def check(path: str, value: Any) -> Iterator[str]:
        if longest is not None and len(str(value)) > longest:
            yield f"{path} must be shorter than or equal to {longest} characters"
        if shortest is not None and len(str(value)) < shortest:
            yield f"{path} must be longer than or equal to {shortest} characters"
        if not isinstance(value, str):
            yield f"{path} must be a string"

    return check


def number(lowest: float | None = None, highest: float | None = None) -> Rule:
    """Require a number, perhaps with bounds."""

    def check(path: str, value: Any) -> Iterator[str]:
        if not isinstance(value, int | float) or isinstance(value, bool):
            yield f"{path} must be a number conforming to the specified constraints"
            return
        if highest is not None and value > highest:
            yield f"{path} must not be greater than {highest:g}"
        if lowest is not None and value < lowest:
            yield f"{path} must not be less than {lowest:g}"

    return check


def flag() -> Rule:
    """Require true or false."""
    return _of_type(bool, "a boolean value")


def one_of(*choices: str) -> Rule:
    """One word out of a list."""

    def check(path: str, value: Any) -> Iterator[str]:
        if value not in choices:
            yield f"{path} must be one of the following values: {', '.join(choices)}"

    return check


def uuid() -> Rule:
    """Require a uuid as text."""

    def check(path: str, value: Any) -> Iterator[str]:
        if not is_uuid(value):
            yield f"{path} must be a UUID"

    return check


def iso_date() -> Rule:
    """Require a date and time as text."""

    def check(path: str, value: Any) -> Iterator[str]:
        if parse_iso(value) is None:
            yield f"{path} must be a valid ISO 8601 date string"

    return check


def listing(item: Rule) -> Rule:
    """Require a list whose items all follow a rule."""

    def check(path: str, value: Any) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"{path} must be an array"
            return
        for index, each in enumerate(value):
            yield from item(f"{path}.{index}", each)

    return check


def either(*rules: Rule) -> Rule:
    """At least one of the rules; otherwise the violations of the last."""

    def check(path: str, value: Any) -> Iterator[str]:
        found: list[str] = []
        for rule in rules:
            found = list(rule(path, value))
            if not found:
                return
        yield from found

    return check


def record(fields: Mapping[str, Rule], *, required: Collection[str] = (), is_open: bool = False) -> Rule:
    """Require an object; unknown keys are refused unless it is open."""

    def check(path: str, value: Any) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{path or 'body'} must be an object"
            return
        prefix = f"{path}." if path else ""
        if not is_open:
            yield from (f"{prefix}property {key} should not exist" for key in value if key not in fields)
        for key in required:
            if value.get(key) is None:
                yield f"{prefix}{key} should not be empty"
        for key, each in value.items():
            if each is not None and key in fields:
                yield from fields[key](f"{prefix}{key}", each)

    return check


def phone_of_customer() -> Rule:
    """Check the `number` of a customer, which depends on a sibling key."""

    def check(path: str, value: Any) -> Iterator[str]:
        called = value.get("number") if isinstance(value, dict) else None
        if called is None:
            return
        if value.get("numberE164CheckEnabled") is False:
            if not LOOSE_NUMBER.match(str(called)):
                yield f"{path}.number must match {LOOSE_NUMBER.pattern} regular expression"
        elif not E164.match(str(called)):
            yield f"{path}.number {E164_HINT}"

    return check


def both(*rules: Rule) -> Rule:
    """All of the rules."""

    def check(path: str, value: Any) -> Iterator[str]:
        for rule in rules:
            yield from rule(path, value)

    return check


def is_uuid(value: object) -> bool:
    """Whether a value is a uuid as the service writes it."""
    try:
        return isinstance(value, str) and str(UUID(value)) == value.lower()
    except ValueError:
        return False


def parse_iso(value: object) -> float | None:
    """Seconds since the epoch, or None when it is not an ISO date; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if moment is None:
        return None
    return (moment if moment.tzinfo else datetime.fromisoformat(f"{value}+00:00")).timestamp()


def _of_type(kind: type, meaning: str) -> Rule:
    def check(path: str, value: Any) -> Iterator[str]:
        if not isinstance(value, kind):
            yield f"{path} must be {meaning}"

    return check
