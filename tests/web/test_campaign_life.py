"""Start, pause, resume and stop over JSON, against the simulator."""

import asyncio
from uuid import UUID

import pytest

from autolynx.store.database import Database
from tests.support.campaign_rows import change_campaign, make_campaign
from tests.support.sim import running_sim
from tests.support.web import problem, rows, running_web

pytestmark = pytest.mark.anyio


def path_of(campaign_id: UUID, verb: str) -> str:
    return f"/api/campaigns/{campaign_id}/{verb}"


async def test_holding_for_confirmation_answers_with_the_truthful_start(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        campaign_id = await make_campaign(database, contacts=2, cap=1)
        answer = await web.client.post(path_of(campaign_id, "start"), json={"holdForConfirmation": True})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        detail = (await web.client.get(f"/api/campaigns/{campaign_id}")).json()
        assert body["status"] in {"DIALING", "RUNNING"}
        assert body["estimatedStartTime"] == detail["timeline"]["startedAt"]
        assert "accepted" in body["message"]


async def test_without_holding_the_answer_says_when_it_may_start(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        campaign_id = await make_campaign(database, contacts=1)
        body = (await web.client.post(path_of(campaign_id, "start"))).json()
        assert body["status"] == "QUEUED"
        assert body["estimatedStartTime"] is not None


async def test_in_a_function_the_first_call_goes_out_before_the_answer(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url, is_function=True) as web:
        campaign_id = await make_campaign(database, contacts=2, cap=2)
        answer = await web.client.post(path_of(campaign_id, "start"), json={"holdForConfirmation": True})
        assert answer.json()["status"] in {"DIALING", "RUNNING"}
        assert (await sim.summary())["dials"] == 1


async def test_a_start_that_nobody_confirms_says_why(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        await web.client.post("/api/dialing/hold")
        campaign_id = await make_campaign(database, contacts=1)
        waiting = asyncio.create_task(
            web.client.post(path_of(campaign_id, "start"), json={"holdForConfirmation": True})
        )
        await asyncio.sleep(0.5)
        assert not waiting.done()
        await web.client.post(path_of(campaign_id, "pause"))
        body = (await waiting).json()
        assert body["status"] == "PAUSED"
        assert body["estimatedStartTime"] is None
        assert (await sim.summary())["dials"] == 0


async def test_a_repeated_start_with_its_key_starts_once(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        campaign_id = await make_campaign(database, contacts=1)
        headers = {"Idempotency-Key": "start"}
        first = await web.client.post(path_of(campaign_id, "start"), headers=headers)
        second = await web.client.post(path_of(campaign_id, "start"), headers=headers)
        assert first.status_code == second.status_code == 200
        assert first.json() == second.json()
        problem(await web.client.post(path_of(campaign_id, "start")), 409, "CONFLICT")


async def test_pause_resume_and_stop_follow_the_states(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        campaign_id = await make_campaign(database, contacts=3, cap=1)
        await web.client.post(path_of(campaign_id, "start"), json={"holdForConfirmation": True})
        assert (await web.client.post(path_of(campaign_id, "pause"))).json()["status"] == "PAUSED"
        assert (await web.client.post(path_of(campaign_id, "resume"))).json()["status"] == "RUNNING"
        stopped = (await web.client.post(path_of(campaign_id, "stop"), json={"hangUp": True})).json()
        assert stopped["status"] == "CANCELED"
        assert stopped["hungUp"] + stopped["stillLive"] >= 0
        audited = await rows(database, "SELECT action FROM audit_log WHERE subject = %s ORDER BY id", str(campaign_id))
    assert [row["action"] for row in audited] == [
        f"campaign.{word}" for word in ("started", "paused", "resumed", "stopped")
    ]


@pytest.mark.parametrize(
    ("hangs_up", "words"), [(True, "are hung up as soon as they connect"), (False, "end by themselves")]
)
async def test_stop_says_what_becomes_of_calls_that_still_ring(database: Database, hangs_up: bool, words: str) -> None:
    async with running_sim(speed=1) as sim, running_web(database, sim.url) as web:
        campaign_id = await make_campaign(database, contacts=2, cap=2)
        await web.client.post(path_of(campaign_id, "start"), json={"holdForConfirmation": True})
        stopped = (await web.client.post(path_of(campaign_id, "stop"), json={"hangUp": hangs_up})).json()
        assert stopped["stillLive"] > 0
        assert words in stopped["message"]


@pytest.mark.parametrize(
    ("status", "verb", "to"),
    [
        ("CREATED", "pause", "PAUSED"),
        ("CREATED", "resume", "QUEUED"),
        ("RUNNING", "start", "QUEUED"),
        ("RUNNING", "resume", "QUEUED"),
        ("PAUSED", "start", "QUEUED"),
        ("PAUSED", "pause", "PAUSED"),
        ("COMPLETED", "start", "QUEUED"),
        ("COMPLETED", "stop", "CANCELED"),
        ("CANCELED", "resume", "QUEUED"),
        ("CANCELED", "stop", "CANCELED"),
    ],
)
async def test_an_illegal_transition_is_a_conflict_that_says_from_what_to_what(
    database: Database, status: str, verb: str, to: str
) -> None:
    async with running_web(database) as web:
        campaign_id = await make_campaign(database, contacts=1)
        await change_campaign(database, campaign_id, status=status)
        found = problem(await web.client.post(path_of(campaign_id, verb)), 409, "CONFLICT")
        assert found["details"] == {"from": status, "to": to}
        assert status in found["message"]


async def test_a_campaign_without_contacts_cannot_be_started(database: Database) -> None:
    async with running_web(database) as web:
        campaign_id = await make_campaign(database, contacts=0)
        assert (
            "no contacts" in problem(await web.client.post(path_of(campaign_id, "start")), 409, "CONFLICT")["message"]
        )


async def test_a_higher_cap_is_used_at_once(database: Database) -> None:
    async with running_sim(speed=1) as sim, running_web(database, sim.url) as web:
        campaign_id = await make_campaign(database, contacts=6, cap=1)
        await web.client.post(path_of(campaign_id, "start"), json={"holdForConfirmation": True})
        await web.client.patch(f"/api/campaigns/{campaign_id}", json={"cap": 4})
        async with asyncio.timeout(10):
            while (await sim.summary())["dials"] < 4:
                await asyncio.sleep(0.05)
        await web.client.patch(f"/api/campaigns/{campaign_id}", json={"cap": 2})
        lines = await rows(database, "SELECT id FROM calls WHERE holds_line")
        assert len(lines) == 4


async def test_a_canary_is_called_then_the_campaign_waits_and_says_why(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url, is_function=True) as web:
        campaign_id = await make_campaign(database, contacts=9, cap=4)
        wrong = await web.client.post(path_of(campaign_id, "start"), json={"canary": 0})
        assert problem(wrong, 400, "VALIDATION_ERROR")["details"]["field"] == "canary"
        answer = await web.client.post(path_of(campaign_id, "start"), json={"canary": 2})
        assert answer.status_code == 200, answer.text
        for _ in range(3):
            await web.client.post("/api/scheduler/run")
        assert len(await rows(database, "SELECT DISTINCT contact_id FROM calls")) == 2
        detail = (await web.client.get(f"/api/campaigns/{campaign_id}")).json()
        assert detail["options"]["canary"] == 2
        (entry,) = await rows(database, "SELECT details FROM audit_log WHERE action = 'campaign.started'")
        assert entry["details"] == {"canary": 2}
