"""Analytics as one CSV: a line per figure row, with the same columns whatever it is about."""

from collections.abc import Iterator

from autolynx.domain.analytics import DURATIONS, OUTCOME_FIGURES, WEEKDAYS, Analytics, Duration, Figures
from autolynx.domain.csv_cells import csv_line

_KEYS = ("part", "day", "weekday", "hour", "assistant")
_FIGURES = (
    "calls",
    "active",
    "completed",
    *OUTCOME_FIGURES,
    "answer_rate",
    "success_true",
    "success_false",
    "success_rate",
    "cost_usd",
    "cost_per_success",
    "talk_seconds",
    "average_duration_seconds",
)


def csv_of(analytics: Analytics) -> str:
    """Return the file: the total, then every day, every hour of the week, every assistant."""
    return "".join(csv_line(cells) for cells in _lines(analytics))


def _lines(analytics: Analytics) -> Iterator[list[str]]:
    yield [*_KEYS, *_FIGURES, *(_column(duration) for duration in DURATIONS)]
    yield ["total", "", "", "", "", *_cells(analytics.total)]
    for day, figures in analytics.days.items():
        yield ["day", day.isoformat(), "", "", "", *_cells(figures)]
    for (weekday, hour), figures in analytics.hours.items():
        yield ["hour", "", WEEKDAYS[weekday - 1], str(hour), "", *_cells(figures)]
    for one in analytics.assistants:
        yield ["assistant", "", "", "", one.name, *_cells(one.figures)]


def _column(duration: Duration) -> str:
    if duration.high is None:
        return f"talks_from_{duration.low}_seconds"
    return f"talks_{duration.low}_to_{duration.high}_seconds"


def _cells(figures: Figures) -> Iterator[str]:
    for name in _FIGURES:
        value = getattr(figures, OUTCOME_FIGURES.get(name, name))
        yield "" if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)
    for duration in DURATIONS:
        yield str(getattr(figures, duration.name))
