"""An operator sees and moves the own campaigns alone: what belongs to others is answered like what does not exist."""

import json
import re
from typing import Any
from uuid import uuid4

import httpx
import pytest

from autolynx.domain.permission import Role
from autolynx.flows.people import change_person
from autolynx.store.database import Database
from autolynx.web.entries import ENTRIES
from tests.support.campaign_rows import change_campaign
from tests.support.rivals import BERT, CSV, FILE, MARK, rivals
from tests.support.sim import TWILIO_MAIN
from tests.support.web import problem, rows

pytestmark = pytest.mark.anyio

OWNED = {"campaign_id", "call_id", "upload_id", "token_id"}
TABLE = [key for key in ENTRIES if OWNED & set(re.findall(r"\{(\w+)\}", key))]
STREAMS = {"GET /live", "GET /api/campaigns/{campaign_id}/events"}
FIXED = {"provider": "google", "version": "1", "number": "1", "decision": "leave", "user_id": str(uuid4())}


def address(path: str, names: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: names[found[1]], path)


async def ask(client: httpx.AsyncClient, key: str, names: dict[str, str], **options: Any) -> httpx.Response:
    method, _, path = key.partition(" ")
    return await client.request(method, address(path, names), **options)


def bare(answer: httpx.Response, names: dict[str, str]) -> tuple[int, str, dict[str, str]]:
    """Return an answer without the ids that were asked for, and without the time."""
    text = re.sub(r'"timestamp":"[^"]+"|name="csrf-token" content="[^"]+"', "", answer.text)
    for value in names.values():
        text = text.replace(value, "-") if len(value) > 10 else text
    headers = {name: value for name, value in answer.headers.items() if name not in {"content-length", "etag"}}
    return answer.status_code, text, headers


def forms_of(key: str) -> list[dict[str, Any]]:
    """Return ways to ask: as a program, and as a page does."""
    html = {"Accept": "text/html", "HX-Request": "true"}
    if key.startswith("GET "):
        return [{}, {"headers": html}]
    return [
        {"json": {"decision": "leave", "parts": 1, "name": "Mine now"}},
        {"data": {"decision": "leave"}, "headers": html},
    ]


def test_the_table_holds_every_route_with_an_id_of_somebody() -> None:
    assert len(TABLE) > 40
    assert {"GET /api/campaigns/{campaign_id}/export.csv", "GET /api/calls/{call_id}/recording"} < set(TABLE)


async def test_what_belongs_to_another_is_answered_like_what_does_not_exist(database: Database) -> None:
    async with rivals(database) as them:
        names = {**FIXED, "assistant_id": str(them.assistant_id), **them.hers.in_paths}
        nothing = {**names, **{name: str(uuid4()) for name in OWNED}}
        before = await them.everything()
        for key in TABLE:
            for way, bert in them.berts.items():
                for form in forms_of(key):
                    answer = await ask(bert, key, names, **form)
                    assert not them.tells(bare(answer, names)[1]), (key, way, answer.text)
                    assert answer.status_code in {404, 403}, (key, way, answer.status_code, answer.text)
                    missing = await ask(bert, key, nothing, **form)
                    assert bare(answer, names) == bare(missing, nothing), (key, way)
        assert await them.everything() == before


async def test_the_owner_and_an_admin_reach_what_others_do_not(database: Database) -> None:
    async with rivals(database) as them:
        names = {**FIXED, "assistant_id": str(them.assistant_id), **them.hers.in_paths}
        for key in TABLE:
            if not key.startswith("GET ") or key in STREAMS or "test-call" in key:
                continue
            for client in (them.anna, them.chief):
                answer = await ask(client, key, names)
                assert answer.status_code != 404 or "recording" in key, (key, answer.text)
                assert answer.status_code != 403 or "payloads" in key, (key, answer.text)


