"""What calls are like, so far: how often somebody answers, how long it takes, what it costs, and how sure that is."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

ENOUGH_CALLS = 20
RING_SECONDS = 10.0  # until somebody picks up
MISSED_SECONDS = 30.0  # how long a line is held by a call that reaches nobody
DEFAULTS_SENTENCE = (
    "There are hardly any calls to go by yet: a rule of thumb (4 of 10 answer and talk for a minute; 8 cents a call)."
)


class FiguresFrom(StrEnum):
    """Where figures come from, the surest first."""

    ASSISTANT = "assistant"
    ALL_ASSISTANTS = "allAssistants"
    DEFAULTS = "defaults"


# From ... to ... times the mean: the less is known, the wider.
_SPREAD = {
    FiguresFrom.ASSISTANT: (Decimal("0.8"), Decimal("1.3")),
    FiguresFrom.ALL_ASSISTANTS: (Decimal("0.6"), Decimal("1.6")),
    FiguresFrom.DEFAULTS: (Decimal("0.5"), Decimal(2)),
}


@dataclass(frozen=True, kw_only=True)
class History:
    """Sums over calls that are over. `missed`: those after which a further attempt makes sense."""

    calls: int = 0
    missed: int = 0
    cost_usd: Decimal = Decimal(0)
    talks: int = 0
    talk_seconds: Decimal = Decimal(0)

    @property
    def is_enough(self) -> bool:
        """Whether there are enough calls to go by."""
        return self.calls >= ENOUGH_CALLS


@dataclass(frozen=True, kw_only=True)
class CallFigures:
    """What one call is expected to be like. Shares are from 0 to 1; seconds are those that it holds a line."""

    answered_share: float
    missed_share: float
    talk_seconds: float
    cost_usd: Decimal
    source: FiguresFrom
    calls: int  # on how many it rests

    @property
    def line_seconds(self) -> float:
        """How long a call holds its line, on average."""
        answered = self.answered_share * (RING_SECONDS + self.talk_seconds)
        return answered + (1 - self.answered_share) * MISSED_SECONDS

    @property
    def spread(self) -> tuple[Decimal, Decimal]:
        """By what a mean is multiplied for the low and the high end."""
        return _SPREAD[self.source]

    @property
    def sentence(self) -> str:
        """Say where the figures come from."""
        match self.source:
            case FiguresFrom.ASSISTANT:
                return f"By {self.calls:,} calls that this assistant has made."
            case FiguresFrom.ALL_ASSISTANTS:
                return f"This assistant has hardly called yet: by {self.calls:,} calls of all assistants."
            case FiguresFrom.DEFAULTS:
                return DEFAULTS_SENTENCE


DEFAULT_FIGURES = CallFigures(
    answered_share=0.4,
    missed_share=0.4,
    talk_seconds=60.0,
    cost_usd=Decimal("0.08"),
    source=FiguresFrom.DEFAULTS,
    calls=0,
)


def figures_from(assistant: History, everybody: History) -> CallFigures:
    """Return the surest figures there are: the assistant's own, else those of all, else a rule of thumb."""
    for history, source in ((assistant, FiguresFrom.ASSISTANT), (everybody, FiguresFrom.ALL_ASSISTANTS)):
        if history.is_enough:
            return _figures(history, source)
    return DEFAULT_FIGURES


def _figures(history: History, source: FiguresFrom) -> CallFigures:
    talk = float(history.talk_seconds) / history.talks if history.talks else DEFAULT_FIGURES.talk_seconds
    return CallFigures(
        answered_share=min(1.0, history.talks / history.calls),
        missed_share=min(1.0, history.missed / history.calls),
        talk_seconds=talk,
        cost_usd=history.cost_usd / history.calls,
        source=source,
        calls=history.calls,
    )
