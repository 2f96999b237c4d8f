"""When a campaign pauses by itself: which calls came to nothing, and how they are counted."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from autolynx.domain.call import Call, CallStatus, Facts, Outcome
from autolynx.domain.self_pause import WATCHED_CALLS, Watch, came_to_nothing, watch_after

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def a_call(
    status: CallStatus, outcome: Outcome | None = None, *, seconds: float | None = None, counts: bool = True
) -> Call:
    facts = Facts() if seconds is None else Facts(started_at=START, ended_at=START + timedelta(seconds=seconds))
    return Call(
        id=UUID(int=1),
        campaign_id=UUID(int=2),
        contact_id=UUID(int=3),
        attempt=1,
        status=status,
        outcome=outcome,
        counts_as_attempt=counts,
        claimed_at=START,
        lease_until=START,
        facts=facts,
    )


LIVE = a_call(CallStatus.IN_PROGRESS)
FAILED = a_call(CallStatus.FAILED, Outcome.REFUSED)
UNTOLD = a_call(CallStatus.ENDED, Outcome.ANSWERED)
SHORT = a_call(CallStatus.ENDED, Outcome.ANSWERED, seconds=4.9)
LONG = a_call(CallStatus.ENDED, Outcome.ANSWERED, seconds=5)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (LIVE, None),
        (FAILED, True),
        (UNTOLD, None),
        (SHORT, True),
        (LONG, False),
        (a_call(CallStatus.ENDED, Outcome.VOICEMAIL, seconds=2), True),
        (a_call(CallStatus.ENDED, Outcome.NO_ANSWER), False),
        (a_call(CallStatus.ENDED, Outcome.BUSY, seconds=1), False),
        (a_call(CallStatus.FAILED, Outcome.NOT_DIALLED, counts=False), None),
        (a_call(CallStatus.CANCELED, Outcome.CANCELED, seconds=1), None),
        (a_call(CallStatus.TIMEOUT, Outcome.UNKNOWN), None),
    ],
)
def test_a_call_came_to_nothing_if_it_failed_or_ended_at_once(call: Call, expected: bool | None) -> None:
    assert came_to_nothing(call) is expected


def test_a_call_counts_once_its_end_is_known_and_only_once() -> None:
    watch = watch_after(Watch(), LIVE, UNTOLD)
    assert watch == Watch()
    watch = watch_after(watch, UNTOLD, SHORT)
    assert watch == Watch(calls=1, failures=1)
    assert watch_after(watch, SHORT, SHORT) == watch


def test_later_news_of_a_call_corrects_what_was_counted_of_it() -> None:
    assert watch_after(Watch(calls=3, failures=2), SHORT, LONG) == Watch(calls=3, failures=1)
    assert watch_after(Watch(calls=3, failures=2), FAILED, LIVE) == Watch(calls=2, failures=1)
    assert watch_after(Watch(), SHORT, LONG) == Watch()


def test_nobody_counts_where_nobody_watches() -> None:
    assert watch_after(None, LIVE, FAILED) is None


def test_more_than_half_of_the_watched_calls_pause_however_many_are_still_to_come() -> None:
    half = WATCHED_CALLS // 2
    assert not Watch(calls=WATCHED_CALLS, failures=half).pauses
    assert Watch(calls=half + 1, failures=half + 1).pauses
    assert Watch(calls=WATCHED_CALLS).is_over
