"""Races whose moments a test chooses: the provider's answer is held back, or everybody presses at once."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import pytest

from autolynx.domain.call import CallNews, NewsKind, Source
from autolynx.errors import Conflict
from autolynx.flows.campaign_edit import Changes, delete_campaign, patch_campaign
from autolynx.flows.campaign_life import pause_campaign, start_campaign, stop_campaign
from autolynx.flows.claim import claim
from autolynx.flows.dial import Dialled, dial
from autolynx.flows.dialing import Decision, decide_unsure, hold_dialling
from autolynx.flows.ingest import receive_webhook
from autolynx.flows.reconcile import bring
from autolynx.flows.refill import refill
from autolynx.provider.port import CallOrder, DialAnswer, Provider
from autolynx.runtime import Runtime, SystemClock
from autolynx.store.database import Database
from tests.support.checks import assert_counters_are_a_recount, query
from tests.support.engine import make_campaign, make_runtime, settings_for_test
from tests.support.scripted_vapi import running_script
from tests.support.serve import environment
from tests.support.stage import Stage, a_stage

pytestmark = pytest.mark.anyio


class HeldProvider:
    """A provider that takes a call at once and whose answer comes when the test says so."""

    def __init__(self, inner: Provider) -> None:
        self._inner = inner
        self.took = asyncio.Event()
        self.answers = asyncio.Event()

    async def place_call(self, order: CallOrder) -> DialAnswer:
        answer = await self._inner.place_call(order)
        self.took.set()
        await self.answers.wait()
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@asynccontextmanager
async def dialling(stage: Stage) -> AsyncIterator[tuple[HeldProvider, asyncio.Task[Dialled]]]:
    """Dial the next contact; the block runs while the provider has the call and we do not know."""
    held = HeldProvider(stage.runtime.provider)
    claimed = await claim(stage.runtime, most=1)
    slow = replace(stage.runtime, provider=cast("Provider", held))
    task = asyncio.create_task(dial(slow, claimed.orders[0], account=claimed.account))
    async with asyncio.timeout(30):
        await held.took.wait()
        yield held, task
        held.answers.set()
        await task


@asynccontextmanager
async def people(url: str, vapi_url: str, count: int) -> AsyncIterator[list[Runtime]]:
    """Give runtimes with connections of their own, as so many processes have them."""
    async with AsyncExitStack() as stack:
        runtimes = []
        for _ in range(count):
            opened = await Database.open(url, max_size=2)
            stack.push_async_callback(opened.close)
            runtimes.append(make_runtime(opened, vapi_url, settings=settings_for_test(ACCOUNT_CONCURRENCY_CAP=50)))
            stack.push_async_callback(runtimes[-1].provider.close)
        yield runtimes


RELEASED = CallNews(kind=NewsKind.RELEASED, source=Source.POLL, reason="Looked for twice.")


async def assert_the_first_call_holds_its_line_and_ends_as_told(stage: Stage) -> None:
    """A live word does not make it live again, but it keeps line and contact until the provider tells its end."""
    await refill(stage.runtime)
    assert len(stage.vapi.dials) == 1
    first = (await stage.calls())[0]
    assert (first["provider_call_id"], first["holds_line"], first["counts_as_attempt"]) == ("theirs-1", True, True)
    await stage.tell("theirs-1", "ended", endedReason="customer-busy")
    first = (await stage.calls())[0]
    assert (first["status"], first["outcome"], first["holds_line"]) == ("ENDED", "busy", False)
    assert await stage.contacts() == ["done"]
    assert await stage.incidents() == []
    await assert_counters_are_a_recount(stage.database)


async def test_a_webhook_before_the_answer_revives_a_claim_that_was_released_meanwhile(database: Database) -> None:
    async with a_stage(database) as stage:
        await stage.campaign()
        async with dialling(stage):
            await bring(stage.runtime, (await stage.call())["id"], RELEASED)
            assert await stage.contacts() == ["due"]
            await stage.tell("theirs-1", "ringing")
            assert await stage.contacts() == ["done"]
        await assert_the_first_call_holds_its_line_and_ends_as_told(stage)


async def test_a_webhook_before_the_answer_takes_back_the_claim_that_followed_a_release(database: Database) -> None:
    async with a_stage(database) as stage:
        await stage.campaign()
        async with dialling(stage):
            await bring(stage.runtime, (await stage.call())["id"], RELEASED)
            again = await claim(stage.runtime)
            assert len(again.orders) == 1
            await stage.tell("theirs-1", "ringing")
            assert not (await dial(stage.runtime, again.orders[0], account=again.account)).was_sent
        assert (await stage.calls())[1]["outcome"] == "not_dialled"
        await assert_the_first_call_holds_its_line_and_ends_as_told(stage)


async def test_an_answer_alone_revives_a_claim_that_was_released_meanwhile(database: Database) -> None:
    async with a_stage(database) as stage:
        await stage.campaign()
        async with dialling(stage):
            await bring(stage.runtime, (await stage.call())["id"], RELEASED)
            assert await stage.contacts() == ["due"]
        await assert_the_first_call_holds_its_line_and_ends_as_told(stage)


async def test_stop_while_a_dial_is_under_way_is_kept_with_the_call(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await stage.campaign(contacts=3)
        async with dialling(stage):
            await stop_campaign(stage.runtime, campaign_id)
        call = await stage.call()
        assert (call["provider_call_id"], call["holds_line"]) == ("theirs-1", True)
        assert call["cancel_requested_at"] is not None
        await refill(stage.runtime)
        await stage.tell("theirs-1", "ended", endedReason="customer-busy")
        assert (await stage.call())["status"] == "CANCELED"
        assert (len(stage.vapi.dials), await stage.status(campaign_id)) == (1, "CANCELED")


async def test_pause_while_a_dial_is_under_way_keeps_the_call_and_places_no_further_one(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await stage.campaign(contacts=3)
        async with dialling(stage):
            await pause_campaign(stage.runtime, campaign_id)
            await refill(stage.runtime)
        assert (await stage.call())["provider_call_id"] == "theirs-1"
        assert (len(stage.vapi.dials), await stage.status(campaign_id)) == (1, "PAUSED")


async def test_delete_while_a_dial_is_under_way_is_refused_and_the_call_is_kept(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await stage.campaign()
        async with dialling(stage):
            with pytest.raises(Conflict, match="still live"):
                await delete_campaign(stage.runtime, campaign_id, actor="a")
        assert (await stage.call())["provider_call_id"] == "theirs-1"


async def test_the_red_button_while_a_dial_is_under_way_keeps_the_call_and_hangs_it_up(database: Database) -> None:
    async with a_stage(database) as stage:
        await stage.campaign(contacts=3)
        async with dialling(stage):
            await hold_dialling(stage.runtime, reason="stop", hangs_up=True)
            await refill(stage.runtime)
        assert len(stage.vapi.dials) == 1
        await stage.tell("theirs-1", "in-progress")
        assert stage.vapi.controls == ["theirs-1"]


async def test_of_those_who_press_start_at_once_one_starts_it(database: Database, database_url: str) -> None:
    async with (
        running_script(SystemClock().now) as vapi,
        people(database_url, vapi.url, 5) as runtimes,
    ):
        campaign_id = await make_campaign(database, contacts=6, cap=6)
        pressed = [start_campaign(runtime, campaign_id) for runtime in runtimes * 2]
        answers = await asyncio.gather(*pressed, return_exceptions=True)
        assert sorted(type(answer).__name__ for answer in answers) == ["Campaign"] + ["Conflict"] * 9
        await asyncio.gather(*(refill(runtime) for runtime in runtimes))
        assert len(vapi.dials) == len(set(vapi.dials)) == 6


@pytest.mark.parametrize("first", [Decision.REDIAL, Decision.LEAVE])
async def test_of_those_who_decide_about_one_contact_at_once_one_decides(
    database: Database, database_url: str, first: Decision
) -> None:
    async with running_script(SystemClock().now) as vapi, people(database_url, vapi.url, 4) as runtimes:
        campaign_id = await make_campaign(database, contacts=1)
        await start_campaign(runtimes[0], campaign_id)
        await claim(runtimes[0])
        async with database.connection() as conn:
            await conn.execute("UPDATE calls SET dial_started_at = claimed_at, unsure_at = claimed_at")
            await conn.execute("UPDATE contacts SET state = 'unsure'")
        (call,) = await query(database, "SELECT id FROM calls")
        other = Decision.LEAVE if first is Decision.REDIAL else Decision.REDIAL
        decided = [decide_unsure(runtime, call["id"], one) for runtime in runtimes for one in (first, other)]
        answers = await asyncio.gather(*decided, return_exceptions=True)
        assert sorted(type(answer).__name__ for answer in answers) == ["Conflict"] * 7 + ["NoneType"]
        won = [first, other][answers.index(None) % 2]
        await asyncio.gather(*(refill(runtime) for runtime in runtimes))
        (contact,) = await query(database, "SELECT state, extra_attempts FROM contacts")
        expected = ("calling", 1, 1) if won is Decision.REDIAL else ("done", 0, 0)
        assert (contact["state"], contact["extra_attempts"], len(vapi.dials)) == expected
        await assert_counters_are_a_recount(database)


async def test_a_cap_lowered_during_refills_holds_from_the_next_claim_on(database: Database, database_url: str) -> None:
    async with running_script(SystemClock().now) as vapi, people(database_url, vapi.url, 4) as runtimes:
        campaign_id = await make_campaign(database, contacts=40, cap=6)
        await start_campaign(runtimes[0], campaign_id)
        lower = patch_campaign(runtimes[3], campaign_id, Changes(cap=2), actor="a")
        await asyncio.gather(refill(runtimes[0]), lower, refill(runtimes[1]), refill(runtimes[2]))
        live = await query(database, "SELECT provider_call_id FROM calls WHERE holds_line")
        assert 2 <= len(live) <= 6
        over = [
            {"message": {"type": "status-update", "status": "ended", "endedReason": "customer-busy", "call": call}}
            for call in vapi.calls.values()
        ]
        news = [receive_webhook(runtimes[n % 4], body) for n, body in enumerate(over)]
        await asyncio.gather(*news, *(refill(runtime) for runtime in runtimes * 2))
        await refill(runtimes[0])
        assert len(await query(database, "SELECT id FROM calls WHERE holds_line")) == 2
        assert len(vapi.dials) == len(set(vapi.dials)) == len(live) + 2


async def test_ticks_of_several_processes_at_once_dial_each_contact_once(database: Database, database_url: str) -> None:
    async with running_script(SystemClock().now) as vapi, people(database_url, vapi.url, 1) as runtimes:
        await start_campaign(runtimes[0], await make_campaign(database, contacts=9, cap=5))
        environ = environment(database_url, vapi.url)

        async def tick() -> int | None:
            command = (sys.executable, "-c", "from autolynx.cli import main; main()", "tick")
            process = await asyncio.create_subprocess_exec(*command, env=environ, stdout=asyncio.subprocess.DEVNULL)
            return await process.wait()

        assert await asyncio.gather(*(tick() for _ in range(4))) == [0] * 4
        assert len(vapi.dials) == len(set(vapi.dials)) == 5
        assert len(await query(database, "SELECT id FROM calls WHERE holds_line AND dial_started_at IS NOT NULL")) == 5
