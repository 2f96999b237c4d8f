"""One call: its states, its facts, and the single rule by which news changes it.

State only advances, facts only fill in, and the provider outranks our guesses. Facts are merged as a join (the
earliest start, the longest transcript, the most telling reason), so every order and repetition of the same news
ends in the same row.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from autolynx.domain.cost_parts import CostBreakdown


class CallStatus(StrEnum):
    """Where a call stands. The first three hold a line; the others are terminal."""

    QUEUED = "QUEUED"
    RINGING = "RINGING"
    IN_PROGRESS = "IN_PROGRESS"
    ENDED = "ENDED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    TIMEOUT = "TIMEOUT"

    @property
    def is_active(self) -> bool:
        """Whether a call of this status is still going on, as far as we know."""
        return self in ACTIVE_ORDER


ACTIVE_ORDER = (CallStatus.QUEUED, CallStatus.RINGING, CallStatus.IN_PROGRESS)
_STARTED = frozenset({CallStatus.RINGING, CallStatus.IN_PROGRESS})


class Outcome(StrEnum):
    """How a call went, apart from where it stands."""

    ANSWERED = "answered"
    VOICEMAIL = "voicemail"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    SILENCE = "silence"
    BAD_NUMBER = "bad_number"
    REFUSED = "refused"
    PROVIDER_ERROR = "provider_error"
    CONFIG_ERROR = "config_error"
    CANCELED = "canceled"
    NOT_DIALLED = "not_dialled"
    UNSURE = "unsure"
    UNKNOWN = "unknown"


# How only a call ends that the provider did place.
_PLACED = frozenset(
    {
        Outcome.ANSWERED,
        Outcome.VOICEMAIL,
        Outcome.NO_ANSWER,
        Outcome.BUSY,
        Outcome.SILENCE,
        Outcome.BAD_NUMBER,
        Outcome.REFUSED,
    }
)


class NewsKind(StrEnum):
    """What sort of thing we learned about a call."""

    PROVIDER = "provider"  # the provider's own word: a dial answer, a webhook, a poll
    RELEASED = "released"  # certainly not dialled: the claim goes back
    LAPSED = "lapsed"  # claimed but never marked: it goes back, unless the mark was set meanwhile
    REFUSED = "refused"  # the provider refused this contact at once
    MISSING = "missing"  # we looked, and the provider knows of no such call
    UNSURE = "unsure"  # it may have been dialled and nobody can say: a person decides
    TIMED_OUT = "timed_out"  # silence beyond the ceiling: our guess
    CANCEL_REQUESTED = "cancel_requested"  # an operator stopped it


class Source(StrEnum):
    """Through which door the news came."""

    DIAL = "dial"
    WEBHOOK = "webhook"
    POLL = "poll"
    SWEEP = "sweep"
    TICK = "tick"
    OPERATOR = "operator"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the provider told about a call besides its status. Everything may be missing."""

    started_at: datetime | None = None
    ended_at: datetime | None = None
    ended_reason: str | None = None
    cost_usd: Decimal | None = None
    cost_breakdown: CostBreakdown | None = None  # what it is made of
    recording_url: str | None = None
    transcript: Any | None = None  # JSON: {"text": str, "messages": [...]}
    transcript_rank: str = ""  # orders transcripts: the longest wins, ties by content
    summary: str | None = None
    success_raw: str | None = None
    control_url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class CallNews:
    """One neutral piece of news about one call, wherever it came from.

    `status` is the provider's live word in ours (None: it said nothing about it); `is_over` is its terminal word.
    `is_blocked` marks a call that was accepted above the provider's limit and will end without having started.
    """

    kind: NewsKind
    source: Source
    provider_call_id: str | None = None
    status: CallStatus | None = None
    is_over: bool = False
    is_blocked: bool = False
    outcome: Outcome | None = None  # for REFUSED
    hangs_up: bool = False  # for CANCEL_REQUESTED: hang up as soon as it can be done
    reason: str | None = None  # why, in words: for RELEASED, REFUSED, UNSURE
    facts: Facts = field(default_factory=Facts)


@dataclass(frozen=True, kw_only=True)
class Call:
    """A row of `calls` as the rules need it."""

    id: UUID
    campaign_id: UUID
    contact_id: UUID
    attempt: int
    status: CallStatus
    claimed_at: datetime
    lease_until: datetime
    counts_as_attempt: bool = True
    holds_line: bool = True
    is_final: bool = False
    is_blocked: bool = False
    was_live: bool = False
    outcome: Outcome | None = None
    provider_call_id: str | None = None
    dial_started_at: datetime | None = None
    next_check_at: datetime | None = None
    missing_since: datetime | None = None
    checks: int = 0
    cancel_requested_at: datetime | None = None
    hangs_up: bool = False
    unsure_at: datetime | None = None
    reason: str | None = None
    facts: Facts = field(default_factory=Facts)
    success_evaluation: bool | None = None
    max_duration_seconds: int = 600
    last_status_at: datetime | None = None
    version: int = 0

    @property
    def may_have_been_sent(self) -> bool:
        """Whether the request to dial may have left us."""
        return self.dial_started_at is not None

    @property
    def is_in_doubt(self) -> bool:
        """Whether a person has to decide, because nobody can say whether it was dialled."""
        return self.unsure_at is not None or self.outcome is Outcome.UNSURE

    @property
    def has_started(self) -> bool:
        """Whether the provider is known to have placed it: an accepted request alone does not show that."""
        has_rung = self.status in _STARTED or self.was_live or self.facts.started_at is not None
        return has_rung or (self.is_final and self.outcome in _PLACED)

    @property
    def is_connected(self) -> bool:
        """Whether somebody is on the line, as far as we know: then it can be hung up."""
        return self.was_live and self.holds_line

    @property
    def is_released(self) -> bool:
        """Whether the claim went back: certainly not dialled."""
        return self.outcome is Outcome.NOT_DIALLED
