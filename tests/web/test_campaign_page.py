"""The page of one campaign: contacts that hold in the address, events, figures, changes, decisions, follow-ups."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from autolynx.store.database import Database
from autolynx.web.pages.contact_wish import OUTCOMES, SORTS, STATUSES
from tests.support.campaign_rows import START, add_call, add_event, change_campaign, change_contact, make_campaign
from tests.support.signed_in import HTMX, sign_in, words_of
from tests.support.sim import running_sim
from tests.support.web import moved_clock, rows, running_web

pytestmark = pytest.mark.anyio


def names(page: str) -> list[str]:
    return re.findall(r'<td class="who"><(?:a|b) [^>]*title="([^"]*)"', page)


async def test_search_filters_sort_and_page_hold_in_the_address(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=120, name="Spring")
    for position in range(60):
        outcome = "busy" if position % 2 else "answered"
        at = START + timedelta(minutes=position)
        await add_call(database, campaign_id, position, outcome=outcome, claimed_at=at, success_evaluation=True)
    path = f"/campaigns/{campaign_id}"
    async with running_web(database) as web:
        browser = await sign_in(web)
        busy = words_of(await browser.get(path, params={"outcome": "busy", "sort": "latest"}))
        assert names(busy) == [f"Ada {position}" for position in range(59, 0, -2)]
        assert '<option value="busy" selected>Busy</option>' in busy
        assert f'href="/api{path}/export.csv?outcome=busy"' in busy
        assert f'hx-get="{path}/follow-up?outcome=busy"' in busy
        second = words_of(await browser.get(path, params={"page": "2", "sort": "reverse"}))
        assert names(second) == [f"Ada {position}" for position in range(69, 19, -1)]
        assert "51 to 100 of 120 contacts" in second
        assert f'href="{path}?sort=reverse&amp;page=3"' in second
        assert names(words_of(await browser.get(path, params={"q": "ada 11", "success": "yes"}))) == ["Ada 11"]
        assert len(names(words_of(await browser.get(path, params={"status": "NOT_CALLED", "q": "Ada 6"})))) == 10
        nobody = words_of(await browser.get(path, params={"q": "zzz"}))
        assert "No contact matches." in nobody
        odd = {"status": "odd", "outcome": "odd", "success": "odd", "sort": "odd", "page": "odd"}
        assert names(words_of(await browser.get(path, params=odd))) == [f"Ada {position}" for position in range(50)]


async def test_contacts_of_a_batch_are_chosen_and_the_order_by_cost_holds_in_the_address(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=7, name="Spring", mode="batch", cap=3)
    path = f"/campaigns/{campaign_id}"
    async with running_web(database) as web:
        browser = await sign_in(web)
        assert 'name="batch"' not in words_of(await browser.get(path)), "batches follow from the cap at Start"
        await browser.post(f"{path}/start", headers=HTMX)
        await browser.post(f"{path}/pause", headers=HTMX)
        page = words_of(await browser.get(path, params={"batch": "2"}))
        assert names(page) == ["Ada 3", "Ada 4", "Ada 5"]
        assert 'name="batch" min="1" max="3" step="1" inputmode="numeric" value="2"' in page
        assert f'href="/api{path}/export.csv?batch=1"' in page, "the API counts from 0"
        assert f'hx-get="{path}/follow-up?batch=2"' in page
        for odd in ("0", "-1", "x", "99999999999"):
            assert len(names(words_of(await browser.get(path, params={"batch": odd})))) == 7
        await add_call(database, campaign_id, 4, attempt=2, cost_usd="0.50")
        dearest = words_of(await browser.get(path, params={"batch": "2", "sort": "dearest"}))
        assert names(dearest) == ["Ada 4", "Ada 3", "Ada 5"]
        assert '<option value="dearest" selected>Highest cost first</option>' in dearest


async def test_every_state_and_outcome_can_be_chosen(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=1)
    async with running_web(database) as web:
        browser = await sign_in(web)
        chosen = [{"status": key} for key in STATUSES] + [{"outcome": key} for key in OUTCOMES]
        for query in chosen + [{"sort": key, "outcome": "busy"} for key in SORTS]:
            words_of(await browser.get(f"/campaigns/{campaign_id}", params=query))


async def test_a_queued_campaign_says_that_it_waits_for_the_first_accepted_call(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=1)
    async with running_web(database, clock=moved_clock()) as web:
        browser = await sign_in(web)
        path = f"/campaigns/{campaign_id}"
        assert "Not started" in words_of(await browser.get(path))
        await change_campaign(database, campaign_id, status="QUEUED", queued_at=START)
        assert "Waiting for the first accepted call" in words_of(await browser.get(path))
        await change_campaign(database, campaign_id, status="DIALING", started_at=START)
        page = words_of(await browser.get(path))
        assert "Waiting for the first accepted call" not in page
        assert re.search(r'<li class="done"><i aria-hidden="true"></i>Started <time', page)


async def test_the_phone_line_is_asked_beside_the_page_and_never_before_it(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        campaign_id = await make_campaign(database, contacts=1)
        browser = await sign_in(web)
        assert "Phone line: looking" in words_of(await browser.get(f"/campaigns/{campaign_id}"))
        asked = words_of(await browser.get(f"/campaigns/{campaign_id}/phone-line", headers=HTMX))
        assert "line-is-healthy" in asked
        assert "free" in asked
        assert "line-is-healthy" in words_of(await browser.get(f"/campaigns/{campaign_id}"))
    async with running_web(database) as web:
        browser = await sign_in(web)
        asked = words_of(await browser.get(f"/campaigns/{campaign_id}/phone-line", headers=HTMX))
        assert "the provider cannot say" in asked


async def test_the_history_is_read_backwards_and_by_kind(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=1)
    call_id = await add_call(database, campaign_id, 0)
    ids = [await add_event(database, campaign_id, call_id) for _ in range(52)]
    path = f"/campaigns/{campaign_id}/events"
    async with running_web(database) as web:
        browser = await sign_in(web)
        first = words_of(await browser.get(path))
        assert re.findall(r'<tr id="event-(\d+)"', first) == [str(one) for one in ids[:1:-1]]
        assert "The provider says it is over." in first
        older = re.search(r'rel="next" href="([^"]+)"', first)
        assert older
        second = words_of(await browser.get(older[1].replace("&amp;", "&")))
        assert re.findall(r'<tr id="event-(\d+)"', second) == [str(ids[1]), str(ids[0])]
        assert "Nothing of the kind has happened" in words_of(await browser.get(path, params={"kind": "decided"}))
        assert 'value="" checked' in words_of(await browser.get(path, params={"kind": "odd", "before": "odd"}))


async def test_the_figures_tell_outcomes_and_when_the_calls_were_made(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=4)
    async with running_web(database) as web:
        browser = await sign_in(web)
        path = f"/campaigns/{campaign_id}/analytics"
        assert "There are no figures yet" in words_of(await browser.get(path))
        for position, outcome in enumerate(("answered", "answered", "busy", "refused")):
            at = START + timedelta(hours=5 * position)
            await add_call(database, campaign_id, position, outcome=outcome, claimed_at=at)
        page = words_of(await browser.get(path))
    assert "Calls per hour" in page
    shares = re.findall(r'<tr id="outcome-(\w+)">.*?<td class="number">(\d+)</td><td class="number soft">(\d+) %', page)
    assert shares == [("answered", "2", "50"), ("busy", "1", "25"), ("refused", "1", "25")]
    assert page.count("<b>1</b><svg") == 4


async def test_name_and_cap_are_changed_and_what_is_refused_stays_in_the_form(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=1, name="Spring")
    await make_campaign(database, contacts=1, name="Autumn", first=10)
    path = f"/campaigns/{campaign_id}/edit"
    async with running_web(database) as web:
        browser = await sign_in(web)
        assert 'value="Spring"' in words_of(await browser.get(path, headers=HTMX))
        for cap in ("51", "many", ""):
            refused = words_of(await browser.post(path, data={"name": "Summer", "cap": cap}, headers=HTMX), 400)
            assert 'value="Summer"' in refused
            assert 'id="edit-cap-problem" role="alert"' in refused
        taken = words_of(await browser.post(path, data={"name": "autumn", "cap": "3"}, headers=HTMX), 409)
        assert "A campaign of that name exists already" in taken
        assert 'data-fills="edit-name" data-value="autumn 2"' in taken
        done = words_of(await browser.post(path, data={"name": "Summer", "cap": "3"}, headers=HTMX))
        assert "Saved. Up to 3 calls at once from now on." in done
        assert f'hx-target="#campaign-{campaign_id}"' in done
        assert 'hx-target="#campaign-head"' in done
    (row,) = await rows(database, "SELECT name, cap FROM campaigns WHERE id = %s", campaign_id)
    assert (row["name"], row["cap"]) == ("Summer", 3)


async def test_a_campaign_is_deleted_only_when_no_call_of_it_is_live(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=2)
    live = {"status": "RINGING", "outcome": None, "holds_line": True, "is_final": False}
    call_id = await add_call(database, campaign_id, 0, **live)
    path = f"/campaigns/{campaign_id}/delete"
    async with running_web(database) as web:
        browser = await sign_in(web)
        assert "1 of its calls is still live" in words_of(await browser.get(path, headers=HTMX))
        assert (await browser.post(path, headers=HTMX)).status_code == 409
        ended = "UPDATE calls SET status = 'ENDED', outcome = 'busy', holds_line = false WHERE id = %s RETURNING id"
        await rows(database, ended, call_id)
        assert "You can take it back right after" in words_of(await browser.get(path, headers=HTMX))
        deleted = await browser.post(path, headers=HTMX)
        assert (deleted.status_code, deleted.headers["hx-trigger"]) == (200, "gone")
        assert f'hx-post="/campaigns/{campaign_id}/restore"' in words_of(deleted)
        assert (await browser.get(f"/campaigns/{campaign_id}")).status_code == 404


async def test_a_deletion_is_taken_back_for_ten_minutes_and_calls_nobody_by_that(database: Database) -> None:
    clock = moved_clock()
    campaign_id = await make_campaign(database, contacts=2, name="Spring")
    await change_campaign(database, campaign_id, status="RUNNING", started_at=START)
    path = f"/campaigns/{campaign_id}"
    async with running_web(database, clock=clock) as web:
        browser = await sign_in(web)
        await browser.post(f"{path}/delete", headers=HTMX)
        await make_campaign(database, contacts=1, name="spring", first=10)
        assert "Spring 2 is back." in words_of(await browser.post(f"{path}/restore", headers=HTMX))
        assert (await browser.post(f"{path}/restore", headers=HTMX)).status_code == 404, "it is there"
        (row,) = await rows(database, "SELECT name, status::text FROM campaigns WHERE id = %s", campaign_id)
        assert row == {"name": "Spring 2", "status": "PAUSED"}
        await browser.post(f"{path}/delete", headers=HTMX)
        clock.move(601)
        assert (await browser.post(f"{path}/restore", headers=HTMX)).status_code == 404


async def test_a_deleted_follow_up_stays_deleted_where_another_one_calls_its_people_by_now(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        campaign_id = await make_campaign(database, contacts=1, name="Spring")
        await add_call(database, campaign_id, 0, outcome="busy")
        await change_contact(database, campaign_id, 0, state="done")
        await change_campaign(database, campaign_id, status="COMPLETED", started_at=START, completed_at=START)
        browser = await sign_in(web)
        path = f"/campaigns/{campaign_id}/follow-up?outcome=busy"
        first = (await browser.post(path, data={"name": "First"}, headers=HTMX)).headers["hx-redirect"]
        assert (await browser.post(f"{first}/delete", headers=HTMX)).status_code == 200
        second = (await browser.post(path, data={"name": "Second"}, headers=HTMX)).headers["hx-redirect"]
        refused = words_of(await browser.post(f"{first}/restore", headers=HTMX), 409)
        assert "Another follow-up calls some of these people by now" in refused
        await browser.post(f"{second}/delete", headers=HTMX)
        assert "First is back." in words_of(await browser.post(f"{first}/restore", headers=HTMX))


async def unsure(database: Database, campaign_id: UUID, position: int) -> UUID:
    await change_contact(database, campaign_id, position, state="unsure", reason="Nobody can say.")
    doubt = {"status": "TIMEOUT", "outcome": "unsure", "is_final": False, "unsure_at": START, "reason": "No answer."}
    return await add_call(database, campaign_id, position, **doubt)


async def test_unsure_contacts_of_this_campaign_are_decided_here_and_a_decision_to_leave_can_be_undone(
    database: Database,
) -> None:
    campaign_id = await make_campaign(database, contacts=2, name="Spring")
    other = await make_campaign(database, contacts=1, name="Other", first=10)
    first, second = [await unsure(database, campaign_id, position) for position in (0, 1)]
    await unsure(database, other, 0)
    for one in (campaign_id, other):
        await change_campaign(database, one, status="PAUSED", started_at=START, next_position=2)
    path = f"/campaigns/{campaign_id}"
    async with running_web(database) as web:
        browser = await sign_in(web)
        page = words_of(await browser.get(path))
        assert "2 contacts need your decision" in page
        assert page.count('<li id="unsure-') == 2
        left = words_of(await browser.post(f"{path}/unsure/{first}", data={"decision": "leave"}, headers=HTMX))
        assert "1 contact needs your decision" in left
        assert "Undo" in left
        back = words_of(await browser.post(f"{path}/unsure/{first}", data={"decision": "reopen"}, headers=HTMX))
        assert "2 contacts need your decision" in back
        again = words_of(await browser.post(f"{path}/unsure/{second}", data={"decision": "redial"}, headers=HTMX))
        assert "Ada 1 is due again. Spring does not run: resume it to call." in again
        assert (
            await browser.post(f"{path}/unsure/{second}", data={"decision": "leave"}, headers=HTMX)
        ).status_code == 409
        assert (await browser.post(f"{path}/unsure/{first}", data={"decision": "x"}, headers=HTMX)).status_code == 400
        assert "unsure" in words_of(await browser.get(f"{path}/unsure", headers=HTMX))
    states = await rows(database, "SELECT state FROM contacts WHERE campaign_id = %s ORDER BY position", campaign_id)
    assert [row["state"] for row in states] == ["unsure", "due"]


async def test_dialling_again_in_a_paused_campaign_says_that_it_has_to_be_resumed(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=2, name="Spring")
    call_id = await unsure(database, campaign_id, 0)
    await change_campaign(database, campaign_id, status="PAUSED", started_at=START, next_position=1)
    async with running_web(database) as web:
        browser = await sign_in(web)
        path = f"/campaigns/{campaign_id}/unsure/{call_id}"
        said = words_of(await browser.post(path, data={"decision": "redial"}, headers=HTMX))
        assert "Ada 0 is due again. Spring does not run: resume it to call." in said


async def test_options_are_changed_while_a_campaign_goes_on_and_only_what_changed_is_on_record(
    database: Database,
) -> None:
    campaign_id = await make_campaign(database, contacts=1, name="Spring", options='{"pauseOnFailures": true}')
    await change_campaign(database, campaign_id, status="PAUSED", queued_at=START)
    path = f"/campaigns/{campaign_id}/edit"
    typed = {"name": "Spring", "cap": "8", "options": "shown", "attempts": "3", "minutes": "90", "watch": "on"}
    async with running_web(database) as web:
        browser = await sign_in(web)
        shown = words_of(await browser.get(path, headers=HTMX))
        assert 'name="watch" value="on" checked' in shown
        assert 'name="quiet" value="on">' in shown
        for field, value, sentence in (("attempts", "11", "Must be from 1 to 10."), ("minutes", "x", "to 10,080.")):
            refused = words_of(await browser.post(path, data={**typed, field: value}, headers=HTMX), 400)
            assert sentence in refused
            assert f'id="edit-{field}-problem" role="alert"' in refused
        assert "Saved." in words_of(await browser.post(path, data=typed, headers=HTMX))
        await change_campaign(database, campaign_id, status="COMPLETED", started_at=START, completed_at=START)
        assert 'name="attempts"' not in words_of(await browser.get(path, headers=HTMX))
        late = words_of(await browser.post(path, data={**typed, "attempts": "2"}, headers=HTMX), 409)
        assert "The campaign is COMPLETED, nobody is called in it any more." in late
        assert "Saved." in words_of(await browser.post(path, data={**typed, "name": "Done"}, headers=HTMX))
    (row,) = await rows(database, "SELECT name, options_json FROM campaigns")
    assert row["options_json"] == {"pauseOnFailures": True, "maxAttempts": 3, "retryAfterMinutes": 90}
    edits = await rows(database, "SELECT details FROM audit_log WHERE action = 'campaign.edited' ORDER BY id")
    assert [edit["details"]["fields"] for edit in edits] == [
        ["cap", "maxAttempts", "name", "retryAfterMinutes"],
        ["cap", "name"],
    ]


async def test_calls_at_once_are_stepped_beside_the_cap(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=1, name="Spring", cap=49)
    path = f"/campaigns/{campaign_id}"
    async with running_web(database) as web:
        browser = await sign_in(web)
        page = words_of(await browser.get(path))
        assert """hx-vals='{"cap": "48"}'""" in page
        more = words_of(await browser.post(f"{path}/cap", data={"cap": "50"}, headers=HTMX))
        assert "up to 50 at once" in more
        assert 'disabled aria-label="More calls at once"' in more
        for cap in ("51", "0", "many", ""):
            answer = await browser.post(f"{path}/cap", data={"cap": cap}, headers=HTMX)
            assert "Must be from 1 to 50." in words_of(answer, 400)
        await change_campaign(database, campaign_id, status="CANCELED")
        assert "/cap" not in words_of(await browser.get(path)), "nobody is called in it any more"


@pytest.mark.parametrize("canary", ["", "abc", "-1", "2.5", "123456", "0", "101"])
async def test_a_canary_that_is_no_number_of_contacts_starts_nothing(database: Database, canary: str) -> None:
    campaign_id = await make_campaign(database, contacts=2, name="Spring")
    async with running_web(database) as web:
        browser = await sign_in(web)
        typed = {"begin": "canary", "canary": canary}
        answer = await browser.post(f"/campaigns/{campaign_id}/start", data=typed, headers=HTMX)
        assert "Must be from 1 to 100." in words_of(answer, 400)
    assert await rows(database, "SELECT status::text FROM campaigns") == [{"status": "CREATED"}]


async def test_a_follow_up_is_made_of_what_the_list_shows(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        campaign_id = await make_campaign(database, contacts=4, name="Spring")
        for position, outcome in enumerate(("busy", "answered", "busy", "no_answer")):
            await add_call(database, campaign_id, position, outcome=outcome)
            await change_contact(database, campaign_id, position, state="done")
        await change_campaign(database, campaign_id, status="COMPLETED", started_at=START, completed_at=START)
        browser = await sign_in(web)
        path = f"/campaigns/{campaign_id}"
        page = words_of(await browser.get(path))
        assert "Call 3 not reached" in page
        assert "Call 3 contacts once more?" in words_of(await browser.get(f"{path}/follow-up?missed=yes", headers=HTMX))
        asked = words_of(await browser.get(f"{path}/follow-up?outcome=busy", headers=HTMX))
        assert "Call 2 contacts once more?" in asked
        assert f'hx-post="{path}/follow-up?outcome=busy"' in asked
        assert 'value="Spring follow-up"' in asked
        made = await browser.post(f"{path}/follow-up?outcome=busy", data={"name": "Again"}, headers=HTMX)
        assert made.status_code == 200, made.text
        new_page = words_of(await browser.get(made.headers["hx-redirect"]))
        assert names(new_page) == ["Ada 0", "Ada 2"]
        again = await browser.post(f"{path}/follow-up?outcome=no_answer", data={"name": "again"}, headers=HTMX)
        taken = words_of(again, 409)
        assert 'value="again"' in taken
        assert "A campaign of that name exists already" in taken
        assert 'data-fills="follow-up-name" data-value="again 2"' in taken
        none = words_of(await browser.get(f"{path}/follow-up?outcome=refused", headers=HTMX))
        assert "Nobody would be called" in none
        assert 'name="name"' in none, "it may be named before the box lets somebody come along"
        assert "Takes about" in asked
        assert "May cost" in asked


TALK = {
    "messages": [{"role": "bot", "message": "<b>Hello</b>", "secondsFromStart": 65}, {"role": "user", "message": "Hi."}]
}


async def test_the_drawer_shows_a_call_in_full_and_never_as_markup(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=1)
    await change_contact(database, campaign_id, 0, name="<i>Ada</i>")
    facts: dict[str, Any] = {
        "provider_call_id": "theirs",
        "control_url": "https://control.example.com/very-secret",
        "recording_url": "https://storage.example.com/x.wav",
        "transcript_json": {"messages": TALK},
        "summary": "They <u>talked</u>.",
        "success_raw": "8",
        "success_evaluation": True,
        "ended_reason": "customer-ended-call",
        "cost_usd": "0.1234",
        "cost_breakdown": {"model": 0.1, "voice": 0.0234},
        "started_at": START,
        "ended_at": START + timedelta(seconds=90),
    }
    earlier = await add_call(database, campaign_id, 0, outcome="busy")
    call_id = await add_call(database, campaign_id, 0, attempt=2, **facts)
    await add_event(database, campaign_id, call_id)
    async with running_web(database) as web:
        browser = await sign_in(web)
        drawer = words_of(await browser.get(f"/calls/{call_id}/drawer", headers=HTMX))
        page = await browser.get(f"/calls/{call_id}")
        assert (page.status_code, page.headers["location"]) == (303, f"/campaigns/{campaign_id}?call={call_id}")
        for path in (f"/calls/{uuid4()}/drawer", "/calls/nonsense/drawer"):
            assert (await browser.get(path, headers=HTMX)).status_code == 404
    for shown in (
        *(
            "&lt;i&gt;Ada&lt;/i&gt;",
            "&lt;b&gt;Hello&lt;/b&gt;",
            "They &lt;u&gt;talked&lt;/u&gt;.",
            "1 min 30 s",
            "1:05",
        ),
        *(
            "The contact hung up.",
            "Success (8)",
            "Language model",
            "$0.1000",
            "$0.1234",
            "The provider says it is over.",
        ),
        f'<audio id="call-audio" controls preload="none" src="/api/calls/{call_id}/recording"',
        f'hx-get="/calls/{earlier}/drawer"',
    ):
        assert shown in drawer
    assert "secret" not in drawer
    assert "storage.example.com" not in drawer
    assert "every 5s" not in drawer


async def test_the_drawer_of_a_live_call_looks_again_and_promises_nothing(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=1)
    live = {"status": "IN_PROGRESS", "outcome": None, "holds_line": True, "is_final": False, "started_at": START}
    call_id = await add_call(database, campaign_id, 0, **live, cancel_requested_at=START)
    async with running_web(database) as web:
        browser = await sign_in(web)
        drawer = words_of(await browser.get(f"/calls/{call_id}/drawer", headers=HTMX))
    assert ", every 5s" in drawer
    assert "A person asked for its end." in drawer
    assert "The provider sends what was said when the call is over." in drawer


async def test_an_admin_sees_what_the_provider_sent(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=1)
    call_id = await add_call(database, campaign_id, 0, provider_call_id="theirs")
    kept = """INSERT INTO webhook_inbox (provider_call_id, type, status, state, body, received_at)
        VALUES ('theirs', 'end-of-call-report', '', 'settled', '{"said": "<b>Grüße</b>"}', %s) RETURNING id"""
    await rows(database, kept, START)
    async with running_web(database) as web:
        browser = await sign_in(web)
        shown = words_of(await browser.get(f"/calls/{call_id}/payloads", headers=HTMX))
    assert "end-of-call-report" in shown
    assert "&lt;b&gt;Grüße&lt;/b&gt;" in shown


async def test_the_drawer_says_that_a_recording_could_not_be_copied(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=1)
    there = {"provider_call_id": str(uuid4()), "recording_url": "https://storage.example.test/x.wav"}
    call_id = await add_call(database, campaign_id, 0, **there)
    given_up = """INSERT INTO call_recordings (call_id, state) VALUES (%s, 'given_up')
        ON CONFLICT (call_id) DO UPDATE SET state = 'given_up', due_at = NULL RETURNING call_id"""
    async with running_web(database) as web:
        browser = await sign_in(web)
        assert "could not be copied" not in words_of(await browser.get(f"/calls/{call_id}/drawer", headers=HTMX))
        await rows(database, given_up, call_id)
        drawer = words_of(await browser.get(f"/calls/{call_id}/drawer", headers=HTMX))
    assert "It could not be copied, and that is not tried again." in drawer
