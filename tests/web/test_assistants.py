"""The directory of assistants, against the simulator through the real client."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest

from autolynx.flows.assistants import seed_templates
from autolynx.store.database import Database
from tests.support.engine import make_campaign
from tests.support.sim import ASSISTANT_SALES, Sim, running_sim
from tests.support.web import Web, problem, rows, running_web

pytestmark = pytest.mark.anyio

SURVEY = "a0000000-0000-4000-8000-000000000002"
CONFIG: dict[str, Any] = {
    "firstMessage": "Hello {{name}}, I am an AI assistant.",
    "model": {
        "provider": "openai",
        "model": "gpt-4o-mini",
        "temperature": 0.5,
        "messages": [{"role": "system", "content": "Be brief."}],
    },
    "voice": {"provider": "vapi", "voiceId": "Elliot"},
    "maxDurationSeconds": 120,
}


@asynccontextmanager
async def _directory(database: Database) -> AsyncIterator[tuple[Web, Sim]]:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        yield web, sim


async def _at_provider(sim: Sim, provider_id: str) -> dict[str, Any]:
    async with httpx.AsyncClient() as client:
        headers = {"Authorization": "Bearer test-key"}
        answer = await client.get(f"{sim.url}/assistant/{provider_id}", headers=headers)
        remote: dict[str, Any] = answer.raise_for_status().json()
        return remote


async def _count_at_provider(sim: Sim) -> int:
    async with httpx.AsyncClient() as client:
        headers = {"Authorization": "Bearer test-key"}
        return len((await client.get(f"{sim.url}/assistant", headers=headers)).raise_for_status().json())


async def _create(web: Web, name: str = "Riley", config: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = await web.client.post("/api/assistants", json={"name": name, "config": config or CONFIG})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def _shown(web: Web, made: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = (await web.client.get(f"/api/assistants/{made['id']}")).json()
    assert shown.pop("usage")["campaigns"] == 0
    return shown


async def test_an_assistant_is_created_at_the_provider_and_kept(database: Database) -> None:
    async with _directory(database) as (web, sim):
        made = await _create(web, "  Riley  ")
        assert (made["name"], made["source"], made["active"]) == ("Riley", "local", True)
        remote = await _at_provider(sim, made["providerAssistantId"])
        assert remote["name"] == "Riley"
        assert remote["model"] == CONFIG["model"]
        assert made["config"]["model"] == CONFIG["model"]
        assert not {"id", "orgId", "createdAt", "updatedAt", "name"} & set(made["config"])
        assert await _shown(web, made) == made


async def test_secrets_in_a_configuration_are_not_kept(database: Database) -> None:
    async with _directory(database) as (web, _):
        server = {"url": "https://example.test/hook", "headers": {"X-Key": "hush-hush"}}
        made = await _create(web, config={**CONFIG, "server": server})
        assert "hush-hush" not in str(made)
        (row,) = await rows(database, "SELECT config_json::text AS text FROM assistants")
        assert "hush-hush" not in row["text"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "", "config": {}}, "name"),
        ({"name": "x" * 41, "config": {}}, "name"),
        ({"name": "a\u0000b", "config": {}}, "body"),
        ({"name": "Riley"}, "config"),
        ({"config": {}}, "name"),
        ({"name": "Riley", "config": []}, "config"),
        ({"name": "Riley", "config": {}, "colour": "red"}, "colour"),
        ({"name": "Riley", "config": {"maxDurationSeconds": 5}}, "config.maxDurationSeconds"),
        ({"name": "Riley", "config": {"firstMessage": "a\u0000b"}}, "body"),
    ],
)
async def test_a_refused_assistant_names_the_field_and_never_reaches_the_provider(
    database: Database, body: dict[str, Any], field: str
) -> None:
    async with running_web(database) as web:  # nobody listens where the provider should be
        refused = problem(await web.client.post("/api/assistants", json=body), 400, "VALIDATION_ERROR")
        assert refused["details"]["field"] == field
        assert refused["message"].startswith(field)


async def test_a_taken_name_is_answered_with_a_free_one_before_the_provider_is_asked(database: Database) -> None:
    async with _directory(database) as (web, sim):
        await _create(web, "Riley")
        await _create(web, "Riley 2")
        before = await _count_at_provider(sim)
        refused = await web.client.post("/api/assistants", json={"name": "rILEY", "config": CONFIG})
        assert problem(refused, 409, "CONFLICT")["details"]["suggestion"] == "rILEY 3"
        assert await _count_at_provider(sim) == before


async def test_what_the_provider_refuses_is_a_502_and_nothing_is_kept(database: Database) -> None:
    async with _directory(database) as (web, _):
        strange = {**CONFIG, "model": {"provider": "no-such-provider", "model": "x"}}
        answer = await web.client.post("/api/assistants", json={"name": "Riley", "config": strange})
        problem(answer, 502, "PROVIDER_ERROR")
        assert await rows(database, "SELECT 1 AS one FROM assistants") == []


async def test_a_provider_that_cannot_be_reached_is_a_502(database: Database) -> None:
    async with running_web(database) as web:
        answer = await web.client.post("/api/assistants", json={"name": "Riley", "config": CONFIG})
        problem(answer, 502, "PROVIDER_ERROR")


async def test_an_import_is_new_once_and_brought_up_to_date_after(database: Database) -> None:
    async with _directory(database) as (web, sim):
        first = await web.client.post("/api/assistants/import", json={"providerAssistantId": ASSISTANT_SALES})
        assert first.status_code == 201
        assert first.json()["source"] == "imported"
        assert first.json()["name"] == (await _at_provider(sim, ASSISTANT_SALES))["name"]
        again = await web.client.post(
            "/api/assistants/import", json={"providerAssistantId": ASSISTANT_SALES, "name": "Sales"}
        )
        assert again.status_code == 200
        assert (again.json()["id"], again.json()["name"]) == (first.json()["id"], "Sales")
        kept = await web.client.post("/api/assistants/import", json={"providerAssistantId": ASSISTANT_SALES})
        assert kept.json()["name"] == "Sales"
        assert len(await rows(database, "SELECT 1 AS one FROM assistants")) == 1


async def test_an_import_of_nothing_is_a_404_and_of_a_taken_name_a_409(database: Database) -> None:
    async with _directory(database) as (web, sim):
        missing = await web.client.post("/api/assistants/import", json={"providerAssistantId": str(uuid4())})
        problem(missing, 404, "NOT_FOUND")
        await _create(web, (await _at_provider(sim, ASSISTANT_SALES))["name"].upper())
        taken = await web.client.post("/api/assistants/import", json={"providerAssistantId": ASSISTANT_SALES})
        assert problem(taken, 409, "CONFLICT")["details"]["suggestion"]
        empty = await web.client.post("/api/assistants/import", json={"providerAssistantId": " "})
        problem(empty, 400, "VALIDATION_ERROR")


async def test_what_is_no_id_of_the_provider_is_not_its_fault(database: Database) -> None:
    async with _directory(database) as (web, _):
        unknown_form = await web.client.post("/api/assistants/import", json={"providerAssistantId": "riley"})
        problem(unknown_form, 404, "NOT_FOUND")
        for strange in (".", "..", "../call", f"{ASSISTANT_SALES}?x=1", "%2e%2e", "é", "a b", "x" * 201):
            answer = await web.client.post("/api/assistants/import", json={"providerAssistantId": strange})
            assert problem(answer, 400, "VALIDATION_ERROR")["details"]["field"] == "providerAssistantId"


async def test_a_deleted_assistant_comes_back_by_import_under_its_id(database: Database) -> None:
    async with _directory(database) as (web, _):
        body = {"providerAssistantId": SURVEY}
        made = (await web.client.post("/api/assistants/import", json=body)).json()
        assert (await web.client.delete(f"/api/assistants/{made['id']}")).status_code == 204
        back = await web.client.post("/api/assistants/import", json=body)
        assert (back.status_code, back.json()["id"], back.json()["active"]) == (201, made["id"], True)


async def test_what_the_account_has_is_listed_with_what_we_have_of_it(database: Database) -> None:
    async with _directory(database) as (web, _):
        made = (await web.client.post("/api/assistants/import", json={"providerAssistantId": SURVEY})).json()
        listed = (await web.client.get("/api/assistants/importable")).json()["assistants"]
        assert {one["providerAssistantId"]: one["assistantId"] for one in listed}[SURVEY] == made["id"]
        assert {one["assistantId"] for one in listed if one["providerAssistantId"] != SURVEY} == {None}


async def test_an_edit_of_the_temperature_keeps_the_prompt_on_both_sides(database: Database) -> None:
    async with _directory(database) as (web, sim):
        made = await _create(web)
        answer = await web.client.patch(
            f"/api/assistants/{made['id']}", json={"name": "Robin", "config": {"model": {"temperature": 1.5}}}
        )
        assert answer.status_code == 200
        remote = await _at_provider(sim, made["providerAssistantId"])
        for model in (answer.json()["config"]["model"], remote["model"]):
            assert model == {**CONFIG["model"], "temperature": 1.5}
        assert (remote["name"], answer.json()["name"]) == ("Robin", "Robin")
        assert answer.json()["config"]["maxDurationSeconds"] == 120


async def test_where_the_provider_refuses_an_edit_ours_is_unchanged(database: Database) -> None:
    async with _directory(database) as (web, sim):
        made = await _create(web)
        changes = {"name": "Robin", "config": {"voice": {"provider": "no-such-voice"}}, "active": False}
        problem(await web.client.patch(f"/api/assistants/{made['id']}", json=changes), 502, "PROVIDER_ERROR")
        assert await _shown(web, made) == made
        await sim.faults(outage=True)
        problem(await web.client.patch(f"/api/assistants/{made['id']}", json={"name": "Robin"}), 502, "PROVIDER_ERROR")
        assert await _shown(web, made) == made


async def test_an_edit_beyond_the_limits_is_refused_by_name(database: Database) -> None:
    async with _directory(database) as (web, sim):
        made = await _create(web)
        answer = await web.client.patch(f"/api/assistants/{made['id']}", json={"config": {"model": {"temperature": 9}}})
        assert problem(answer, 400, "VALIDATION_ERROR")["details"]["field"] == "config.model.temperature"
        assert (await _at_provider(sim, made["providerAssistantId"]))["model"]["temperature"] == 0.5


async def test_an_assistant_is_switched_off_and_on_without_asking_the_provider(database: Database) -> None:
    async with _directory(database) as (web, sim):
        made = await _create(web)
        await sim.faults(outage=True)
        for active in (False, True):
            answer = await web.client.patch(f"/api/assistants/{made['id']}", json={"active": active})
            assert (answer.status_code, answer.json()["active"]) == (200, active)
            assert answer.json()["config"] == made["config"]


async def test_a_name_of_its_own_in_another_case_is_no_conflict(database: Database) -> None:
    async with _directory(database) as (web, _):
        made = await _create(web, "Riley")
        await _create(web, "Robin")
        renamed = await web.client.patch(f"/api/assistants/{made['id']}", json={"name": "RILEY"})
        assert renamed.json()["name"] == "RILEY"
        taken = await web.client.patch(f"/api/assistants/{made['id']}", json={"name": "robin"})
        assert problem(taken, 409, "CONFLICT")["details"]["suggestion"] == "robin 2"


async def test_templates_are_seeded_once_cloned_and_never_edited_or_deleted(database: Database) -> None:
    async with _directory(database) as (web, sim):
        assert await seed_templates(web.runtime) == 3
        assert await seed_templates(web.runtime) == 0
        listed = (await web.client.get("/api/assistants", params={"source": "template"})).json()["assistants"]
        assert [one["name"] for one in listed] == ["Discovery", "Short pitch", "Voicemail-friendly"]
        for template in listed:
            problem(
                await web.client.patch(f"/api/assistants/{template['id']}", json={"active": False}), 409, "CONFLICT"
            )
            problem(await web.client.delete(f"/api/assistants/{template['id']}"), 409, "CONFLICT")
            clone = await web.client.post(f"/api/assistants/{template['id']}/clone")
            assert clone.status_code == 201, clone.text
            assert (clone.json()["name"], clone.json()["source"]) == (f"{template['name']} 2", "local")
            remote = await _at_provider(sim, clone.json()["providerAssistantId"])
            assert {key: remote[key] for key in template["config"]} == template["config"]


async def test_processes_that_start_together_seed_the_templates_once(database: Database) -> None:
    async with _directory(database) as (web, _):
        for _ in range(20):
            counts = await asyncio.gather(*(seed_templates(web.runtime) for _ in range(4)))
            assert sorted(counts) == [0, 0, 0, 3]
            async with database.transaction() as conn:
                await conn.execute("DELETE FROM assistants")


async def test_a_person_who_took_a_templates_name_keeps_it(database: Database) -> None:
    async with _directory(database) as (web, _):
        await _create(web, "discovery")
        assert await seed_templates(web.runtime) == 2


async def test_a_clone_takes_the_name_it_is_given_or_a_free_one(database: Database) -> None:
    async with _directory(database) as (web, _):
        made = await _create(web)
        assert (await web.client.post(f"/api/assistants/{made['id']}/clone")).json()["name"] == "Riley 2"
        assert (await web.client.post(f"/api/assistants/{made['id']}/clone", json={})).json()["name"] == "Riley 3"
        named = await web.client.post(f"/api/assistants/{made['id']}/clone", json={"name": "Robin"})
        assert named.json()["name"] == "Robin"
        assert named.json()["providerAssistantId"] != made["providerAssistantId"]
        taken = await web.client.post(f"/api/assistants/{made['id']}/clone", json={"name": "ROBIN"})
        assert problem(taken, 409, "CONFLICT")["details"]["suggestion"] == "ROBIN 2"


async def test_an_assistant_is_deleted_only_here_and_only_when_no_campaign_needs_it(database: Database) -> None:
    async with _directory(database) as (web, sim):
        campaign_id = await make_campaign(database, contacts=1, name="Spring")
        (row,) = await rows(database, "SELECT assistant_id FROM campaigns")
        address = f"/api/assistants/{row['assistant_id']}"
        for status in ("CREATED", "PAUSED", "RUNNING", "FAILED"):
            await rows(database, "UPDATE campaigns SET status = %s::campaign_status RETURNING 1 AS one", status)
            refused = problem(await web.client.delete(address), 409, "CONFLICT")
            assert refused["details"]["campaigns"] == [{"id": str(campaign_id), "name": "Spring", "status": status}]
        await rows(database, "UPDATE campaigns SET status = 'CANCELED' RETURNING 1 AS one")
        assert (await web.client.delete(address)).status_code == 204
        problem(await web.client.get(address), 404, "NOT_FOUND")
        problem(await web.client.delete(address), 404, "NOT_FOUND")
        assert (await _at_provider(sim, ASSISTANT_SALES))["id"] == ASSISTANT_SALES
        await _create(web, "Riley")  # its name is free again


async def test_the_directory_is_searched_filtered_and_paged(database: Database) -> None:
    async with _directory(database) as (web, _):
        made = [await _create(web, f"Team {letter}") for letter in "cAbD"]
        await _create(web, "100%_sure")
        await web.client.patch(f"/api/assistants/{made[0]['id']}", json={"active": False})

        async def names(**params: Any) -> list[str]:
            answer = await web.client.get("/api/assistants", params=params)
            assert answer.status_code == 200, answer.text
            return [one["name"] for one in answer.json()["assistants"]]

        assert await names(q="TEAM") == ["Team A", "Team b", "Team c", "Team D"]
        assert await names(q="%_") == ["100%_sure"]
        assert await names(q="team", active=False) == ["Team c"]
        assert await names(source="imported") == []
        assert await names(q="team", page=2, limit=3) == ["Team D"]
        page = (await web.client.get("/api/assistants", params={"limit": 2, "page": 3})).json()["pagination"]
        assert page == {"page": 3, "limit": 2, "total": 5, "pages": 3}
        for params in ({"limit": 101}, {"limit": 0}, {"page": 0}, {"page": 10**30}, {"source": "x"}, {"active": "x"}):
            problem(await web.client.get("/api/assistants", params=params), 400, "VALIDATION_ERROR")


async def test_two_creations_of_one_name_at_once_leave_one_and_a_suggestion(database: Database) -> None:

    async with _directory(database) as (web, _):
        body = {"name": "Riley", "config": CONFIG}
        answers = await asyncio.gather(*(web.client.post("/api/assistants", json=body) for _ in range(4)))
        assert sorted(one.status_code for one in answers) == [201, 409, 409, 409]
        assert all(
            one.json()["error"]["details"]["suggestion"] == "Riley 2" for one in answers if one.status_code == 409
        )


async def test_phone_numbers_come_without_secrets_and_free_ones_with_a_daily_limit(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url, FREE_NUMBER_DAILY_LIMIT=7) as web:
        for _ in range(2):
            answer = await web.client.get("/api/phone-numbers")
            assert answer.status_code == 200
            assert "twilio" not in answer.text.replace('"provider":"twilio"', "").lower()
        listed = {one["name"]: one for one in answer.json()["phoneNumbers"]}
        assert listed["Free Vapi number"]["isFree"] is True
        assert listed["Free Vapi number"]["dailyLimit"] == 7
        assert listed["Free Vapi number"]["launchesLeftToday"] == 7
        assert listed["Main line"]["dailyLimit"] is None
        assert listed["Blocked line"]["status"] == "blocked"
        kept = await rows(database, "SELECT id, provider, daily_limit FROM phone_numbers")
        assert {row["id"] for row in kept} == {one["id"] for one in answer.json()["phoneNumbers"]}
        assert {row["daily_limit"] for row in kept if row["provider"] == "vapi"} == {7}
