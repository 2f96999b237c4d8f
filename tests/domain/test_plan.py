"""What will happen: lines, calls, time and cost of a campaign that is only thought of."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autolynx.domain.call_figures import DEFAULT_FIGURES, CallFigures, FiguresFrom, History, figures_from
from autolynx.domain.campaign import CampaignMode
from autolynx.domain.plan import Intent, Lines, Plan, Skipped, make_plan

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
KNOWN = CallFigures(
    answered_share=0.5,
    missed_share=0.4,
    talk_seconds=60,
    cost_usd=Decimal("0.10"),
    source=FiguresFrom.ASSISTANT,
    calls=200,
)


def a_plan(contacts: int = 100, figures: CallFigures = KNOWN, lines: Lines | None = None, **values: Any) -> Plan:
    chosen = lines or Lines(cap=5, account_cap=8)
    intent = Intent(**{"contacts": contacts, "mode": CampaignMode.CONTINUOUS, "lines": chosen, **values})
    return make_plan(intent, figures, starts_at=NOW, start_sentence="At once.", now=NOW)


def test_time_and_cost_are_a_range_around_what_calls_were_like() -> None:
    plan = a_plan()
    assert KNOWN.line_seconds == 50  # half of them ring 10 s and talk 60 s, the others take 30 s
    assert (plan.calls.low, plan.calls.high) == (100, 100)
    assert (plan.seconds.low, plan.seconds.high) == (800, 1300)
    assert (plan.cost_usd.low, plan.cost_usd.high) == (Decimal("8.00"), Decimal("13.00"))


@pytest.mark.parametrize(
    ("lines", "count", "by"),
    [
        (Lines(cap=5, account_cap=8), 5, "cap"),
        (Lines(cap=8, account_cap=8), 8, "cap"),
        (Lines(cap=20, account_cap=8), 8, "account cap"),
        (Lines(cap=20, account_cap=20, launch_per_second=0.1), 5, "launch rate"),
        (Lines(cap=20, account_cap=20, launch_per_second=0.001), 1, "launch rate"),
        (Lines(cap=20, account_cap=8, is_line_quiet=True), 1, "quiet line"),
    ],
)
def test_the_narrowest_of_all_bounds_says_how_many_lines_there_really_are(lines: Lines, count: int, by: str) -> None:
    plan = a_plan(lines=lines)
    assert (plan.lines, plan.bound_by) == (count, by)


def test_further_attempts_cost_more_and_last_longer_at_most() -> None:
    plan = a_plan(max_attempts=3, retry_after_minutes=60)
    assert (plan.calls.low, plan.calls.high) == (100, 156)
    assert plan.seconds.low == 800
    assert plan.seconds.high > 2 * 3600
    assert plan.notes == ["Up to 56 further calls to who is not reached, 60 minutes later."]


def test_a_batch_waits_for_its_longest_call() -> None:
    assert a_plan(mode=CampaignMode.BATCH).seconds.high > 2 * a_plan().seconds.high
    assert a_plan(mode=CampaignMode.BATCH).seconds.low == a_plan().seconds.low


def test_a_daily_limit_stretches_it_over_days() -> None:
    plan = a_plan(contacts=25, lines=Lines(cap=5, account_cap=8, daily_limit=10, left_today=4))
    assert plan.seconds.low == (14 + 2 * 24) * 3600  # 4 today, 10, 10, and 1 on the fourth day
    assert "at most 10 calls a day, 4 of them still today" in plan.notes[0]
    assert a_plan(contacts=4, lines=Lines(cap=5, account_cap=8, daily_limit=10, left_today=4)).notes == []


def test_nobody_left_costs_nothing() -> None:
    plan = a_plan(contacts=0, skipped=[Skipped(reason="invalid", count=0, sentence="none")])
    assert (plan.seconds.high, plan.cost_usd.high, plan.skipped) == (0, 0, [])


def test_figures_come_from_the_assistant_then_from_all_then_from_a_rule_of_thumb() -> None:
    own = History(calls=40, missed=10, cost_usd=Decimal(4), talks=20, talk_seconds=Decimal(1000))
    few = replace(own, calls=19)
    everybody = History(calls=100, missed=50, cost_usd=Decimal(20), talks=10, talk_seconds=Decimal(900))
    by_own = figures_from(own, everybody)
    assert (by_own.source, by_own.answered_share, by_own.talk_seconds) == (FiguresFrom.ASSISTANT, 0.5, 50)
    assert (by_own.cost_usd, by_own.missed_share, by_own.calls) == (Decimal("0.1"), 0.25, 40)
    assert figures_from(few, everybody).source is FiguresFrom.ALL_ASSISTANTS
    assert figures_from(few, few) is DEFAULT_FIGURES
    assert "rule of thumb" in DEFAULT_FIGURES.sentence
    assert by_own.sentence == "By 40 calls that this assistant has made."


@given(
    contacts=st.integers(0, 300_000),
    cap=st.integers(1, 50),
    account=st.integers(1, 50),
    rate=st.sampled_from([0.0, 0.5, 1.0, 20.0]),
    limit=st.one_of(st.none(), st.integers(1, 100)),
    attempts=st.integers(1, 10),
    mode=st.sampled_from(CampaignMode),
    figures=st.sampled_from([KNOWN, DEFAULT_FIGURES, replace(KNOWN, answered_share=0.0, missed_share=1.0)]),
)
def test_every_plan_is_a_range_that_the_caps_allow(
    contacts: int,
    cap: int,
    account: int,
    rate: float,
    limit: int | None,
    attempts: int,
    mode: CampaignMode,
    figures: CallFigures,
) -> None:
    lines = Lines(cap=cap, account_cap=account, launch_per_second=rate, daily_limit=limit)
    plan = a_plan(contacts, figures, lines, mode=mode, max_attempts=attempts)
    assert 1 <= plan.lines <= min(cap, account)
    for span in (plan.calls, plan.seconds, plan.cost_usd):
        assert 0 <= span.low <= span.high
