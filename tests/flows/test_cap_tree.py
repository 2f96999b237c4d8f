"""The caps as a tree: live changes, the reserve for inbound, cool-downs and quiet lines, each seen over the API."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from autolynx.flows.campaign_edit import Changes, patch_campaign
from autolynx.flows.campaign_life import start_campaign
from autolynx.flows.dialing import hold_dialling
from autolynx.flows.ingest import receive_webhook
from autolynx.flows.refill import refill
from autolynx.runtime import SystemClock
from autolynx.store import phone_numbers
from autolynx.store.database import Database
from tests.support.checks import query
from tests.support.engine import make_campaign
from tests.support.processes import count_lines, processes, slowly
from tests.support.scripted_vapi import ScriptedVapi, accepted, broken, one_after_the_other, refused, running_script
from tests.support.sim import TWILIO_MAIN
from tests.support.stage import Stage, a_stage
from tests.support.stub_vapi import Answering, Seen
from tests.support.web import Web, running_web

pytestmark = pytest.mark.anyio

BUSY = "customer-busy"
NEVER_STARTED = "call.start.error-vapifault-get-org"


@asynccontextmanager
async def shown(database: Database, **settings: Any) -> AsyncIterator[tuple[Stage, Web]]:
    """Set a stage and the application over the same clock, settings and provider."""
    async with (
        a_stage(database, **settings) as stage,
        running_web(database, stage.vapi.url, clock=stage.clock, **settings) as web,
    ):
        yield stage, web


async def cap_of(web: Web) -> dict[str, Any]:
    body: dict[str, Any] = (await web.client.get("/api/dialing")).json()
    return dict(body["cap"])


async def account_of(web: Web) -> dict[str, Any]:
    body: dict[str, Any] = (await web.client.get("/api/dialing")).json()
    return dict(body["account"])


async def pacing_of(web: Web, campaign_id: UUID) -> dict[str, Any]:
    body: dict[str, Any] = (await web.client.get(f"/api/campaigns/{campaign_id}")).json()
    return dict(body["pacing"])


def seconds_until(stage: Stage, at: str) -> float:
    return round((datetime.fromisoformat(at) - stage.clock.now()).total_seconds(), 3)


async def live(database: Database) -> list[str]:
    rows = await query(database, "SELECT provider_call_id FROM calls WHERE holds_line ORDER BY claimed_at, id")
    return [row["provider_call_id"] for row in rows]


# Live changes of the cap --------------------------------------------------------------------------------------------


async def test_a_lower_cap_hangs_up_nobody_and_places_nothing_until_the_lines_are_below_it(database: Database) -> None:
    async with shown(database) as (stage, web):
        campaign_id = await stage.campaign(contacts=20, cap=4)
        await stage.tick()
        await web.client.patch(f"/api/campaigns/{campaign_id}", json={"cap": 2})
        seen = await pacing_of(web, campaign_id)
        assert (seen["effectiveCap"], seen["room"], seen["boundBy"]) == (2, 0, "campaign cap")
        assert seen["sentence"] == "All 2 lines of the campaign are in use."
        for lines in (3, 2):
            await stage.end((await live(database))[0], BUSY)
            await stage.tick(1)
            assert (await stage.lines(), len(stage.vapi.dials)) == (lines, 4)
        await stage.end((await live(database))[0], BUSY)
        await stage.tick(1)
        assert (await stage.lines(), len(stage.vapi.dials)) == (2, 5)
        assert stage.vapi.controls == []
        assert {call["cancel_requested_at"] for call in await stage.calls()} == {None}


async def test_a_higher_cap_is_filled_at_once_without_a_tick(database: Database) -> None:
    async with shown(database) as (stage, web):
        campaign_id = await stage.campaign(contacts=20, cap=2)
        await stage.tick()
        await web.client.patch(f"/api/campaigns/{campaign_id}", json={"cap": 5})
        assert web.refiller is not None
        await web.refiller.drain()
        assert (await stage.lines(), len(stage.vapi.dials)) == (5, 5)


async def test_a_cap_that_is_lowered_while_processes_refill_holds_from_then_on(
    database: Database, database_url: str
) -> None:
    async with (
        running_script(SystemClock().now) as vapi,
        processes(database_url, vapi.url, 4, ACCOUNT_CONCURRENCY_CAP=40) as runtimes,
    ):
        vapi.on_dial = slowly
        campaign_id = await make_campaign(database, contacts=60, cap=9)
        await start_campaign(runtimes[0], campaign_id)
        lower = patch_campaign(runtimes[1], campaign_id, Changes(cap=3), actor="tester")
        await asyncio.gather(*(refill(runtime) for runtime in runtimes), lower)
        assert (await count_lines(database))[campaign_id] in {3, 9}  # the change came before the claim, or after it
        while sum((await count_lines(database)).values()) > 3:
            sent = len(vapi.dials)
            await asyncio.gather(_end(runtimes[2], vapi, (await live(database))[0]), *map(refill, runtimes))
            lines = (await count_lines(database))[campaign_id]
            assert lines >= 3
            assert len(vapi.dials) == sent
        await asyncio.gather(_end(runtimes[2], vapi, (await live(database))[0]), *map(refill, runtimes))
        await refill(runtimes[0])
        assert (await count_lines(database))[campaign_id] == 3


async def _end(runtime: Any, vapi: ScriptedVapi, provider_call_id: str) -> None:
    call = vapi.calls[provider_call_id]
    message = {"type": "status-update", "status": "ended", "endedReason": BUSY, "call": call}
    await receive_webhook(runtime, {"message": message})


# The account's room -------------------------------------------------------------------------------------------------


async def test_lines_kept_for_inbound_calls_are_never_used_and_the_account_says_so(database: Database) -> None:
    async with shown(database, ACCOUNT_CONCURRENCY_CAP=5, INBOUND_RESERVE=2) as (stage, web):
        first = await stage.campaign(contacts=9, cap=8)
        second = await stage.campaign(contacts=9, cap=1, first=50)
        await stage.tick()
        assert await stage.lines() == 3
        cap = await cap_of(web)
        assert (cap["account"], cap["inboundReserve"], cap["effective"], cap["active"], cap["room"]) == (5, 2, 3, 3, 0)
        assert (cap["boundBy"], cap["sentence"]) == ("account cap", "All 3 lines of the account are in use.")
        seen = await pacing_of(web, first)
        assert (seen["effectiveCap"], seen["room"], seen["boundBy"]) == (3, 0, "account cap")
        assert (await pacing_of(web, second))["effectiveCap"] == 1


async def test_after_a_refusal_for_concurrency_it_cools_down_and_grows_back_line_by_line(database: Database) -> None:
    limit = refused(400, "Over Concurrency Limit")
    async with shown(database, ACCOUNT_CONCURRENCY_CAP=8) as (stage, web):
        stage.vapi.on_dial = one_after_the_other(accepted, accepted, accepted, limit, limit, limit, accepted)
        campaign_id = await stage.campaign(contacts=20, cap=8)
        await stage.tick()
        cap = await cap_of(web)
        assert (cap["effective"], cap["room"], cap["boundBy"]) == (3, 0, "rest")
        assert "limit of concurrent calls" in cap["sentence"]
        assert seconds_until(stage, cap["changesAt"]) == 10
        await stage.tick(10)
        cap = await cap_of(web)
        assert (cap["effective"], cap["boundBy"], seconds_until(stage, cap["changesAt"])) == (3, "lowered cap", 20)
        assert cap["sentence"] == "The provider refused more calls: 3 of 6 lines, one more every 30 s."
        assert (await pacing_of(web, campaign_id))["boundBy"] == "lowered cap"
        await stage.tick(19)
        assert await stage.lines() == 3
        for lines in (4, 5, 6):
            await stage.tick(1)
            assert (await stage.lines(), (await cap_of(web))["effective"]) == (lines, lines)
            await stage.tick(29)
            assert await stage.lines() == lines
        cap = await cap_of(web)
        assert (cap["boundBy"], cap["sentence"]) == ("account cap", "All 6 lines of the account are in use.")


async def test_the_red_button_is_seen_by_the_campaign_as_well(database: Database) -> None:
    async with shown(database) as (stage, web):
        campaign_id = await stage.campaign(contacts=3)
        await hold_dialling(stage.runtime, reason="Lunch.")
        seen = await pacing_of(web, campaign_id)
        assert (seen["room"], seen["boundBy"]) == (0, "hold")
        assert seen["sentence"] == "Dialling is held: Lunch. Release it to go on."


# The circuit --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_accepted", [True, False], ids=["calls that never start", "failed requests"])
async def test_an_open_circuit_shows_since_when_and_until_when_and_closes_before_everyones_eyes(
    database: Database, is_accepted: bool
) -> None:
    async with shown(database, BREAKER_THRESHOLD=2) as (stage, web):
        stage.vapi.on_dial = accepted if is_accepted else broken
        campaign_id = await stage.campaign(contacts=9, cap=2)
        await refill(stage.runtime)
        opened_at = stage.clock.now()
        for provider_call_id in await live(database):
            if is_accepted:
                await stage.end(provider_call_id, NEVER_STARTED)
        account, cap = await account_of(web), await cap_of(web)
        assert datetime.fromisoformat(account["circuitOpenedAt"]) == opened_at
        assert (account["failuresInARow"], cap["boundBy"], seconds_until(stage, cap["changesAt"])) == (2, "rest", 5)
        stage.clock.move(5)
        cap = await cap_of(web)
        assert (cap["boundBy"], cap["room"]) == ("probe", 1)
        assert cap["sentence"] == "The provider failed 2 times in a row; one call at a time tries if it is back."
        stage.vapi.on_dial = accepted
        await stage.campaign(contacts=9, cap=2, first=50)
        sent = len(stage.vapi.dials)
        await refill(stage.runtime)
        await refill(stage.runtime)
        assert len(stage.vapi.dials) == sent + 1
        assert "single calls probe" in (await cap_of(web))["sentence"]
        newest = max(stage.vapi.calls, key=lambda made: int(made.removeprefix("theirs-")))
        await stage.tell(newest, "ringing")
        account, cap = await account_of(web), await cap_of(web)
        assert (account["circuitOpenedAt"], account["restingUntil"], cap["boundBy"]) == (None, None, "account cap")
        assert (await pacing_of(web, campaign_id))["boundBy"] in {"campaign cap", "due"}


# Numbers, quiet lines and waiting contacts --------------------------------------------------------------------------


async def test_a_quiet_line_is_waited_for_and_the_campaign_says_so(database: Database) -> None:
    async with shown(database) as (stage, web):
        foreign = {"phoneNumberId": TWILIO_MAIN, "name": "inbound", "customer": {}}
        stage.vapi.place({**foreign, "assistantOverrides": {"metadata": {}}}, status="in-progress")
        campaign_id = await stage.campaign(contacts=2, cap=2, options='{"lineQuiet": true}')
        await stage.tick()
        assert stage.vapi.dials == []
        seen = await pacing_of(web, campaign_id)
        assert (seen["room"], seen["boundBy"]) == (0, "quiet line")
        assert "quiet line" in seen["sentence"]
        stage.vapi.change("theirs-1", status="ended")
        await stage.tick(1)
        assert len(stage.vapi.dials) == 1


async def test_a_quiet_line_that_cannot_be_asked_about_is_not_quiet(database: Database) -> None:
    async with a_stage(database) as stage:
        await stage.campaign(contacts=2, cap=2, options='{"lineQuiet": true}')
        stage.vapi.reads = False
        await stage.tick()
        assert stage.vapi.dials == []
        stage.vapi.reads = True
        await stage.tick(1)
        assert len(stage.vapi.dials) == 1


async def test_a_look_at_a_quiet_line_goes_stale(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await stage.campaign(contacts=2, cap=2, options='{"lineQuiet": true}')
        for age, looks in ((4.9, 0), (5.1, 1)):
            await query(
                database,
                "UPDATE campaigns SET quiet_at = %s WHERE id = %s RETURNING id",
                stage.clock.now(),
                campaign_id,
            )
            stage.vapi.on_dial = _refused_as_busy
            before = stage.vapi.lists
            stage.clock.move(age)
            await refill(stage.runtime, most=1)
            assert stage.vapi.lists - before == looks


def _refused_as_busy(_vapi: ScriptedVapi, _seen: Seen) -> Answering:
    return refused(429, "Rate limit exceeded", Retry_After="1")(_vapi, _seen)


async def test_a_number_that_used_up_its_day_is_what_binds_its_campaigns(database: Database) -> None:
    async with shown(database) as (stage, web):
        async with database.connection() as conn:
            await phone_numbers.remember(
                conn, phone_number_id=TWILIO_MAIN, label=None, provider="vapi", daily_limit=1, now=stage.clock.now()
            )
        campaign_id = await stage.campaign(contacts=3, cap=3)
        await stage.tick()
        seen = await pacing_of(web, campaign_id)
        assert (seen["boundBy"], seen["room"]) == ("daily limit", 0)
        assert seen["sentence"].startswith("The phone number has made its 1 calls of today")
        assert datetime.fromisoformat(seen["changesAt"]).hour == 0
        (number,) = (await web.client.get("/api/dialing")).json()["numbers"]
        assert number["sentence"] == seen["sentence"]


async def test_a_campaign_whose_contacts_wait_says_until_when(database: Database) -> None:
    async with shown(database) as (stage, web):
        campaign_id = await stage.campaign(options='{"maxAttempts": 2, "retryAfterMinutes": 5}')
        await stage.tick()
        assert (await pacing_of(web, campaign_id))["boundBy"] == "due"
        await stage.end("theirs-1", BUSY)
        seen = await pacing_of(web, campaign_id)
        assert (seen["boundBy"], seconds_until(stage, seen["changesAt"])) == ("due", 300)
        assert seen["sentence"] == "Who is left is due later."
