"""What addresses and forms say, read leniently: None where it is nothing of the kind."""

from datetime import date
from uuid import UUID


def read_day(text: str) -> date | None:
    """Return the day that is written as 2026-11-25."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def read_id(value: object) -> UUID | None:
    """Return the id that is written."""
    try:
        return UUID(str(value))
    except ValueError:
        return None
