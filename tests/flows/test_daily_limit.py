"""The daily limit of a phone number counts calls that went out, and nothing else."""

from dataclasses import replace
from datetime import timedelta

import pytest

from autolynx.domain.pacing import NumberPace
from autolynx.flows.claim import claim
from autolynx.flows.refill import refill
from autolynx.store import phone_numbers
from autolynx.store.database import Database
from tests.support.checks import query
from tests.support.scripted_vapi import accepted, one_after_the_other, refused
from tests.support.sim import TWILIO_MAIN
from tests.support.stage import Stage, a_stage

pytestmark = pytest.mark.anyio


async def limit(stage: Stage, calls: int) -> None:
    """Let the number make so many calls a day."""
    async with stage.database.connection() as conn:
        await phone_numbers.remember(
            conn, phone_number_id=TWILIO_MAIN, label=None, provider="vapi", daily_limit=calls, now=stage.clock.now()
        )


async def launched(stage: Stage) -> int:
    (row,) = await query(stage.database, "SELECT launched_today FROM phone_numbers")
    return int(row["launched_today"])


def move_to_just_before_midnight(stage: Stage) -> None:
    now = stage.clock.now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    stage.clock.move((midnight - now).total_seconds() - 10)


def move_to_noon(stage: Stage) -> None:
    move_to_just_before_midnight(stage)
    stage.clock.move(12 * 3600 + 10)


async def test_a_refused_dial_uses_up_no_call_of_the_day(database: Database) -> None:
    async with a_stage(database) as stage:
        move_to_noon(stage)
        await limit(stage, 1)
        stage.vapi.on_dial = one_after_the_other(refused(429, "Rate limit exceeded", Retry_After="7"), accepted)
        await stage.campaign(contacts=2, cap=2)
        await stage.tick()
        assert await launched(stage) == 0
        await stage.tick(8)
        assert (len(stage.vapi.dials), len(stage.vapi.calls), await launched(stage)) == (2, 1, 1)
        await stage.tick(3600)
        assert len(stage.vapi.dials) == 2


async def test_a_claim_whose_owner_died_uses_up_no_call_of_the_day(database: Database) -> None:
    async with a_stage(database) as stage:
        move_to_noon(stage)
        await limit(stage, 2)
        await stage.campaign(contacts=2, cap=2)
        assert len((await claim(stage.runtime)).orders) == 2
        assert await launched(stage) == 2
        await stage.tick(31)
        assert (len(stage.vapi.dials), await launched(stage)) == (2, 2)


async def test_a_claim_of_yesterday_that_goes_back_today_gives_today_nothing(database: Database) -> None:
    async with a_stage(database) as stage:
        move_to_just_before_midnight(stage)
        await limit(stage, 2)
        await stage.campaign(contacts=4, cap=4)
        assert len((await claim(stage.runtime, most=1)).orders) == 1
        stage.clock.move(15)
        await refill(stage.runtime)
        assert (len(stage.vapi.dials), await launched(stage)) == (2, 2)
        await stage.tick(31)
        assert (len(stage.vapi.dials), await launched(stage)) == (2, 2)


async def test_a_call_that_went_out_after_all_counts_again(database: Database) -> None:
    async with a_stage(database) as stage:
        move_to_noon(stage)
        await limit(stage, 5)
        await stage.campaign()
        await stage.tick()
        await stage.end("theirs-1", "call.start.error-subscription-concurrency-limit-reached")
        assert await launched(stage) == 0
        await stage.report("theirs-1", "customer-busy")
        assert await launched(stage) == 1


async def test_a_launch_given_back_while_another_claim_is_under_way_is_not_forgotten(database: Database) -> None:
    async with a_stage(database) as stage:
        now = stage.clock.now()
        seen = NumberPace(id=TWILIO_MAIN, daily_limit=10, day=now.date(), launched_today=5)
        async with database.connection() as conn:
            await phone_numbers.save_pace(conn, seen, now, launches=5)
            await phone_numbers.correct_launches(conn, TWILIO_MAIN, day=now.date(), more=-1)  # after the claim looked
            await phone_numbers.save_pace(conn, replace(seen, launched_today=6), now, launches=1)
        assert await launched(stage) == 5
