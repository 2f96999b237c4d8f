"""One call over JSON, its recording, and the lists of what a person has to look at."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from autolynx.flows.campaign_life import start_campaign
from autolynx.flows.refill import refill
from autolynx.flows.tick import run_once
from autolynx.store.database import Database
from tests.support.campaign_rows import START, add_call, add_event, change_campaign, change_contact, make_campaign
from tests.support.sim import running_sim
from tests.support.web import problem, rows, running_web

pytestmark = pytest.mark.anyio

SECRET = "https://control.example.com/very-secret"
UNSURE = {"status": "TIMEOUT", "outcome": "unsure", "is_final": False, "unsure_at": START, "reason": "Nobody can say."}


async def test_a_call_is_shown_in_full_but_never_how_to_control_it(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=1)
    transcript = {"text": "AI: Hello.", "messages": [{"role": "bot", "text": "Hello."}]}
    call_id = await add_call(
        database,
        campaign_id,
        0,
        provider_call_id="theirs",
        control_url=SECRET,
        recording_url="https://storage.example.com/x.wav",
        transcript_json=transcript,
        summary="They talked.",
        success_raw="8",
        success_evaluation=True,
        cost_usd="0.1234",
        started_at=START,
        ended_at=START + timedelta(seconds=61.5),
    )
    for status in ("RINGING", "IN_PROGRESS", "ENDED"):
        await add_event(database, campaign_id, call_id, status)
    async with running_web(database) as web:
        answer = await web.client.get(f"/api/calls/{call_id}")
        body = answer.json()
        assert "secret" not in answer.text
        assert "control" not in answer.text.lower()
        assert "storage.example.com" not in answer.text
        assert body["transcript"] == transcript
        assert [event["status"] for event in body["events"]] == ["RINGING", "IN_PROGRESS", "ENDED"]
        assert body["contact"]["phone"] == "+12005550100"
        assert (body["cost"], body["durationSeconds"], body["successEvaluation"]) == (0.1234, 61.5, True)
        assert body["recordingUrl"] == f"/api/calls/{call_id}/recording"
        problem(await web.client.get(f"/api/calls/{uuid4()}"), 404, "NOT_FOUND")
        problem(await web.client.get("/api/calls/nonsense"), 400, "VALIDATION_ERROR")
        problem(await web.stranger.get(f"/api/calls/{call_id}"), 401, "UNAUTHORIZED")


async def test_a_call_tells_its_conversation_its_bill_its_end_and_the_other_attempts(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=1)
    first = await add_call(database, campaign_id, 0, outcome="busy", ended_reason="customer-busy")
    await add_call(database, campaign_id, 0, attempt=2, status="FAILED", outcome="not_dialled", counts_as_attempt=False)
    second = await add_call(
        database,
        campaign_id,
        0,
        attempt=3,
        ended_reason="customer-ended-call",
        cost_usd="0.1234",
        cost_breakdown={"model": 0.1, "voice": 0.02},
        transcript_json={"messages": [{"role": "bot", "message": "Hello.", "secondsFromStart": 2}]},
        dial_started_at=START - timedelta(seconds=4),
    )
    await add_event(database, campaign_id, second)
    async with running_web(database) as web:
        body = (await web.client.get(f"/api/calls/{second}")).json()
        assert body["conversation"] == [{"speaker": "assistant", "text": "Hello.", "seconds": 2}]
        assert [(part["label"], part["usd"]) for part in body["costBreakdown"]] == [
            *(("Language model", 0.1), ("Voice", 0.02), ("Other", 0.0034))
        ]
        assert body["endedReasonText"] == "The contact hung up."
        assert [(one["id"], one["outcome"], one["endedReasonText"]) for one in body["attempts"]] == [
            (str(first), "busy", "The line was busy."),
            (str(second), "answered", "The contact hung up."),
        ]
        (event,) = body["events"]
        assert (event["text"], event["secondsFromStart"]) == ("The provider says it is over.", 4)
        assert event["sourceText"] == "message of the provider"


async def test_the_bodies_about_a_call_are_shown_under_every_id_it_had(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=1)
    call_id = await add_call(database, campaign_id, 0, provider_call_id="theirs")
    alias = "INSERT INTO call_aliases (provider_call_id, call_id, created_at) VALUES ('second', %s, %s) RETURNING 1"
    await rows(database, alias, call_id, START)
    for theirs, status in (("theirs", "ringing"), ("somebody-else", "ringing"), ("second", "ended")):
        await rows(
            database,
            """INSERT INTO webhook_inbox (provider_call_id, type, status, state, body, received_at)
               VALUES (%s, 'status-update', %s, 'settled', '{"kept": true}', %s) RETURNING id""",
            *(theirs, status, START),
        )
    async with running_web(database) as web:
        listed = (await web.client.get(f"/api/calls/{call_id}/payloads")).json()["payloads"]
        assert [(one["type"], one["status"]) for one in listed] == [
            *(("status-update", "ringing"), ("status-update", "ended"))
        ]
        assert listed[0]["body"] == {"kept": True}
        problem(await web.client.get(f"/api/calls/{uuid4()}/payloads"), 404, "NOT_FOUND")
        problem(await web.stranger.get(f"/api/calls/{call_id}/payloads"), 401, "UNAUTHORIZED")


async def test_the_history_of_a_campaign_is_read_backwards_page_by_page_and_by_kind(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=2)
    other = await make_campaign(database, contacts=1, name="Other")
    call_id = await add_call(database, campaign_id, 1)
    stranger = await add_call(database, other, 0)
    ids = [await add_event(database, campaign_id, call_id) for _ in range(3)]
    await add_event(database, other, stranger)
    asked = """INSERT INTO call_events (campaign_id, call_id, status, source, payload, created_at)
        VALUES (%s, %s, 'RINGING', 'operator', '{"kind": "cancel_requested"}', %s) RETURNING id"""
    (stopped,) = await rows(database, asked, campaign_id, call_id, START)
    path = f"/api/campaigns/{campaign_id}/history"
    async with running_web(database) as web:
        first = (await web.client.get(path, params={"limit": 2})).json()
        assert [one["id"] for one in first["events"]] == [stopped["id"], ids[2]]
        assert (first["events"][0]["text"], first["events"][0]["contactName"]) == ("A person stopped it.", "Ada 1")
        second = (await web.client.get(path, params={"limit": 2, "before": first["nextBefore"]})).json()
        assert ([one["id"] for one in second["events"]], second["nextBefore"]) == ([ids[1], ids[0]], None)
        decided = (await web.client.get(path, params={"kind": "decided"})).json()["events"]
        assert [one["id"] for one in decided] == [stopped["id"]]
        ended = (await web.client.get(path, params={"kind": "ended"})).json()["events"]
        assert [one["id"] for one in ended] == ids[::-1]
        for kind in ("dialled", "live", "looked"):
            assert (await web.client.get(path, params={"kind": kind})).json()["events"] == []
        problem(await web.client.get(path, params={"kind": "odd"}), 400, "VALIDATION_ERROR")
        problem(await web.client.get(f"/api/campaigns/{uuid4()}/history"), 404, "NOT_FOUND")
        problem(await web.stranger.get(path), 401, "UNAUTHORIZED")


async def test_a_recording_is_streamed_through_us(database: Database) -> None:
    async with (
        running_sim("--scenario", "all-answer", speed=200) as sim,
        running_web(database, sim.url, TIME_SCALE=200) as web,
    ):
        campaign_id = await make_campaign(database, contacts=1)
        await start_campaign(web.runtime, campaign_id)
        await refill(web.runtime)
        async with asyncio.timeout(30):
            while not await rows(database, "SELECT id FROM calls WHERE is_final AND recording_url IS NOT NULL"):
                await run_once(web.runtime)
                await asyncio.sleep(0.05)
        (call,) = await rows(database, "SELECT id FROM calls")
        answer = await web.client.get(f"/api/calls/{call['id']}/recording")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "audio/wav"
        assert answer.content[:4] == b"RIFF"
        assert int(answer.headers["content-length"]) == len(answer.content)
        contacts = (await web.client.get(f"/api/campaigns/{campaign_id}/contacts")).json()["contacts"]
        assert contacts[0]["call"]["recordingUrl"] == f"/api/calls/{call['id']}/recording"


async def test_a_call_without_recording_says_so(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        campaign_id = await make_campaign(database, contacts=2)
        none = await add_call(database, campaign_id, 0, provider_call_id="theirs")
        gone = await add_call(
            database, campaign_id, 1, provider_call_id=str(uuid4()), recording_url="https://x.example"
        )
        problem(await web.client.get(f"/api/calls/{none}/recording"), 404, "NOT_FOUND")
        problem(await web.client.get(f"/api/calls/{gone}/recording"), 404, "NOT_FOUND")


async def test_a_provider_that_cannot_be_asked_is_a_502(database: Database) -> None:
    async with running_web(database) as web:
        campaign_id = await make_campaign(database, contacts=1)
        call_id = await add_call(database, campaign_id, 0, provider_call_id="theirs", recording_url="https://x.example")
        problem(await web.client.get(f"/api/calls/{call_id}/recording"), 502, "PROVIDER_ERROR")


async def unsure_contact(database: Database, campaign_id: UUID, position: int) -> UUID:
    await change_contact(database, campaign_id, position, state="unsure", reason="Nobody can say.")
    return await add_call(database, campaign_id, position, **UNSURE)


async def test_unsure_contacts_are_listed_and_decided_once(database: Database) -> None:
    async with running_web(database) as web:
        campaign_id = await make_campaign(database, contacts=3, name="Spring")
        await change_campaign(database, campaign_id, status="PAUSED", started_at=START, next_position=3)
        first, second = [await unsure_contact(database, campaign_id, position) for position in (0, 2)]
        listed = (await web.client.get("/api/unsure")).json()
        assert [one["callId"] for one in listed["contacts"]] == [str(first), str(second)]
        assert listed["pagination"]["total"] == 2
        assert listed["contacts"][0]["campaignName"] == "Spring"
        assert listed["contacts"][0]["reason"] == "Nobody can say."
        left = await web.client.post(f"/api/unsure/{first}", json={"decision": "leave"})
        assert left.json() == {"callId": str(first), "decision": "leave"}
        problem(await web.client.post(f"/api/unsure/{first}", json={"decision": "redial"}), 409, "CONFLICT")
        assert (await web.client.post(f"/api/unsure/{second}", json={"decision": "redial"})).status_code == 200
        states = await rows(database, "SELECT position, state FROM contacts ORDER BY position")
        assert [row["state"] for row in states] == ["done", "due", "due"]
        assert (await web.client.get("/api/unsure")).json()["contacts"] == []
        problem(await web.client.post(f"/api/unsure/{second}", json={"decision": "maybe"}), 400, "VALIDATION_ERROR")
        problem(await web.client.post(f"/api/unsure/{uuid4()}", json={"decision": "leave"}), 404, "NOT_FOUND")


async def test_incidents_are_listed_newest_first_and_by_kind(database: Database) -> None:
    async with running_web(database) as web:
        campaign_id = await make_campaign(database, contacts=1, name="Spring")
        for kind in ("unsure", "cap_overrun", "unsure"):
            await rows(
                database,
                "INSERT INTO incidents (kind, campaign_id, sentence, created_at) VALUES (%s, %s, %s, %s) RETURNING id",
                *(kind, campaign_id, f"It was {kind}.", START),
            )
        listed = (await web.client.get("/api/incidents", params={"limit": 2})).json()
        assert [one["kind"] for one in listed["incidents"]] == ["unsure", "cap_overrun"]
        assert listed["pagination"] == {"page": 1, "limit": 2, "total": 3, "pages": 2}
        assert listed["incidents"][0]["campaignName"] == "Spring"
        only = (await web.client.get("/api/incidents", params={"kind": "cap_overrun"})).json()
        assert [one["sentence"] for one in only["incidents"]] == ["It was cap_overrun."]
        problem(await web.client.get("/api/incidents", params={"kind": "odd"}), 400, "VALIDATION_ERROR")


async def test_the_state_of_dialling_says_what_binds(database: Database) -> None:
    settings = {"ACCOUNT_CONCURRENCY_CAP": 5, "INBOUND_RESERVE": 2}
    async with running_sim() as sim, running_web(database, sim.url, **settings) as web:
        campaign_id = await make_campaign(database, contacts=1)
        await add_call(database, campaign_id, 0, status="RINGING", outcome=None, holds_line=True, is_final=False)
        await web.client.get("/api/phone-numbers")
        state = (await web.client.get("/api/dialing")).json()
        assert state["cap"] == {
            "account": 5,
            "inboundReserve": 2,
            "effective": 3,
            "active": 1,
            "room": 2,
            "boundBy": "account cap",
            "changesAt": None,
            "sentence": "Calls may be placed.",
        }
        assert state["tick"] == {"lastAt": None, "nextAt": None}
        free = next(number for number in state["numbers"] if number["dailyLimit"])
        assert (free["label"], free["leftToday"]) == ("Free Vapi number", 10)
        await run_once(web.runtime)
        assert (await web.client.get("/api/dialing")).json()["tick"]["lastAt"] is not None
        held = (await web.client.post("/api/dialing/hold", json={"reason": "Lunch."})).json()
        assert (held["isHeld"], held["account"]["holdReason"], held["cap"]["boundBy"]) == (True, "Lunch.", "hold")
        assert held["cap"]["room"] == 0
        released = (await web.client.post("/api/dialing/release")).json()
        assert (released["isHeld"], released["cap"]["room"]) == (False, 2)
        audited = await rows(database, "SELECT action FROM audit_log WHERE action LIKE 'dialing.%%' ORDER BY id")
        assert [row["action"] for row in audited] == ["dialing.held", "dialing.released"]
        problem(await web.client.post("/api/dialing/hold", json={"reason": ""}), 400, "VALIDATION_ERROR")
        problem(await web.stranger.post("/api/dialing/hold"), 401, "UNAUTHORIZED")
