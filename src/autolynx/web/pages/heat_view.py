"""When people answer: the hours of the week, the darker the more of their calls were answered."""

from collections.abc import Sequence
from dataclasses import dataclass

from autolynx.domain.analytics import WEEKDAYS, Analytics, Figures
from autolynx.web.pages.words import count, share

HEAT_STEPS = 9
FEWEST_TO_TELL = 20  # calls of an hour of the week before its rate says something
WORTH_TELLING = 0.05  # by so much an hour is better than all calls together


@dataclass(frozen=True, kw_only=True)
class HeatCell:
    """An hour of the week: how dark it is (None for no call) and what it says."""

    step: int | None
    text: str
    title: str


@dataclass(frozen=True, kw_only=True)
class HeatRow:
    """A weekday."""

    weekday: str
    cells: Sequence[HeatCell]


@dataclass(frozen=True, kw_only=True)
class Scale:
    """From the lowest to the highest answer rate of hours with enough calls to tell."""

    low: float
    high: float

    @classmethod
    def of(cls, found: Analytics) -> "Scale":
        """Find the ends."""
        rates = [one.answer_rate for _, one in _telling_hours(found) if one.answer_rate is not None]
        return cls(low=min(rates, default=0.0), high=max(rates, default=1.0))

    def step(self, rate: float) -> int:
        """Return how dark a rate is."""
        width = self.high - self.low
        part = (rate - self.low) / width if width else 1.0
        return round(HEAT_STEPS * min(1.0, max(0.0, part)))


def _telling_hours(found: Analytics) -> list[tuple[tuple[int, int], Figures]]:
    """Return the hours of the week with enough calls; where none has, those that have any."""
    fewest = max(FEWEST_TO_TELL, found.total.completed / 1000)
    hours = [(key, one) for key, one in found.hours.items() if one.completed]
    return [(key, one) for key, one in hours if one.completed >= fewest] or hours


def heat_row(found: Analytics, scale: Scale, weekday: int) -> HeatRow:
    """Return a weekday's hours."""
    name = WEEKDAYS[weekday - 1]

    def cell(hour: int) -> HeatCell:
        figures = found.hours[weekday, hour]
        if figures.answer_rate is None:
            return HeatCell(step=None, text="no calls", title=f"{name} {hour:02}:00: no calls")
        text = f"{share(figures.answer_rate)} of {count(figures.completed)}"
        step = scale.step(figures.answer_rate)
        return HeatCell(step=step, text=text, title=f"{name} {hour:02}:00: {text} answered")

    return HeatRow(weekday=name, cells=[cell(hour) for hour in range(24)])


def best_hour(found: Analytics) -> str:
    """Say when people answer most; nothing where that would be chance."""
    usual = found.total.answer_rate or 0
    hours = [(key, one) for key, one in _telling_hours(found) if one.completed >= FEWEST_TO_TELL]
    (weekday, hour), best = max(hours, key=lambda item: item[1].answer_rate or 0, default=((1, 0), Figures()))
    if (best.answer_rate or 0) < usual + WORTH_TELLING:
        return ""
    return (
        f"People answer most on {WEEKDAYS[weekday - 1]}s from {hour:02}:00 to {(hour + 1) % 24:02}:00: "
        f"{share(best.answer_rate)} of {count(best.completed)} calls, against {share(usual)} of all."
    )
