"""What is shown of a campaign, on the page and in the terminal: words and figures made of a report."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from autolynx.domain.campaign import MAX_CAP, MIN_CAP, CampaignMode, CampaignStatus, due_again_sentence
from autolynx.domain.metrics import estimate_completion
from autolynx.domain.retry import WORTH_ANOTHER_TRY
from autolynx.store.reports import CampaignReport
from autolynx.web.pages.resting import Resting
from autolynx.web.pages.words import NOTHING, money, share, span

BAR_WIDTH = 1000
_WAITING = "Waiting for the first accepted call: only with that does the campaign count as started."
# Parts of the bar, in order: key, word, outcomes counted there.
_PARTS = (
    ("answered", "Answered", ("answered",)),
    ("voicemail", "Voicemail", ("voicemail",)),
    ("missed", "Nobody there", ("no_answer", "busy", "silence")),
    ("failed", "Failed", ("bad_number", "refused", "provider_error", "config_error", "canceled", "unknown")),
)
_SHOWN_WHEN_COUNTED = {"failed", "unsure"}
_S = CampaignStatus


@dataclass(frozen=True, kw_only=True)
class BarPart:
    """One stretch of the progress bar, in thousandths of its width."""

    key: str
    label: str
    count: int
    start: int
    width: int


@dataclass(frozen=True, kw_only=True)
class Step:
    """A point of the life of a campaign: when it was, or when it is expected; `word` alone where nobody can say."""

    word: str
    is_done: bool = False
    at: datetime | None = None
    is_expected: bool = False


@dataclass(frozen=True, kw_only=True)
class CampaignView:
    """A campaign as its card, its page and the terminal show it. `lines` says what each line of the cap does.

    `fewer` and `more` are the caps beside this one, None at the ends. `notice` says why nothing is dialled, until when
    by time alone `notice_until`; `why` is the same in a few words.
    """

    id: UUID
    name: str
    status: str
    assistant: str
    mode: str
    cap: int
    fewer: int | None
    more: int | None
    when_word: str
    when: datetime
    notice: str | None
    notice_until: datetime | None
    why: str | None
    total: int
    due: int
    in_flight: int
    done: int
    percent: int
    success: str
    answered: str
    talk: str
    cost: str
    cost_each: str
    time_word: str
    time: str
    bar_parts: Sequence[BarPart]
    lines: Sequence[str]
    lines_sentence: str
    may_start: bool
    may_pause: bool
    may_resume: bool
    may_stop: bool
    started_at: datetime | None
    completed_at: datetime | None
    ends_at: datetime | None
    created_at: datetime
    hint: str | None
    live_words: str
    may_delete: bool
    unsure: int
    missed: str | None
    steps: Sequence[Step]


def campaign_view(report: CampaignReport, *, lines: int, now: datetime, resting: Resting | None = None) -> CampaignView:
    """Return what is shown. `lines` are held now; `resting` says why nothing new is dialled while it runs."""
    campaign, counters = report.campaign, report.counters
    status, total = campaign.status, campaign.total_contacts
    lines = max(lines, counters.active_calls)  # the two were not counted in the same instant
    done = counters.done + counters.unsure + counters.excluded
    own = campaign.status_reason or due_again_sentence(status, counters.due)
    rest = resting if own is None and status.is_running else None
    return CampaignView(
        id=campaign.id,
        name=campaign.name,
        status=status,
        assistant=report.assistant,
        mode="in batches" if campaign.mode is CampaignMode.BATCH else "continuous",
        cap=campaign.cap,
        fewer=campaign.cap - 1 if campaign.cap > MIN_CAP else None,
        more=campaign.cap + 1 if campaign.cap < MAX_CAP else None,
        notice=rest.sentence if rest else own,
        notice_until=rest.until if rest else None,
        why=rest.short if rest else own,
        total=total,
        due=counters.due,
        in_flight=lines,
        done=done,
        percent=100 * done // total if total else 0,
        **_figures(report, now),
        bar_parts=bar_parts(report),
        lines=_lines(report, lines),
        lines_sentence=_lines_sentence(report, lines),
        **_moves(report, lines),
        **_times(report, now),
        hint=_WAITING if status is _S.QUEUED and campaign.started_at is None else None,
        live_words=_live_words(report, lines),
        unsure=counters.unsure,
        missed=_missed(report) if status.is_terminal else None,
    )


def _times(report: CampaignReport, now: datetime) -> dict[str, Any]:
    """Return when what happened and will happen, by the names of the view."""
    campaign = report.campaign
    return {
        "when_word": "started" if campaign.started_at else "created",
        "when": campaign.started_at or campaign.created_at,
        "started_at": campaign.started_at,
        "completed_at": campaign.completed_at,
        "ends_at": _ends_at(report, now),
        "created_at": campaign.created_at,
        "steps": _steps(report, now),
    }


def _figures(report: CampaignReport, now: datetime) -> dict[str, Any]:
    """Return the figures of the cards, by the names of the view."""
    counters = report.counters
    word, time = _time(report, now)
    return {
        "success": share(counters.success_rate),
        "answered": share(counters.answered / counters.completed_calls if counters.completed_calls else None),
        "talk": span(float(counters.average_duration_seconds)) if counters.average_duration_seconds else NOTHING,
        "cost": money(counters.cost_usd),
        "cost_each": money(counters.average_cost_usd),
        "time_word": word,
        "time": time,
    }


def _moves(report: CampaignReport, lines: int) -> dict[str, Any]:
    """Return what may be done with it now, by the names of the view."""
    status = report.campaign.status
    is_due_again = due_again_sentence(status, report.counters.due) is not None
    return {
        "may_start": status is _S.CREATED,
        "may_pause": status.is_running,
        "may_resume": status in {_S.PAUSED, _S.FAILED} or is_due_again,
        "may_stop": not status.is_terminal,
        "may_delete": lines == 0,
    }


def bar_parts(report: CampaignReport) -> list[BarPart]:
    """Return the stretches of the bar: outcomes, those set aside, calls in flight; the rest is ground."""
    counters, outcomes = report.counters, report.counters.calls_by_outcome
    counted = [(key, label, sum(outcomes[name] for name in names)) for key, label, names in _PARTS]
    counted += [("unsure", "Unsure", counters.unsure), ("live", "In flight", counters.calling)]
    whole = max(report.campaign.total_contacts, sum(count for _, _, count in counted), 1)
    parts: list[BarPart] = []
    start = 0
    for key, label, count in counted:
        width = round(BAR_WIDTH * count / whole)
        if count or key not in _SHOWN_WHEN_COUNTED:
            parts.append(BarPart(key=key, label=label, count=count, start=start, width=width))
        start += width
    return parts


def _steps(report: CampaignReport, now: datetime) -> list[Step]:
    """Return created, started and completed: the truthful start is the first call that the provider accepted."""
    campaign, status = report.campaign, report.campaign.status
    steps = [Step(word="Created", is_done=True, at=campaign.created_at)]
    if campaign.started_at is not None:
        steps.append(Step(word="Started", is_done=True, at=campaign.started_at))
    elif status.is_running:
        steps.append(Step(word="Starting"))
    else:
        steps.append(Step(word="Not started"))
    over = "Stopped" if status is _S.CANCELED else "Completed"
    if campaign.completed_at is not None:
        steps.append(Step(word=over, is_done=True, at=campaign.completed_at))
    elif (ends_at := _ends_at(report, now)) is not None:
        steps.append(Step(word="Expected to be completed", at=ends_at, is_expected=True))
    else:
        steps.append(Step(word=over if status is _S.CANCELED else "Not completed", is_done=status is _S.CANCELED))
    return steps


def _missed(report: CampaignReport) -> str | None:
    """Return whom a follow-up may reach, in words; their number only where calls are contacts, one for one."""
    counters = report.counters
    found = sum(counters.calls_by_outcome[outcome] for outcome in WORTH_ANOTHER_TRY)
    if not found:
        return None
    is_one_each = counters.completed_calls == counters.done + counters.unsure
    return f"{found:,} not reached" if is_one_each else "those not reached"


def _live_words(report: CampaignReport, held: int) -> str:
    """Return what the live calls do, for the question what should happen to them."""
    counters = report.counters
    parts = [(counters.in_progress, "talking"), (counters.ringing, "ringing"), (counters.queued, "being dialled")]
    return ", ".join(f"{count} {word}" for count, word in parts if count) or (f"{held} ending" if held else "")


def _time(report: CampaignReport, now: datetime) -> tuple[str, str]:
    """Return the word and figure of the time card: time left while it runs, time taken when it is over."""
    campaign = report.campaign
    if campaign.started_at is not None and campaign.completed_at is not None:
        return "Took", span((campaign.completed_at - campaign.started_at).total_seconds())
    ends_at = _ends_at(report, now)
    return "Time left", span((ends_at - now).total_seconds()) if ends_at else NOTHING


def _ends_at(report: CampaignReport, now: datetime) -> datetime | None:
    campaign = report.campaign
    is_running = campaign.status.is_running
    return estimate_completion(report.counters, is_running=is_running, started_at=campaign.started_at, now=now)


def _lines(report: CampaignReport, held: int) -> list[str]:
    """Return what each line of the campaign's cap does, the busiest first."""
    counters = report.counters
    busy = ["talking"] * counters.in_progress + ["ringing"] * counters.ringing + ["dialling"] * counters.queued
    busy += ["ending"] * max(0, held - len(busy))
    return busy + ["free"] * max(0, report.campaign.cap - len(busy))


def _lines_sentence(report: CampaignReport, held: int) -> str:
    if not held:
        return "No line is in use."
    return f"{_live_words(report, held)}, {max(0, report.campaign.cap - held)} free."
