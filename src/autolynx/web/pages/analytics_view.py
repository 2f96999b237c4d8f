"""What the page of analytics shows: words, cells and charts made of figures. Each chart is a table as well."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any

import orjson

from autolynx.domain.analytics import DURATIONS, Analytics, AssistantFigures, Figures, add
from autolynx.web.pages.heat_view import HeatRow, Scale, best_hour, heat_row
from autolynx.web.pages.words import NOTHING, count, money, share, span

MOST_DAILY = 92  # longer periods are drawn by week
# What is told together, in the colours of the progress bars: key, word, outcomes.
GROUPS = (
    ("answered", "Answered", ("answered",)),
    ("voicemail", "Voicemail", ("voicemail",)),
    ("missed", "Nobody there", ("no_answer", "busy", "silence")),
    ("failed", "Failed", ("bad_number", "refused", "provider_error", "config_error", "canceled", "unknown")),
    ("unsure", "Unsure", ("unsure",)),
)


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A chart: what the script draws, what it shows in a sentence, and the table that says the same."""

    key: str
    drawn: str  # JSON for charts.js
    sentence: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class AssistantRow:
    """An assistant; `width` is its success rate in thousandths, None where nothing was judged."""

    name: str
    calls: str
    answered: str
    success: str
    judged: str
    width: int | None
    cost: str
    cost_per_success: str


@dataclass(frozen=True, kw_only=True)
class AnalyticsView:
    """Everything below the filters. `metrics` are pairs of a word, a figure and what stands under it."""

    is_empty: bool
    days: str
    step: str  # day or week
    metrics: Sequence[tuple[str, str, str]]
    calls: Chart
    outcomes: Chart
    durations: Chart
    cost: Chart
    heat: Sequence[HeatRow]
    scale: tuple[str, str]
    best_hour: str
    assistants: Sequence[AssistantRow]


Slot = tuple[str, Figures]


def analytics_view(found: Analytics) -> AnalyticsView:
    """Return what is shown."""
    (slots, step), scale = _slots(found), Scale.of(found)
    return AnalyticsView(
        is_empty=found.total.calls == 0,
        days=f"{_day(found.period.first, has_year=True)} to {_day(found.period.last, has_year=True)}",
        step=step,
        metrics=_metrics(found.total),
        calls=_calls(slots, step),
        outcomes=_outcomes(found.total),
        durations=_durations(found.total),
        cost=_cost(slots, step),
        heat=[heat_row(found, scale, weekday) for weekday in range(1, 8)],
        scale=(share(scale.low), share(scale.high)),
        best_hour=best_hour(found),
        assistants=[_assistant(one) for one in found.assistants],
    )


def _slots(found: Analytics) -> tuple[list[Slot], str]:
    """Return the points of the charts: days, or weeks where days would be too many."""
    has_year = found.period.first.year != found.period.last.year
    if len(found.days) <= MOST_DAILY:
        return [(_day(day, has_year=has_year), figures) for day, figures in found.days.items()], "day"
    weeks = groupby(found.days.items(), key=lambda item: item[0] - timedelta(days=item[0].weekday()))
    return [
        (_day(max(monday, found.period.first), has_year=has_year), add(figures for _, figures in days))
        for monday, days in weeks
    ], "week"


def _day(day: date, *, has_year: bool) -> str:
    return f"{day.day} {day:%b %Y}" if has_year else f"{day.day} {day:%b}"


def _metrics(total: Figures) -> list[tuple[str, str, str]]:
    judged = total.success_true + total.success_false
    average = total.average_duration_seconds
    each = total.cost_usd / total.completed if total.completed else None
    return [
        ("Calls", count(total.calls), f"{count(total.active)} in flight" if total.active else "all over"),
        ("Answer rate", share(total.answer_rate), f"{count(total.answered)} answered"),
        ("Success rate", share(total.success_rate), f"{count(total.success_true)} of {count(judged)} judged"),
        ("Talk time", _talk(float(total.talk_seconds)), f"{span(float(average))} a call" if average else "no talk yet"),
        ("Cost", money(total.cost_usd), f"{money(each)} a call" if each else "nothing paid yet"),
        ("Cost per success", money(total.cost_per_success) or NOTHING, f"{count(total.success_true)} successes"),
    ]


