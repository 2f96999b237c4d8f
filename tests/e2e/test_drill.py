"""A small drill: every named point, a crash of the database and an outage of the provider in one campaign."""

import pytest

from drill.conductor import run_drill
from drill.plan import POINTS, Plan

pytestmark = [pytest.mark.anyio, pytest.mark.e2e]


async def test_whatever_fails_nobody_is_called_twice_or_lost_and_the_cap_holds() -> None:
    plan = Plan(contacts=140, kills=2 * len(POINTS), seed=11, restarts=1, outages=1, freezes=1, minutes=4)
    verdict = await run_drill(plan)
    assert verdict.is_good, "\n".join(verdict.lines())


def test_the_same_seed_makes_the_same_plan_and_every_point_has_its_share() -> None:
    big = Plan(contacts=10_000, kills=1_000, seed=5)
    assert big.dooms() == big.dooms()
    assert big.dooms() != Plan(contacts=10_000, kills=1_000, seed=6).dooms()
    dooms = [doom.point for doom in big.dooms()]
    assert len(dooms) == 1_000
    assert min(dooms.count(point) for point in POINTS) >= 100
