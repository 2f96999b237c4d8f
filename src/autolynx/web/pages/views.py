"""What the templates show of a campaign: words and figures, made from rows by pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from autolynx.domain.call import CallStatus, Outcome
from autolynx.domain.campaign import CampaignMode, CampaignStatus
from autolynx.domain.estimate import remaining_seconds
from autolynx.domain.pacing import Account, NumberPace
from autolynx.store.live import ContactLine, Figures
from autolynx.web.pages.words import grouped, money, share, span

BAR_WIDTH = 1000
# Parts of the bar, in order: key, word, outcomes counted there.
_PARTS = (
    ("answered", "Answered", ("answered",)),
    ("voicemail", "Voicemail", ("voicemail",)),
    ("missed", "Nobody there", ("no_answer", "busy", "silence")),
    ("failed", "Failed", ("bad_number", "refused", "provider_error", "config_error", "canceled", "unknown")),
)
_S = CampaignStatus
_MAY_PAUSE = {_S.QUEUED, _S.DIALING, _S.RUNNING}
_MAY_RESUME = {_S.PAUSED, _S.FAILED}


@dataclass(frozen=True, kw_only=True)
class BarPart:
    """One stretch of the progress bar, in thousandths of its width."""

    key: str
    label: str
    count: int
    start: int
    width: int


@dataclass(frozen=True, kw_only=True)
class CampaignView:
    """A campaign as its card and its page show it."""

    id: UUID
    name: str
    status: str
    assistant: str
    mode: str
    cap: int
    when: str
    notice: str | None
    total: int
    due: int
    in_flight: int
    done: int
    percent: int
    success: str
    cost: str
    time_word: str
    time: str
    bar_parts: Sequence[BarPart]
    lines: Sequence[str]
    lines_sentence: str
    may_start: bool
    may_pause: bool
    may_resume: bool
    may_stop: bool


@dataclass(frozen=True, kw_only=True)
class RowView:
    """A contact as the table shows it."""

    id: UUID
    name: str
    business_name: str
    phone: str
    state: str
    outcome: str | None
    talk: str
    cost: str
    changed: str


def campaign_view(figures: Figures, *, now: datetime, notice: str | None = None) -> CampaignView:
    """Return what is shown of a campaign. `notice`: why dialling rests, in words."""
    status, total = figures.status, figures.total_contacts
    judged = figures.success_true + figures.success_false
    word, time = _time(figures, now)
    return CampaignView(
        id=figures.id,
        name=figures.name,
        status=status,
        assistant=figures.assistant,
        mode="in batches" if figures.mode is CampaignMode.BATCH else "continuous",
        cap=figures.cap,
        when=_when(figures),
        notice=figures.status_reason or (notice if status.is_running else None),
        total=total,
        due=figures.due,
        in_flight=figures.lines,
        done=figures.handled,
        percent=100 * figures.handled // total if total else 0,
        success=share(figures.success_true, judged),
        cost=money(figures.cost_usd),
        time_word=word,
        time=time,
        bar_parts=bar_parts(figures),
        lines=_lines(figures),
        lines_sentence=_lines_sentence(figures),
        may_start=status is _S.CREATED,
        may_pause=status in _MAY_PAUSE,
        may_resume=status in _MAY_RESUME,
        may_stop=not status.is_terminal,
    )


def bar_parts(figures: Figures) -> list[BarPart]:
    """Return the stretches of the bar: outcomes, those set aside, calls in flight; the rest is ground."""
    counted = [(key, label, sum(figures.outcomes[name] for name in names)) for key, label, names in _PARTS]
    counted.append(("unsure", "Unsure", figures.unsure))
    counted.append(("live", "In flight", figures.calling))
    total = max(figures.total_contacts, sum(count for _, _, count in counted), 1)
    parts: list[BarPart] = []
    start = 0
    for key, label, count in counted:
        width = round(BAR_WIDTH * count / total)
        if count or key not in {"unsure", "failed"}:
            parts.append(BarPart(key=key, label=label, count=count, start=start, width=width))
        start += width
    return parts


def row_view(line: ContactLine, *, now: datetime, time_scale: float) -> RowView:
    """Return what the table shows of a contact. Talk is in the simulator's seconds where time runs faster."""
    talk = _talk_seconds(line, now=now, time_scale=time_scale)
    changed = line.changed_at
    return RowView(
        id=line.id,
        name=line.name,
        business_name=line.business_name,
        phone=grouped(line.phone),
        state=line.status or line.state,
        outcome=line.outcome,
        talk=span(talk) if talk is not None else "",
        cost=money(line.cost_usd),
        changed=ago((now - changed).total_seconds()) if changed else "",
    )


