"""Campaigns over JSON: create, list, show, change, delete."""

import asyncio
import gzip
from typing import Any
from uuid import uuid4

import httpx
import pytest

from autolynx.store.database import Database
from tests.support.campaign_rows import (
    START,
    add_assistant,
    add_call,
    change_campaign,
    change_contact,
    make_campaign,
)
from tests.support.sim import TWILIO_MAIN, TWILIO_SECOND, running_sim
from tests.support.web import Web, problem, rows, running_web

pytestmark = pytest.mark.anyio

LIST = "/api/campaigns"
CSV = (
    "name,business_name,phone,city\n"
    "Ada,Acme,(202) 555-0143,Springfield\n"
    "Bob,Bold,202-555-0144,\n"
    "Bob again,Bold,+1 202 555 0144,\n"
    "Eve,Even,12,\n"
)
BLOCKED = "b0000000-0000-4000-8000-000000000005"


def form(assistant_id: Any, **values: Any) -> dict[str, str]:
    fields = {"assistantId": str(assistant_id), "phoneNumberId": TWILIO_MAIN, **values}
    return {name: str(value) for name, value in fields.items() if value is not None}


async def create(
    web: Web, assistant_id: Any, *, csv: str | bytes = CSV, name_of_file: str = "spring list.csv", **values: Any
) -> httpx.Response:
    files = {"contactsCsv": (name_of_file, csv, "text/csv")}
    return await web.client.post(LIST, data=form(assistant_id, **values), files=files)


