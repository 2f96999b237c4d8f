"""How a call looks outside: in full, with what was said, what it cost and what became of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from autolynx.domain.conversation import Turn, turns_of
from autolynx.domain.cost_parts import CostPart, parts_of
from autolynx.domain.ended_words import ended_in_words
from autolynx.domain.event_words import SOURCE_WORDS, event_in_words
from autolynx.store.call_details import AttemptReport, CampaignEventReport, PayloadReport
from autolynx.store.call_reports import CallReport, EventReport
from autolynx.store.report_rows import CALLS_PATH
from autolynx.web.shapes import Shape
from autolynx.web.shapes_campaigns import Number


class EventShape(Shape):
    """One line of a call's history: what the call was after it, who brought the news, and both in words.

    `secondsFromStart` counts from the moment at which the call was placed.
    """

    id: int
    status: str
    source: str
    text: str
    source_text: str
    details: dict[str, Any]
    at: datetime
    seconds_from_start: float

    @classmethod
    def of(cls, event: EventReport, *, start: datetime) -> "EventShape":
        """Show an event of a call that was placed at `start`."""
        return cls(
            id=event.id,
            status=event.status,
            source=event.source,
            text=event_in_words(event.status, event.source, event.payload),
            source_text=SOURCE_WORDS.get(event.source, event.source),
            details=event.payload,
            at=event.created_at,
            seconds_from_start=round((event.created_at - start).total_seconds(), 3),
        )


class TurnShape(Shape):
    """One utterance: of the `assistant`, the `contact`, a `tool`, or a `note` without a speaker."""

    speaker: str
    text: str
    seconds: float | None

    @classmethod
    def of(cls, turn: Turn) -> "TurnShape":
        """Show a turn."""
        return cls(speaker=turn.speaker, text=turn.text, seconds=turn.seconds)


class CostPartShape(Shape):
    """One line of the bill, in US dollars."""

    name: str
    label: str
    usd: Number

    @classmethod
    def of(cls, part: CostPart) -> "CostPartShape":
        """Show a part."""
        return cls(name=part.name, label=part.label, usd=part.usd)


class AttemptShape(Shape):
    """A counted call of the same contact."""

    id: UUID
    attempt: int
    status: str
    outcome: str | None
    ended_reason: str | None
    ended_reason_text: str | None
    claimed_at: datetime
    duration_seconds: Number | None
    cost: Number | None

    @classmethod
    def of(cls, call: AttemptReport) -> "AttemptShape":
        """Show an attempt."""
        plain = {name: getattr(call, name) for name in cls.model_fields if hasattr(call, name)}
        return cls(**plain, ended_reason_text=ended_in_words(call.ended_reason), cost=call.cost_usd)


class CallContact(Shape):
    """Who was called."""

    id: UUID
    name: str
    business_name: str
    phone: str


class CallDetail(Shape):
    """A call with everything we know of it. Cost in US dollars."""

    id: UUID
    campaign_id: UUID
    campaign_name: str
    contact: CallContact
    attempt: int
    counts_as_attempt: bool
    provider_call_id: str | None
    status: str
    outcome: str | None
    reason: str | None
    ended_reason: str | None
    ended_reason_text: str | None
    claimed_at: datetime
    dial_started_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    cancel_requested_at: datetime | None
    duration_seconds: Number | None
    cost: Number | None
    cost_breakdown: list[CostPartShape]
    recording_url: str | None
    transcript: Any
    conversation: list[TurnShape]
    summary: str | None
    success_raw: str | None
    success_evaluation: bool | None
    last_status_at: datetime | None
    version: int
    events: list[EventShape]
    attempts: list[AttemptShape]

    @classmethod
    def of(cls, call: CallReport, events: list[EventReport], attempts: list[AttemptReport]) -> "CallDetail":
        """Show a call."""
        told = {name: getattr(call, name) for name in cls.model_fields if hasattr(call, name)}
        start = call.dial_started_at or call.claimed_at
        made = {
            "campaign_name": call.campaign,
            "contact": CallContact(
                id=call.contact_id, name=call.name, business_name=call.business_name, phone=call.phone
            ),
            "ended_reason_text": ended_in_words(call.ended_reason),
            "cost": call.cost_usd,
            "cost_breakdown": [CostPartShape.of(part) for part in parts_of(call.cost_breakdown, call.cost_usd)],
            "recording_url": f"{CALLS_PATH}{call.id}/recording" if call.has_recording else None,
            "transcript": call.transcript_json,
            "conversation": [TurnShape.of(turn) for turn in turns_of(call.transcript_json)],
            "events": [EventShape.of(event, start=start) for event in events],
            "attempts": [AttemptShape.of(one) for one in attempts],
        }
        return cls(**{**told, **made})


class PayloadShape(Shape):
    """A body of the provider as it was kept, without its secrets."""

    id: int
    type: str
    status: str
    state: str
    deliveries: int
    received_at: datetime
    body: Any

    @classmethod
    def of(cls, payload: PayloadReport) -> "PayloadShape":
        """Show a body."""
        return cls(**{name: getattr(payload, name) for name in cls.model_fields})


class PayloadList(Shape):
    """The bodies about one call, oldest first."""

    payloads: list[PayloadShape]


class CampaignEventShape(Shape):
    """One line of a campaign's history."""

    id: int
    call_id: UUID
    contact_id: UUID
    contact_name: str
    business_name: str
    attempt: int
    status: str
    source: str
    text: str
    source_text: str
    at: datetime

    @classmethod
    def of(cls, event: CampaignEventReport) -> "CampaignEventShape":
        """Show an event."""
        plain = {name: getattr(event, name) for name in cls.model_fields if hasattr(event, name)}
        return cls(
            **plain,
            contact_name=event.name,
            text=event_in_words(event.status, event.source, event.payload),
            source_text=SOURCE_WORDS.get(event.source, event.source),
            at=event.created_at,
        )


class CampaignHistory(Shape):
    """Events, newest first; `nextBefore` asks for the older ones, null at the beginning of the history."""

    events: list[CampaignEventShape]
    next_before: int | None
