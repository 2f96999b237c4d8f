"""Versions and drift of assistants, against the simulator through the real client."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from psycopg.errors import IntegrityError

from autolynx.errors import DataRefused
from autolynx.flows.assistants import seed_templates
from autolynx.store.database import Database
from tests.support.campaign_rows import add_assistant
from tests.support.directory import CONFIG, a_directory, at_provider, change_at_provider, create, delete_at_provider
from tests.support.sim import ASSISTANT_SALES
from tests.support.web import Web, problem, rows, running_web

pytestmark = pytest.mark.anyio


async def _versions(web: Web, assistant: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await web.client.get(f"/api/assistants/{assistant['id']}/versions")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["versions"]
    return found


async def _edit(web: Web, assistant: dict[str, Any], **changes: Any) -> dict[str, Any]:
    answer = await web.client.patch(f"/api/assistants/{assistant['id']}", json=changes)
    assert answer.status_code == 200, answer.text
    edited: dict[str, Any] = answer.json()
    return edited


async def test_every_change_leaves_a_version_with_who_when_and_what(database: Database) -> None:
    async with a_directory(database) as (web, _):
        made = await create(web)
        await _edit(web, made, config={"model": {"temperature": 1}})
        await _edit(web, made, name="Robin", config={"voicemailMessage": "We will try again."})
        found = await _versions(web, made)
        assert [one["number"] for one in found] == [3, 2, 1]
        assert [one["action"] for one in found] == ["edited", "edited", "created"]
        assert [one["changed"] for one in found] == [["name", "voicemailMessage"], ["model.temperature"], []]
        assert {one["actor"] for one in found} == {"test"}
        assert [one["isLatest"] for one in found] == [True, False, False]
        assert found[2]["at"] == made["createdAt"]


async def test_what_changes_neither_name_nor_configuration_leaves_none(database: Database) -> None:
    async with a_directory(database) as (web, _):
        made = await create(web)
        await _edit(web, made, active=False)
        await _edit(web, made, config={"maxDurationSeconds": 120})
        assert len(await _versions(web, made)) == 1


async def test_an_import_and_a_clone_begin_with_a_version_and_a_second_import_adds_what_changed(
    database: Database,
) -> None:
    async with a_directory(database) as (web, sim):
        body = {"providerAssistantId": ASSISTANT_SALES}
        made = (await web.client.post("/api/assistants/import", json=body)).json()
        clone = (await web.client.post(f"/api/assistants/{made['id']}/clone")).json()
        await web.client.post("/api/assistants/import", json=body)
        await change_at_provider(sim, ASSISTANT_SALES, firstMessage="Good morning")
        await web.client.post("/api/assistants/import", json=body)
        assert [(one["action"], one["changed"]) for one in await _versions(web, made)] == [
            ("imported", ["firstMessage"]),
            ("imported", []),
        ]
        assert [one["action"] for one in await _versions(web, clone)] == ["cloned"]


async def test_a_version_is_shown_with_what_differs_from_the_one_before_or_from_any_other(database: Database) -> None:
    async with a_directory(database) as (web, _):
        made = await create(web)
        prompt = [{"role": "system", "content": "Be brief.\nBe kind."}]
        await _edit(web, made, config={"model": {"messages": prompt}})
        await _edit(web, made, config={"maxDurationSeconds": 60})
        address = f"/api/assistants/{made['id']}/versions"
        second = (await web.client.get(f"{address}/2")).json()
        assert (second["against"], second["config"]["model"]["messages"]) == (1, prompt)
        (change,) = second["changes"]
        assert (change["path"], change["before"]) == ("model.messages.0.content", "Be brief.")
        assert change["lines"] == [{"sign": " ", "text": "Be brief."}, {"sign": "+", "text": "Be kind."}]
        third = (await web.client.get(f"{address}/3", params={"against": 1})).json()
        assert [one["path"] for one in third["changes"]] == ["maxDurationSeconds", "model.messages.0.content"]
        first = (await web.client.get(f"{address}/1")).json()
        assert (first["against"], first["changes"], first["isLatest"]) == (None, [], False)
        for missing in (f"{address}/4", f"{address}/1?against=9", f"/api/assistants/{uuid4()}/versions"):
            problem(await web.client.get(missing), 404, "NOT_FOUND")


async def test_versions_come_in_pages(database: Database) -> None:
    async with a_directory(database) as (web, _):
        made = await create(web)
        for seconds in (60, 61, 62):
            await _edit(web, made, config={"maxDurationSeconds": seconds})
        page = await web.client.get(f"/api/assistants/{made['id']}/versions", params={"limit": 3, "page": 1})
        assert [one["changed"] for one in page.json()["versions"]] == [["maxDurationSeconds"]] * 3
        page = await web.client.get(f"/api/assistants/{made['id']}/versions", params={"limit": 3, "page": 2})
        assert [(one["number"], one["isLatest"]) for one in page.json()["versions"]] == [(1, False)]
        assert page.json()["pagination"] == {"page": 2, "limit": 3, "total": 4, "pages": 2}


async def test_a_restored_version_unsets_what_it_lacks_on_both_sides_and_leaves_a_version(database: Database) -> None:
    async with a_directory(database) as (web, sim):
        made = await create(web)
        await _edit(
            web,
            made,
            name="Robin",
            config={"voicemailMessage": "Later.", "model": {"maxTokens": 99, "temperature": 2}, "voice": {"speed": 2}},
        )
        answer = await web.client.post(f"/api/assistants/{made['id']}/versions/1/restore")
        assert answer.status_code == 200, answer.text
        assert (answer.json()["name"], answer.json()["config"]) == ("Riley", made["config"])
        remote = await at_provider(sim, made["providerAssistantId"])
        assert remote["name"] == "Riley"
        assert {key: remote[key] for key in CONFIG} == CONFIG
        assert remote["voicemailMessage"] is None
        latest = (await _versions(web, made))[0]
        assert (latest["number"], latest["action"], latest["restoredNumber"]) == (3, "restored", 1)


async def test_a_restore_that_the_provider_refuses_changes_nothing(database: Database) -> None:
    async with a_directory(database) as (web, sim):
        made = await create(web)
        edited = await _edit(web, made, name="Robin")
        await sim.faults(outage=True)
        problem(await web.client.post(f"/api/assistants/{made['id']}/versions/1/restore"), 502, "PROVIDER_ERROR")
        shown = (await web.client.get(f"/api/assistants/{made['id']}")).json()
        assert (shown["name"], shown["config"]) == ("Robin", edited["config"])
        assert len(await _versions(web, made)) == 2


async def test_a_restore_to_a_name_that_is_taken_by_now_is_answered_with_a_free_one(database: Database) -> None:
    async with a_directory(database) as (web, _):
        made = await create(web)
        await _edit(web, made, name="Robin")
        await create(web, "riley")
        refused = await web.client.post(f"/api/assistants/{made['id']}/versions/1/restore")
        assert problem(refused, 409, "CONFLICT")["details"]["suggestion"] == "Riley 2"


async def test_a_template_has_neither_versions_nor_drift(database: Database) -> None:
    async with running_web(database) as web:
        await seed_templates(web.runtime)
        (template, *_) = (await web.client.get("/api/assistants")).json()["assistants"]
        assert await _versions(web, template) == []
        address = f"/api/assistants/{template['id']}"
        for answer in (
            await web.client.post(f"{address}/versions/1/restore"),
            await web.client.get(f"{address}/drift"),
            await web.client.post(f"{address}/drift", json={"take": "ours"}),
        ):
            assert "template" in problem(answer, 409, "CONFLICT")["message"]


async def test_what_stood_in_the_directory_before_versions_were_kept_is_found_at_its_next_edit(
    database: Database,
) -> None:
    async with a_directory(database) as (web, _):
        made = await create(web)
        await rows(
            database,
            """UPDATE assistants SET config_json = config_json || '{"firstMessage": "Old"}'
            RETURNING 1 AS one""",
        )
        await _edit(web, made, active=False)
        await _edit(web, made, config={"maxDurationSeconds": 60})
        found = await _versions(web, made)
        assert [(one["number"], one["action"], one["actor"]) for one in found] == [
            (3, "edited", "test"),
            (2, "found", ""),
            (1, "created", "test"),
        ]


async def test_versions_are_never_rewritten(database: Database) -> None:
    async with a_directory(database) as (web, _):
        await create(web)
    for statement in ("UPDATE assistant_versions SET actor = 'x'", "DELETE FROM assistant_versions"):
        with pytest.raises((IntegrityError, DataRefused)):
            await rows(database, statement)


async def test_a_switch_leaves_what_somebody_else_wrote_meanwhile(database: Database) -> None:
    async with a_directory(database) as (web, sim):
        made = await create(web)
        await rows(database, """UPDATE assistants SET name = 'Robin' RETURNING 1 AS one""")
        await sim.faults(outage=True)
        switched = await _edit(web, made, active=False)
        assert (switched["name"], switched["active"]) == ("Robin", False)


async def test_two_edits_at_once_of_the_name_and_of_the_text_both_hold(database: Database) -> None:
    async with a_directory(database) as (web, _):
        made = await create(web)
        changes = [{"name": "Robin"}, *({"config": {"maxDurationSeconds": 60 + n}} for n in range(4))]
        await asyncio.gather(*(_edit(web, made, **one) for one in changes))
        shown = (await web.client.get(f"/api/assistants/{made['id']}")).json()
        assert shown["name"] == "Robin"
        assert len(await _versions(web, made)) >= 3


async def test_drift_names_what_differs_and_either_side_can_be_taken(database: Database) -> None:
    async with a_directory(database) as (web, sim):
        made = await create(web)
        address = f"/api/assistants/{made['id']}/drift"
        same = (await web.client.get(address)).json()
        assert (same["isGone"], same["changes"]) == (False, [])
        model = {**CONFIG["model"], "temperature": 1.5}
        await change_at_provider(sim, made["providerAssistantId"], name="Robin", model=model, endCallMessage="Bye.")
        found = (await web.client.get(address)).json()
        assert {one["path"]: (one["before"], one["after"]) for one in found["changes"]} == {
            "endCallMessage": (None, "Bye."),
            "model.temperature": (0.5, 1.5),
            "name": ("Riley", "Robin"),
        }
        assert found["message"].startswith("3 values differ")

        ours = await web.client.post(address, json={"take": "ours"})
        assert (ours.json()["name"], ours.json()["config"]) == ("Riley", made["config"])
        remote = await at_provider(sim, made["providerAssistantId"])
        assert (remote["name"], remote["model"], remote["endCallMessage"]) == ("Riley", CONFIG["model"], None)
        assert (await web.client.get(address)).json()["changes"] == []
        assert len(await _versions(web, made)) == 1

        await change_at_provider(sim, made["providerAssistantId"], name="Robin", endCallMessage="Bye.")
        theirs = await web.client.post(address, json={"take": "theirs"})
        assert (theirs.json()["name"], theirs.json()["config"]["endCallMessage"]) == ("Robin", "Bye.")
        assert (await web.client.get(address)).json()["changes"] == []
        assert (await _versions(web, made))[0]["action"] == "synced"


async def test_an_assistant_that_is_gone_at_the_provider_is_said_to_be_gone(database: Database) -> None:
    async with a_directory(database) as (web, sim):
        made = await create(web)
        await delete_at_provider(sim, made["providerAssistantId"])
        address = f"/api/assistants/{made['id']}/drift"
        gone = (await web.client.get(address)).json()
        assert (gone["isGone"], gone["changes"]) == (True, [])
        assert "deleted there" in gone["message"]
        for side in ("ours", "theirs"):
            refused = await web.client.post(address, json={"take": side})
            assert "deleted there" in problem(refused, 409, "CONFLICT")["message"]


async def test_the_providers_name_is_not_taken_over_where_another_assistant_bears_it(database: Database) -> None:
    async with a_directory(database) as (web, sim):
        made = await create(web)
        await create(web, "Robin")
        await change_at_provider(sim, made["providerAssistantId"], name="robin")
        refused = await web.client.post(f"/api/assistants/{made['id']}/drift", json={"take": "theirs"})
        assert problem(refused, 409, "CONFLICT")["details"]["suggestion"] == "robin 2"


async def test_a_drift_that_nobody_can_tell_is_a_502(database: Database) -> None:
    async with running_web(database) as web:
        assistant_id = await add_assistant(database)
        problem(await web.client.get(f"/api/assistants/{assistant_id}/drift"), 502, "PROVIDER_ERROR")
