"""Looking up, taking out and erasing a person: as JSON, on the page, and from the console."""

from datetime import UTC, datetime
from typing import Any

import anyio
import pytest

from autolynx.domain.permission import Role
from autolynx.store.database import Database
from tests.e2e.conftest import console
from tests.support.campaign_rows import add_call, make_campaign
from tests.support.checks import query
from tests.support.command import Console
from tests.support.old_campaign import NAME, SAID, called_campaign, everything
from tests.support.signed_in import HTMX, sign_in, text_of, words_of
from tests.support.web import Web, problem, running_web

__all__ = ["console"]
pytestmark = pytest.mark.anyio
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
PHONE = "+12005550100"


async def called(web: Web) -> Any:
    return await called_campaign(web.runtime, over_at=NOW, contacts=1)


async def test_a_program_looks_up_takes_out_and_erases_by_a_number_in_the_body(database: Database) -> None:
    async with running_web(database) as web:
        await called(web)
        held = (await web.client.post("/api/privacy/lookup", json={"phone": "+1 (200) 555-0100"})).json()
        assert held == {
            "contacts": 1,
            "campaigns": 1,
            "calls": 1,
            "transcripts": 1,
            "recordings": 0,
            "providerBodies": 1,
            "uploadRows": 0,
            "liveCalls": 0,
            "unreadUploads": 0,
            "isSuppressed": False,
        }
        answer = await web.client.post("/api/privacy/export", json={"phone": PHONE})
        assert answer.headers["content-disposition"] == 'attachment; filename="person.json"'
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json()["contacts"][0]["name"] == NAME
        erased = await web.client.post("/api/privacy/erase", json={"phone": PHONE, "atProvider": True})
        assert erased.json() == {
            "contacts": 1,
            "calls": 1,
            "recordings": 0,
            "providerBodies": 1,
            "uploadRows": 0,
            "atProvider": 1,
            "unreadUploads": 0,
        }
        assert NAME not in await everything(database)
        problem(await web.client.post("/api/privacy/export", json={"phone": PHONE}), 404, "NOT_FOUND")
        wrong = await web.client.post("/api/privacy/erase", json={"phone": "555-0100"})
        assert problem(wrong, 400, "VALIDATION_ERROR")["details"] == {"field": "phone"}
        assert "0100" not in wrong.text


async def test_a_live_call_is_a_conflict_and_a_stranger_sees_nothing(database: Database) -> None:
    async with running_web(database) as web:
        campaign_id = await make_campaign(database, contacts=1)
        await add_call(database, campaign_id, 0, status="RINGING", outcome=None, holds_line=True, is_final=False)
        refused = await web.client.post("/api/privacy/erase", json={"phone": PHONE})
        assert problem(refused, 409, "CONFLICT")["details"] == {"liveCalls": 1}
        for path in ("lookup", "export", "erase"):
            body = {"phone": PHONE}
            assert (await web.stranger.post(f"/api/privacy/{path}", json=body)).status_code == 401
        assert (await web.stranger.get("/privacy")).status_code == 401
        assert (await web.stranger.post("/privacy/erase", data={"phone": PHONE}, headers=HTMX)).status_code == 401


async def test_the_page_asks_shows_and_erases_only_for_the_typed_word(database: Database) -> None:
    async with running_web(database, RETAIN_CAMPAIGNS_DAYS=1, REDACT_TRANSCRIPTS="true") as web:
        await called(web)
        browser = await sign_in(web)
        page = await text_of(browser, "/privacy")
        assert "kept for 1 day" in page
        assert "named for ever" in page
        assert "taken out" in page
        found = words_of(await browser.post("/privacy/lookup", data={"phone": PHONE}, headers=HTMX))
        assert "in 1 campaign" in found
        assert "Erase this person" in found
        unclear = await browser.post("/privacy/lookup", data={"phone": "call me"}, headers=HTMX)
        assert 'role="alert"' in words_of(unclear, 400)
        for typed in ("", "delete"):
            data = {"phone": PHONE, "confirmation": typed}
            refused = await browser.post("/privacy/erase", data=data, headers=HTMX)
            assert "Type ERASE to say that you mean it." in words_of(refused, 400)
        assert NAME in await everything(database)
        data = {"phone": PHONE, "confirmation": "erase ", "at_provider": "yes"}
        done = words_of(await browser.post("/privacy/erase", data=data, headers=HTMX))
        assert "1 contact and 1 call are nobody&#39;s now." in done
        assert "The provider is asked to delete its data of 1 call." in done
        assert SAID not in await everything(database)
        again = words_of(await browser.post("/privacy/lookup", data={"phone": PHONE}, headers=HTMX))
        assert "Nothing is kept of" in again
        (campaign,) = await query(database, "SELECT id FROM campaigns")
        shown = await text_of(browser, f"/campaigns/{campaign['id']}")
        assert "number erased" in shown
        assert "Erased" in shown


