"""The plan before the button: what a campaign of an upload would do, asked over JSON."""

from datetime import timedelta
from typing import Any

import pytest

from autolynx.store.database import Database
from tests.support.campaign_rows import add_assistant, add_call, change_campaign, make_campaign
from tests.support.sim import TWILIO_MAIN
from tests.support.web import START, Web, moved_clock, problem, rows, running_web

pytestmark = pytest.mark.anyio

PLAN = "/api/campaigns/plan"
CSV = (
    "name,business_name,phone\n"
    "Ada,Acme,(202) 555-0143\n"
    "Bob,Bold,202-555-0144\n"
    "Cyd,Core,202-555-0145\n"
    "Bob again,Bold,+1 202 555 0144\n"
    "Eve,Even,12\n"
)


async def upload(web: Web, csv: str = CSV) -> str:
    answer = await web.client.post("/api/uploads", files={"file": ("list.csv", csv, "text/csv")})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["uploadId"])


async def plan(web: Web, upload_id: str, **values: Any) -> dict[str, Any]:
    answer = await web.client.post(PLAN, json={"uploadId": upload_id, **values})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def add_history(database: Database, calls: int, **values: Any) -> Any:
    """Let an assistant have made so many calls of a minute, at 20 cents each; returns its id."""
    campaign_id = await make_campaign(database, contacts=calls, first=100)
    times = {"started_at": START, "ended_at": START + timedelta(seconds=60)}
    for position in range(calls):
        await add_call(database, campaign_id, position, cost_usd="0.2", **{**times, **values})
    await change_campaign(database, campaign_id, status="COMPLETED")
    (row,) = await rows(database, "SELECT assistant_id FROM campaigns WHERE id = %s", campaign_id)
    return row["assistant_id"]


async def test_it_says_who_is_called_and_who_is_not_and_changes_nothing(database: Database) -> None:
    async with running_web(database) as web:
        upload_id = await upload(web)
        body = await plan(web, upload_id)
        assert (body["contacts"], body["objections"]) == (3, [])
        assert [(one["reason"], one["count"]) for one in body["skipped"]] == [("invalid", 1), ("duplicate", 1)]
        assert body["startSentence"] == "The first call goes out at once."
        assert body["basis"]["source"] == "defaults"
        assert await rows(database, "SELECT id FROM campaigns") == []


async def test_numbers_called_lately_are_skipped_unless_wanted(database: Database) -> None:
    async with running_web(database, clock=moved_clock()) as web:
        old = await make_campaign(database, contacts=2)
        await add_call(database, old, 0, dial_started_at=START - timedelta(days=3))
        await rows(database, "UPDATE contacts SET phone = '+12025550143' WHERE position = 0 RETURNING id")
        upload_id = await upload(web)
        body = await plan(web, upload_id)
        assert body["contacts"] == 2
        assert body["skipped"][-1]["sentence"] == "1 number was called in the last 30 days"
        assert (await plan(web, upload_id, includeRecentlyCalled=True))["contacts"] == 3


async def test_figures_are_the_assistants_own_where_it_has_called_enough(database: Database) -> None:
    async with running_web(database) as web:
        busy = await add_history(database, 20)
        fresh = await add_assistant(database)
        upload_id = await upload(web)
        own = await plan(web, upload_id, assistantId=str(busy), cap=1)
        assert (own["basis"]["source"], own["basis"]["calls"]) == ("assistant", 20)
        assert (own["basis"]["talkSeconds"], own["basis"]["costPerCall"]) == (60, 0.2)
        assert own["cost"] == {"low": 0.48, "high": 0.78}
        assert own["duration"] == {"low": 168, "high": 273}  # 3 calls of 70 s on one line
        others = await plan(web, upload_id, assistantId=str(fresh))
        assert others["basis"]["source"] == "allAssistants"
        assert others["cost"]["high"] > own["cost"]["high"]


async def test_the_lines_are_the_narrowest_of_all_bounds(database: Database) -> None:
    async with running_web(database, ACCOUNT_CONCURRENCY_CAP=4, LAUNCH_PER_SECOND=1) as web:
        upload_id = await upload(web)
        assert (await plan(web, upload_id, cap=9))["boundBy"] == "account cap"
        assert (await plan(web, upload_id, cap=1))["boundBy"] == "cap"
        quiet = await plan(web, upload_id, cap=9, lineQuiet=True)
        assert (quiet["boundBy"], quiet["lines"]) == ("quiet line", 1)


async def test_a_daily_limit_of_the_number_stretches_it(database: Database) -> None:
    async with running_web(database, clock=moved_clock()) as web:
        await rows(
            database,
            """INSERT INTO phone_numbers (id, provider, daily_limit, day, launched_today, seen_at)
               VALUES (%s, 'vapi', 2, %s, 1, %s) RETURNING id""",
            TWILIO_MAIN,
            START.date(),
            START,
        )
        body = await plan(web, await upload(web), phoneNumberId=TWILIO_MAIN)
        assert body["duration"]["low"] == 14 * 3600  # until midnight
        assert body["notes"][0].startswith("The phone number makes at most 2 calls a day, 1 of them still today")


async def test_while_dialling_is_held_it_says_that_a_person_has_to_let_it_start(database: Database) -> None:
    async with running_web(database) as web:
        upload_id = await upload(web)
        await web.client.post("/api/dialing/hold", json={"reason": "Lunch."})
        body = await plan(web, upload_id)
        assert body["startsAt"] is None
        assert "Lunch." in body["startSentence"]


async def test_the_same_file_again_and_nobody_left_are_objections(database: Database) -> None:
    async with running_web(database) as web:
        empty = await plan(web, await upload(web, "name,business_name,phone\nEve,Even,12\n"))
        assert empty["objections"] == ["Nobody is left to call in this file."]
        assert empty["cost"] == {"low": 0, "high": 0}
        upload_id = await upload(web)
        (kept,) = await rows(database, "SELECT fingerprint FROM uploads WHERE id = %s", upload_id)
        other = await make_campaign(database, contacts=1, name="Spring")
        await rows(
            database,
            """INSERT INTO campaign_files (campaign_id, fingerprint, file_name, loaded_at)
               VALUES (%s, %s, 'list.csv', %s) RETURNING file_name""",
            other,
            kept["fingerprint"],
            START,
        )
        again = await plan(web, upload_id)
        assert again["objections"] == ['This very file was loaded into the campaign "Spring" on 2026-03-02.']
        assert (await plan(web, upload_id, again=True))["objections"] == []


async def test_what_cannot_be_is_named(database: Database) -> None:
    async with running_web(database) as web:
        gone = "00000000-0000-4000-8000-000000000000"
        problem(await web.client.post(PLAN, json={"uploadId": gone}), 404, "NOT_FOUND")
        wrong = await web.client.post(PLAN, json={"uploadId": await upload(web), "cap": 51})
        assert problem(wrong, 400, "VALIDATION_ERROR")["details"]["field"] == "cap"