def _talk(seconds: float) -> str:
    hours = int(seconds // 3600)
    return f"{count(hours)} h" if hours >= 100 else span(seconds)


def _grouped(figures: Figures) -> list[int]:
    outcomes = figures.by_outcome
    return [sum(outcomes[name] for name in names) for _, _, names in GROUPS] + [figures.active]


def _calls(slots: Sequence[Slot], step: str) -> Chart:
    shown = [(label, _grouped(figures), figures) for label, figures in slots]
    keys = [(key, word) for key, word, _ in GROUPS] + [("live", "In flight")]
    sets = [
        _set(word, key, [numbers[index] for _, numbers, _ in shown])
        for index, (key, word) in enumerate(keys)
        if key in {"answered", "voicemail", "missed"} or any(numbers[index] for _, numbers, _ in shown)
    ]
    label, _, most = max(shown, key=lambda one: one[2].calls)
    return Chart(
        key="calls",
        drawn=_drawn([label for label, _ in slots], sets, is_stacked=True),
        sentence=f"Calls per {step} by outcome. The most, {count(most.calls)}, were placed on {label}."
        if step == "day"
        else f"Calls per week by outcome. The most, {count(most.calls)}, were placed in the week of {label}.",
        head=[step.capitalize(), "Calls", *(word for _, word in keys), "Answer rate"],
        rows=[
            [label, count(figures.calls), *map(count, numbers), share(figures.answer_rate)]
            for label, numbers, figures in shown
        ],
    )


def _outcomes(total: Figures) -> Chart:
    tones = {name: key for key, _, names in GROUPS for name in names}
    counted = sorted(((n, name) for name, n in total.by_outcome.items() if n), reverse=True)
    labels = [name.replace("_", " ").capitalize() for _, name in counted]
    return Chart(
        key="outcomes",
        drawn=_drawn(
            labels, [_set("Calls", [tones[name] for _, name in counted], [n for n, _ in counted])], is_lying=True
        ),
        sentence="How the calls went, the most frequent outcome first.",
        head=["Outcome", "Calls", "Share"],
        rows=[[label, count(n), share(n / total.completed)] for label, (n, _) in zip(labels, counted, strict=True)],
    )


def _durations(total: Figures) -> Chart:
    labels = [_length(low, high) for _, low, high in DURATIONS]
    numbers = [getattr(total, name) for name, _, _ in DURATIONS]
    return Chart(
        key="durations",
        drawn=_drawn(labels, [_set("Answered calls", "answered", numbers)]),
        sentence="How long the answered calls were.",
        head=["Length", "Answered calls", "Share"],
        rows=[
            [label, count(n), share(n / total.talks) if total.talks else share(None)]
            for label, n in zip(labels, numbers, strict=True)
        ],
    )


def _length(low: int, high: int | None) -> str:
    if high is None:
        return f"{low // 60}+ min"
    if high <= 60:
        return f"{low}\N{EN DASH}{high} s"
    return f"{low // 60}\N{EN DASH}{high // 60} min"


def _cost(slots: Sequence[Slot], step: str) -> Chart:
    costs = [float(figures.cost_usd) for _, figures in slots]
    each = [figures.cost_per_success for _, figures in slots]
    sets = [
        _set("Cost", "voicemail", costs),
        _set("Cost per success", "ink", [None if one is None else float(one) for one in each], is_line=True),
    ]
    return Chart(
        key="cost",
        drawn=_drawn([label for label, _ in slots], sets, unit="$"),
        sentence=f"Cost per {step} in US dollars, and what a success cost.",
        head=[step.capitalize(), "Cost", "Successes", "Cost per success"],
        rows=[
            [label, money(figures.cost_usd), count(figures.success_true), money(figures.cost_per_success)]
            for label, figures in slots
        ],
    )


def _set(label: str, tone: str | list[str], values: Sequence[float | None], *, is_line: bool = False) -> dict[str, Any]:
    return {"label": label, "tone": tone, "values": values, "line": is_line}


def _drawn(
    labels: Sequence[str],
    sets: Sequence[dict[str, Any]],
    *,
    is_stacked: bool = False,
    is_lying: bool = False,
    unit: str = "",
) -> str:
    drawn = {"labels": labels, "sets": sets, "stacked": is_stacked, "lying": is_lying, "unit": unit}
    return orjson.dumps(drawn).decode()


def _assistant(one: AssistantFigures) -> AssistantRow:
    figures = one.figures
    rate = figures.success_rate
    return AssistantRow(
        name=one.name,
        calls=count(figures.calls),
        answered=share(figures.answer_rate),
        success=share(rate),
        judged=f"{count(figures.success_true)} of {count(figures.success_true + figures.success_false)}",
        width=None if rate is None else round(1000 * rate),
        cost=money(figures.cost_usd),
        cost_per_success=money(figures.cost_per_success) or NOTHING,
    )
