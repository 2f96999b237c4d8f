"""When a campaign pauses by itself: after its first contacts, and when most of its first calls come to nothing.

Both are decided while the campaign is locked, from what is known then, so that any number of processes agree.
"""

from dataclasses import dataclass

from autolynx.domain.call import Call, CallStatus, Outcome

WATCHED_CALLS = 20
SHORT_TALK_SECONDS = 5.0  # as the provider times it: never scaled
MAX_CANARY = 100

# Somebody or something picked up: how long it lasted tells whether it made sense.
_PICKED_UP = frozenset({Outcome.ANSWERED, Outcome.VOICEMAIL, Outcome.SILENCE})


@dataclass(frozen=True, kw_only=True)
class Watch:
    """The first calls of a campaign whose end is known, and how many of them came to nothing."""

    calls: int = 0
    failures: int = 0

    @property
    def is_over(self) -> bool:
        """Whether all calls that are watched were counted."""
        return self.calls >= WATCHED_CALLS

    @property
    def pauses(self) -> bool:
        """Whether most of the first calls came to nothing, whatever becomes of the others."""
        return self.failures * 2 > WATCHED_CALLS


def came_to_nothing(call: Call) -> bool | None:
    """Whether a call failed or ended at once; None while that cannot be said.

    Nobody there and a busy line are answers of the town, not signs that something is wrong. What an operator stopped
    says nothing, nor does our own guess after silence.
    """
    if not call.counts_as_attempt or call.status not in {CallStatus.ENDED, CallStatus.FAILED}:
        return None
    if call.status is CallStatus.FAILED:
        return True
    if call.outcome not in _PICKED_UP:
        return False
    started_at, ended_at = call.facts.started_at, call.facts.ended_at
    if started_at is None or ended_at is None:
        return None
    return (ended_at - started_at).total_seconds() < SHORT_TALK_SECONDS


def watch_after(watch: Watch | None, before: Call, after: Call) -> Watch | None:
    """Return the watch after news of a call: each call counts once, and by the latest that is known of it."""
    if watch is None:
        return None
    was, is_now = came_to_nothing(before), came_to_nothing(after)
    calls = watch.calls + (is_now is not None) - (was is not None)
    failures = watch.failures + (is_now is True) - (was is True)
    calls = max(0, calls)
    return Watch(calls=calls, failures=min(max(0, failures), calls))


def watch_sentence(watch: Watch) -> str:
    """Say why the campaign paused by itself, and what to do."""
    came_to = f"{watch.failures} of the first {watch.calls} calls failed or ended within {SHORT_TALK_SECONDS:g} seconds"
    return f"Paused by itself: {came_to}. Mend what is wrong, then resume: it does not pause for this again."


def canary_sentence(contacts: int) -> str:
    """Say that the first contacts were called, and what to do."""
    who = "contact was" if contacts == 1 else f"{contacts} contacts were"
    return (
        f"Paused by itself: the first {who} called, as you wished. Look at the results, then resume to call the rest."
    )
