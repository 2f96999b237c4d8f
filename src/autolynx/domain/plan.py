"""What will happen: how many are called, over how many lines, how long it takes and what it may cost. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from autolynx.domain.call_figures import CallFigures
from autolynx.domain.campaign import CampaignMode

_CENT = Decimal("0.01")
DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """Contacts or rows that are not called, and why."""

    reason: str  # a stable word
    count: int
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Lines:
    """What bounds the lines: caps, and how fast and how often the phone number may launch.

    `launch_per_second` 0 and a `daily_limit` of None bound nothing; `left_today` is what the day still allows.
    """

    cap: int
    account_cap: int
    is_line_quiet: bool = False
    launch_per_second: float = 0.0
    daily_limit: int | None = None
    left_today: int | None = None


@dataclass(frozen=True, kw_only=True)
class Intent:
    """Who is to be called, and how."""

    contacts: int
    mode: CampaignMode
    lines: Lines
    max_attempts: int = 1
    retry_after_minutes: int = 60
    skipped: Sequence[Skipped] = ()
    objections: Sequence[str] = ()  # why it cannot be created or started like this


@dataclass(frozen=True, kw_only=True)
class Span:
    """From ... to ..."""

    low: Decimal
    high: Decimal


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What will happen. Seconds and US dollars; `starts_at` is None where it starts only when a person lets it."""

    contacts: int
    skipped: Sequence[Skipped]
    objections: Sequence[str]
    calls: Span
    lines: int
    bound_by: str
    lines_sentence: str
    seconds: Span
    cost_usd: Span
    figures: CallFigures
    starts_at: datetime | None
    start_sentence: str
    notes: Sequence[str] = field(default_factory=tuple)


def make_plan(
    intent: Intent,
    figures: CallFigures,
    *,
    starts_at: datetime | None,
    start_sentence: str,
    now: datetime,
    time_scale: float = 1.0,
) -> Plan:
    """Return the plan for an intent. The same intent and figures always give the same plan."""
    lines, bound_by, sentence = _lines(intent.lines, figures)
    calls = _calls(intent, figures)
    calling = _calling(intent, figures, calls, lines=lines)
    return Plan(
        contacts=intent.contacts,
        skipped=[one for one in intent.skipped if one.count],
        objections=intent.objections,
        calls=calls,
        lines=min(lines, max(1, intent.contacts)),
        bound_by=bound_by,
        lines_sentence=sentence,
        seconds=_seconds(intent.lines, calls, calling, now=now, time_scale=time_scale),
        cost_usd=_cost(figures, calls),
        figures=figures,
        starts_at=starts_at,
        start_sentence=start_sentence,
        notes=_notes(intent, calls),
    )


def _lines(lines: Lines, figures: CallFigures) -> tuple[int, str, str]:
    """Return how many lines are really in use while it runs, and what binds them. Ties go to the campaign's cap."""
    choices = [(lines.cap, "cap", f"Up to {_count(lines.cap)} at once, the cap of the campaign.")]
    if lines.is_line_quiet:
        choices.append((1, "quiet line", "One call at a time: it launches on a quiet line only."))
    choices.append(
        (
            lines.account_cap,
            "account cap",
            f"Up to {_count(lines.account_cap)} at once: the account carries no more, and other campaigns share it.",
        )
    )
    if lines.launch_per_second:
        carried = max(1, math.floor(lines.launch_per_second * figures.line_seconds))
        words = f"About {_count(carried)} at once: the phone number launches {lines.launch_per_second:g} a second."
        choices.append((carried, "launch rate", words))
    return min(choices, key=lambda choice: choice[0])


def _count(lines: int) -> str:
    return "1 call" if lines == 1 else f"{lines} calls"


def _calls(intent: Intent, figures: CallFigures) -> Span:
    """Return how many calls are made: one to each contact, and further ones to who is not reached."""
    attempts = sum(figures.missed_share**made for made in range(intent.max_attempts))
    high = Decimal(math.ceil(round(intent.contacts * attempts, 6)))
    return Span(low=Decimal(intent.contacts), high=high)


def _cost(figures: CallFigures, calls: Span) -> Span:
    low, high = figures.spread
    return Span(
        low=(calls.low * figures.cost_usd * low).quantize(_CENT),
        high=(calls.high * figures.cost_usd * high).quantize(_CENT),
    )


def _calling(intent: Intent, figures: CallFigures, calls: Span, *, lines: int) -> Span:
    """Return how many seconds the calls take one after the other on so many lines, retries and their distance included.

    A batch waits for the longest of its calls.
    """
    if not intent.contacts:
        return Span(low=Decimal(0), high=Decimal(0))
    low, high = figures.spread
    each = Decimal(str(figures.line_seconds))
    slowest = _harmonic(min(lines, intent.contacts)) if intent.mode is CampaignMode.BATCH else Decimal(1)
    longest = max(calls.high / lines, Decimal(1)) * each * high * slowest
    if calls.high > calls.low:
        longest += Decimal((intent.max_attempts - 1) * intent.retry_after_minutes * 60)
    return Span(low=max(calls.low / lines, Decimal(1)) * each * low, high=longest)


def _seconds(lines: Lines, calls: Span, calling: Span, *, now: datetime, time_scale: float) -> Span:
    """Return how long it takes by the clock: at least until the number's last day begins on which it is needed."""
    scale = Decimal(str(time_scale))
    return Span(
        low=max(calling.low / scale, _days(lines, calls.low, now=now)).quantize(Decimal(1)),
        high=max(calling.high / scale, _days(lines, calls.high, now=now)).quantize(Decimal(1)),
    )


def _harmonic(lines: int) -> Decimal:
    """Return how much longer than the mean the longest of so many calls is, by the usual spread of their lengths."""
    return sum((Decimal(1) / number for number in range(1, lines + 1)), Decimal(0))


def _days(lines: Lines, calls: Decimal, *, now: datetime) -> Decimal:
    """Return how long it takes until the number's last day begins on which it is needed; 0 where today is enough."""
    if not lines.daily_limit:
        return Decimal(0)
    left = lines.daily_limit if lines.left_today is None else lines.left_today
    later = max(Decimal(0), calls - left)
    days = math.ceil(later / lines.daily_limit)
    if not days:
        return Decimal(0)
    midnight = datetime.combine(now.date() + DAY, datetime.min.time(), tzinfo=now.tzinfo)
    return Decimal(str((midnight + (days - 1) * DAY - now).total_seconds()))


def _notes(intent: Intent, calls: Span) -> list[str]:
    """Say what else a person should know."""
    said = []
    limit = intent.lines.daily_limit
    if limit is not None and calls.low > (limit if intent.lines.left_today is None else intent.lines.left_today):
        left = intent.lines.left_today
        today = "" if left is None else f", {left:,} of them still today"
        said.append(f"The phone number makes at most {limit:,} calls a day{today}; midnight UTC brings more.")
    if calls.high > calls.low:
        more = calls.high - calls.low
        said.append(f"Up to {more:,} further calls to who is not reached, {intent.retry_after_minutes} minutes later.")
    return said
