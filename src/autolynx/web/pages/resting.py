"""Why nothing new is dialled, for people who look at one campaign."""

from datetime import datetime

from autolynx.domain.bounds import Bound
from autolynx.web.pages.words import span

# What is in the nature of a campaign that runs well, or is shown beside it anyway.
_ORDINARY = frozenset({"status", "due", "campaign cap", "launch rate"})


def resting_sentence(bound: Bound, now: datetime) -> str | None:
    """Say why nothing new is dialled, and for how long; None where calls are placed as they should be."""
    if bound.lines or bound.by in _ORDINARY:
        return None
    left = (bound.until - now).total_seconds() if bound.until else 0
    return f"{bound.sentence} That may change in {span(left)}." if left > 0 else bound.sentence
