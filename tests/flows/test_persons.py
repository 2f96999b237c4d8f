"""One person: all that is kept is found, taken out and gone, everywhere; counts stay true and nobody is called."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from autolynx.archive.folder import RecordingFolder
from autolynx.errors import Conflict, NotFound, ValidationProblem
from autolynx.flows.importing import receive_upload
from autolynx.flows.ingest import receive_webhook
from autolynx.flows.persons import allow_again, erase_person, export_person, look_up
from autolynx.flows.planning import Choices, plan_campaign
from autolynx.flows.removals import MOST_TRIES, remove_due
from autolynx.flows.tick import run_once
from autolynx.runtime import Runtime
from autolynx.store.database import Database
from tests.support.campaign_rows import add_call, change_campaign, change_contact, make_campaign, make_unsure
from tests.support.checks import assert_counters_are_a_recount, query
from tests.support.engine import MovedClock, make_runtime, settings_for_test
from tests.support.old_campaign import BUSINESS, NAME, SAID, called_campaign, everything, report_of
from tests.support.stub_vapi import Answering, Reply, Seen, as_json, run_stub

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
NOWHERE = "http://127.0.0.1:9"
PHONE = "+12005550100"  # of the first contact of every campaign made for a test
OTHER = "+12005550101"


@asynccontextmanager
async def a_runtime(database: Database, url: str = NOWHERE, folder: Path | None = None) -> AsyncIterator[Runtime]:
    archive = RecordingFolder(folder) if folder else None
    runtime = make_runtime(database, url, settings=settings_for_test(), clock=MovedClock(NOW), recordings=archive)
    yield runtime
    await runtime.provider.close()


async def erase(runtime: Runtime, *, at_provider: bool = False) -> Any:
    return await erase_person(runtime, PHONE, at_provider=at_provider, actor="ada")


async def chunks(text: str) -> AsyncIterator[bytes]:
    yield text.encode()


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_person_is_gone_from_every_table_and_every_figure_stays(database: Database, tmp_path: Path) -> None:
    async with a_runtime(database, folder=tmp_path) as runtime:
        campaigns = [await called_campaign(runtime, over_at=NOW, contacts=1, folder=tmp_path) for _ in range(2)]
        await change_campaign(database, campaigns[0], deleted_at=NOW)
        inbound = {"message": {"type": "hang", "call": {"id": str(uuid4()), "customer": {"number": PHONE}}}}
        await receive_webhook(runtime, inbound)
        counters = "SELECT * FROM campaign_counters ORDER BY campaign_id"
        before = await query(database, counters)
        held = (await look_up(runtime, PHONE)).holdings
        assert (held.contacts, held.campaigns, held.calls, held.transcripts) == (2, 2, 2, 2)
        assert (held.recordings, held.bodies, held.upload_rows, held.live_calls) == (2, 3, 0, 0)

        done = await erase(runtime)

        assert (done.erased.contacts, done.erased.calls, done.erased.recordings, done.erased.bodies) == (2, 2, 2, 3)
        rest = await everything(database)
        for word in (PHONE, PHONE[2:], NAME, BUSINESS, SAID, "Markerville", "Quixotina"):
            assert word not in rest, word
        after = await query(database, counters)
        assert [{**row, "version": 0} for row in after] == [{**row, "version": 0} for row in before]
        await assert_counters_are_a_recount(database)
        assert len(files(tmp_path)) == 2
        await remove_due(runtime, deadline=NOW + timedelta(seconds=60))
        assert files(tmp_path) == []
        assert (await look_up(runtime, PHONE)).holdings.is_nothing
        with pytest.raises(NotFound, match="Nothing is kept"):
            await erase(runtime)
        (entry,) = await query(database, "SELECT actor, subject, details FROM audit_log WHERE action = 'person.erased'")
        assert entry["actor"] == "ada"
        assert entry["details"] == {
            "contacts": 2,
            "calls": 2,
            "recordings": 2,
            "bodies": 3,
            "uploadRows": 0,
            "atProvider": False,
        }


async def test_the_others_of_a_campaign_stay_as_they_are(database: Database) -> None:
    async with a_runtime(database) as runtime:
        await called_campaign(runtime, over_at=NOW, contacts=2)
        before = await query(database, "SELECT * FROM contacts WHERE phone = %s", OTHER)
        await erase(runtime)
        assert await query(database, "SELECT * FROM contacts WHERE phone = %s", OTHER) == before
        (call,) = await query(database, "SELECT summary FROM calls WHERE erased_at IS NULL")
        assert SAID in call["summary"]
        assert (await look_up(runtime, OTHER)).holdings.transcripts == 1


async def test_who_was_still_to_be_called_is_not_called_any_more(database: Database) -> None:
    async with a_runtime(database) as runtime:
        campaign_id = await make_campaign(database, contacts=2)
        await change_campaign(database, campaign_id, status="RUNNING", started_at=NOW)
        await change_contact(database, campaign_id, 0, due_at=NOW)
        await erase(runtime)
        (contact,) = await query(database, "SELECT state, due_at, reason FROM contacts WHERE position = 0")
        assert contact == {"state": "excluded", "due_at": None, "reason": "The data of this person was erased."}
        claims = await query(
            database,
            "SELECT count(*) AS n FROM calls WHERE contact_id IN (SELECT id FROM contacts WHERE position = 0)",
        )
        await run_once(runtime)
        assert claims == [{"n": 0}]
        await assert_counters_are_a_recount(database)


@pytest.mark.parametrize("state", ["live", "unsure"])
async def test_a_live_or_undecided_call_refuses_in_a_sentence_and_changes_nothing(
    database: Database, state: str
) -> None:
    async with a_runtime(database) as runtime:
        campaign_id = await make_campaign(database, contacts=1)
        if state == "live":
            await add_call(database, campaign_id, 0, status="RINGING", outcome=None, holds_line=True, is_final=False)
        else:
            await make_unsure(database, campaign_id)
        before = await query(database, "SELECT * FROM contacts")
        with pytest.raises(Conflict, match="live, or waits for a decision"):
            await erase(runtime)
        assert await query(database, "SELECT * FROM contacts") == before


async def test_news_that_nobody_was_reached_does_not_make_an_erased_contact_due_again(database: Database) -> None:
    async with a_runtime(database) as runtime:
        campaign_id = await make_campaign(database, contacts=1, options='{"maxAttempts": 5, "retryAfterMinutes": 1}')
        await change_campaign(database, campaign_id, status="RUNNING", started_at=NOW)
        values = {"status": "TIMEOUT", "outcome": "unknown", "is_final": False, "provider_call_id": str(uuid4())}
        call_id = await add_call(database, campaign_id, 0, **values)
        await change_contact(database, campaign_id, 0, state="done")
        body = await report_of(database, call_id, endedReason="customer-did-not-answer")
        await erase(runtime)
        await receive_webhook(runtime, body)
        (contact,) = await query(database, "SELECT state FROM contacts")
        (call,) = await query(database, "SELECT outcome, is_final, transcript_json, reason FROM calls")
        assert contact["state"] == "done"
        assert call == {"outcome": "no_answer", "is_final": True, "transcript_json": None, "reason": None}
        (body_kept,) = await query(database, "SELECT state, body FROM webhook_inbox")
        assert body_kept == {"state": "settled", "body": {"erased": True}}
        assert NAME not in await everything(database)


async def test_an_upload_that_waits_loses_the_person_and_keeps_its_counts_right(database: Database) -> None:
    lines = [
        "name,business_name,phone",
        f"{NAME},{BUSINESS},{PHONE}",
        f"{NAME} again,{BUSINESS},(200) 555-0100",
        f",{BUSINESS},{PHONE}",
        "Bob,Bold,+1 202 555 0143",
    ]
    async with a_runtime(database) as runtime:
        text = "\n".join(lines).replace("+1200", "+1202").replace("(200)", "(202)")
        phone = PHONE.replace("+1200", "+1202")
        await receive_upload(runtime, file_name="contacts.csv", chunks=chunks(text))
        found = await look_up(runtime, phone)
        assert found.holdings.upload_rows == 2
        assert found.unread_uploads == 0
        done = await erase_person(runtime, phone, at_provider=False, actor="ada")
        assert done.upload_rows == 2
        (upload,) = await query(database, "SELECT total_rows, accepted, duplicates, skipped FROM uploads")
        assert upload == {"total_rows": 2, "accepted": 1, "duplicates": 1, "skipped": 0}
        rest = await everything(database)
        assert NAME not in rest
        assert "5550100" not in rest
        assert "Bob" in rest


async def test_answers_that_are_kept_for_a_day_forget_the_person_and_stay_answers(database: Database) -> None:
    body = {"preview": [{"name": NAME, "phone": PHONE, "status": "name"}], "message": f"Row 2: {PHONE} is double."}
    async with a_runtime(database) as runtime:
        await called_campaign(runtime, over_at=NOW, contacts=1)
        await query(
            database,
            """INSERT INTO idempotency_keys (actor, key, request_hash, status, body, created_at)
               VALUES ('a', 'k', 'h', 201, %s::jsonb, %s) RETURNING key""",
            *(json.dumps(body), NOW),
        )
        await change_contact(
            database, (await query(database, "SELECT id FROM campaigns"))[0]["id"], 0, business_name="name"
        )
        await erase(runtime)
        (kept,) = await query(database, "SELECT status, body FROM idempotency_keys")
        assert kept["status"] == 201
        assert kept["body"] == {
            "preview": [{"name": "[erased]", "phone": "[erased]", "status": "[erased]"}],
            "message": "Row 2: [erased] is double.",
        }


async def test_the_export_holds_all_of_it_and_the_audit_log_not_the_number(database: Database, tmp_path: Path) -> None:
    async with a_runtime(database, folder=tmp_path) as runtime:
        campaign_id = await called_campaign(runtime, over_at=NOW, contacts=2, folder=tmp_path)
        found = await export_person(runtime, PHONE, actor="ada")
        assert found["phone"] == PHONE
        (contact,) = found["contacts"]
        assert contact["name"] == NAME
        assert contact["campaignId"] == campaign_id
        assert contact["variables"] == {"city": "Markerville"}
        (call,) = contact["calls"]
        assert SAID in json.dumps(call["transcript"])
        assert SAID in call["summary"]
        assert call["recording"].endswith(f"/api/calls/{call['id']}/recording")
        assert [event["source"] for event in call["events"]] == ["webhook"]
        (body,) = found["providerBodies"]
        assert body["type"] == "end-of-call-report"
        assert "Tiberius" in json.dumps(body["body"])
        text = json.dumps(found, default=str)
        assert OTHER not in text
        (entry,) = await query(database, "SELECT details FROM audit_log WHERE action = 'person.exported'")
        assert entry["details"] == {"contacts": 1}
        with pytest.raises(NotFound):
            await export_person(runtime, "+1 202 555 0199", actor="ada")
        with pytest.raises(ValidationProblem) as refused:
            await look_up(runtime, "555-01")
        assert "555-01" not in refused.value.message


async def test_the_provider_is_asked_to_delete_every_id_until_it_has(database: Database) -> None:
    asked: list[str] = []

    def answer(seen: Seen) -> Answering:
        asked.append(f"{seen.method} {seen.path}")
        if len(asked) == 1:
            return Reply(status=503)
        return as_json({"message": "no", "statusCode": 404}, 404) if len(asked) == 3 else as_json({})

    async with run_stub(answer) as stub, a_runtime(database, stub.url) as runtime:
        await called_campaign(runtime, over_at=NOW, contacts=1)
        (call,) = await query(database, "SELECT id, provider_call_id FROM calls")
        second = str(uuid4())
        await query(
            database,
            "INSERT INTO call_aliases VALUES (%s, %s, %s) RETURNING call_id",
            *(second, call["id"], NOW),
        )
        done = await erase(runtime, at_provider=True)
        assert done.at_provider == 1
        deadline = NOW + timedelta(days=1)
        assert await remove_due(runtime, deadline=deadline) == 1
        assert await remove_due(runtime, deadline=deadline) == 0
        await runtime.clock.sleep(61)
        assert await remove_due(runtime, deadline=deadline) == 1
        ids = {call["provider_call_id"], second}
        assert set(asked) == {f"DELETE /call/{one}" for one in ids}
        assert len(asked) == 3
        assert await query(database, "SELECT * FROM removals") == []


async def test_what_cannot_be_deleted_is_given_up_at_last_and_stays_on_the_list(database: Database) -> None:
    async with a_runtime(database) as runtime:
        await query(
            database,
            "INSERT INTO removals (place, name, due_at, created_at) VALUES ('archive', %s, %s, %s) RETURNING name",
            *(str(uuid4()), NOW, NOW),
        )
        clock: Any = runtime.clock
        for _ in range(MOST_TRIES + 3):
            await remove_due(runtime, deadline=clock.now() + timedelta(seconds=1))
            clock.move(13 * 3600)
        (row,) = await query(database, "SELECT tries, due_at, last_error FROM removals")
        assert row["tries"] == MOST_TRIES
        assert row["due_at"] is None
        assert "set RECORDING_STORE" in row["last_error"]


async def suppress(runtime: Runtime, phone: str) -> None:
    await erase_person(runtime, phone, at_provider=False, never_again=True, actor="ada")


async def test_who_asked_never_to_be_called_is_excluded_from_every_later_list(database: Database) -> None:
    async with a_runtime(database) as runtime:
        await called_campaign(runtime, over_at=NOW, contacts=2)
        await suppress(runtime, PHONE)
        later = await make_campaign(database, contacts=2)
        found = await query(
            database, "SELECT phone, state, reason FROM contacts WHERE campaign_id = %s ORDER BY position", later
        )
        assert found[0] == {"phone": PHONE, "state": "excluded", "reason": "This person asked not to be called."}
        assert found[1]["state"] == "due"
        await assert_counters_are_a_recount(database)
        assert PHONE[2:] not in str(await query(database, "SELECT number_hash FROM suppressions"))
        assert (await look_up(runtime, PHONE)).is_suppressed
        await allow_again(runtime, PHONE, actor="ada")
        once_more = await make_campaign(database, contacts=1)
        (contact,) = await query(database, "SELECT state FROM contacts WHERE campaign_id = %s", once_more)
        assert contact["state"] == "due"
        with pytest.raises(NotFound):
            await allow_again(runtime, PHONE, actor="ada")


async def test_a_plan_counts_who_asked_not_to_be_called(database: Database) -> None:
    phone = "+12025550100"
    async with a_runtime(database) as runtime:
        await suppress(runtime, phone)
        text = f"name,business_name,phone\nAda,Acme,{phone}\nBob,Bold,+12025550143\n"
        view = await receive_upload(runtime, file_name="contacts.csv", chunks=chunks(text))
        plan = await plan_campaign(runtime, view.id, Choices())
        assert plan.contacts == 1
        assert [(one.reason, one.count) for one in plan.skipped if one.count] == [("suppressed", 1)]
        assert "1 person asked not to be called" in [one.sentence for one in plan.skipped]


async def test_a_list_that_is_being_loaded_and_a_suppression_wait_for_each_other(database: Database) -> None:
    async with a_runtime(database) as runtime:
        async with database.transaction() as conn:
            await conn.execute("SELECT pg_advisory_xact_lock_shared(hashtextextended('suppressions', 0))")
            waiting = asyncio.create_task(suppress(runtime, PHONE))
            await asyncio.sleep(0.2)
            assert not waiting.done()
        await waiting
        assert len(await query(database, "SELECT * FROM suppressions")) == 1
