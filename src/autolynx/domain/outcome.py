"""How an ended call is read: the provider's reason plus what else is known gives status, outcome and scope."""

from dataclasses import dataclass
from enum import StrEnum

from autolynx.domain.call import CallStatus, Facts, Outcome
from autolynx.domain.ended_reason import EndClass, classify_end


class Blame(StrEnum):
    """Who has to rest because of how a call ended. NOBODY: it concerns this contact alone."""

    NOBODY = "nobody"
    CAMPAIGN = "campaign"
    NUMBER = "number"
    ACCOUNT = "account"
    CONCURRENCY = "concurrency"
    PROVIDER = "provider"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What an end means. `counts_as_attempt` is False where the person was certainly not called."""

    status: CallStatus
    outcome: Outcome
    counts_as_attempt: bool = True
    blame: Blame = Blame.NOBODY


def _ended(outcome: Outcome) -> Verdict:
    return Verdict(status=CallStatus.ENDED, outcome=outcome)


def _failed(outcome: Outcome, blame: Blame = Blame.NOBODY) -> Verdict:
    return Verdict(status=CallStatus.FAILED, outcome=outcome, blame=blame)


def not_dialled(blame: Blame) -> Verdict:
    """Return the verdict on a call that never reached the person: the claim goes back."""
    return Verdict(status=CallStatus.FAILED, outcome=Outcome.NOT_DIALLED, counts_as_attempt=False, blame=blame)


_VERDICTS: dict[EndClass, Verdict] = {
    EndClass.COOLDOWN: not_dialled(Blame.CONCURRENCY),
    EndClass.NUMBER_LIMIT: not_dialled(Blame.NUMBER),
    EndClass.PLATFORM_START: not_dialled(Blame.PROVIDER),
    EndClass.ACCOUNT: not_dialled(Blame.ACCOUNT),
    EndClass.CONFIG: not_dialled(Blame.CAMPAIGN),
    EndClass.NUMBER_MISMATCH: _failed(Outcome.REFUSED),
    EndClass.TRANSFERRED: _ended(Outcome.ANSWERED),
    EndClass.TRANSFER_FAILED: _ended(Outcome.ANSWERED),
    EndClass.CONVERSED: _ended(Outcome.ANSWERED),
    EndClass.MACHINE: _ended(Outcome.VOICEMAIL),
    EndClass.NO_ANSWER: _ended(Outcome.NO_ANSWER),
    EndClass.BUSY: _ended(Outcome.BUSY),
    EndClass.SILENCE: _ended(Outcome.SILENCE),
    EndClass.BAD_NUMBER: _failed(Outcome.BAD_NUMBER),
    EndClass.CARRIER_REFUSED: _failed(Outcome.REFUSED),
    EndClass.CANCELLED: Verdict(status=CallStatus.CANCELED, outcome=Outcome.CANCELED),
    EndClass.PLATFORM: _failed(Outcome.PROVIDER_ERROR),
    EndClass.PROVIDER_FAULT: _failed(Outcome.PROVIDER_ERROR),
    EndClass.ASSISTANT_CONFIG: _failed(Outcome.CONFIG_ERROR),
    EndClass.NOT_OUTBOUND: _ended(Outcome.UNKNOWN),
}


# Ends that only a call which reached the telephone network can have: whatever else was said, somebody was dialled.
_PROOFS_OF_A_DIAL = frozenset(
    {
        EndClass.TRANSFERRED,
        EndClass.TRANSFER_FAILED,
        EndClass.CONVERSED,
        EndClass.LINE_COMPLETED,
        EndClass.MACHINE,
        EndClass.NO_ANSWER,
        EndClass.BUSY,
        EndClass.SILENCE,
        EndClass.BAD_NUMBER,
        EndClass.CARRIER_REFUSED,
    }
)


def has_conversation(facts: Facts) -> bool:
    """Whether something besides the reason shows that somebody picked up: a start or words, and not a free call."""
    return (facts.started_at is not None or bool(facts.transcript_rank)) and facts.cost_usd != 0


def was_reached(facts: Facts, *, was_live: bool) -> bool:
    """Whether there is any sign that the call got through: then its claim never goes back."""
    return was_live or facts.started_at is not None or bool(facts.transcript_rank)


def judge(facts: Facts, *, was_live: bool, is_blocked: bool, is_canceled: bool) -> Verdict:
    """Return what the end of a call means, from everything known about it.

    `is_blocked`: accepted above the provider's limit; without a start it never reached anybody.
    `is_canceled`: an operator had asked for the end.
    """
    reached = was_reached(facts, was_live=was_live)
    end = classify_end(facts.ended_reason)
    if is_blocked and not reached and end not in _PROOFS_OF_A_DIAL:
        return not_dialled(Blame.CONCURRENCY)
    verdict = _of_class(end, talked=has_conversation(facts))
    if not verdict.counts_as_attempt and reached:
        verdict = _failed(Outcome.PROVIDER_ERROR, verdict.blame)
    if is_canceled and verdict.counts_as_attempt:
        return Verdict(status=CallStatus.CANCELED, outcome=verdict.outcome if reached else Outcome.CANCELED)
    return verdict


def _of_class(end: EndClass, *, talked: bool) -> Verdict:
    if end is EndClass.LINE_COMPLETED:
        return _ended(Outcome.ANSWERED if talked else Outcome.NO_ANSWER)
    if end is EndClass.UNKNOWN:
        return _ended(Outcome.ANSWERED if talked else Outcome.UNKNOWN)
    return _VERDICTS[end]
