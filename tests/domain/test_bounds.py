"""What binds a campaign: the nearest cause comes first, and is said in words."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from autolynx.domain.bounds import FREE, Bound, CampaignLines, campaign_bound, number_sentence
from autolynx.domain.pacing import Account, NumberPace, PacingRules, number_room

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
LATER = NOW + timedelta(seconds=40)
RULES = PacingRules(account_room=8, launch_per_second=0, breaker_threshold=5)
LINES = CampaignLines(cap=4, held=1, is_running=True, has_ready=True, next_due_at=None, waits_for_quiet=False)
NUMBER = NumberPace(id="n")
RESTED = Account()


def bound(
    lines: CampaignLines = LINES, account: Account = RESTED, number: NumberPace = NUMBER, *, held: int = 1
) -> Bound:
    return campaign_bound(lines, account, number, rules=RULES, account_lines=held, now=NOW)


def test_with_room_everywhere_the_narrowest_cap_is_named_and_calls_may_be_placed() -> None:
    free = bound()
    assert (free.effective_cap, free.lines, free.by, free.sentence) == (4, 3, "campaign cap", FREE)
    tight = bound(held=7)
    assert (tight.lines, tight.by, tight.sentence) == (1, "account cap", FREE)
    probing = bound(account=Account(failures=5))
    assert (probing.lines, probing.by) == (1, "probe")
    assert "one call at a time" in probing.sentence


@pytest.mark.parametrize(
    ("lines", "account", "number", "by"),
    [
        (replace(LINES, is_running=False), Account(held_at=NOW), NUMBER, "status"),
        (replace(LINES, has_ready=False), Account(held_at=NOW), NUMBER, "due"),
        (replace(LINES, waits_for_quiet=True), Account(), NUMBER, "quiet line"),
        (LINES, Account(held_at=NOW, hold_reason="Lunch."), NUMBER, "hold"),
        (LINES, Account(trouble="No credit."), NUMBER, "trouble"),
        (LINES, Account(not_before=LATER, rest_reason="Too fast."), NUMBER, "rest"),
        (LINES, Account(lowered_cap=1, lowered_at=NOW), NUMBER, "lowered cap"),
        (LINES, Account(), replace(NUMBER, hold_reason="Blocked."), "number"),
        (LINES, Account(), replace(NUMBER, daily_limit=1, day=NOW.date(), launched_today=1), "daily limit"),
        (replace(LINES, held=4), Account(), NUMBER, "campaign cap"),
    ],
)
def test_whatever_leaves_no_room_is_named_with_a_sentence(
    lines: CampaignLines, account: Account, number: NumberPace, by: str
) -> None:
    found = bound(lines, account, number)
    assert (found.lines, found.by) == (0, by)
    assert found.sentence.endswith(".")
    assert found.sentence != FREE


def test_until_when_is_said_where_time_alone_changes_it() -> None:
    assert bound(account=Account(not_before=LATER)).until == LATER
    assert bound(replace(LINES, has_ready=False, next_due_at=LATER)).until == LATER
    assert bound(replace(LINES, has_ready=False)).until is None
    assert bound(account=Account(lowered_cap=1, lowered_at=NOW)).until == NOW + timedelta(seconds=30)


def test_the_effective_cap_is_the_lower_of_the_campaigns_and_what_the_account_carries_now() -> None:
    assert bound(replace(LINES, cap=50)).effective_cap == 8
    assert bound(account=Account(lowered_cap=2, lowered_at=NOW)).effective_cap == 2


def test_a_number_says_what_keeps_it_from_launching() -> None:
    rated = replace(RULES, launch_per_second=1)
    waiting = replace(NUMBER, next_launch_at=LATER)
    assert "in a moment" in number_sentence(waiting, number_room(waiting, rated, NOW))
    assert number_sentence(NUMBER, number_room(NUMBER, rated, NOW)) == FREE
