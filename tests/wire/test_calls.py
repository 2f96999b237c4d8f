from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autolynx.domain.call import CallStatus, Source
from autolynx.provider.port import SeenCall
from autolynx.provider.wire_calls import read_call
from tests.support.vapi_bodies import CALL_ID, CONTROL_URL, OUR_ID, call


def seen(**changes: Any) -> SeenCall:
    found = read_call(call(**changes), Source.POLL)
    assert found is not None
    return found


def test_a_call_is_read_with_its_ids_and_times() -> None:
    found = seen(status="ringing")
    assert (found.provider_call_id, found.our_call_id) == (CALL_ID, OUR_ID)
    assert found.created_at == datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert found.updated_at == datetime(2026, 3, 2, 10, 0, 1, tzinfo=UTC)
    assert found.phone_number_id == "019b0c1e-0000-7000-8000-000000000b0e"
    assert found.news.source is Source.POLL
    assert found.news.status is CallStatus.RINGING
    assert found.news.facts.control_url == CONTROL_URL


@pytest.mark.parametrize("status", ["scheduled", "queued", "ringing", "in-progress", "forwarding"])
def test_a_call_of_a_live_status_holds_a_line(status: str) -> None:
    found = seen(status=status, endedReason="left over", endedAt="2026-03-02T10:00:00Z")
    assert found.is_active
    assert not found.news.is_over


def test_an_ended_call_holds_none() -> None:
    found = seen(status="ended", endedReason="customer-busy", cost=0)
    assert not found.is_active
    assert found.news.is_over
    assert found.news.status is None
    assert found.news.facts.ended_reason == "customer-busy"
    assert found.news.facts.cost_usd == 0


@pytest.mark.parametrize("status", [None, "", "a-status-of-next-year", 3, ["ended"]])
def test_an_unknown_status_holds_its_line_and_says_nothing(status: Any) -> None:
    found = seen(status=status)
    assert found.is_active
    assert not found.news.is_over
    assert found.news.status is None


@pytest.mark.parametrize("end", [{"endedReason": "voicemail"}, {"endedAt": "2026-03-02T10:01:00Z"}])
def test_a_call_without_a_known_status_that_tells_its_end_is_over(end: dict[str, str]) -> None:
    assert seen(status=None, **end).news.is_over


@pytest.mark.parametrize("status", ["not-found", "deletion-failed"])
def test_a_lost_record_holds_no_line_but_is_no_news_of_an_end(status: str) -> None:
    found = seen(status=status)
    assert not found.is_active
    assert not found.news.is_over
    assert found.news.status is None


def test_a_call_above_the_limit_is_marked_as_blocked() -> None:
    assert seen(subscriptionLimits={"concurrencyBlocked": True}).news.is_blocked
    others: list[Any] = [{"concurrencyBlocked": False}, {"concurrencyBlocked": "true"}, {}, None, []]
    assert not any(seen(subscriptionLimits=limits).news.is_blocked for limits in others)


@pytest.mark.parametrize("value", [None, [], {}, "x", {"id": ""}, {"id": 7}, {"id": "x" * 500}])
def test_what_bears_no_id_is_no_call(value: Any) -> None:
    assert read_call(value, Source.SWEEP) is None


@given(st.recursive(st.none() | st.text() | st.floats(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_any_value_in_any_field_is_read_without_an_error(value: Any) -> None:
    for key in call():
        if key != "id":
            read_call({**call(), key: value}, Source.SWEEP)
    read_call(value, Source.SWEEP)
