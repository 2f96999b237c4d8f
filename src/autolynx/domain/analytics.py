"""What analytics shows: figures of calls by day, by weekday and hour, and by assistant, all from one kind of row."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from autolynx.domain.call import Outcome
from autolynx.errors import ValidationProblem

DAYS_UNLESS_TOLD = 30
MOST_DAYS = 366
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# UTC, or Area/City. Digits are in no other name; PostgreSQL would take them for an offset of its own making.
_TIMEZONE = re.compile(r"UTC|Etc/GMT[+-]\d{1,2}|[A-Za-z_]+(/[A-Za-z_-]+)+", re.ASCII)
_CENT = Decimal("0.0001")
_MILLISECOND = Decimal("0.001")


class Duration(NamedTuple):
    """How long an answered call was: from `low` seconds to below `high`, None for no end."""

    name: str  # of the figure
    low: int
    high: int | None


DURATIONS = (
    Duration("talks_to_10", 0, 10),
    Duration("talks_to_30", 10, 30),
    Duration("talks_to_60", 30, 60),
    Duration("talks_to_120", 60, 120),
    Duration("talks_to_300", 120, 300),
    Duration("talks_to_600", 300, 600),
    Duration("talks_beyond", 600, None),
)


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Sums over calls; released claims are no calls. `talks` are answered calls of known length."""

    active: int = 0
    completed: int = 0
    answered: int = 0
    voicemail: int = 0
    no_answer: int = 0
    busy: int = 0
    silence: int = 0
    bad_number: int = 0
    refused: int = 0
    provider_error: int = 0
    config_error: int = 0
    canceled_outcome: int = 0
    unsure_outcome: int = 0
    unknown_outcome: int = 0
    success_true: int = 0
    success_false: int = 0
    cost_usd: Decimal = Decimal(0)
    talks: int = 0
    talk_seconds: Decimal = Decimal(0)
    talks_to_10: int = 0
    talks_to_30: int = 0
    talks_to_60: int = 0
    talks_to_120: int = 0
    talks_to_300: int = 0
    talks_to_600: int = 0
    talks_beyond: int = 0

    @property
    def calls(self) -> int:
        """All calls, those that go on included."""
        return self.active + self.completed

    @property
    def by_outcome(self) -> dict[str, int]:
        """How many calls went how; every outcome that is counted is there."""
        return {outcome: getattr(self, name) for outcome, name in OUTCOME_FIGURES.items()}

    @property
    def answer_rate(self) -> float | None:
        """The share of the calls that are over in which somebody answered (0 to 1), None before the first."""
        return self.answered / self.completed if self.completed else None

    @property
    def success_rate(self) -> float | None:
        """The share of successes among the calls that were judged (0 to 1), None before the first."""
        judged = self.success_true + self.success_false
        return self.success_true / judged if judged else None

    @property
    def cost_per_success(self) -> Decimal | None:
        """What a success cost, all calls paid, None before the first."""
        return (self.cost_usd / self.success_true).quantize(_CENT) if self.success_true else None

    @property
    def average_duration_seconds(self) -> Decimal | None:
        """The length of an answered call, None before the first."""
        return (self.talk_seconds / self.talks).quantize(_MILLISECOND) if self.talks else None


def add(several: Iterable[Figures]) -> Figures:
    """Return the sum of figures."""
    parts = list(several)
    return Figures(**{name: sum(getattr(part, name) for part in parts) for name in FIGURES})


FIGURES = tuple(field.name for field in fields(Figures))
# Under which figure an outcome is counted; a released claim (`not_dialled`) is under none.
OUTCOME_FIGURES: Mapping[str, str] = {
    outcome.value: outcome.value if outcome.value in FIGURES else f"{outcome.value}_outcome"
    for outcome in Outcome
    if outcome is not Outcome.NOT_DIALLED
}


@dataclass(frozen=True, kw_only=True)
class Period:
    """Whole days of one time zone, both ends included."""

    first: date
    last: date
    timezone: str

    @property
    def days(self) -> list[date]:
        """Every day of it."""
        return [date.fromordinal(number) for number in range(self.first.toordinal(), self.last.toordinal() + 1)]


def is_timezone(name: str) -> bool:
    """Whether it may be the name of a time zone."""
    return _TIMEZONE.fullmatch(name) is not None


def check_timezone(name: str) -> None:
    """Refuse what cannot be the name of a time zone."""
    if not is_timezone(name):
        raise unknown_timezone()


def unknown_timezone() -> ValidationProblem:
    """Return the refusal of a time zone that does not exist."""
    return ValidationProblem("timezone: write UTC, or a name such as Europe/Berlin.", field="timezone")


def choose_period(first: date | None, last: date | None, *, today: date, timezone: str) -> Period:
    """Return the days that are wanted: unless told otherwise the 30 that end today."""
    last = last or max(today, first or today)
    first = first or date.fromordinal(max(1, last.toordinal() - DAYS_UNLESS_TOLD + 1))
    if last < first:
        raise ValidationProblem("to: must not lie before `from`.", field="to")
    if last - first >= timedelta(days=MOST_DAYS):
        raise ValidationProblem(f"from: at most {MOST_DAYS} days go together; choose a later day.", field="from")
    return Period(first=first, last=last, timezone=timezone)


@dataclass(frozen=True, kw_only=True)
class AssistantFigures:
    """The figures of the calls of one assistant."""

    id: UUID
    name: str
    figures: Figures


@dataclass(frozen=True, kw_only=True)
class Analytics:
    """The figures of a period, taken apart in three ways. Days and hours are complete: those without calls are there.

    A call belongs to the day and hour in which it was claimed. `hours` goes by ISO weekday (Monday is 1) and hour.
    """

    period: Period
    total: Figures
    days: Mapping[date, Figures]
    hours: Mapping[tuple[int, int], Figures]
    assistants: tuple[AssistantFigures, ...]  # those with the most calls first


def complete(
    period: Period,
    *,
    total: Figures,
    days: Mapping[date, Figures],
    hours: Mapping[tuple[int, int], Figures],
    assistants: tuple[AssistantFigures, ...],
) -> Analytics:
    """Return what was counted, with zeros where nothing was."""
    none = Figures()
    return Analytics(
        period=period,
        total=total,
        days={day: days.get(day, none) for day in period.days},
        hours={(weekday, hour): hours.get((weekday, hour), none) for weekday in range(1, 8) for hour in range(24)},
        assistants=tuple(sorted(assistants, key=lambda one: (-one.figures.calls, one.name, one.id))),
    )