async def test_one_request_makes_a_campaign_of_a_file(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        assistant_id = await add_assistant(database)
        answer = await create(web, assistant_id, name="Spring", cap=5, mode="batch", lineQuiet="true", maxAttempts=2)
        assert answer.status_code == 201, answer.text
        body = answer.json()
        report, campaign = body["importReport"], body["campaign"]
        assert body["campaignId"] == campaign["id"]
        assert {name: report[name] for name in ("totalRows", "accepted", "duplicates", "contacts")} == {
            "totalRows": 4,
            "accepted": 2,
            "duplicates": 1,
            "contacts": 2,
        }
        (skipped,) = report["skipped"]
        assert (skipped["row"], skipped["field"], skipped["data"]["name"]) == (5, "phone", "Eve")
        assert (campaign["name"], campaign["status"], campaign["cap"]) == ("Spring", "CREATED", 5)
        options = {
            "region": "US",
            "lineQuiet": True,
            "maxAttempts": 2,
            "retryAfterMinutes": 60,
            "pauseOnFailures": True,
        }
        assert campaign["options"] == options
        assert campaign["metrics"]["totalContacts"] == 2
        assert campaign["metrics"]["contactsByState"]["due"] == 2
        shown = (await web.client.get(f"{LIST}/{campaign['id']}/contacts")).json()
        assert [(one["phone"], one["variables"]) for one in shown["contacts"]] == [
            ("+12025550143", {"city": "Springfield"}),
            ("+12025550144", {}),
        ]
        (number,) = await rows(database, "SELECT * FROM phone_numbers WHERE id = %s", TWILIO_MAIN)
        assert number["label"] == "Main line"


async def test_two_steps_by_upload_id_as_a_form_and_as_json(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        assistant_id = await add_assistant(database)
        files = {"file": ("one.csv.gz", gzip.compress(CSV.encode()), "application/gzip")}
        upload_id = (await web.client.post("/api/uploads", files=files)).json()["uploadId"]
        as_form = {name: (None, value) for name, value in form(assistant_id, uploadId=upload_id).items()}
        first = await web.client.post(LIST, files=as_form)
        assert first.status_code == 201, first.text
        body = {"assistantId": str(assistant_id), "uploadId": upload_id, "phoneNumberId": TWILIO_MAIN, "again": True}
        second = await web.client.post(LIST, json=body)
        assert second.status_code == 201, second.text
        names = [answer.json()["campaign"]["name"] for answer in (first, second)]
        assert names[0].startswith("one ")
        assert names[1] == names[0] + " 2"


async def test_a_taken_name_is_answered_with_a_free_one(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        assistant_id = await add_assistant(database)
        await make_campaign(database, contacts=1, name="Spring")
        await make_campaign(database, contacts=1, name="SPRING 2")
        found = problem(await create(web, assistant_id, name=" sPRING "), 409, "CONFLICT")
        assert found["details"] == {"field": "name", "suggestion": "sPRING 3"}
        assert '"sPRING 3" is free' in found["message"]
        assert await rows(database, "SELECT id FROM campaigns WHERE name = 'sPRING'") == []


async def test_the_same_file_twice_is_refused_and_leaves_nothing(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        assistant_id = await add_assistant(database)
        assert (await create(web, assistant_id, name="First")).status_code == 201
        found = problem(await create(web, assistant_id, name="Second"), 409, "CONFLICT")
        assert "loaded into" in found["message"]
        assert [row["name"] for row in await rows(database, "SELECT name FROM campaigns")] == ["First"]
        assert len(await rows(database, "SELECT id FROM contacts")) == 2
        again = await create(web, assistant_id, name="Second", again="true")
        assert again.status_code == 201, again.text


async def test_the_same_file_at_the_same_time_makes_one_campaign(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        assistant_id = await add_assistant(database)
        answers = await asyncio.gather(*(create(web, assistant_id, name=f"Spring {number}") for number in range(6)))
        refused = [problem(one, 409, "CONFLICT") for one in answers if one.status_code != 201]
        assert len(refused) == 5
        assert {one["details"]["field"] for one in refused} == {"again"}
        assert len(await rows(database, "SELECT id FROM contacts")) == 2


async def test_numbers_called_lately_are_left_out_unless_wanted(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        assistant_id = await add_assistant(database)
        earlier = await make_campaign(database, contacts=1)
        await change_contact(database, earlier, 0, phone="+12025550143")
        await add_call(database, earlier, 0, dial_started_at=web.runtime.clock.now())
        report = (await create(web, assistant_id)).json()["importReport"]
        assert (report["accepted"], report["contacts"], report["recentlyCalled"]) == (2, 1, 1)
        report = (await create(web, assistant_id, again="true", includeRecentlyCalled="true")).json()["importReport"]
        assert (report["contacts"], report["recentlyCalled"]) == (2, 0)


async def test_only_a_usable_assistant_and_an_active_number_are_taken(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        assistant_id = await add_assistant(database)
        template = await add_assistant(database, name="Short", source="template")
        asleep = await add_assistant(database, name="Asleep", active=False)
        for refused in (template, asleep, uuid4()):
            assert "assistantId" in problem(await create(web, refused), 409, "CONFLICT")["message"]
        blocked = problem(await create(web, assistant_id, phoneNumberId=BLOCKED), 409, "CONFLICT")
        assert blocked["details"]["status"] == "blocked"
        unknown = problem(await create(web, assistant_id, phoneNumberId="nobody"), 400, "VALIDATION_ERROR")
        assert unknown["details"]["field"] == "phoneNumberId"
        none = problem(await create(web, assistant_id, phoneNumberId=None), 400, "VALIDATION_ERROR")
        assert "VAPI_PHONE_NUMBER_ID" in none["message"]
        assert await rows(database, "SELECT id FROM campaigns") == []


async def test_the_settings_fill_in_what_is_left_out(database: Database) -> None:
    settings = {"VAPI_PHONE_NUMBER_ID": TWILIO_SECOND, "DEFAULT_CONCURRENCY_CAP": 3}
    async with running_sim() as sim, running_web(database, sim.url, **settings) as web:
        answer = await create(web, await add_assistant(database), phoneNumberId=None, cap="")
        campaign = answer.json()["campaign"]
        assert (campaign["phoneNumberId"], campaign["cap"], campaign["mode"]) == (TWILIO_SECOND, 3, "continuous")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cap", "0"),
        ("cap", "51"),
        ("cap", "many"),
        ("mode", "rush"),
        ("name", "x" * 101),
        ("colour", "red"),
        ("maxAttempts", "0"),
        ("maxAttempts", "11"),
        ("retryAfterMinutes", "0"),
        ("retryAfterMinutes", "10081"),
        ("retryAfterMinutes", "soon"),
    ],
)
async def test_a_wrong_field_is_named(database: Database, field: str, value: str) -> None:
    async with running_web(database) as web:
        answer = await create(web, await add_assistant(database), **{field: value})
        assert problem(answer, 400, "VALIDATION_ERROR")["details"]["field"] == field


async def test_a_file_or_an_upload_but_not_both_and_not_neither(database: Database) -> None:
    async with running_web(database) as web:
        assistant_id = await add_assistant(database)
        problem(await create(web, assistant_id, uploadId=uuid4()), 400, "VALIDATION_ERROR")
        body = {"assistantId": str(assistant_id)}
        problem(await web.client.post(LIST, json=body), 400, "VALIDATION_ERROR")
        problem(await web.client.post(LIST, json=["no"]), 400, "VALIDATION_ERROR")
        problem(
            await web.client.post(LIST, content=b"{", headers={"Content-Type": "application/json"}),
            400,
            "VALIDATION_ERROR",
        )
        flat = problem(await web.client.post(LIST, data=form(assistant_id)), 400, "VALIDATION_ERROR")
        assert "multipart form" in flat["message"]
        problem(await web.stranger.post(LIST, json=body), 401, "UNAUTHORIZED")


async def test_a_repeated_request_with_its_key_makes_one_campaign(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        assistant_id = await add_assistant(database)
        files = {"contactsCsv": ("a.csv", CSV, "text/csv")}
        sent = {"data": form(assistant_id), "files": files, "headers": {"Idempotency-Key": "once"}}
        first = await web.client.post(LIST, **sent)
        second = await web.client.post(LIST, **sent)
        assert first.status_code == second.status_code == 201
        assert first.json() == second.json()
        assert len(await rows(database, "SELECT id FROM campaigns")) == 1


async def test_the_list_is_searched_filtered_sorted_and_paged(database: Database) -> None:
    names = ["50% off", "50 off", "under_score", "underscore", "back\\slash", 'it\'s "quoted"']
    async with running_web(database) as web:
        for number, name in enumerate(names):
            campaign_id = await make_campaign(database, contacts=number, first=100 * number, name=name)
            status = "PAUSED" if number % 2 else "CREATED"
            await change_campaign(database, campaign_id, status=status, created_at=START)

        async def found(**query: Any) -> list[str]:
            answer = await web.client.get(LIST, params={"sort": "name", "order": "asc", **query})
            assert answer.status_code == 200, answer.text
            return [one["name"] for one in answer.json()["campaigns"]]

        assert await found(search="50%") == ["50% off"]
        assert await found(search="R_S") == ["under_score"]
        assert await found(search="k\\s") == ["back\\slash"]
        assert await found(search='"quoted') == ['it\'s "quoted"']
        assert await found(search="'") == ['it\'s "quoted"']
        assert await found(status="PAUSED") == ["50 off", 'it\'s "quoted"', "underscore"]
        assert await found(status=["PAUSED", "CREATED"]) == sorted(names)
        assert await found(sort="totalContacts", order="desc", limit=2) == [names[5], names[4]]
        pages = [await found(sort="createdAt", limit=4, page=page) for page in (1, 2, 3)]
        assert sorted(pages[0] + pages[1]) == sorted(names)
        assert pages[2] == []
        last = (await web.client.get(LIST, params={"limit": 4, "page": 2})).json()
        assert last["pagination"] == {"page": 2, "limit": 4, "total": 6, "pages": 2}
        for wrong in ({"sort": "phone"}, {"limit": 101}, {"page": 0}, {"status": "DONE"}, {"order": "up"}):
            problem(await web.client.get(LIST, params=wrong), 400, "VALIDATION_ERROR")


async def test_a_detail_shows_every_figure_and_is_not_sent_twice(database: Database) -> None:
    async with running_web(database) as web:
        campaign_id = await make_campaign(database, contacts=5)
        await add_call(
            database,
            campaign_id,
            0,
            started_at=START,
            ended_at=START.replace(minute=2),
            cost_usd="0.3",
            success_evaluation=True,
        )
        await add_call(database, campaign_id, 1, outcome="voicemail", cost_usd="0.1", success_evaluation=False)
        await add_call(database, campaign_id, 2, status="RINGING", outcome=None, holds_line=True, is_final=False)
        await add_call(database, campaign_id, 3, status="FAILED", outcome="not_dialled", counts_as_attempt=False)
        answer = await web.client.get(f"{LIST}/{campaign_id}")
        metrics = answer.json()["metrics"]
        assert {status: count for status, count in metrics["callsByStatus"].items() if count} == {
            "ENDED": 2,
            "RINGING": 1,
        }
        assert {name: count for name, count in metrics["callsByOutcome"].items() if count} == {
            "answered": 1,
            "voicemail": 1,
        }
        figures = {name: value for name, value in metrics.items() if not isinstance(value, dict)}
        assert figures == {
            "totalContacts": 5,
            "completedCalls": 2,
            "activeCalls": 1,
            "successfulCalls": 1,
            "totalCost": 0.4,
            "successRate": 0.5,
            "averageCost": 0.2,
            "averageDuration": 120.0,
        }
        assert answer.json()["timeline"]["estimatedCompletion"] is None
        tag = answer.headers["etag"]
        assert (await web.client.get(f"{LIST}/{campaign_id}", headers={"If-None-Match": tag})).status_code == 304
        await change_campaign(database, campaign_id, cap=2)
        assert (await web.client.get(f"{LIST}/{campaign_id}", headers={"If-None-Match": tag})).status_code == 200
        problem(await web.client.get(f"{LIST}/{uuid4()}"), 404, "NOT_FOUND")


async def test_name_and_cap_change_at_any_time_and_the_rest_only_before_start(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        campaign_id = await make_campaign(database, contacts=1)
        other = await add_assistant(database, name="Other")
        path = f"{LIST}/{campaign_id}"
        early = {"mode": "batch", "assistantId": str(other), "phoneNumberId": TWILIO_SECOND, "name": "A", "cap": 2}
        body = (await web.client.patch(path, json=early)).json()
        assert (body["mode"], body["assistantId"], body["phoneNumberId"]) == ("batch", str(other), TWILIO_SECOND)
        assert (body["name"], body["cap"]) == ("A", 2)
        await change_campaign(database, campaign_id, status="RUNNING", batch_size=2)
        body = (await web.client.patch(path, json={"name": "B", "cap": 9, "mode": "batch"})).json()
        assert (body["name"], body["cap"], body["batchSize"]) == ("B", 9, 2)
        for late in ({"mode": "continuous"}, {"assistantId": str(uuid4())}, {"phoneNumberId": TWILIO_MAIN}):
            found = problem(await web.client.patch(path, json={**late, "cap": 1}), 409, "CONFLICT")
            assert found["details"] == {"fields": list(late), "status": "RUNNING"}
        assert (await web.client.get(path)).json()["cap"] == 9
        for wrong in ({"cap": 0}, {"cap": 51}, {"name": ""}, {"name": "  "}, {"status": "COMPLETED"}):
            problem(await web.client.patch(path, json=wrong), 400, "VALIDATION_ERROR")
        await make_campaign(database, contacts=1, first=9, name="Taken")
        taken = problem(await web.client.patch(path, json={"name": "TAKEN"}), 409, "CONFLICT")
        assert taken["details"]["suggestion"] == "TAKEN 2"
        assert (await web.client.patch(path, json={"name": "b"})).json()["name"] == "b"


async def test_before_start_only_a_usable_assistant_and_number_can_be_chosen(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        campaign_id = await make_campaign(database, contacts=1)
        asleep = await add_assistant(database, name="Asleep", active=False)
        path = f"{LIST}/{campaign_id}"
        problem(await web.client.patch(path, json={"assistantId": str(asleep)}), 409, "CONFLICT")
        problem(await web.client.patch(path, json={"phoneNumberId": BLOCKED}), 409, "CONFLICT")


async def test_a_campaign_is_deleted_only_when_no_call_is_live(database: Database) -> None:
    async with running_web(database) as web:
        campaign_id = await make_campaign(database, contacts=1, name="Spring")
        live = {"status": "RINGING", "outcome": None, "holds_line": True, "is_final": False}
        call_id = await add_call(database, campaign_id, 0, **live)
        path = f"{LIST}/{campaign_id}"
        found = problem(await web.client.delete(path), 409, "CONFLICT")
        assert found["details"] == {"activeCalls": 1}
        await rows(
            database,
            "UPDATE calls SET status = 'ENDED', outcome = 'answered', holds_line = false WHERE id = %s RETURNING id",
            call_id,
        )
        assert (await web.client.delete(path)).status_code == 204
        problem(await web.client.get(path), 404, "NOT_FOUND")
        problem(await web.client.delete(path), 404, "NOT_FOUND")
        assert (await web.client.get(LIST)).json()["campaigns"] == []
        assert (await web.client.get(f"/api/calls/{call_id}")).status_code == 200
        await make_campaign(database, contacts=1, first=9, name="spring")


async def test_options_change_until_the_campaign_is_over(database: Database) -> None:
    async with running_web(database) as web:
        campaign_id = await make_campaign(database, contacts=3, options='{"lineQuiet": true, "kept": 1}')
        path = f"{LIST}/{campaign_id}"
        changes = {"lineQuiet": False, "maxAttempts": 3, "retryAfterMinutes": 15, "pauseOnFailures": True}
        assert (await web.client.patch(path, json=changes)).json()["options"] == {**changes, "kept": 1}
        await change_campaign(database, campaign_id, status="RUNNING", queued_at=START)
        assert (await web.client.patch(path, json={"pauseOnFailures": False})).status_code == 200
        assert (await web.client.patch(path, json={"pauseOnFailures": True})).status_code == 200
        (watched,) = await rows(database, "SELECT watched_calls, watched_failures FROM campaigns")
        assert watched == {"watched_calls": 0, "watched_failures": 0}
        for wrong in ({"maxAttempts": 11}, {"retryAfterMinutes": 0}):
            problem(await web.client.patch(path, json=wrong), 400, "VALIDATION_ERROR")
        await change_campaign(database, campaign_id, status="COMPLETED")
        said = problem(await web.client.patch(path, json={"maxAttempts": 2}), 409, "CONFLICT")
        assert said["message"] == "maxAttempts: the campaign is COMPLETED, nobody is called in it any more."
        assert (await web.client.patch(path, json={"name": "Still"})).status_code == 200
