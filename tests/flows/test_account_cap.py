"""A line that comes back when the account has none left is said, even where every campaign keeps to its own cap."""

import pytest

from autolynx.store.database import Database
from tests.support.checks import query
from tests.support.stage import Stage, a_stage

pytestmark = pytest.mark.anyio


async def two_calls_in_two_campaigns(stage: Stage) -> None:
    """Play until a call was given up and comes alive while another campaign uses the line that it had."""
    first = await stage.campaign(cap=5)
    await stage.tick()
    lost = stage.vapi.calls.pop("theirs-1")
    await stage.campaign(cap=5, first=50)
    for seconds in (300, 200, 120):
        await stage.tick(seconds)
    assert (len(stage.vapi.dials), await stage.lines(), await stage.status(first)) == (2, 1, "COMPLETED")
    stage.vapi.calls["theirs-1"] = lost
    await stage.tell("theirs-1", "in-progress")
    assert await stage.lines() == 2


async def test_a_line_that_comes_back_above_the_accounts_room_is_an_incident(database: Database) -> None:
    async with a_stage(database, ACCOUNT_CONCURRENCY_CAP=3) as stage:
        await two_calls_in_two_campaigns(stage)
        assert await stage.incidents() == ["cap_overrun"]
        (incident,) = await query(database, "SELECT sentence FROM incidents")
        assert "the account's lines" in incident["sentence"]
        await stage.tell("theirs-1", "in-progress")
        assert await stage.incidents() == ["cap_overrun"]


async def test_a_line_that_comes_back_while_the_account_has_room_is_none(database: Database) -> None:
    async with a_stage(database, ACCOUNT_CONCURRENCY_CAP=4) as stage:
        stage_room = stage.runtime.settings.account_room
        assert stage_room == 2
        await stage.campaign(cap=1)
        await stage.tick()
        lost = stage.vapi.calls.pop("theirs-1")
        for seconds in (300, 200, 120):
            await stage.tick(seconds)
        await stage.campaign(cap=1, first=50)
        await stage.tick(1)
        stage.vapi.calls["theirs-1"] = lost
        await stage.tell("theirs-1", "in-progress")
        assert (await stage.lines(), await stage.incidents()) == (2, [])
