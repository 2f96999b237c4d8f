"""Why nothing new is dialled, for people who look at a campaign or at a list of them."""

from dataclasses import dataclass
from datetime import datetime

from autolynx.domain.bounds import Bound
from autolynx.web.pages.words import span

# What is in the nature of a campaign that runs well, or is shown beside it anyway.
_ORDINARY = frozenset({"status", "due", "campaign cap", "launch rate"})
# What binds, as short as a row of a list has room for.
_SHORT = {
    "hold": "dialling is held",
    "trouble": "the account cannot dial",
    "rest": "dialling rests",
    "probe": "one call tries if the provider is back",
    "lowered cap": "the provider takes no more calls now",
    "account cap": "all lines of the account are in use",
    "number": "its phone number is held",
    "daily limit": "its phone number has made all calls of today",
    "quiet line": "waits for a quiet line",
}


@dataclass(frozen=True, kw_only=True)
class Resting:
    """Why nothing new is dialled: in a sentence and in few words; until when by time alone, None where nobody knows."""

    sentence: str
    short: str
    until: datetime | None


def resting(bound: Bound, now: datetime) -> Resting | None:
    """Return why nothing new is dialled; None where calls are placed as they should be."""
    if bound.lines or bound.by in _ORDINARY:
        return None
    until = bound.until if bound.until is not None and bound.until > now else None
    return Resting(sentence=bound.sentence, short=_SHORT.get(bound.by, bound.sentence), until=until)


def as_of(why: Resting | None, now: datetime) -> Resting | None:
    """Return it with the time that is left in its sentence, for what is drawn anew all the time."""
    if why is None or why.until is None:
        return why
    left = span((why.until - now).total_seconds())
    return Resting(sentence=f"{why.sentence} That may change in {left}.", short=why.short, until=None)
