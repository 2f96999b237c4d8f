"""Another attempt: which ends of a call are worth one, and when it is made."""

from datetime import datetime, timedelta

from autolynx.domain.call import Call, CallStatus, Outcome
from autolynx.domain.campaign import CampaignOptions

# Nobody was reached, and later somebody may be. All else is an answer, a fault that the same call meets again, or
# a doubt whether the person was called: a doubt is never resolved by calling again. A voicemail has heard the message,
# and who fell silent had picked up, perhaps after a talk.
WORTH_ANOTHER_TRY = frozenset({Outcome.NO_ANSWER, Outcome.BUSY, Outcome.PROVIDER_ERROR})


def is_worth_another_try(call: Call) -> bool:
    """Whether this call, by the provider's own word, reached nobody who might be reached later.

    What an operator stopped is not, nor a call that broke down after words were spoken, nor one that was live: somebody
    picked up, and its report may still tell more.
    """
    is_over = call.is_final and call.counts_as_attempt and call.cancel_requested_at is None
    was_picked_up = call.outcome is not Outcome.PROVIDER_ERROR and call.was_live
    has_broken_off = call.outcome is Outcome.PROVIDER_ERROR and bool(call.facts.transcript_rank)
    is_ended = call.status in {CallStatus.ENDED, CallStatus.FAILED}
    return is_over and is_ended and call.outcome in WORTH_ANOTHER_TRY and not (has_broken_off or was_picked_up)


def retry_at(
    call: Call, options: CampaignOptions, *, made: int, now: datetime, time_scale: float = 1.0
) -> datetime | None:
    """Return when the contact of this call is called again, None for not at all.

    `made`: its counted attempts, this one included. What a person grants beyond the campaign's is for one dial that
    person wants, and leads to no other.
    """
    if made >= options.max_attempts or not is_worth_another_try(call):
        return None
    return now + timedelta(minutes=options.retry_after_minutes) / time_scale
