"""One campaign: its states, and which may follow which."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from autolynx.domain.self_pause import Watch, canary_sentence
from autolynx.errors import Conflict

MIN_CAP, MAX_CAP = 1, 50
MAX_ATTEMPTS = 10
DEFAULT_RETRY_MINUTES, MAX_RETRY_MINUTES = 60, 7 * 24 * 60


class CampaignStatus(StrEnum):
    """Where a campaign stands."""

    CREATED = "CREATED"
    QUEUED = "QUEUED"
    DIALING = "DIALING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    PAUSED = "PAUSED"
    CANCELED = "CANCELED"
    FAILED = "FAILED"

    @property
    def is_running(self) -> bool:
        """Whether contacts of it are dialled."""
        return self in RUNNING_STATUSES

    @property
    def is_terminal(self) -> bool:
        """Whether nothing will be dialled any more without a person starting something new."""
        return self in {CampaignStatus.COMPLETED, CampaignStatus.CANCELED}


RUNNING_STATUSES = (CampaignStatus.QUEUED, CampaignStatus.DIALING, CampaignStatus.RUNNING)


class CampaignMode(StrEnum):
    """How contacts follow each other."""

    CONTINUOUS = "continuous"
    BATCH = "batch"


_S = CampaignStatus
# Every arrow there is; the diagram in the documentation is drawn from this table.
TRANSITIONS: dict[CampaignStatus, dict[CampaignStatus, str]] = {
    _S.CREATED: {_S.QUEUED: "start", _S.CANCELED: "stop"},
    _S.QUEUED: {
        _S.DIALING: "first call accepted",
        _S.COMPLETED: "nothing left to call",
        _S.PAUSED: "pause",
        _S.CANCELED: "stop",
        _S.FAILED: "cannot go on without a person",
    },
    _S.DIALING: {
        _S.RUNNING: "a call was reported",
        _S.COMPLETED: "nothing left to call",
        _S.PAUSED: "pause",
        _S.CANCELED: "stop",
        _S.FAILED: "cannot go on without a person",
    },
    _S.RUNNING: {
        _S.COMPLETED: "nothing left to call",
        _S.PAUSED: "pause",
        _S.CANCELED: "stop",
        _S.FAILED: "cannot go on without a person",
    },
    _S.PAUSED: {
        _S.QUEUED: "resume before the first call",
        _S.RUNNING: "resume",
        _S.COMPLETED: "nothing left to call",
        _S.CANCELED: "stop",
        _S.FAILED: "cannot go on without a person",
    },
    _S.FAILED: {
        _S.QUEUED: "resume before the first call",
        _S.RUNNING: "resume",
        _S.CANCELED: "stop",
    },
    _S.COMPLETED: {_S.RUNNING: "resume or a decision to dial again"},
    _S.CANCELED: {},
}


@dataclass(frozen=True, kw_only=True)
class CampaignOptions:
    """What may be set besides name, mode, cap, assistant and number.

    `max_attempts`: how often a contact is called at most while nobody is reached; `retry_after_minutes`: how long
    after the end of one attempt the next is due; `is_test`: one test call, which lists and figures leave out;
    `pauses_on_failures`: it pauses by itself when most of its first calls come to nothing.
    """

    line_quiet: bool = False
    pauses_on_failures: bool = False
    max_attempts: int = 1
    retry_after_minutes: int = DEFAULT_RETRY_MINUTES
    region: str = "US"
    is_test: bool = False

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "CampaignOptions":
        """Read the stored options; unknown keys are kept in the row and ignored here."""
        return cls(
            line_quiet=bool(value.get("lineQuiet", False)),
            pauses_on_failures=bool(value.get("pauseOnFailures", False)),
            max_attempts=int(value.get("maxAttempts", 1)),
            retry_after_minutes=int(value.get("retryAfterMinutes", DEFAULT_RETRY_MINUTES)),
            region=str(value.get("region", "US")),
            is_test=value.get("testCall") is True,
        )


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """A row of `campaigns` as the rules need it."""

    id: UUID
    name: str
    status: CampaignStatus
    mode: CampaignMode
    cap: int
    assistant_id: UUID
    phone_number_id: str
    total_contacts: int
    created_at: datetime
    options: CampaignOptions = field(default_factory=CampaignOptions)
    status_reason: str | None = None
    batch_size: int | None = None
    open_batch: int = 0
    next_position: int = 0
    hold_position: int | None = None  # contacts from here on wait until a person has looked at those before
    watch: Watch | None = None  # None: nobody counts its first calls
    started_at: datetime | None = None
    queued_at: datetime | None = None
    completed_at: datetime | None = None


def require_transition(campaign: Campaign, to: CampaignStatus, *, verb: str) -> None:
    """Raise Conflict, saying from what to what, unless the table allows it."""
    if to not in TRANSITIONS[campaign.status]:
        raise Conflict(
            f"A campaign that is {campaign.status} cannot be {verb}.",
            details={"from": campaign.status, "to": to},
        )


def resumed_status(campaign: Campaign) -> CampaignStatus:
    """Return where Resume leads: RUNNING once a call was accepted or everything seemed done, QUEUED before."""
    has_begun = campaign.started_at is not None or campaign.status is CampaignStatus.COMPLETED
    return CampaignStatus.RUNNING if has_begun else CampaignStatus.QUEUED


def require_resumable(campaign: Campaign, *, due: int) -> None:
    """Raise Conflict unless it was paused, failed, or is completed with `due` contacts that became due again."""
    may_go_on = campaign.status in {CampaignStatus.PAUSED, CampaignStatus.FAILED}
    if may_go_on or (campaign.status is CampaignStatus.COMPLETED and due):
        return
    because = ": nobody in it is due" if campaign.status is CampaignStatus.COMPLETED else ""
    raise Conflict(
        f"A campaign that is {campaign.status} cannot be resumed{because}.",
        details={"from": campaign.status, "to": resumed_status(campaign)},
    )


def due_again_sentence(status: CampaignStatus, due: int) -> str | None:
    """Say that a completed campaign has somebody to call again, and what to do; None where it has not.

    It stays completed: after its end nobody is called unless a person wants it.
    """
    if status is not CampaignStatus.COMPLETED or not due:
        return None
    who = "1 contact is due again" if due == 1 else f"{due} contacts are due again"
    return f"{who}: what the provider told after the end shows that a call may still be placed. Resume to call."


@dataclass(frozen=True, kw_only=True)
class Standings:
    """How many contacts stand where, and how many calls hold a line or exist at all.

    `canary_left`: contacts before the hold of whom no call is over yet; None where there is no hold.
    """

    due: int
    calling: int
    lines: int
    calls: int
    canary_left: int | None = None


def status_after(
    status: CampaignStatus, *, was_accepted: bool, was_reported: bool, standings: Standings
) -> CampaignStatus:
    """Return the campaign's status after news of one of its calls, or after a tick looked at it.

    `was_accepted`: a provider id is stored with a call of it; `was_reported`: a call was heard live or over.
    """
    if status is CampaignStatus.QUEUED and was_accepted:
        status = CampaignStatus.DIALING
    if status is CampaignStatus.DIALING and was_reported:
        status = CampaignStatus.RUNNING
    is_done = standings.due == 0 and standings.calling == 0 and standings.lines == 0 and standings.calls > 0
    if is_done and CampaignStatus.COMPLETED in TRANSITIONS[status]:
        return CampaignStatus.COMPLETED
    return status


def canary_pause(campaign: Campaign, standings: Standings) -> str | None:
    """Return why a campaign pauses now that its first contacts were called; None where it does not.

    Who of them is called again later does not keep it from pausing: that one waits as well.
    """
    hold = campaign.hold_position
    return canary_sentence(hold) if hold is not None and _is_canary_over(campaign, standings) else None


def _is_canary_over(campaign: Campaign, standings: Standings) -> bool:
    hold = campaign.hold_position
    return hold is not None and not standings.canary_left and campaign.next_position >= hold


def seen_by_person(campaign: Campaign, standings: Standings) -> Campaign:
    """Return a paused campaign as a person leaves it who resumes it: no reason to pause that is there by then stays."""
    if campaign.watch is not None and campaign.watch.pauses:
        campaign = replace(campaign, watch=None)
    return replace(campaign, hold_position=None) if _is_canary_over(campaign, standings) else campaign
