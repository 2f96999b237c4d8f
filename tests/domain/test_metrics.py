"""What the counters of a campaign say."""

from datetime import datetime, timedelta
from decimal import Decimal

from autolynx.domain.campaign_name import MAX_CAMPAIGN_NAME_CHARACTERS, default_name
from autolynx.domain.metrics import Counters, estimate_completion

NOW = datetime.fromisoformat("2026-03-02T10:00:00+00:00")


def test_nothing_is_divided_by_nothing() -> None:
    nothing = Counters()
    assert nothing.success_rate is None
    assert nothing.average_cost_usd is None
    assert nothing.average_duration_seconds is None
    assert estimate_completion(nothing, is_running=True, started_at=NOW, now=NOW) is None


def test_rates_and_averages_look_at_those_they_are_about() -> None:
    counters = Counters(
        ended=3, failed=1, success_true=1, success_false=3, cost_usd=Decimal("1.0"), talks=2, talk_seconds=Decimal(91)
    )
    assert counters.success_rate == 0.25
    assert counters.average_cost_usd == Decimal("0.25")
    assert counters.average_duration_seconds == Decimal("45.5")


def test_every_status_and_outcome_is_listed_and_outcomes_do_not_mix_with_statuses() -> None:
    counters = Counters(canceled=5, canceled_outcome=2, unsure=7, unsure_outcome=3, unknown_outcome=4)
    assert counters.calls_by_status["CANCELED"] == 5
    assert counters.calls_by_outcome["canceled"] == 2
    assert counters.calls_by_outcome["unsure"] == 3
    assert counters.calls_by_outcome["unknown"] == 4
    assert len(counters.calls_by_status) == 7
    assert len(counters.calls_by_outcome) == 12


def test_the_end_is_guessed_from_the_pace_so_far() -> None:
    counters = Counters(done=20, excluded=5, calling=5, due=70)
    started_at = NOW - timedelta(minutes=10)
    assert estimate_completion(counters, is_running=True, started_at=started_at, now=NOW) == NOW + timedelta(minutes=30)
    assert estimate_completion(counters, is_running=False, started_at=started_at, now=NOW) is None


def test_a_campaign_without_a_name_is_called_after_its_file_and_the_day() -> None:
    assert default_name("spring list.csv.gz", NOW.date()) == "spring list 2026-03-02"
    assert default_name("list.CSV", NOW.date()) == "list 2026-03-02"
    assert default_name(".csv", NOW.date()) == ".csv 2026-03-02"
    assert default_name("a\x00b\n.txt", NOW.date()) == "a b 2026-03-02"
    assert len(default_name("x" * 255, NOW.date())) == MAX_CAMPAIGN_NAME_CHARACTERS
