"""What the drawer shows of a call: words and figures made of its report."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from autolynx.domain.call import CallStatus, Outcome
from autolynx.domain.contact import LEFT_BY_DECISION, ContactState
from autolynx.domain.conversation import Speaker, Turn, turns_of
from autolynx.domain.cost_parts import CostPart, parts_of
from autolynx.domain.ended_words import ended_in_words
from autolynx.domain.event_words import SOURCE_WORDS, event_in_words
from autolynx.store.call_details import AttemptReport
from autolynx.store.call_reports import CallReport, EventReport
from autolynx.web.pages.words import grouped, money, span

BAR_WIDTH = 1000
SPEAKERS = {Speaker.ASSISTANT: "Assistant", Speaker.TOOL: "Tool used", Speaker.NOTE: "Note"}


@dataclass(frozen=True, kw_only=True)
class TurnView:
    """One utterance: whose it is, what was said, and at which second of the call."""

    key: str
    speaker: str
    text: str = field(repr=False)
    seconds: float | None
    at: str


@dataclass(frozen=True, kw_only=True)
class PartView:
    """One line of the bill; its bar in thousandths of the dearest."""

    label: str
    amount: str
    width: int


@dataclass(frozen=True, kw_only=True)
class EventView:
    """One line of the history; `after` is how long after the call was placed."""

    id: int
    text: str
    source: str
    status: str
    after: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class AttemptView:
    """Another call of the same contact."""

    id: UUID
    attempt: int
    state: str
    outcome: str | None
    ended: str | None
    at: datetime


@dataclass(frozen=True, kw_only=True)
class CallView:
    """A call as the drawer shows it. `standing` is what a person has to decide, or has, where nobody is sure of it."""

    id: UUID
    campaign_id: UUID
    campaign: str
    name: str = field(repr=False)
    business_name: str = field(repr=False)
    phone: str = field(repr=False)
    dial: str = field(repr=False)
    state: str
    outcome: str | None
    is_live: bool
    is_stopping: bool
    attempt: int
    ended: str | None
    raw_reason: str | None
    success: bool | None
    success_word: str | None
    talk: str
    cost: str
    total: str
    parts: Sequence[PartView]
    has_recording: bool
    is_copy_given_up: bool
    standing: str | None
    summary: str | None = field(repr=False)
    turns: Sequence[TurnView]
    events: Sequence[EventView]
    attempts: Sequence[AttemptView]
    provider_call_id: str | None
    placed_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    version: int


def call_view(
    call: CallReport,
    events: Sequence[EventReport],
    attempts: Sequence[AttemptReport],
    *,
    now: datetime,
    time_scale: float,
) -> CallView:
    """Return what is shown. Where time runs faster, spans of our own clock are told in the simulator's seconds."""
    placed_at = call.dial_started_at or call.claimed_at
    return CallView(
        id=call.id,
        **_who(call),
        state=call.status,
        outcome=call.outcome,
        is_live=CallStatus(call.status).is_active,
        is_stopping=CallStatus(call.status).is_active and call.cancel_requested_at is not None,
        attempt=call.attempt,
        ended=ended_in_words(call.ended_reason) or call.reason,
        raw_reason=call.ended_reason,
        success=call.success_evaluation,
        success_word=_success_word(call),
        talk=_talk(call, now=now, time_scale=time_scale),
        **_bill(call),
        has_recording=call.has_recording,
        is_copy_given_up=call.recording_state == "given_up",
        standing=_standing(call),
        summary=call.summary,
        turns=[_turn(turn, call.name) for turn in turns_of(call.transcript_json)],
        events=[_event(event, placed_at, time_scale) for event in events],
        attempts=[_attempt(one) for one in attempts] if len(attempts) > 1 else [],
        provider_call_id=call.provider_call_id,
        placed_at=placed_at,
        started_at=call.started_at,
        ended_at=call.ended_at,
        version=call.version,
    )


def _standing(call: CallReport) -> str | None:
    """Say what a person has to decide about a call that nobody is sure of, or has decided."""
    if call.outcome != Outcome.UNSURE:
        return None
    if call.contact_state == ContactState.UNSURE:
        return "Nobody can say whether this contact was called: it waits for your decision."
    if call.contact_reason == LEFT_BY_DECISION:
        return "By a person's decision the contact is left as it is, and not called again."
    return None


def _who(call: CallReport) -> dict[str, Any]:
    """Return who is called, and for which campaign, by the names of the view."""
    return {
        "campaign_id": call.campaign_id,
        "campaign": call.campaign,
        "name": call.name,
        "business_name": call.business_name,
        "phone": grouped(call.phone),
        "dial": call.phone,
    }


def clock(seconds: float) -> str:
    """Return a place in a recording, such as 1:05."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"


def precise_money(amount: Decimal) -> str:
    """Return a small amount: parts of a bill are often less than a cent."""
    return f"${amount:.4f}" if amount < 1 else f"${amount:,.2f}"


def _success_word(call: CallReport) -> str | None:
    """Return the judge's verdict, with its own word where that says more than yes or no."""
    verdict = {True: "Success", False: "No success", None: None}[call.success_evaluation]
    raw = (call.success_raw or "").strip()
    if not raw or raw.lower() in {"true", "false"}:
        return verdict
    return f"{verdict} ({raw})" if verdict else raw


def _talk(call: CallReport, *, now: datetime, time_scale: float) -> str:
    if call.status == CallStatus.IN_PROGRESS and call.started_at is not None:
        return span((now - call.started_at).total_seconds() * time_scale)
    return span(float(call.duration_seconds)) if call.duration_seconds is not None else ""


def _bill(call: CallReport) -> dict[str, Any]:
    """Return what the call cost, by the names of the view."""
    return {
        "cost": money(call.cost_usd),
        "total": precise_money(call.cost_usd) if call.cost_usd is not None else "",
        "parts": _parts(parts_of(call.cost_breakdown, call.cost_usd)),
    }


def _parts(parts: Sequence[CostPart]) -> list[PartView]:
    most = max((part.usd for part in parts), default=Decimal(1))
    return [
        PartView(label=part.label, amount=precise_money(part.usd), width=round(BAR_WIDTH * part.usd / most))
        for part in parts
    ]


def _turn(turn: Turn, name: str) -> TurnView:
    return TurnView(
        key=turn.speaker,
        speaker=SPEAKERS.get(turn.speaker, name),
        text=turn.text,
        seconds=turn.seconds,
        at=clock(turn.seconds) if turn.seconds is not None else "",
    )


def _event(event: EventReport, placed_at: datetime, time_scale: float) -> EventView:
    after = (event.created_at - placed_at).total_seconds() * time_scale
    return EventView(
        id=event.id,
        text=event_in_words(event.status, event.source, event.payload),
        source=SOURCE_WORDS.get(event.source, event.source),
        status=event.status,
        after=f"+{span(after)}" if after >= 0 else "before",
        at=event.created_at,
    )


def _attempt(call: AttemptReport) -> AttemptView:
    return AttemptView(
        id=call.id,
        attempt=call.attempt,
        state=call.status,
        outcome=call.outcome,
        ended=ended_in_words(call.ended_reason),
        at=call.claimed_at,
    )
