"""What the page of the system shows, in the words of people."""

from dataclasses import dataclass
from datetime import datetime

from autolynx.flows.dialing_state import DialingState, NumberState
from autolynx.flows.health import Health, HealthStatus
from autolynx.flows.phone_line import LineStatus, PhoneLine, PhoneLines
from autolynx.store.call_reports import IncidentReport, UnsureReport
from autolynx.web.pages.words import grouped

MOST_DRAWN = 60  # lines of the account, as strokes; more are told as figures only
# What binds the account: tone, heading and sentence; the facts below say why.
_BOUND = {
    "hold": ("bad", "Dialling is held", "Nothing new is dialled in any campaign until somebody releases it."),
    "trouble": ("bad", "The account cannot dial", "Mend what the provider complains about, then let dialling go on."),
    "rest": ("warn", "Dialling rests", "It goes on by itself. Nobody is lost meanwhile."),
    "probe": ("warn", "The provider keeps failing", "Single calls try whether it is back; then all lines dial again."),
    "lowered cap": ("warn", "Fewer lines than usual", "The provider refused more calls; lines come back one by one."),
}
_PARTS = {"database": "Database", "ticks": "Ticks", "dialing": "Dialling", "inbox": "Webhooks"}
_STATES = {
    HealthStatus.HEALTHY: ("good", "Fine"),
    HealthStatus.DEGRADED: ("warn", "Needs a look"),
    HealthStatus.UNHEALTHY: ("bad", "Broken"),
}
# What kinds of incidents there are: key, word, what it means for whoever reads it.
INCIDENT_KINDS = {
    "double_dial": ("Called twice", "A contact was called twice, though nobody wanted it."),
    "cap_overrun": ("Over the cap", "More calls were live than the cap allows."),
    "second_provider_id": ("Two calls for one", "The provider told of a second call for one that we placed."),
    "unsure": ("Unsure contact", "Nobody can say whether a call was placed: a person decides."),
    "illegal_events": ("Impossible order", "The provider told of a call what cannot be."),
    "dead_letter": ("Webhook given up", "A webhook could not be understood and was given up."),
}


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One line of what the account is held or slowed by."""

    word: str
    tone: str
    state: str
    sentence: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class StateView:
    """Dialling as a whole. `release` is what the button says that lets dialling go on, None where there is none."""

    tone: str
    heading: str
    sentence: str
    is_held: bool
    release: str | None
    active: int
    use: str
    lines: tuple[str, ...]
    facts: tuple[Fact, ...]


@dataclass(frozen=True, kw_only=True)
class NumberView:
    """A phone number that calls go out from, and what the provider reports on its line."""

    id: str
    label: str
    provider: str
    today: str
    tone: str
    sentence: str
    until: datetime | None
    line_tone: str
    line: str
    looked_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class CheckView:
    """One part of the whole."""

    word: str
    tone: str
    state: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class UnsureView:
    """A contact that waits for a decision."""

    seen: UnsureReport
    phone: str
    may_redial: bool


@dataclass(frozen=True, kw_only=True)
class IncidentView:
    """An incident."""

    seen: IncidentReport
    word: str
    meaning: str


def state_view(state: DialingState) -> StateView:
    """Return how dialling stands."""
    tone, heading, sentence = _BOUND.get(state.room.bound_by) or ("good", *_free(state))
    strokes = ["talking"] * state.active_lines + ["free"] * (state.effective_cap - state.active_lines)
    return StateView(
        tone=tone,
        heading=heading,
        sentence=sentence,
        is_held=state.is_held,
        release=_release_word(state),
        active=state.active_lines,
        use=_use(state),
        lines=tuple(strokes) if len(strokes) <= MOST_DRAWN else (),
        facts=(_button(state), _account(state), _rest(state), _circuit(state), _cap(state)),
    )


def number_views(state: DialingState, lines: PhoneLines) -> list[NumberView]:
    """Return the numbers that calls go out from."""
    return [_number(number, lines.last_look(number.pace.id)) for number in state.numbers]


def check_views(health: Health) -> list[CheckView]:
    """Return how every part is."""
    return [
        CheckView(
            word=_PARTS.get(check.name, check.name.capitalize()),
            tone=_STATES[check.status][0],
            state=_STATES[check.status][1],
            sentence=check.message,
        )
        for check in health.checks
    ]


def unsure_view(seen: UnsureReport) -> UnsureView:
    """Return a contact that waits for a decision."""
    return UnsureView(seen=seen, phone=grouped(seen.phone), may_redial=seen.campaign_status != "CANCELED")


def incident_view(seen: IncidentReport) -> IncidentView:
    """Return an incident."""
    word, meaning = INCIDENT_KINDS.get(seen.kind, (seen.kind.replace("_", " ").capitalize(), ""))
    return IncidentView(seen=seen, word=word, meaning=meaning)


def _free(state: DialingState) -> tuple[str, str]:
    """Return heading and sentence where nothing binds but the account's own lines."""
    free = state.room.lines
    if not free:
        return "Every line is in use", "The next call goes out when one of them ends."
    lines = "1 line is" if free == 1 else f"{free} lines are"
    return "Calls go out", f"{lines} free. Running campaigns use them at once."