async def test_neither_people_nor_the_audit_log_are_for_operators(database: Database) -> None:
    async with running_web(database) as web:
        browser = await sign_in(web, "op@example.com", Role.OPERATOR)
        for path in ("/privacy", "/audit", "/api/audit", "/api/audit.csv"):
            assert (await browser.get(path)).status_code == 403, path
        for path in ("lookup", "export", "erase", "allow"):
            answer = await browser.post(f"/api/privacy/{path}", json={"phone": PHONE})
            assert answer.status_code == 403
            if path != "export":
                assert (await browser.post(f"/privacy/{path}", data={"phone": PHONE})).status_code == 403
        system = await text_of(browser, "/system")
        assert "/audit" not in system
        assert "/privacy" not in system


async def test_who_asked_never_to_be_called_is_left_out_and_can_be_let_in_again(database: Database) -> None:
    async with running_web(database) as web:
        browser = await sign_in(web)
        data = {"phone": PHONE, "confirmation": "ERASE", "never_again": "yes"}
        done = words_of(await browser.post("/privacy/erase", data=data, headers=HTMX))
        assert "No later list calls this number." in done
        found = words_of(await browser.post("/privacy/lookup", data={"phone": PHONE}, headers=HTMX))
        assert "This person asked never to be called." in found
        assert "Let it be called again" in found
        again = words_of(await browser.post("/privacy/allow", data={"phone": PHONE}, headers=HTMX))
        assert "asked never" not in again
        problem(await web.client.post("/api/privacy/allow", json={"phone": PHONE}), 404, "NOT_FOUND")
        await web.client.post("/api/privacy/erase", json={"phone": PHONE, "neverAgain": True})
        assert (await web.client.post("/api/privacy/lookup", json={"phone": PHONE})).json()["isSuppressed"] is True
        assert (await web.client.post("/api/privacy/allow", json={"phone": PHONE})).status_code == 204


async def test_a_refusal_stands_beside_the_button(database: Database) -> None:
    async with running_web(database) as web:
        campaign_id = await make_campaign(database, contacts=1)
        await add_call(database, campaign_id, 0, status="RINGING", outcome=None, holds_line=True, is_final=False)
        browser = await sign_in(web)
        data = {"phone": PHONE, "confirmation": "ERASE"}
        refused = await browser.post("/privacy/erase", data=data, headers=HTMX)
        assert "A call of this person is live" in words_of(refused, 409)


@pytest.mark.e2e
async def test_the_console_writes_and_erases_and_prints_no_number(database: Database, console: Console) -> None:
    async with running_web(database) as web:
        await called(web)
    unsure = await anyio.to_thread.run_sync(lambda: console.run("person", "erase", PHONE))
    assert unsure.returncode != 0
    assert NAME in await everything(database)
    written = await anyio.to_thread.run_sync(lambda: console.run("person", "export", PHONE, "--output", "a.json"))
    assert written.stdout == "Written to a.json: 1 contact(s).\n"
    assert SAID in (console.folder / "a.json").read_text("utf-8")
    erased = await anyio.to_thread.run_sync(lambda: console.run("person", "erase", PHONE, "--yes"))
    assert erased.stdout.startswith("Erased: 1 contact(s), 1 call(s)")
    assert PHONE not in written.stdout + written.stderr + erased.stdout + erased.stderr
    assert NAME not in await everything(database)
    entries = await query(database, "SELECT action, actor, origin FROM audit_log ORDER BY id DESC LIMIT 2")
    assert [tuple(entry.values()) for entry in entries] == [
        ("person.erased", "console", "console"),
        ("person.exported", "console", "console"),
    ]
    unknown = await anyio.to_thread.run_sync(lambda: console.run("person", "export", PHONE))
    assert unknown.returncode == 2
    assert "Nothing is kept of this phone number." in unknown.stderr
