"""The tick over HTTP, and how the whole is."""

from uuid import uuid4

import pytest

from autolynx.flows.campaign_life import start_campaign
from autolynx.flows.dialing import hold_dialling, release_dialling
from autolynx.store.database import Database
from tests.support.engine import make_campaign
from tests.support.sim import TWILIO_MAIN, running_sim
from tests.support.web import moved_clock, problem, rows, running_web

pytestmark = pytest.mark.anyio

TICK = "/api/scheduler/tick"
NOTHING = {"processed": {"campaigns": 0, "callsLaunched": 0, "callsActive": 0, "callsQueued": 0}, "details": []}


async def test_a_tick_with_nothing_to_do_says_so(database: Database) -> None:
    async with running_web(database) as web:
        for answer in (await web.client.get(TICK), await web.client.post(TICK), await web.client.post(TICK, json={})):
            assert (answer.status_code, answer.json()) == (200, NOTHING)


async def test_a_tick_launches_and_tells_what_is_where(database: Database) -> None:
    async with running_sim("--scenario", "all-answer", speed=1) as sim, running_web(database, sim.url) as web:
        first = await make_campaign(database, contacts=5, cap=2, name="first")
        second = await make_campaign(database, contacts=5, cap=3, name="second", first=10)
        for campaign_id in (first, second):
            await start_campaign(web.runtime, campaign_id)
        one = (await web.client.post(TICK, json={"campaignId": str(first)})).json()
        assert one["processed"]["callsLaunched"] == 2
        (detail,) = one["details"]
        assert detail.pop("status") in {"DIALING", "RUNNING"}
        assert detail == {"campaignId": str(first), "launched": 2, "active": 2, "cap": 2}
        both = (await web.client.get(TICK)).json()
        assert both["processed"]["campaigns"] == 2
        assert both["processed"]["callsLaunched"] == 3
        assert both["processed"]["callsActive"] == 5
        launched = {detail["campaignId"]: detail["launched"] for detail in both["details"]}
        assert launched == {str(first): 0, str(second): 3}
        assert (await web.client.post("/api/scheduler/run")).json()["processed"]["callsLaunched"] == 0
        assert len((await sim.summary())["dialsPerNumber"]) == 5


@pytest.mark.parametrize("raw", [b"{", b"[]", b'"x"', b'{"campaignId": "x"}', b'{"campaignId": 5}', b"[" * 100_000])
async def test_a_tick_with_a_strange_body_is_a_400(database: Database, raw: bytes) -> None:
    async with running_web(database) as web:
        problem(await web.client.post(TICK, content=raw), 400, "VALIDATION_ERROR")


async def test_a_tick_for_a_campaign_that_is_not_there_is_a_404(database: Database) -> None:
    async with running_web(database) as web:
        problem(await web.client.post(TICK, json={"campaignId": str(uuid4())}), 404, "NOT_FOUND")
        problem(await web.client.get(TICK, params={"campaignId": str(uuid4())}), 404, "NOT_FOUND")


async def test_health_names_what_is_wrong(database: Database) -> None:
    clock = moved_clock()
    async with running_web(database, clock=clock) as web:

        async def health() -> dict[str, str]:
            answer = await web.client.get("/api/health")
            assert answer.status_code == 200
            assert (await web.stranger.get("/healthz")).json() == {"status": answer.json()["status"]}
            checks = {one["name"]: one["status"] for one in answer.json()["checks"]}
            return {"all": answer.json()["status"], **checks}

        assert await health() == {
            "all": "degraded",
            "database": "healthy",
            "ticks": "degraded",
            "dialing": "healthy",
            "inbox": "healthy",
        }
        await web.client.post("/api/scheduler/run")
        assert (await health())["all"] == "healthy"
        await hold_dialling(web.runtime, reason="drill")
        assert (await health())["dialing"] == "degraded"
        await release_dialling(web.runtime)
        clock.move(181)
        assert (await health())["ticks"] == "degraded"


async def test_a_phone_line_is_looked_at_once_a_minute(database: Database) -> None:
    clock = moved_clock()
    address = "/api/health/phone-line"
    async with running_sim(speed=1) as sim, running_web(database, sim.url, clock=clock) as web:
        idle = await web.client.get(address, params={"phoneNumberId": TWILIO_MAIN})
        assert idle.json() == {
            "phoneNumberId": TWILIO_MAIN,
            "activeCalls": 0,
            "lastChecked": "2026-03-02T10:00:00Z",
            "status": "healthy",
            "provider": "vapi",
        }
        await sim.faults(outage=True)
        clock.move(59)
        campaign_id = await make_campaign(database, contacts=1)
        by_campaign = await web.client.get(address, params={"campaignId": str(campaign_id)})
        assert by_campaign.json() == idle.json()
        clock.move(2)
        broken = await web.client.get(address, params={"phoneNumberId": TWILIO_MAIN})
        assert (broken.json()["status"], broken.json()["activeCalls"]) == ("error", None)


async def test_a_busy_line_counts_its_calls(database: Database) -> None:
    async with running_sim("--scenario", "all-answer", speed=1) as sim, running_web(database, sim.url) as web:
        campaign_id = await make_campaign(database, contacts=3, cap=3)
        await start_campaign(web.runtime, campaign_id)
        await web.client.post(TICK)
        line = await web.client.get("/api/health/phone-line", params={"campaignId": str(campaign_id)})
        assert (line.json()["status"], line.json()["activeCalls"]) == ("busy", 3)
    assert len(await rows(database, "SELECT 1 AS one FROM calls")) == 3


async def test_a_number_that_the_account_does_not_have_is_no_healthy_line(database: Database) -> None:
    async with running_sim(speed=1) as sim, running_web(database, sim.url) as web:
        for strange in (str(uuid4()), "nope/../x"):
            line = await web.client.get("/api/health/phone-line", params={"phoneNumberId": strange})
            assert (line.json()["status"], line.json()["activeCalls"]) == ("error", None)


async def test_a_phone_line_is_named_in_one_way(database: Database) -> None:
    async with running_web(database) as web:
        both = {"phoneNumberId": "x", "campaignId": str(uuid4())}
        for params in ({}, both, {"phoneNumberId": ""}, {"campaignId": "x"}):
            problem(await web.client.get("/api/health/phone-line", params=params), 400, "VALIDATION_ERROR")
        gone = await web.client.get("/api/health/phone-line", params={"campaignId": str(uuid4())})
        problem(gone, 404, "NOT_FOUND")
