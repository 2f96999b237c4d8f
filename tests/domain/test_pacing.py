"""How many lines may be used, by whom, and what makes the account or a number rest."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autolynx.domain.pacing import (
    CONCURRENCY_REST,
    RATE_REST,
    UNASKED_REST,
    Account,
    Candidate,
    NumberPace,
    PacingRules,
    account_room,
    after_asked,
    after_claim,
    after_concurrency_refusal,
    after_failure,
    after_rate_limit,
    after_success,
    after_trouble,
    after_unasked,
    effective_account_cap,
    is_probe,
    number_after_launches,
    number_room,
    share_room,
)

NOW = datetime(2026, 3, 1, 9, 0, 20, tzinfo=UTC)
RULES = PacingRules(account_room=8, launch_per_second=1, breaker_threshold=5)
SCALED = replace(RULES, time_scale=100)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def failed(account: Account, times: int, now: datetime = NOW, *, is_probe: bool = False) -> Account:
    for _ in range(times):
        account = after_failure(account, RULES, reason="It broke.", now=now, is_probe=is_probe)
    return account


# Room ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("held", "lines"), [(0, 8), (7, 1), (8, 0), (11, 0)])
def test_room_is_what_the_cap_leaves_and_never_less_than_none(held: int, lines: int) -> None:
    room = account_room(Account(), RULES, lines_held=held, now=NOW)
    assert (room.lines, room.bound_by, room.changes_at) == (lines, "account cap", None)


@pytest.mark.parametrize(
    ("account", "bound_by"),
    [
        (Account(held_at=NOW), "hold"),
        (Account(trouble="No credit."), "trouble"),
        (Account(not_before=later(1)), "rest"),
    ],
)
def test_a_hold_trouble_or_a_rest_leaves_no_room(account: Account, bound_by: str) -> None:
    room = account_room(account, RULES, lines_held=0, now=NOW)
    assert (room.lines, room.bound_by, room.changes_at) == (0, bound_by, account.not_before)


def test_a_rest_ends_at_its_moment() -> None:
    assert account_room(Account(not_before=NOW), RULES, lines_held=0, now=NOW).lines == 8


def test_trouble_remembers_when_it_began() -> None:
    first = after_trouble(Account(), reason="No credit.", asked_at=NOW, now=NOW)
    again = after_trouble(first, reason="Frozen.", asked_at=later(60), now=later(60))
    assert (again.trouble, again.trouble_at) == ("Frozen.", NOW)


def test_what_was_asked_before_the_release_is_no_trouble_any_more() -> None:
    released = Account(released_at=later(10))
    assert after_trouble(released, reason="No credit.", asked_at=later(9), now=later(11)) == released
    assert after_trouble(released, reason="No credit.", asked_at=later(10), now=later(11)).trouble == "No credit."


# Above the provider's limit -----------------------------------------------------------------------------------------


def test_after_a_refusal_the_cap_is_what_was_carried_and_grows_back_line_by_line() -> None:
    account = after_concurrency_refusal(Account(), RULES, lines_held=4, now=NOW)
    assert account_room(account, RULES, lines_held=4, now=later(9)).bound_by == "rest"
    caps = [effective_account_cap(account, RULES, later(seconds)) for seconds in (10, 29, 30, 60, 119, 120, 9999)]
    assert caps == [4, 4, 5, 6, 7, 8, 8]
    room = account_room(account, RULES, lines_held=4, now=later(45))
    assert (room.lines, room.bound_by, room.changes_at) == (1, "lowered cap", later(60))


def test_the_cap_is_never_lowered_below_one_line_nor_above_the_room() -> None:
    assert after_concurrency_refusal(Account(), RULES, lines_held=0, now=NOW).lowered_cap == 1
    assert after_concurrency_refusal(Account(), RULES, lines_held=99, now=NOW).lowered_cap == 8


def test_cool_down_and_growing_back_follow_the_time_scale() -> None:
    account = after_concurrency_refusal(Account(), SCALED, lines_held=4, now=NOW)
    assert account.not_before == later(0.1)
    assert effective_account_cap(account, SCALED, later(0.6)) == 6


# Too many requests --------------------------------------------------------------------------------------------------


def test_too_many_requests_rest_until_the_next_utc_minute_plus_jitter() -> None:
    account = after_rate_limit(Account(), RULES, retry_at=None, jitter=0.5, now=NOW)
    assert account.not_before == datetime(2026, 3, 1, 9, 1, 0, 500_000, tzinfo=UTC)
    exactly = datetime(2026, 3, 1, 9, 1, tzinfo=UTC)
    following = after_rate_limit(Account(), RULES, retry_at=None, jitter=0, now=exactly)
    assert following.not_before == exactly + timedelta(minutes=1)


def test_under_a_time_scale_the_minute_is_shorter_and_its_boundary_comes_sooner() -> None:
    rules = replace(RULES, time_scale=10)  # a minute of six seconds: 20 s past the minute lies in the fourth
    account = after_rate_limit(Account(), rules, retry_at=None, jitter=1, now=NOW)
    assert account.not_before == datetime(2026, 3, 1, 9, 0, 24, 100_000, tzinfo=UTC)


def test_what_the_provider_says_comes_first_but_never_ends_before_it_begins() -> None:
    assert after_rate_limit(Account(), RULES, retry_at=later(7), jitter=1, now=NOW).not_before == later(7)
    assert after_rate_limit(Account(), RULES, retry_at=later(-7), jitter=1, now=NOW).not_before == later(1)


def test_a_shorter_rest_does_not_cut_a_longer_one() -> None:
    account = after_rate_limit(Account(), RULES, retry_at=later(40), jitter=0, now=NOW)
    assert failed(account, 1).not_before == later(40)


# The circuit --------------------------------------------------------------------------------------------------------


def test_failures_rest_one_four_and_ten_seconds() -> None:
    rests = [(failed(Account(), times).not_before or NOW) - NOW for times in (1, 2, 3, 4)]
    assert [one.total_seconds() for one in rests] == [1, 4, 10, 10]


def test_an_open_circuit_lets_single_probes_through_at_growing_distances() -> None:
    account, now, distances = failed(Account(failures=4), 1), NOW, []
    for _ in range(8):
        assert account.not_before is not None
        distances.append((account.not_before - now).total_seconds())
        now = account.not_before
        room = account_room(account, RULES, lines_held=0, now=now)
        assert (room.lines, room.bound_by) == (1, "probe")
        account = after_claim(account, RULES, now)
        assert account_room(account, RULES, lines_held=1, now=now).lines == 0
        account = after_failure(account, RULES, reason="It broke.", now=now, is_probe=True)
    assert distances == [5, 10, 20, 40, 80, 160, 300, 300]


def test_failures_of_calls_that_were_under_way_together_do_not_make_the_distance_grow() -> None:
    account = failed(Account(failures=4), 40)
    assert (account.failures, account.not_before) == (5, later(5))


def test_what_was_claimed_before_the_circuit_opened_is_no_probe() -> None:
    account = failed(Account(), 5)
    assert not is_probe(account, claimed_at=NOW)
    assert is_probe(account, claimed_at=later(5))
    assert not is_probe(failed(Account(), 4), claimed_at=later(5))
    assert not is_probe(after_success(account), claimed_at=later(5))
    assert after_failure(account, RULES, reason="It broke.", now=later(9), is_probe=True).opened_at == NOW


def test_a_claim_while_the_circuit_is_closed_makes_nobody_wait() -> None:
    account = failed(Account(), 4)
    assert after_claim(account, RULES, NOW) == account


def test_a_success_closes_the_circuit_at_once() -> None:
    probing = after_claim(failed(Account(), 5), RULES, later(5))
    closed = after_success(probing)
    assert (closed.failures, closed.not_before, closed.rest_reason) == (0, None, None)


@pytest.mark.parametrize("reason", [RATE_REST, CONCURRENCY_REST, UNASKED_REST])
def test_a_success_does_not_lift_a_rest_that_has_another_reason(reason: str) -> None:
    account = {
        RATE_REST: after_rate_limit(failed(Account(), 2), RULES, retry_at=later(40), jitter=0, now=NOW),
        CONCURRENCY_REST: after_concurrency_refusal(failed(Account(), 2), RULES, lines_held=2, now=NOW),
        UNASKED_REST: after_unasked(failed(Account(), 2), RULES, NOW),
    }[reason]
    closed = after_success(account)
    assert (closed.failures, closed.not_before, closed.rest_reason) == (0, account.not_before, reason)


def test_a_success_without_failures_changes_nothing() -> None:
    account = Account(not_before=later(3), rest_reason=RATE_REST)
    assert after_success(account) is account


def test_while_nobody_answers_about_live_calls_dialling_pauses_until_somebody_does() -> None:
    paused = after_unasked(Account(), RULES, NOW)
    assert account_room(paused, RULES, lines_held=2, now=later(60)).lines == 0
    assert account_room(after_asked(paused), RULES, lines_held=2, now=NOW).lines == 6
    limited = after_rate_limit(Account(), RULES, retry_at=later(40), jitter=0, now=NOW)
    assert after_asked(limited) is limited


# Numbers ------------------------------------------------------------------------------------------------------------


def test_a_number_launches_once_per_second() -> None:
    number = NumberPace(id="n")
    assert number_room(number, RULES, NOW).lines == 1
    launched = number_after_launches(number, RULES, launches=1, now=NOW)
    room = number_room(launched, RULES, later(0.9))
    assert (room.lines, room.bound_by, room.changes_at) == (0, "launch rate", later(1))
    assert number_room(launched, RULES, later(1)).lines == 1


def test_the_launch_rate_follows_the_time_scale() -> None:
    launched = number_after_launches(NumberPace(id="n"), SCALED, launches=1, now=NOW)
    assert launched.next_launch_at == later(0.01)


def test_without_a_rate_only_the_day_bounds_a_number() -> None:
    free = replace(RULES, launch_per_second=0)
    assert number_room(NumberPace(id="n"), free, NOW).lines == 1000
    limited = number_after_launches(NumberPace(id="n", daily_limit=10), free, launches=7, now=NOW)
    assert number_room(limited, free, NOW).lines == 3


def test_a_used_up_day_ends_at_midnight_utc() -> None:
    number = number_after_launches(NumberPace(id="n", daily_limit=2), RULES, launches=2, now=NOW)
    room = number_room(number, RULES, later(60))
    midnight = datetime(2026, 3, 2, tzinfo=UTC)
    assert (room.lines, room.bound_by, room.changes_at) == (0, "daily limit", midnight)
    assert number_room(number, RULES, midnight).lines == 1
    assert number_after_launches(number, RULES, launches=1, now=midnight).launched_today == 1


def test_a_held_number_waits_for_its_moment_or_for_a_person() -> None:
    until = NumberPace(id="n", hold_reason="Blocked.", held_until=later(5))
    assert number_room(until, RULES, later(4)).lines == 0
    assert number_room(until, RULES, later(5)).lines == 1
    room = number_room(NumberPace(id="n", hold_reason="Blocked."), RULES, later(10**6))
    assert (room.lines, room.changes_at) == (0, None)


# Sharing ------------------------------------------------------------------------------------------------------------


def candidate(number: int, **values: int | datetime | str | None) -> Candidate:
    chosen = {"cap": 8, "lines_held": 0, "phone_number_id": "n", "last_served_at": None, **values}
    return Candidate(id=UUID(int=number), **chosen)  # type: ignore[arg-type]


def test_a_line_goes_to_the_fewest_lines_and_ties_to_the_least_recently_served() -> None:
    ones = [candidate(1, lines_held=2), candidate(2, last_served_at=NOW), candidate(3, last_served_at=later(-5))]
    assert share_room(ones, room=1, number_rooms={"n": 99}) == {UUID(int=3): 1}
    assert share_room(ones, room=5, number_rooms={"n": 99}) == {UUID(int=3): 2, UUID(int=2): 2, UUID(int=1): 1}


candidates = st.lists(
    st.tuples(st.integers(1, 50), st.integers(0, 60), st.sampled_from("abc"), st.none() | st.integers(0, 100)),
    min_size=1,
    max_size=8,
).map(
    lambda rows: [
        candidate(
            number,
            cap=cap,
            lines_held=held,
            phone_number_id=phone,
            last_served_at=None if served is None else later(served),
        )
        for number, (cap, held, phone, served) in enumerate(rows)
    ]
)
rooms = st.fixed_dictionaries({key: st.integers(0, 60) for key in "abc"})


@given(candidates, st.integers(0, 60), rooms)
def test_no_cap_is_ever_exceeded_and_no_line_is_left_idle_without_need(
    ones: list[Candidate], room: int, numbers: dict[str, int]
) -> None:
    given_lines = share_room(ones, room=room, number_rooms=numbers)
    assert sum(given_lines.values()) <= room
    assert all(lines > 0 for lines in given_lines.values())
    by_number = dict.fromkeys(numbers, 0)
    for one in ones:
        lines = given_lines.get(one.id, 0)
        assert not lines or one.lines_held + lines <= one.cap
        by_number[one.phone_number_id] += lines
    assert all(by_number[key] <= numbers[key] for key in numbers)
    could_take = [
        one
        for one in ones
        if one.lines_held + given_lines.get(one.id, 0) < one.cap
        and by_number[one.phone_number_id] < numbers[one.phone_number_id]
    ]
    assert sum(given_lines.values()) == room or not could_take


@given(candidates, st.integers(0, 60), rooms)
def test_nobody_who_could_take_a_line_falls_behind_by_more_than_one(
    ones: list[Candidate], room: int, numbers: dict[str, int]
) -> None:
    given_lines = share_room(ones, room=room, number_rooms=numbers)
    for poor in ones:
        poor_lines = poor.lines_held + given_lines.get(poor.id, 0)
        used = sum(given_lines.get(one.id, 0) for one in ones if one.phone_number_id == poor.phone_number_id)
        if poor_lines >= poor.cap or used >= numbers[poor.phone_number_id]:
            continue
        for rich in ones:
            if given_lines.get(rich.id, 0):
                assert rich.lines_held + given_lines[rich.id] <= poor_lines + 1


@given(st.lists(st.integers(1, 8), min_size=2, max_size=6), st.integers(1, 3))
def test_over_time_everybody_is_served(caps: list[int], room: int) -> None:
    """Lines that end at once and come back: whoever is served goes to the end of the queue."""
    served: dict[UUID, datetime | None] = {UUID(int=number): None for number in range(len(caps))}
    for turn in range(len(caps)):
        ones = [candidate(number, cap=cap, last_served_at=served[UUID(int=number)]) for number, cap in enumerate(caps)]
        for key in share_room(ones, room=room, number_rooms={"n": 99}):
            served[key] = later(turn)
    assert None not in served.values()
