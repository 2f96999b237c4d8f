"""For how long things are kept: moments before which they go."""

from dataclasses import dataclass
from datetime import datetime, timedelta

KEYS_KEPT = timedelta(hours=24)  # answers under an Idempotency-Key, which may repeat rows of a list


@dataclass(frozen=True, kw_only=True)
class RetentionDays:
    """What the settings say, in days; 0 keeps for ever."""

    campaigns: int
    people: int
    webhooks: int
    events: int
    audit: int


@dataclass(frozen=True, kw_only=True)
class Cutoffs:
    """What is older than that goes; None: nothing of the kind ever does."""

    campaigns: datetime | None
    people: datetime | None
    webhooks: datetime | None
    events: datetime | None
    audit: datetime | None
    keys: datetime


def cutoffs_at(days: RetentionDays, now: datetime) -> Cutoffs:
    """Return the cutoffs as they are at that moment."""
    return Cutoffs(
        campaigns=_before(days.campaigns, now),
        people=_before(days.people, now),
        webhooks=_before(days.webhooks, now),
        events=_before(days.events, now),
        audit=_before(days.audit, now),
        keys=now - KEYS_KEPT,
    )


def _before(days: int, now: datetime) -> datetime | None:
    return now - timedelta(days=days) if days else None