async def test_ids_in_other_spellings_open_nothing_either(database: Database) -> None:
    async with rivals(database) as them:
        known = str(them.hers.campaign_id)
        for spelled in (
            known.upper(),
            known.replace("-", ""),
            f"{{{known}}}",
            f"urn:uuid:{known}",
            f" {known}",
            f"{known}%0a",
        ):
            for path in (f"/api/campaigns/{spelled}", f"/campaigns/{spelled}", f"/api/campaigns/{spelled}/contacts"):
                answer = await them.bert.get(path)
                assert answer.status_code in {400, 404}, (path, answer.status_code)
                assert not re.search(MARK, answer.text)


async def test_no_list_page_or_figure_of_an_operator_tells_of_another(database: Database) -> None:
    async with rivals(database) as them:
        names = {"assistant_id": str(them.assistant_id), **FIXED}
        seen_by_chief = 0
        for key in ENTRIES:
            if not key.startswith("GET ") or key in STREAMS or OWNED & set(re.findall(r"\{(\w+)\}", key)):
                continue
            if key in {"GET /enter", "GET /api/openapi.json"}:
                continue
            for bert in them.berts.values():
                for query in ({}, {"tests": "true", "q": MARK[:4], "search": MARK[:4]}, {"tests": "true"}):
                    answer = await ask(bert, key, names, params=query)
                    assert not them.tells(answer.text), (key, query, answer.text)
            seen_by_chief += them.tells((await ask(them.chief, key, names)).text)
        assert seen_by_chief > 5, "an admin sees what is hidden from others"


@pytest.mark.parametrize(
    "path",
    [
        "/live?campaigns={campaign_id}",
        "/campaigns/new?upload={upload_id}",
        "/campaigns/new/plan?upload={upload_id}",
        "/analytics?campaign={campaign_id}",
        "/api/analytics?campaignId={campaign_id}",
        "/api/analytics.csv?campaignId={campaign_id}",
        "/api/health/phone-line?campaignId={campaign_id}",
        "/assistants/{assistant_id}/test-call?campaign={test_campaign_id}",
    ],
)
async def test_an_id_in_a_query_opens_nothing(database: Database, path: str) -> None:
    if path.startswith("/live"):
        pytest.skip("a stream: tested over a connection")
    async with rivals(database) as them:
        hers = {**{name: str(value) for name, value in vars(them.hers).items()}, "assistant_id": str(them.assistant_id)}
        nothing = {**hers, **{name: str(uuid4()) for name in hers if name != "assistant_id"}}
        for bert in them.berts.values():
            answer, missing = await bert.get(path.format(**hers)), await bert.get(path.format(**nothing))
            assert not them.tells(bare(answer, hers)[1]), answer.text
            assert bare(answer, hers) == bare(missing, nothing)
        assert (await them.anna.get(path.format(**hers))).status_code == 200


async def test_the_use_of_an_assistant_counts_the_own_campaigns(database: Database) -> None:
    async with rivals(database) as them:
        path = f"/api/assistants/{them.assistant_id}"
        assert (await them.anna.get(path)).json()["usage"]["campaigns"] == 1
        assert (await them.chief.get(path)).json()["usage"]["campaigns"] == 1
        for bert in them.berts.values():
            usage = (await bert.get(path)).json()["usage"]
            assert (usage["campaigns"], usage["calls"], usage["averageCost"]) == (0, 0, None)
            (listed,) = [
                one
                for one in (await bert.get("/api/assistants")).json()["assistants"]
                if one["id"] == str(them.assistant_id)
            ]
            assert listed["usage"] == usage
            page = (await bert.get(f"/assistants/{them.assistant_id}/use")).text
            assert "Not used yet" in page


async def test_earlier_test_calls_of_others_are_not_listed(database: Database) -> None:
    async with rivals(database) as them:
        path, shown = f"/assistants/{them.assistant_id}/test-call", str(them.hers.test_campaign_id)
        assert shown in (await them.anna.get(path)).text
        assert shown in (await them.chief.get(path)).text
        assert shown not in (await them.bert.get(path)).text


