import statistics

import pytest

from tests.simulator.stage import SPEED, Receiver, Stage, simulator
from vapisim.chance import Chance
from vapisim.outcomes import Fate, draw_call_id, draw_fate
from vapisim.scenarios import BUSY_TOWN, SCENARIOS
from vapisim.state import Settings

NUMBERS = [f"+1{area}555{n:04d}" for area in (202, 312, 415) for n in range(100, 200)]
LATENCY_SECONDS = 0.3
MAX_DURATION_SECONDS = 600.0


def held(fate: Fate) -> float:
    """How long a call of this fate holds its line."""
    talk = min(fate.talk_seconds or 0.0, MAX_DURATION_SECONDS)
    return LATENCY_SECONDS + fate.queue_seconds + (fate.ring_seconds or 0) + talk + (fate.forward_seconds or 0)


def test_a_fate_depends_on_seed_number_and_attempt_alone() -> None:
    first = [draw_fate(Chance(7), BUSY_TOWN, number=number, attempt=1) for number in NUMBERS]
    again = [draw_fate(Chance(7), BUSY_TOWN, number=number, attempt=1) for number in NUMBERS[::-1]]
    assert first == again[::-1]
    assert first != [draw_fate(Chance(8), BUSY_TOWN, number=number, attempt=1) for number in NUMBERS]
    assert first != [draw_fate(Chance(7), BUSY_TOWN, number=number, attempt=2) for number in NUMBERS]


def test_ids_are_the_same_for_the_same_seed_and_salt() -> None:
    ids = {draw_call_id(Chance(7), "", number=number, attempt=1) for number in NUMBERS}
    assert ids == {draw_call_id(Chance(7), "", number=number, attempt=1) for number in NUMBERS}
    assert len(ids) == len(NUMBERS)
    assert not ids & {draw_call_id(Chance(7), "salt", number=number, attempt=1) for number in NUMBERS}


def test_an_ordered_fate_leaves_the_other_figures_alone() -> None:
    wish = {"outcome": "human-good", "talk_seconds": 12}
    fate = draw_fate(Chance(7), BUSY_TOWN, number=NUMBERS[0], attempt=1, wish=wish)
    assert (fate.outcome.name, fate.talk_seconds) == ("human-good", 12)
    assert fate.ring_seconds is not None


@pytest.mark.parametrize(
    ("scenario", "seconds"), [("busy-town", 54), ("all-answer", 54), ("voicemail-heavy", 41), ("outage", 54)]
)
def test_the_mean_line_holding_time_is_the_documented_one(scenario: str, seconds: float) -> None:
    weights = SCENARIOS[scenario].weights
    fates = [draw_fate(Chance(seed), weights, number=number, attempt=1) for seed in range(20) for number in NUMBERS]
    assert statistics.mean(map(held, fates)) == pytest.approx(seconds, rel=0.04)


def test_every_scenario_weighs_its_outcomes_to_one() -> None:
    for scenario in SCENARIOS.values():
        assert sum(scenario.weights.values()) == pytest.approx(1.0)


async def fates_told(stage: Stage, numbers: list[str]) -> dict[str, tuple[str, str]]:
    ids = {number: await stage.dial(number) for number in numbers}
    for call_id in ids.values():
        await stage.until_status(call_id, "ended")
    reasons = {number: (await stage.call(call_id))["endedReason"] for number, call_id in ids.items()}
    return {number: (ids[number], reasons[number]) for number in numbers}


@pytest.mark.anyio
async def test_two_runs_of_one_seed_tell_the_same_story_in_any_order(receiver: Receiver) -> None:
    numbers = NUMBERS[::30]
    async with simulator(Settings(speed=2 * SPEED, seed=3), receiver) as stage:
        first = await fates_told(stage, numbers)
    async with simulator(Settings(speed=3 * SPEED, seed=3), receiver) as stage:
        second = await fates_told(stage, numbers[::-1])
    assert first == second


def test_luck_has_the_probability_that_was_asked_for() -> None:
    hits = sum(Chance(1).happens(0.2, "loss", n) for n in range(5000))
    assert hits / 5000 == pytest.approx(0.2, abs=0.02)
    assert not any(Chance(1).happens(0, "loss", n) for n in range(100))
    assert all(Chance(1).happens(1, "loss", n) for n in range(100))
