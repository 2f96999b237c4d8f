"""One contact: whether it may be dialled now, and what a call leaves it as."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from autolynx.domain.call import Call

RELEASE_BACKOFF_SECONDS = (0, 0, 5, 15, 60, 300)
LEFT_BY_DECISION = "Left as it is, by decision."
ERASED = "The data of this person was erased."
# Such a word outlasts all later news of calls.
LAST_WORDS = frozenset({LEFT_BY_DECISION, ERASED})


class ContactState(StrEnum):
    """Where a contact stands in its campaign."""

    DUE = "due"  # may be dialled, now or at due_at
    CALLING = "calling"  # a call of it is active
    DONE = "done"  # it was called, and is not called again
    UNSURE = "unsure"  # it may have been called: a person decides
    EXCLUDED = "excluded"  # it is not to be called


@dataclass(frozen=True, kw_only=True)
class Contact:
    """A row of `contacts` as the rules and the dial need it."""

    id: UUID
    campaign_id: UUID
    position: int
    phone: str = field(repr=False)
    name: str = field(repr=False)
    business_name: str = field(repr=False)
    extension: str | None = field(default=None, repr=False)
    variables: dict[str, str] = field(default_factory=dict, repr=False)
    state: ContactState = ContactState.DUE
    batch_index: int | None = None
    due_at: datetime | None = None
    attempts: int = 0  # counted ones
    claims: int = 0  # all rows of calls, released ones included
    extra_attempts: int = 0  # granted by a person's decision to dial again


@dataclass(frozen=True)
class Now:
    """Dial it."""


@dataclass(frozen=True)
class LaterAt:
    """Not before that moment."""

    at: datetime


@dataclass(frozen=True)
class Never:
    """Not at all; `reason` in words."""

    reason: str


Eligibility = Now | LaterAt | Never


def eligibility(contact: Contact, *, max_attempts: int, now: datetime) -> Eligibility:
    """Say whether a contact may be dialled: the one place where every rule about that is asked."""
    if contact.attempts >= max_attempts + contact.extra_attempts:
        return Never("out of attempts")
    if contact.due_at is not None and contact.due_at > now:
        return LaterAt(contact.due_at)
    return Now()


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What a contact is left as."""

    state: ContactState
    due_at: datetime | None = None
    reason: str | None = None


def standing_after(
    call: Call,
    *,
    now: datetime,
    releases: int,
    retry_at: datetime | None = None,
    is_used_up: bool = False,
    time_scale: float = 1.0,
) -> Standing:
    """Return what this call, its latest, leaves a contact as.

    `releases`: how many claims of it went back so far; `retry_at`: when it is called again after a call that
    reached nobody, None for not at all; `is_used_up`: its other calls are all that it may have, or all that it needs.
    """
    if call.is_in_doubt:
        return Standing(state=ContactState.UNSURE, reason=call.reason)
    if call.status.is_active:
        return Standing(state=ContactState.CALLING)
    if is_used_up or (call.counts_as_attempt and retry_at is None):
        return Standing(state=ContactState.DONE)
    if call.counts_as_attempt:
        outcome = (call.outcome or "").replace("_", " ")
        reason = f"Nobody was reached ({outcome}): it is called again."
        return Standing(state=ContactState.DUE, due_at=retry_at, reason=reason)
    step = RELEASE_BACKOFF_SECONDS[min(releases, len(RELEASE_BACKOFF_SECONDS) - 1)]
    due_at = now + timedelta(seconds=step / time_scale)
    return Standing(state=ContactState.DUE, due_at=due_at, reason=_why_not_dialled(call))


def _why_not_dialled(call: Call) -> str | None:
    """Return the provider's word where it gave one: ours may be a guess that it has overtaken."""
    said = call.facts.ended_reason
    return f"It was never dialled ({said})." if call.is_final and said else call.reason