def _talk_seconds(line: ContactLine, *, now: datetime, time_scale: float) -> float | None:
    """Return how long somebody was, or is being, talked to; None where nobody was.

    Of a call that is over the provider says so itself; of a live one our clock does, and that is scaled.
    """
    if line.started_at is None:
        return None
    if line.status == CallStatus.IN_PROGRESS:
        return (now - line.started_at).total_seconds() * time_scale
    is_over = line.ended_at is not None and line.outcome == Outcome.ANSWERED
    return (line.ended_at - line.started_at).total_seconds() if is_over and line.ended_at else None


def resting_sentence(account: Account, number: NumberPace, now: datetime) -> str | None:
    """Say why nothing new is dialled, in the whole account or from this number; None when it may be."""
    if account.held_at is not None:
        return f"Dialling is held: {account.hold_reason or 'by an operator'} Release it to go on."
    if account.trouble is not None:
        return f"The account cannot dial: {account.trouble} Mend it, then release dialling."
    if account.not_before is not None and now < account.not_before:
        return (
            f"Dialling rests for {span((account.not_before - now).total_seconds())}: {account.rest_reason or 'pacing'}"
        )
    if number.hold_reason is not None and (number.held_until is None or now < number.held_until):
        return f"Nothing can be dialled from this phone number: {number.hold_reason}"
    if number.left_today(now) == 0:
        return f"The phone number has made its {number.daily_limit} calls of today; it goes on at midnight UTC."
    return None


def ago(seconds: float) -> str:
    """Return how long ago, in one unit."""
    whole = max(0, int(seconds))
    if whole < 2:
        return "now"
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if whole >= size:
            return f"{whole // size} {unit} ago"
    return f"{whole} s ago"


def _time(figures: Figures, now: datetime) -> tuple[str, str]:
    """Return the word and figure of the time card: time left while it runs, time taken when it is over."""
    if figures.started_at is None:
        return "Time left", "–"
    if figures.completed_at is not None:
        return "Took", span((figures.completed_at - figures.started_at).total_seconds())
    left = remaining_seconds(
        done=figures.handled,
        remaining=figures.due + figures.calling,
        elapsed_seconds=(now - figures.started_at).total_seconds(),
    )
    return "Time left", span(left) if figures.status.is_running else "–"


def _when(figures: Figures) -> str:
    if figures.started_at is None:
        return f"created {figures.created_at:%d %b %Y, %H:%M} UTC"
    return f"started {figures.started_at:%d %b %Y, %H:%M} UTC"


def _lines(figures: Figures) -> list[str]:
    """Return what each line of the campaign's cap does, the busiest first."""
    busy = ["talking"] * figures.in_progress + ["ringing"] * figures.ringing + ["dialling"] * figures.queued
    busy += ["ending"] * max(0, figures.lines - len(busy))
    return busy + ["free"] * max(0, figures.cap - len(busy))


def _lines_sentence(figures: Figures) -> str:
    free = max(0, figures.cap - figures.lines)
    if not figures.lines:
        return "No line is in use."
    parts = [(figures.in_progress, "talking"), (figures.ringing, "ringing"), (figures.queued, "being dialled")]
    said = ", ".join(f"{count} {word}" for count, word in parts if count)
    return f"{said or f'{figures.lines} ending'}, {free} free."