def _use(state: DialingState) -> str:
    active, cap = state.active_lines, state.effective_cap
    if active > cap:
        return f"{active} lines are in use, {cap} may be at this moment"
    return f"{active} of {cap} {'line is' if cap == 1 else 'lines are'} in use"


def _release_word(state: DialingState) -> str | None:
    if state.is_held:
        return "Release dialling"
    if state.account.trouble is not None:
        return "Mended: dial again"
    if state.room.bound_by in {"rest", "probe"}:
        return "Do not wait"
    return "Release the numbers" if any(number.pace.hold_reason for number in state.numbers) else None


def _button(state: DialingState) -> Fact:
    account = state.account
    if account.held_at is None:
        return Fact(word="Red button", tone="good", state="Not pressed")
    return Fact(word="Red button", tone="bad", state="Pressed", sentence=account.hold_reason, since=account.held_at)


def _account(state: DialingState) -> Fact:
    account = state.account
    if account.trouble is None:
        return Fact(word="Account", tone="good", state="Accepted by the provider")
    return Fact(word="Account", tone="bad", state="Refused", sentence=account.trouble, since=account.trouble_at)


def _rest(state: DialingState) -> Fact:
    if state.resting_until is None:
        return Fact(word="Cool-down", tone="good", state="None")
    return Fact(
        word="Cool-down",
        tone="warn",
        state="Resting",
        sentence=state.account.rest_reason,
        until=state.resting_until,
    )


def _circuit(state: DialingState) -> Fact:
    failures = state.account.failures
    if state.account.opened_at is not None:
        sentence = f"{failures} failures in a row; one call at a time tries if the provider is back."
        return Fact(word="Circuit", tone="warn", state="Open", sentence=sentence, since=state.account.opened_at)
    if failures:
        sentence = f"{failures} {'failure' if failures == 1 else 'failures'} of the provider in a row."
        return Fact(word="Circuit", tone="good", state="Closed", sentence=sentence)
    return Fact(word="Circuit", tone="good", state="Closed")


def _cap(state: DialingState) -> Fact:
    ordinary = max(0, state.account_cap - state.inbound_reserve)
    kept = f", {state.inbound_reserve} kept for incoming calls" if state.inbound_reserve else ""
    if state.effective_cap < ordinary:
        sentence = f"Usually {ordinary}: the provider refused more, and they come back one by one."
        return Fact(
            word="Lines", tone="warn", state=f"{state.effective_cap}", sentence=sentence, until=state.room.changes_at
        )
    return Fact(
        word="Lines",
        tone="good",
        state=f"{state.effective_cap}",
        sentence=f"Of {state.account_cap} of the account{kept}.",
    )


def _number(number: NumberState, look: PhoneLine | None) -> NumberView:
    pace, limit = number.pace, number.pace.daily_limit
    is_stopped = number.room.lines == 0 and number.room.bound_by != "launch rate"
    line_tone, line = _line(look)
    return NumberView(
        id=pace.id,
        label=grouped(number.label.label) if number.label.label else pace.id,
        provider=number.label.provider,
        today=f"{number.left_today or 0} of {limit} calls left" if limit is not None else "No daily limit",
        tone="warn" if is_stopped else "good",
        sentence=number.sentence,
        until=pace.held_until if pace.hold_reason else None,
        line_tone=line_tone,
        line=line,
        looked_at=look.last_checked if look else None,
    )


def _line(look: PhoneLine | None) -> tuple[str, str]:
    if look is None:
        return "none", "Not looked at yet"
    if look.status is LineStatus.ERROR:
        return "warn", "The provider cannot tell"
    if look.status is LineStatus.BUSY:
        return "busy", "1 call on it" if look.active_calls == 1 else f"{look.active_calls} calls on it"
    return "good", "Quiet"
