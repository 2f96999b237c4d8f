"""Test calls: one number, called by an assistant, under every guarantee of the engine."""

import asyncio
from typing import Any

import pytest

from autolynx.flows.assistants import seed_templates
from autolynx.store.database import Database
from tests.support.campaign_rows import add_call, change_contact
from tests.support.checks import assert_counters_are_a_recount
from tests.support.directory import a_directory, create
from tests.support.engine import make_campaign
from tests.support.sim import TWILIO_MAIN
from tests.support.web import Web, problem, rows, running_web

pytestmark = pytest.mark.anyio

MINE = "(202) 555-0143"
BODY = {"phone": MINE, "phoneNumberId": TWILIO_MAIN}


async def _refused(web: Web, assistant: dict[str, Any], **changes: Any) -> dict[str, Any]:
    answer = await web.client.post(f"/api/assistants/{assistant['id']}/test-call", json={**BODY, **changes})
    return problem(answer, 409, "CONFLICT")


async def test_a_test_call_dials_one_number_once_and_is_followed_like_a_campaign(database: Database) -> None:
    async with a_directory(database, "--scenario", "all-answer", is_function=True) as (web, sim):
        made = await create(web, "Short pitch")
        answer = await web.client.post(f"/api/assistants/{made['id']}/test-call", json={**BODY, "name": "Ada"})
        assert answer.status_code == 201, answer.text
        assert answer.json()["name"].startswith("Test call: Short pitch, 20")
        dials = (await sim.ledger())["dials"]
        assert [one["number"] for one in dials] == ["+12025550143"]
        campaign = (await web.client.get(f"/api/campaigns/{answer.json()['campaignId']}")).json()
        assert (campaign["status"], campaign["cap"]) == ("DIALING", 1)
        (contact,) = (await web.client.get(f"/api/campaigns/{campaign['id']}/contacts")).json()["contacts"]
        assert (contact["name"], contact["businessName"]) == ("Ada", "Test call")
        (entry,) = await rows(database, "SELECT actor, details FROM audit_log WHERE action = 'test_call.queued'")
        assert entry == {"actor": "test", "details": {"assistantId": made["id"]}}
        await assert_counters_are_a_recount(database)


async def test_test_calls_stay_out_of_lists_and_figures_unless_asked_for(database: Database) -> None:
    async with a_directory(database, is_function=True) as (web, _):
        made = await create(web)
        await web.client.post(f"/api/assistants/{made['id']}/test-call", json=BODY)
        assert (await web.client.get("/api/campaigns")).json()["campaigns"] == []
        (shown,) = (await web.client.get("/api/campaigns", params={"tests": True})).json()["campaigns"]
        assert shown["name"].startswith("Test call: Riley")
        (listed,) = (await web.client.get("/api/assistants")).json()["assistants"]
        assert listed["usage"]["campaigns"] == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"phone": "12"}, "phone"),
        ({"phone": "020 7946 0958"}, "phone"),
        ({"phone": ""}, "phone"),
        ({"region": "XX"}, "region"),
        ({"name": ""}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"businessName": "x" * 201}, "businessName"),
        ({"phoneNumberId": "nobody-has-it"}, "phoneNumberId"),
    ],
)
async def test_what_cannot_be_called_is_refused_by_its_field(
    database: Database, changes: dict[str, str], field: str
) -> None:
    async with a_directory(database) as (web, sim):
        made = await create(web)
        answer = await web.client.post(f"/api/assistants/{made['id']}/test-call", json={**BODY, **changes})
        assert problem(answer, 400, "VALIDATION_ERROR")["details"]["field"] == field
        assert (await sim.summary())["dials"] == 0
        assert await rows(database, "SELECT 1 AS one FROM campaigns") == []


async def test_nothing_is_dialled_while_dialling_is_held_or_no_line_is_free(database: Database) -> None:
    async with a_directory(database, ACCOUNT_CONCURRENCY_CAP=3) as (web, sim):
        made = await create(web, "Robin")
        await web.client.post("/api/dialing/hold")
        assert "held" in (await _refused(web, made))["message"]
        await web.client.post("/api/dialing/release")
        await rows(database, "UPDATE gate SET trouble = 'The key is wrong.' RETURNING 1 AS one")
        assert "The key is wrong." in (await _refused(web, made))["message"]
        await web.client.post("/api/dialing/release")
        busy = await make_campaign(database, contacts=1)
        await add_call(
            database, busy, 0, status="IN_PROGRESS", outcome=None, holds_line=True, is_final=False, ended_at=None
        )
        await _refused(web, made)
        assert (await sim.summary())["dials"] == 0


