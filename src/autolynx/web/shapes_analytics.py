"""How analytics looks outside."""

from datetime import date
from typing import Any
from uuid import UUID

from pydantic import Field

from autolynx.domain.analytics import DURATIONS, Analytics, Figures
from autolynx.store.analytics import CallFilter
from autolynx.web.shapes import Shape
from autolynx.web.shapes_campaigns import Number


class DurationShape(Shape):
    """How many answered calls were so long: from `fromSeconds` to below `toSeconds`, null for no end."""

    from_seconds: int
    to_seconds: int | None
    calls: int


class FiguresShape(Shape):
    """Sums over calls. Costs in US dollars; durations in seconds, of answered calls; rates from 0 to 1.

    `calls` are those that go on (`active`) and those that are over (`completed`). The answer rate is the share of
    answered calls among those that are over, the success rate that of successes among those that were judged.
    """

    calls: int
    active: int
    completed: int
    answered: int
    answer_rate: float | None
    calls_by_outcome: dict[str, int]
    success_true: int
    success_false: int
    success_rate: float | None
    cost: Number
    cost_per_success: Number | None
    talk_seconds: Number
    average_duration: Number | None
    durations: list[DurationShape]

    @classmethod
    def plain(cls, figures: Figures) -> dict[str, Any]:
        """Return its fields."""
        own = {name: getattr(figures, name) for name in FiguresShape.model_fields if hasattr(figures, name)}
        durations = [
            DurationShape(from_seconds=low, to_seconds=high, calls=getattr(figures, name))
            for name, low, high in DURATIONS
        ]
        return {
            **own,
            "calls_by_outcome": figures.by_outcome,
            "cost": figures.cost_usd,
            "average_duration": figures.average_duration_seconds,
            "durations": durations,
        }

    @classmethod
    def of(cls, figures: Figures) -> "FiguresShape":
        """Show figures."""
        return cls(**cls.plain(figures))


class DayShape(FiguresShape):
    """The calls that were claimed on a day."""

    day: date


class HourShape(Shape):
    """The calls that were claimed in an hour of the week. Monday is 1."""

    weekday: int = Field(ge=1, le=7)
    hour: int = Field(ge=0, le=23)
    calls: int
    completed: int
    answered: int
    answer_rate: float | None
    calls_by_outcome: dict[str, int]


class AssistantShape(FiguresShape):
    """The calls of an assistant."""

    id: UUID
    name: str


class AnalyticsShown(Shape):
    """The figures of whole days of a time zone, both ends included: in total, and taken apart in three ways."""

    first: date = Field(alias="from")
    last: date = Field(alias="to")
    timezone: str
    assistant_id: UUID | None
    campaign_id: UUID | None
    total: FiguresShape
    days: list[DayShape]
    hours: list[HourShape]
    assistants: list[AssistantShape]

    @classmethod
    def of(cls, analytics: Analytics, chosen: CallFilter) -> "AnalyticsShown":
        """Show analytics."""
        return cls(
            first=analytics.period.first,
            last=analytics.period.last,
            timezone=analytics.period.timezone,
            assistant_id=chosen.assistant_id,
            campaign_id=chosen.campaign_id,
            total=FiguresShape.of(analytics.total),
            days=[DayShape(day=day, **FiguresShape.plain(one)) for day, one in analytics.days.items()],
            hours=[_hour(weekday, hour, one) for (weekday, hour), one in analytics.hours.items()],
            assistants=[
                AssistantShape(id=one.id, name=one.name, **FiguresShape.plain(one.figures))
                for one in analytics.assistants
            ],
        )


def _hour(weekday: int, hour: int, figures: Figures) -> HourShape:
    return HourShape(
        weekday=weekday,
        hour=hour,
        calls=figures.calls,
        completed=figures.completed,
        answered=figures.answered,
        answer_rate=figures.answer_rate,
        calls_by_outcome=figures.by_outcome,
    )
