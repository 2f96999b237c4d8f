"""What can become of a call, and how a fate is drawn.

A fate belongs to (seed, dialled number, how often that number was dialled before): the same person has the
same luck whatever the order and the pace of dialling.
"""

import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from vapisim.chance import Chance

Range = tuple[float, float, float]
"""Lowest, highest, most frequent; in virtual seconds."""

QUEUE_SECONDS: Range = (0.5, 1.5, 1.0)
REPORT_SECONDS: Range = (2.5, 3.5, 3.0)
NEVER = 1e9
"""Longer than any maximal duration: the call ends by that limit."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One row of the table of ends: which way a call goes and what is said in it."""

    name: str
    reasons: tuple[str, ...]
    ring: Range | None = (4.0, 14.0, 8.0)
    talk: Range | None = None
    forward: Range | None = None
    script: str = ""
    success: bool | None = None
    stuck: str = ""


PROVIDER_FAULTS = (
    "call.in-progress.error-providerfault-openai-500-server-error",
    "call.in-progress.error-providerfault-deepgram-returning-502-network-error",
    "pipeline-error-eleven-labs-500-server-error",
)
PLATFORM_FAULTS = ("call.in-progress.error-vapifault-worker-died", "worker-shutdown")
GOOD_ENDS = ("customer-ended-call", "assistant-ended-call", "assistant-said-end-call-phrase")

TABLE = (
    Outcome(name="human-good", reasons=GOOD_ENDS, talk=(25, 150, 56), script="good", success=True),
    Outcome(
        name="human-declined",
        reasons=("customer-ended-call",),
        talk=(12, 60, 25),
        script="declined",
        success=False,
    ),
    Outcome(name="voicemail", reasons=("voicemail",), ring=(15, 25, 20), talk=(8, 30, 15), script="voicemail"),
    Outcome(name="no-answer", reasons=("customer-did-not-answer",), ring=(25, 35, 30)),
    Outcome(name="busy", reasons=("customer-busy",), ring=(1, 4, 2)),
    Outcome(
        name="bad-number",
        reasons=("twilio-reported-customer-misdialed", "twilio-failed-to-connect-call"),
        ring=None,
    ),
    Outcome(name="silence", reasons=("silence-timed-out",), talk=(30, 36, 31), script="silence"),
    Outcome(
        name="max-duration",
        reasons=("exceeded-max-duration",),
        talk=(NEVER, NEVER, NEVER),
        script="long",
        success=True,
    ),
    Outcome(name="provider-failure", reasons=PROVIDER_FAULTS, talk=(2, 20, 6), script="broken"),
    Outcome(name="platform-failure", reasons=PLATFORM_FAULTS, talk=(5, 40, 15), script="broken"),
    Outcome(
        name="transfer",
        reasons=("assistant-forwarded-call",),
        talk=(40, 100, 60),
        forward=(20, 90, 40),
        script="transfer",
        success=True,
    ),
    Outcome(name="canceled", reasons=("manually-canceled",), talk=(5, 30, 15), script="broken"),
    Outcome(
        name="account",
        reasons=("call.start.error-subscription-insufficient-credits",),
        ring=None,
    ),
    Outcome(name="stuck-queued", reasons=("manually-canceled",), ring=None, stuck="queued"),
    Outcome(
        name="stuck-in-progress",
        reasons=("manually-canceled",),
        talk=(NEVER, NEVER, NEVER),
        script="silence",
        stuck="in-progress",
    ),
)
OUTCOMES = {outcome.name: outcome for outcome in TABLE}
BY_REASON = {reason: outcome for outcome in reversed(TABLE) for reason in outcome.reasons}


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What will happen to one call if nobody interferes."""

    outcome: Outcome
    reason: str
    queue_seconds: float
    ring_seconds: float | None
    talk_seconds: float | None
    forward_seconds: float | None
    report_seconds: float
    stuck: str
    dice_seed: int
    """Seeds the wording of the conversation, which is made anew each time it is asked for."""


def draw_fate(chance: Chance, weights: Mapping[str, float], *, number: str, attempt: int, wish: object = None) -> Fate:
    """Draw the fate of the n-th dial of a number; `wish` is what was ordered for that number."""
    dice = chance.dice("fate", number, attempt)
    outcome = OUTCOMES[dice.choices(tuple(weights), weights=tuple(weights.values()))[0]]
    fate = _roll(outcome, dice)
    wished = _wish_for_attempt(wish, attempt)
    return fate if wished is None else _granted(wished, dice)


def draw_call_id(chance: Chance, salt: str, *, number: str, attempt: int) -> str:
    """Draw the uuid that is the same for the same seed, salt, number and attempt."""
    bits = chance.dice("call-id", salt, number, attempt).getrandbits(128)
    return str(uuid.UUID(int=bits, version=4))


def outcome_for_reason(reason: str) -> Outcome:
    """Find a course of events that fits any ended reason, also one that the table does not know."""
    if reason in BY_REASON:
        return replace(BY_REASON[reason], reasons=(reason,))
    if reason.startswith(("call.start.", "call-start-", "assistant-not-", "assistant-request-")):
        return replace(OUTCOMES["account"], reasons=(reason,))
    if "sip-outbound" in reason or "outbound-sip" in reason or "failed-to-connect" in reason:
        return replace(OUTCOMES["no-answer"], reasons=(reason,), ring=(1, 5, 2))
    if reason.endswith("-completed-call"):
        return replace(OUTCOMES["human-declined"], reasons=(reason,))
    return replace(OUTCOMES["platform-failure"], reasons=(reason,))


def is_wish(value: object) -> bool:
    """Whether a value of `number_outcomes` can be understood."""
    if isinstance(value, list):
        return bool(value) and all(is_wish(each) and not isinstance(each, list) for each in value)
    if isinstance(value, dict):
        known = {"outcome", "reason", "ring_seconds", "talk_seconds", "forward_seconds", "report_seconds"}
        return bool(value) and set(value) <= known and ("outcome" in value or "reason" in value)
    return isinstance(value, str) and value != ""


def _wish_for_attempt(wish: object, attempt: int) -> object:
    """Pick the wish for an attempt: a list has one per attempt, and its last entry stays in force."""
    if isinstance(wish, list):
        return wish[min(attempt, len(wish)) - 1]
    return wish


def _granted(wish: object, dice: random.Random) -> Fate:
    order: dict[str, Any] = wish if isinstance(wish, dict) else {"outcome": wish}
    named = str(order.get("outcome") or order["reason"])
    fate = _roll(OUTCOMES.get(named) or outcome_for_reason(named), dice)
    seconds = {key: float(value) for key, value in order.items() if key.endswith("_seconds")}
    fate = replace(fate, **seconds)  # type: ignore[arg-type]
    return replace(fate, reason=str(order["reason"])) if "reason" in order else fate


def _roll(outcome: Outcome, dice: random.Random) -> Fate:
    """Draw every figure in a fixed order, so that one outcome's figures never shift another's."""
    reason = dice.choice(outcome.reasons)
    queue, report = dice.triangular(*QUEUE_SECONDS), dice.triangular(*REPORT_SECONDS)
    return Fate(
        outcome=outcome,
        reason=reason,
        queue_seconds=queue,
        ring_seconds=dice.triangular(*outcome.ring) if outcome.ring else None,
        talk_seconds=dice.triangular(*outcome.talk) if outcome.talk else None,
        forward_seconds=dice.triangular(*outcome.forward) if outcome.forward else None,
        report_seconds=report,
        stuck=outcome.stuck,
        dice_seed=dice.getrandbits(64),
    )