async def test_the_upload_of_another_makes_no_plan_and_no_campaign(database: Database) -> None:
    async with rivals(database) as them:
        hers, missing = str(them.hers.upload_id), str(uuid4())
        base = {"assistantId": str(them.assistant_id), "phoneNumberId": TWILIO_MAIN}
        before = await them.everything()
        for bert in them.berts.values():
            for path in ("/api/campaigns/plan", "/api/campaigns"):
                answers = [await bert.post(path, json={**base, "uploadId": one}) for one in (hers, missing)]
                problem(answers[0], 404, "NOT_FOUND")
                assert bare(answers[0], {"id": hers}) == bare(answers[1], {"id": missing})
            form = {"shown": "1", "number": TWILIO_MAIN, "assistant": base["assistantId"], "name": "Mine"}
            pages = [await bert.post("/campaigns/new", data={**form, "upload": one}) for one in (hers, missing)]
            assert bare(pages[0], {"id": hers})[:2] == bare(pages[1], {"id": missing})[:2]
            assert not re.search(MARK, pages[0].text)
        assert await them.everything() == before


async def test_a_file_that_another_has_loaded_is_warned_of_without_a_name(database: Database) -> None:
    async with rivals(database) as them:
        body = {"assistantId": str(them.assistant_id), "uploadId": str(them.hers.upload_id), "name": f"{MARK} first"}
        made = await them.anna.post("/api/campaigns", json=body)
        assert made.status_code == 201, made.text
        hers = made.json()["campaignId"]
        for bert in them.berts.values():
            for sent in (await in_one(bert), await in_parts(bert)):
                (use,) = sent["preview"]["seenBefore"]
                assert use["campaignId"] is None
                assert not re.search(f"{MARK} first|{hers}", json.dumps(sent))
                refused = await bert.post("/api/campaigns", json={**body, "name": None, "uploadId": sent["uploadId"]})
                inside = problem(refused, 409, "CONFLICT")
                assert not re.search(f"{MARK} first|{hers}", json.dumps(inside))
                page = await bert.get("/campaigns/new", params={"upload": sent["uploadId"]})
                assert f"{MARK} first" not in page.text
        assert "first" in json.dumps((await in_one(them.chief))["preview"]["seenBefore"]), (
            "an admin is told whose it was"
        )


async def in_one(client: httpx.AsyncClient) -> dict[str, Any]:
    sent = await client.post("/api/uploads", files={"file": (FILE, CSV, "text/csv")})
    assert sent.status_code == 201, sent.text
    return dict(sent.json())


async def in_parts(client: httpx.AsyncClient) -> dict[str, Any]:
    upload_id = (await client.post("/api/uploads/parts", json={"fileName": FILE})).json()["uploadId"]
    assert (await client.put(f"/api/uploads/{upload_id}/parts/1", content=CSV.encode())).status_code == 204
    finished = await client.post(f"/api/uploads/{upload_id}/finish", json={"parts": 1})
    assert finished.status_code == 200, finished.text
    return dict(finished.json())


async def test_a_function_names_no_campaign_of_another_either(database: Database) -> None:
    async with rivals(database, RUNTIME="function") as them:
        body = {"assistantId": str(them.assistant_id), "uploadId": str(them.hers.upload_id), "name": f"{MARK} first"}
        assert (await them.anna.post("/api/campaigns", json=body)).status_code == 201
        for sent in (await in_one(them.bert), await in_parts(them.bert)):
            assert [use["campaignId"] for use in sent["preview"]["seenBefore"]] == [None]
            assert f"{MARK} first" not in json.dumps(sent)


async def test_the_names_of_others_are_free_and_are_suggested_to_nobody(database: Database) -> None:
    async with rivals(database) as them:
        taken = f"{MARK} campaign"
        upload_id = (await in_one(them.bert))["uploadId"]
        body = {"assistantId": str(them.assistant_id), "uploadId": upload_id, "name": taken, "again": True}
        made = await them.bert.post("/api/campaigns", json=body)
        assert made.status_code == 201, made.text
        again = problem(await them.bert.post("/api/campaigns", json=body), 409, "CONFLICT")
        assert again["details"] == {"field": "name", "suggestion": f"{taken} 2"}
        renamed = await them.anna.patch(f"/api/campaigns/{them.hers.campaign_id}", json={"name": taken})
        assert renamed.status_code == 200, renamed.text


