"""The page of the system: the red button, what holds the account, decisions, incidents, health and phone lines."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from autolynx.domain.bounds import account_sentence
from autolynx.domain.pacing import Account, PacingRules, Room
from autolynx.flows.phone_numbers import list_phone_numbers
from autolynx.store.database import Database
from tests.support.campaign_rows import START, add_call, add_incident, change_campaign, make_campaign, make_unsure
from tests.support.signed_in import HTMX, sign_in, text_of
from tests.support.sim import TWILIO_MAIN, running_sim
from tests.support.web import moved_clock, rows, running_web
from tests.web.test_dashboard import streaming, until

pytestmark = pytest.mark.anyio
TROUBLE = "The provider refuses the account (key, credit or freeze)."


async def hold_gate(database: Database, **values: Any) -> None:
    assignments = ", ".join(f"{name} = %s" for name in values)
    await rows(database, f"UPDATE gate SET {assignments} WHERE id = 1 RETURNING id", *values.values())


async def test_an_installation_at_rest_says_so_calmly(database: Database) -> None:
    async with running_web(database) as web:
        browser = await sign_in(web)
        page = await text_of(browser, "/system")
        assert "Calls go out" in page
        assert "Hold all dialling" in page
        assert "Release" not in page
        assert "Nothing waits for you." in page
        assert "No incident." in page
        assert "No number is known yet." in page
        assert "PostgreSQL answers." in page
        assert 'aria-current="page">System' in page


async def test_a_stranger_sees_nothing_of_it_and_moves_nothing(database: Database) -> None:
    async with running_web(database) as web:
        for path in ("/system", "/system/hold", "/system/health", "/system/numbers", "/system/unsure"):
            assert (await web.stranger.get(path)).status_code == 401
        for path in (
            "/system/hold",
            "/system/release",
            "/system/tick",
            "/system/unsure",
            f"/system/unsure/{uuid4()}/leave",
        ):
            assert (await web.stranger.post(path, headers=HTMX)).status_code == 401
        browser = await sign_in(web)
        del browser.headers["X-CSRF-Token"]
        assert (await browser.post("/system/hold", headers=HTMX)).status_code == 403
        assert (await rows(database, "SELECT held_at FROM gate"))[0]["held_at"] is None


async def test_the_red_button_says_what_happens_to_live_calls_and_is_put_on_record(database: Database) -> None:
    async with running_web(database) as web:
        browser = await sign_in(web)
        assert "live. What should happen" not in (await browser.get("/system/hold", headers=HTMX)).text
        campaign_id = await make_campaign(database, contacts=2)
        await add_call(database, campaign_id, 0, status="RINGING", outcome=None, holds_line=True, is_final=False)
        dialog = await text_of(browser, "/system/hold")
        assert "1 call is live. What should happen to it?" in dialog
        assert "Nobody is cut off in the middle of a sentence." in dialog

        held = await browser.post("/system/hold", data={"reason": " Wrong  script ", "liveCalls": "end"}, headers=HTMX)
        assert 'hx-target="#system-state"' in held.text
        assert "Dialling is held: Wrong script. Release it to go on." in held.text, "the banner of every page"
        assert "Dialling is held. Live calls go on to their end." in held.text
        page = await text_of(browser, "/system")
        assert "Release dialling" in page
        assert "Hang up live calls" in page
        assert "Hold all dialling" not in page
        assert "Dialling is held: Wrong script." in await text_of(browser, "/")
        (noted,) = await rows(database, "SELECT actor, details FROM audit_log WHERE action = 'dialing.held'")
        assert (noted["actor"], noted["details"]) == ("admin@example.com", {"hangUp": False})


async def test_live_calls_can_be_hung_up_while_dialling_is_held(database: Database) -> None:
    async with running_web(database) as web:
        browser = await sign_in(web)
        campaign_id = await make_campaign(database, contacts=1)
        await add_call(database, campaign_id, 0, status="RINGING", outcome=None, holds_line=True, is_final=False)
        await browser.post("/system/hold", data={"reason": "Wrong script"}, headers=HTMX)
        dialog = await text_of(browser, "/system/hold")
        assert "Hang up live calls?" in dialog
        assert 'name="reason" value="Wrong script"' in dialog
        said = await browser.post("/system/hold", data={"reason": "Wrong script", "liveCalls": "hang-up"}, headers=HTMX)
        assert "0 live calls were asked to end; those that still ring are, as soon as they connect." in said.text
        assert len(await rows(database, "SELECT id FROM calls WHERE cancel_requested_at IS NOT NULL")) == 1


@pytest.mark.parametrize(("reason", "words"), [("x" * 201, "at most 200 characters"), ("a\x00b", "NUL")])
async def test_a_reason_that_cannot_be_kept_is_refused_and_nothing_is_held(
    database: Database, reason: str, words: str
) -> None:
    async with running_web(database) as web:
        browser = await sign_in(web)
        answer = await browser.post("/system/hold", data={"reason": reason}, headers=HTMX)
        assert answer.status_code == 400
        assert words in answer.text
        assert (await rows(database, "SELECT held_at FROM gate"))[0]["held_at"] is None


async def test_release_lifts_the_button_the_trouble_and_the_held_numbers(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        browser = await sign_in(web)
        await list_phone_numbers(web.runtime)
        await hold_gate(database, held_at=START, hold_reason="Lunch.", trouble=TROUBLE, trouble_at=START)
        await rows(
            database, "UPDATE phone_numbers SET hold_reason = 'Blocked.' WHERE id = %s RETURNING id", TWILIO_MAIN
        )
        page = await text_of(browser, "/system")
        assert "Pressed" in page
        assert TROUBLE in page
        assert "Nothing can be dialled from this phone number: Blocked." in page
        answer = await browser.post("/system/release", headers=HTMX)
        assert "Dialling goes on" in answer.text
        assert "Calls go out" in answer.text
        page = await text_of(browser, "/system")
        assert "Not pressed" in page
        assert "Blocked." not in page


@pytest.mark.parametrize(
    ("gate", "heading", "button"),
    [
        ({"trouble": TROUBLE, "trouble_at": START}, "The account cannot dial", "Mended: dial again"),
        ({"not_before": START + timedelta(seconds=90), "rest_reason": "Slower."}, "Dialling rests", "Do not wait"),
        ({"failures": 7, "opened_at": START}, "The provider keeps failing", "Do not wait"),
        ({"lowered_cap": 4, "lowered_at": START}, "Fewer lines than usual", None),
    ],
    ids=["trouble", "rest", "circuit", "lowered-cap"],
)
async def test_what_binds_the_account_is_said_in_words(
    database: Database, gate: dict[str, Any], heading: str, button: str | None
) -> None:
    async with running_web(database, clock=moved_clock()) as web:
        browser = await sign_in(web)
        await hold_gate(database, **gate)
        page = await text_of(browser, "/system")
        assert f">{heading}</h2>" in page
        buttons = re.findall(r'hx-post="/system/release"[^>]*>([^<]+)<', page)
        assert buttons == ([button] if button else [])


async def test_numbers_show_their_day_their_hold_and_how_busy_their_line_is(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        browser = await sign_in(web)
        await list_phone_numbers(web.runtime)
        first = await text_of(browser, "/system")
        assert "Not looked at yet" in first
        assert "10 of 10 calls left" in first
        looked = await text_of(browser, "/system/numbers")
        assert "Quiet" in looked
        assert "Not looked at yet" not in looked
        assert "Quiet" in await text_of(browser, "/system"), "what was seen is kept"


async def test_numbers_of_a_provider_that_does_not_answer_are_shown_all_the_same(database: Database) -> None:
    async with running_web(database) as web:
        browser = await sign_in(web)
        await rows(
            database,
            """INSERT INTO phone_numbers (id, provider, label, seen_at)
               VALUES ('n', 'twilio', '+12025550143', %s) RETURNING id""",
            START,
        )
        page = await text_of(browser, "/system/numbers")
        assert "+1 202-555-0143" in page
        assert "The provider cannot tell" in page


async def test_a_tick_can_be_asked_for_and_says_what_it_did(database: Database) -> None:
    async with running_web(database) as web:
        browser = await sign_in(web)
        assert "No tick yet" in await text_of(browser, "/system")
        answer = await browser.post("/system/tick", headers=HTMX)
        assert "The tick is done: there was nothing to place." in answer.text
        assert 'hx-target="#system-health"' in answer.text
        assert "Last tick" in await text_of(browser, "/system/health")


async def test_an_unsure_contact_is_left_and_that_is_taken_back(database: Database) -> None:
    async with running_web(database) as web:
        browser = await sign_in(web)
        campaign_id = await make_campaign(database, contacts=2, name="Spring")
        await change_campaign(database, campaign_id, status="RUNNING", started_at=START)
        call_id = await make_unsure(database, campaign_id)
        page = await text_of(browser, "/system")
        assert "Ada 0" in page
        assert "The request got no answer." in page
        assert f'href="/campaigns/{campaign_id}"' in page
        left = await browser.post(f"/system/unsure/{call_id}/leave", headers=HTMX)
        assert "Ada 0 is left as it is and not called again." in left.text
        assert f'hx-post="/system/unsure/{call_id}/reopen"' in left.text, "it can be undone"
        assert "Nothing waits for you." in left.text
        back = await browser.post(f"/system/unsure/{call_id}/reopen", headers=HTMX)
        assert "Ada 0 waits for your decision again." in back.text
        assert f'id="unsure-{call_id}"' in back.text
        noted = await rows(database, "SELECT details FROM audit_log WHERE action = 'unsure.decided' ORDER BY id")
        assert [row["details"]["decision"] for row in noted] == ["leave", "reopen"]


async def test_dialling_again_says_where_the_campaign_has_to_be_resumed_first(database: Database) -> None:
    async with running_web(database) as web:
        browser = await sign_in(web)
        campaign_id = await make_campaign(database, contacts=3, name="Spring")
        await change_campaign(database, campaign_id, status="PAUSED", started_at=START)
        first, second = await make_unsure(database, campaign_id, 0), await make_unsure(database, campaign_id, 1)
        said = await browser.post(f"/system/unsure/{first}/redial", headers=HTMX)
        assert "Ada 0 is due again. Spring does not run: resume it to call." in said.text
        again = await browser.post(f"/system/unsure/{first}/redial", headers=HTMX)
        assert again.status_code == 409
        assert "not waiting for a decision" in again.text
        await change_campaign(database, campaign_id, status="CANCELED")
        assert f"/system/unsure/{second}/redial" not in await text_of(browser, "/system"), (
            "a stopped campaign dials nobody"
        )
        for path in (f"/system/unsure/{second}/toss", "/system/unsure/x/leave", f"/system/unsure/{uuid4()}/leave"):
            assert (await browser.post(path, headers=HTMX)).status_code == 404


async def test_all_that_are_in_view_can_be_decided_at_once(database: Database) -> None:
    async with running_web(database) as web:
        browser = await sign_in(web)
        campaign_id = await make_campaign(database, contacts=30)
        await change_campaign(database, campaign_id, status="PAUSED", started_at=START)
        calls = [await make_unsure(database, campaign_id, position) for position in range(27)]
        assert "1 to 25 of 27 contacts" in await text_of(browser, "/system")
        assert "26 to 27 of 27 contacts" in await text_of(browser, "/system?unsure=2")
        dialog = await text_of(browser, "/system/unsure?decision=leave&page=1")
        assert "Leave 25 contacts as they are?" in dialog
        chosen = re.findall(r'name="call" value="([^"]+)"', dialog)
        assert chosen == [str(call_id) for call_id in calls[:25]]
        await browser.post(f"/system/unsure/{calls[0]}/leave", headers=HTMX)  # somebody was quicker
        form = {"decision": "leave", "page": "1", "call": chosen}
        answer = await browser.post("/system/unsure", data=form, headers=HTMX)
        assert "24 contacts are left as they are." in answer.text
        assert "1 to 2 of 2 contacts" in answer.text
        form = {"decision": "redial", "page": "2", "call": [str(call_id) for call_id in calls[25:]]}
        assert "2 contacts are due again." in (await browser.post("/system/unsure", data=form, headers=HTMX)).text
        assert (await browser.post("/system/unsure", data={"decision": "leave"}, headers=HTMX)).status_code == 400


async def test_all_are_decided_before_the_first_is_dialled(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url, is_function=True) as web:
        browser = await sign_in(web)
        campaign_id = await make_campaign(database, contacts=3, cap=3)
        await change_campaign(database, campaign_id, status="RUNNING", started_at=START, next_position=3)
        calls = [str(await make_unsure(database, campaign_id, position)) for position in range(3)]
        form = {"decision": "redial", "page": "1", "call": calls}
        assert "3 contacts are due again." in (await browser.post("/system/unsure", data=form, headers=HTMX)).text
        assert (await sim.summary())["dials"] == 1, "a function launches one call before its answer, not one for each"


async def test_incidents_are_told_in_words_by_kind_and_page(database: Database) -> None:
    async with running_web(database) as web:
        browser = await sign_in(web)
        campaign_id = await make_campaign(database, contacts=1, name="Spring & <b>")
        for number in range(30):
            kind, about = ("cap_overrun", campaign_id) if number % 2 else ("dead_letter", None)
            at = START + timedelta(minutes=number)
            await add_incident(database, kind, f"Incident {number}.", at=at, campaign_id=about)
        first = await text_of(browser, "/system")
        assert first.index("Incident 29.") < first.index("Incident 28.")
        assert "Over the cap" in first
        assert "Webhook given up" in first
        assert "Spring &amp; &lt;b&gt;</a>" in first
        assert "1 to 25 of 30 incidents" in first
        assert "26 to 30 of 30 incidents" in await text_of(browser, "/system?incidents=2")
        one_kind = await text_of(browser, "/system?kind=dead_letter")
        assert "1 to 15 of 15 incidents" in one_kind
        assert "Incident 29." not in one_kind
        assert "No incident of this kind." in await text_of(browser, "/system?kind=double_dial")
        assert "1 to 25 of 30" in await text_of(browser, "/system?kind=nonsense&incidents=-4&unsure=x")


async def test_what_happens_reaches_an_open_page(database: Database) -> None:
    async with running_web(database, INBOUND_RESERVE=0) as web:
        campaign_id = await make_campaign(database, contacts=1)
        stamp = re.search(
            r'hx-sse:connect="/live\?view=system&amp;stamp=(\w+)"', await text_of(await sign_in(web), "/system")
        )
        assert stamp
        async with streaming(web, f"/live?view=system&stamp={stamp[1]}") as stream:
            assert "0 of 12 lines are in use" in await until(stream, "#system-state")
            await add_call(database, campaign_id, 0, status="RINGING", outcome=None, holds_line=True, is_final=False)
            assert "1 of 12 lines are in use" in await until(stream, "#system-state")
            await add_incident(database, "dead_letter", "A webhook was given up.")
            await until(stream, "event: stale")


async def test_what_a_person_gives_as_a_reason_becomes_a_sentence() -> None:
    rules = PacingRules(account_room=9, launch_per_second=1, breaker_threshold=3)
    for reason, words in {"Lunch": "Lunch. R", "Lunch.": "Lunch. R", "Why?": "Why? R"}.items():
        account = Account(held_at=START, hold_reason=reason)
        said = account_sentence(account, rules, Room(lines=0, bound_by="hold"), START)
        assert said.startswith(f"Dialling is held: {words}")