async def test_a_number_that_is_held_or_used_up_places_no_test_call(database: Database) -> None:
    async with a_directory(database) as (web, _):
        made = await create(web)
        await web.client.get("/api/phone-numbers")
        await rows(database, "UPDATE phone_numbers SET hold_reason = 'Blocked as spam.' RETURNING 1 AS one")
        assert "Blocked as spam." in (await _refused(web, made))["message"]


async def test_a_template_and_an_inactive_assistant_call_nobody(database: Database) -> None:
    async with a_directory(database) as (web, _):
        await seed_templates(web.runtime)
        (template, *_) = (await web.client.get("/api/assistants")).json()["assistants"]
        assert "clone" in (await _refused(web, template))["message"]
        made = await create(web)
        await web.client.patch(f"/api/assistants/{made['id']}", json={"active": False})
        assert "not active" in (await _refused(web, made))["message"]


async def test_two_clicks_at_once_make_one_call(database: Database) -> None:
    async with a_directory(database, is_function=True) as (web, sim):
        made = await create(web)
        address = f"/api/assistants/{made['id']}/test-call"
        answers = await asyncio.gather(*(web.client.post(address, json=BODY) for _ in range(4)))
        assert sorted(one.status_code for one in answers) == [201, 409, 409, 409]
        assert (await sim.summary())["dialsPerNumber"] == {"+12025550143": 1}


async def test_a_test_call_that_cannot_be_started_leaves_nothing_behind(database: Database) -> None:
    async with a_directory(database) as (web, _):
        made = await create(web)
        refuse = """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE 'no start'; END $$"""
        trigger = """CREATE TRIGGER refuse BEFORE UPDATE ON campaigns FOR EACH ROW WHEN (NEW.status = 'QUEUED')
            EXECUTE FUNCTION refuse()"""
        async with database.connection() as conn:
            await conn.execute(refuse)
            await conn.execute(trigger)
        try:
            answer = await web.client.post(f"/api/assistants/{made['id']}/test-call", json=BODY)
            assert answer.status_code == 500
        finally:
            async with database.connection() as conn:
                await conn.execute("DROP FUNCTION refuse CASCADE")
        assert await rows(database, "SELECT id FROM campaigns") == []
        assert (await web.client.post(f"/api/assistants/{made['id']}/test-call", json=BODY)).status_code == 201


async def test_whoever_is_on_a_call_is_not_called_a_second_time_by_a_test(database: Database) -> None:
    async with a_directory(database) as (web, _):
        made = await create(web, "Robin")
        busy = await make_campaign(database, contacts=1)
        await change_contact(database, busy, 0, phone="+12025550143")
        await add_call(database, busy, 0, status="RINGING", outcome=None, is_final=False, holds_line=True)
        refused = await _refused(web, made)
        assert refused["message"].startswith("phone: this number is on a call")


async def test_a_test_call_that_failed_does_not_keep_its_assistant(database: Database) -> None:
    async with a_directory(database, is_function=True) as (web, _):
        made = await create(web)
        await web.client.post(f"/api/assistants/{made['id']}/test-call", json=BODY)
        address = f"/api/assistants/{made['id']}"
        problem(await web.client.delete(address), 409, "CONFLICT")
        await rows(database, "UPDATE campaigns SET status = 'FAILED' RETURNING 1 AS one")
        assert (await web.client.delete(address)).status_code == 204


async def test_a_repeated_test_call_with_its_key_calls_once(database: Database) -> None:
    async with a_directory(database, is_function=True) as (web, sim):
        made = await create(web)
        address, headers = f"/api/assistants/{made['id']}/test-call", {"Idempotency-Key": "one"}
        first = await web.client.post(address, json=BODY, headers=headers)
        second = await web.client.post(address, json=BODY, headers=headers)
        assert first.json() == second.json()
        assert (await sim.summary())["dials"] == 1


async def test_without_a_provider_the_refusal_is_a_502(database: Database) -> None:
    async with running_web(database) as web:
        campaign_id = await make_campaign(database, contacts=1)
        (row,) = await rows(database, "SELECT assistant_id AS id FROM campaigns WHERE id = %s", campaign_id)
        answer = await web.client.post(f"/api/assistants/{row['id']}/test-call", json=BODY)
        problem(answer, 502, "PROVIDER_ERROR")


async def test_test_calls_to_several_numbers_at_once_get_names_of_their_own(database: Database) -> None:
    async with a_directory(database) as (web, _):
        made = await create(web)
        address = f"/api/assistants/{made['id']}/test-call"
        phones = [f"+1202555014{n}" for n in range(4)]
        answers = await asyncio.gather(*(web.client.post(address, json={**BODY, "phone": phone}) for phone in phones))
        assert [one.status_code for one in answers] == [201] * 4
        assert len({one.json()["name"] for one in answers}) == 4