async def test_decisions_in_bulk_pass_over_contacts_of_others(database: Database) -> None:
    async with rivals(database) as them:
        for decision in ("leave", "redial"):
            form = {"decision": decision, "call": [str(them.hers.unsure_call_id)]}
            answer = await them.bert.post("/system/unsure", data=form)
            assert answer.status_code == 200
            assert "0 contacts are" in answer.text
            assert not them.tells(answer.text)
        (row,) = await rows(database, "SELECT state FROM contacts WHERE is_unsure")
        assert row["state"] == "unsure"
        done = await them.anna.post(
            "/system/unsure", data={"decision": "leave", "call": [str(them.hers.unsure_call_id)]}
        )
        assert "1 contact is" in done.text


async def test_an_idempotency_key_of_another_repeats_nothing(database: Database) -> None:
    async with rivals(database) as them:
        key = {"Idempotency-Key": "the-same-key"}
        hers = await them.anna.post("/api/uploads", files={"file": (FILE, CSV, "text/csv")}, headers=key)
        for bert in them.berts.values():
            his = await bert.post("/api/uploads", files={"file": (FILE, CSV, "text/csv")}, headers=key)
            assert his.status_code == 201
            assert his.json()["uploadId"] != hers.json()["uploadId"]
            assert "Idempotency-Replayed" not in his.headers


async def test_a_tag_of_another_is_not_honoured(database: Database) -> None:
    async with rivals(database) as them:
        for path in (f"/api/campaigns/{them.hers.campaign_id}", f"/campaigns/{them.hers.campaign_id}"):
            tag = (await them.anna.get(path)).headers["ETag"]
            answer = await them.bert.get(path, headers={"If-None-Match": tag})
            assert answer.status_code == 404
            assert "ETag" not in answer.headers


async def test_sums_over_everybody_are_for_those_who_see_everybody(database: Database) -> None:
    async with rivals(database) as them:
        await change_campaign(database, them.hers.campaign_id, status="RUNNING")
        shown = {"chief": them.chief, "bert": them.bert}
        pages = {name: (await client.get("/")).text for name, client in shown.items()}
        assert "Running campaigns" in pages["chief"]
        assert "Still to call" in pages["chief"]
        for word in ("Running campaigns", "Still to call", "Need your decision"):
            assert word not in pages["bert"], word
        assert "Lines in use" in pages["bert"]


async def test_analytics_are_of_the_own_campaigns(database: Database) -> None:
    async with rivals(database) as them:
        period = {"from": "2026-03-01", "to": "2026-03-03"}
        figures = (await them.anna.get("/api/analytics", params=period)).json()
        assert figures["total"]["calls"] > 0
        for bert in them.berts.values():
            assert (await bert.get("/api/analytics", params=period)).json()["total"]["calls"] == 0
            assert "Shared voice" not in (await bert.get("/analytics", params=period)).text


async def test_a_follow_up_made_by_an_admin_is_not_named_to_the_operator(database: Database) -> None:
    async with rivals(database) as them:
        path = f"/api/campaigns/{them.hers.campaign_id}/follow-up"
        await change_campaign(database, them.hers.campaign_id, status="COMPLETED")
        made = await them.chief.post(path, json={"name": "Of the chief", "includeCalledElsewhere": True})
        assert made.status_code == 201, made.text
        assert [one["name"] for one in (await them.chief.post(f"{path}/plan")).json()["followers"]] == ["Of the chief"]
        assert (await them.anna.post(f"{path}/plan")).json()["followers"] == []


async def test_an_admin_who_became_an_operator_sees_the_own_campaigns_alone(database: Database) -> None:
    async with rivals(database) as them:
        person = await them.callers.person(BERT)
        await change_person(them.web.runtime, person.id, role=Role.ADMIN, actor="test")
        assert len((await them.bert.get("/api/campaigns")).json()["campaigns"]) == 1
        await change_person(them.web.runtime, person.id, role=Role.OPERATOR, actor="test")
        assert (await them.bert.get("/api/campaigns")).json()["campaigns"] == []
        assert (await them.anna.get("/api/campaigns")).json()["pagination"]["total"] == 1
