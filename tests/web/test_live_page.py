"""The live page: who may see it, what it shows, and that it keeps to its content policy."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from autolynx.domain.metrics import Counters
from autolynx.flows.sessions import issue_ticket
from autolynx.store.database import Database
from autolynx.web.auth import SESSION_COOKIE
from autolynx.web.pages.words import ago, grouped, money, share, span
from tests.support.campaign_rows import START, add_call, change_campaign, change_contact, make_campaign
from tests.support.signed_in import a_person
from tests.support.web import Web, moved_clock, rows, running_web

ENTER = "/enter"


async def enter(web: Web, **query: str) -> httpx.Response:
    ticket = await issue_ticket(web.runtime, await a_person(web.runtime))
    return await web.stranger.get(ENTER, params={"ticket": ticket.secret, **query})


async def looked_at(web: Web, path: str) -> str:
    """Sign in and return the page without its white space."""
    await enter(web)
    answer = await web.stranger.get(path)
    assert answer.status_code == 200, answer.text
    return " ".join(answer.text.split())


@pytest.mark.anyio
async def test_a_stranger_is_told_how_to_get_a_link(database: Database) -> None:
    async with running_web(database) as web:
        for path in ("/", "/campaigns/0b6bb0a4-0000-4000-8000-000000000000"):
            answer = await web.stranger.get(path, headers={"Accept": "text/html"})
            assert answer.status_code == 303
            door = await web.stranger.get(answer.headers["Location"])
            assert door.status_code == 200
            assert "autolynx link" in door.text
            assert (path == "/") is (f'name="next" value="{path}"' not in door.text)


@pytest.mark.anyio
async def test_a_ticket_opens_one_session_and_is_spent_by_it(database: Database) -> None:
    async with running_web(database) as web:
        ticket = await issue_ticket(web.runtime, await a_person(web.runtime))
        first = await web.stranger.get(ENTER, params={"ticket": ticket.secret})
        assert first.status_code == 303
        assert first.headers["location"] == "/"
        cookie = first.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "samesite=lax" in cookie.lower()
        assert (await web.stranger.get("/")).status_code == 200
        web.stranger.cookies.clear()
        second = await web.stranger.get(ENTER, params={"ticket": ticket.secret})
        assert second.status_code == 401
        assert "set-cookie" not in second.headers
        assert "This link does not work any more" in second.text
        assert len(await rows(database, "SELECT id FROM api_tokens WHERE kind = 'session'")) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("place", ["https://evil.example", "//evil.example", "../../api/docs", ""])
async def test_signing_in_leads_nowhere_but_to_pages_of_ours(database: Database, place: str) -> None:
    async with running_web(database) as web:
        assert (await enter(web, campaign=place)).headers["location"] == "/"


@pytest.mark.anyio
async def test_signing_in_may_lead_to_a_campaign(database: Database) -> None:
    async with running_web(database) as web:
        campaign_id = await make_campaign(database, contacts=1)
        answer = await enter(web, campaign=str(campaign_id))
        assert answer.headers["location"] == f"/campaigns/{campaign_id}"
        assert (await web.stranger.get(answer.headers["location"])).status_code == 200


@pytest.mark.anyio
async def test_the_list_shows_campaigns_and_an_empty_one_says_how_to_begin(database: Database) -> None:
    async with running_web(database) as web:
        assert "Call your first list" in await looked_at(web, "/")
        campaign_id = await make_campaign(database, contacts=4, name="Spring & <b>more</b>")
        page = await looked_at(web, "/")
        assert "Spring &amp; &lt;b&gt;more&lt;/b&gt;" in page
        assert f'hx-post="/campaigns/{campaign_id}/start"' in page
        assert "Call your first list" not in page


@pytest.mark.anyio
async def test_a_campaign_shows_its_figures_and_latest_calls(database: Database) -> None:
    clock = moved_clock()
    async with running_web(database, clock=clock) as web:
        campaign_id = await make_campaign(database, contacts=4, name="Spring")
        await change_campaign(database, campaign_id, status="RUNNING", started_at=START)
        for position, values in enumerate(CALLS):
            await change_contact(database, campaign_id, position, state="done")
            await add_call(database, campaign_id, position, **values)
        clock.move(90)
        page = await looked_at(web, f"/campaigns/{campaign_id}")
    assert "<strong>50<small>%</small></strong> <span>2 of 4 contacts done</span>" in page
    assert "<dt>Success rate</dt><dd>100 %</dd>" in page
    assert "<dt>Cost</dt><dd>$1.25</dd>" in page
    assert "<dt>Time left</dt><dd>1 min 30 s</dd>" in page
    assert re.search(r"Ada 1</a>.*Ada 0</a>", page), "the latest call comes first"
    assert "no answer" in page
    assert "45 s" in page


CALLS: list[dict[str, Any]] = [
    {
        "cost_usd": Decimal("1.25"),
        "started_at": START,
        "ended_at": START + timedelta(seconds=45),
        "success_evaluation": True,
    },
    {"outcome": "no_answer", "claimed_at": START + timedelta(seconds=10)},
]


@pytest.mark.anyio
@pytest.mark.parametrize("due", [True, False])
async def test_a_completed_campaign_offers_resume_only_where_somebody_is_due_again(
    database: Database, due: bool
) -> None:
    async with running_web(database) as web:
        campaign_id = await make_campaign(database, contacts=1)
        await change_contact(database, campaign_id, 0, state="due" if due else "done")
        await change_campaign(database, campaign_id, status="COMPLETED", started_at=START, completed_at=START)
        page = await looked_at(web, f"/campaigns/{campaign_id}")
    assert ("1 contact is due again" in page) == due
    assert (f'hx-post="/campaigns/{campaign_id}/resume"' in page) == due


@pytest.mark.anyio
async def test_all_contacts_are_paged_in_the_order_of_the_file(database: Database) -> None:
    async with running_web(database) as web:
        campaign_id = await make_campaign(database, contacts=51)
        first = await looked_at(web, f"/campaigns/{campaign_id}?page=1")
        assert first.count('<tr id="row-') == 50
        assert "1 to 50 of 51 contacts" in first
        second = await looked_at(web, f"/campaigns/{campaign_id}?page=2")
        assert second.count('<tr id="row-') == 1
        assert "Ada 50</b>" in second


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["nonsense", "0b6bb0a4-0000-4000-8000-000000000000"])
async def test_an_unknown_campaign_is_said_to_be_unknown(database: Database, path: str) -> None:
    async with running_web(database) as web:
        await enter(web)
        answer = await web.stranger.get(f"/campaigns/{path}")
        assert answer.status_code == 404
        assert "There is no campaign of that id." in answer.text


@pytest.mark.anyio
@pytest.mark.parametrize("page", ["-1", "x", "99999999999999999999"])
async def test_an_odd_page_number_does_no_harm(database: Database, page: str) -> None:
    async with running_web(database) as web:
        campaign_id = await make_campaign(database, contacts=1)
        await enter(web)
        for path in ("/", f"/campaigns/{campaign_id}"):
            assert (await web.stranger.get(path, params={"page": page})).status_code == 200


@pytest.mark.anyio
async def test_pages_keep_to_their_content_policy_and_are_never_kept(database: Database) -> None:
    async with running_web(database) as web:
        campaign_id = await make_campaign(database, contacts=2)
        await enter(web)
        for path in ("/", f"/campaigns/{campaign_id}"):
            answer = await web.stranger.get(path)
            assert answer.headers["cache-control"] == "no-store"
            assert "script-src 'self'" in answer.headers["content-security-policy"]
            assert not re.search(r"\sstyle=|\son\w+=|<script(?! src)|<style|https?://", answer.text)


@pytest.mark.anyio
async def test_the_token_of_the_page_lets_its_buttons_work(database: Database) -> None:
    async with running_web(database) as web:
        campaign_id = await make_campaign(database, contacts=1)
        await change_campaign(database, campaign_id, status="RUNNING", started_at=START)
        page = await looked_at(web, f"/campaigns/{campaign_id}")
        path = f"/api/campaigns/{campaign_id}/pause"
        assert (await web.stranger.post(path, json={})).status_code == 403
        token = re.search(r'name="csrf-token" content="([^"]+)"', page)
        assert token
        assert (await web.stranger.post(path, json={}, headers={"X-CSRF-Token": token[1]})).status_code == 200
        assert 'class="badge badge-paused"' in await looked_at(web, f"/campaigns/{campaign_id}")


@pytest.mark.anyio
async def test_a_function_polls_and_a_server_streams(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=1)
    async with running_web(database) as web:
        page = await looked_at(web, f"/campaigns/{campaign_id}")
        assert f'hx-sse:connect="/live?view=campaign&amp;campaigns={campaign_id}' in page
        assert "every 2s" not in page
    async with running_web(database, is_function=True) as web:
        page = await looked_at(web, f"/campaigns/{campaign_id}")
    assert "hx-sse:connect" not in page
    assert 'hx-trigger="refresh, every 2s"' in page


@pytest.mark.anyio
async def test_a_page_that_has_not_changed_is_not_sent_again(database: Database) -> None:
    async with running_web(database, clock=moved_clock()) as web:
        campaign_id = await make_campaign(database, contacts=1)
        await enter(web)
        first = await web.stranger.get("/")
        known = {"If-None-Match": first.headers["ETag"]}
        again = await web.stranger.get("/", headers=known)
        assert (again.status_code, again.content) == (304, b"")
        await change_campaign(database, campaign_id, status="PAUSED")
        assert (await web.stranger.get("/", headers=known)).status_code == 200


@pytest.mark.anyio
async def test_the_page_says_why_nothing_is_dialled(database: Database) -> None:
    async with running_web(database) as web:
        campaign_id = await make_campaign(database, contacts=1)
        await change_campaign(database, campaign_id, status="RUNNING", started_at=START)
        await rows(database, "UPDATE gate SET held_at = now(), hold_reason = 'Wrong list.' RETURNING id")
        assert "Dialling is held: Wrong list." in await looked_at(web, f"/campaigns/{campaign_id}")


@pytest.mark.anyio
async def test_the_page_says_for_how_long_calls_rest_and_where_the_accounts_room_binds(database: Database) -> None:
    clock = moved_clock()
    async with running_web(database, clock=clock, ACCOUNT_CONCURRENCY_CAP=3) as web:
        campaign_id = await make_campaign(database, contacts=2)
        await change_campaign(database, campaign_id, status="RUNNING", started_at=START)
        await rows(
            database,
            "UPDATE gate SET not_before = %s, rest_reason = 'The provider is tired.' RETURNING id",
            clock.now() + timedelta(seconds=40),
        )
        page = await looked_at(web, f"/campaigns/{campaign_id}")
        until = (clock.now() + timedelta(seconds=40)).isoformat(timespec="seconds")
        said = "Dialling rests for a while: The provider is tired. That may change"
        assert f'{said} <time datetime="{until}" data-as="coming">' in page, "it ticks by itself"
        row = await looked_at(web, "/")
        assert f'>dialling rests, may change <time datetime="{until}" data-as="coming">' in row
        clock.move(41)
        assert "Dialling rests" not in await looked_at(web, f"/campaigns/{campaign_id}")
        await add_call(database, campaign_id, 0, status="RINGING", outcome=None, holds_line=True, is_final=False)
        assert "The account&#39;s only line is in use." in await looked_at(web, f"/campaigns/{campaign_id}")


@pytest.mark.anyio
async def test_the_cookie_is_no_use_under_another_name(database: Database) -> None:
    async with running_web(database) as web:
        await enter(web)
        secret = web.stranger.cookies[SESSION_COOKIE]
        web.stranger.cookies.clear()
        web.stranger.cookies.set("other", secret)
        assert (await web.stranger.get("/")).status_code == 401


def test_figures_read_as_people_say_them() -> None:
    assert [span(seconds) for seconds in (0, 59.4, 60, 200, 700, 7500)] == [
        "0 s",
        "59 s",
        "1 min",
        "3 min 20 s",
        "11 min",
        "2 h 5 min",
    ]
    assert [money(Decimal(text)) for text in ("0", "0.0546", "1234.5")] == ["$0.00", "$0.055", "$1,234.50"]
    assert [ago(seconds) for seconds in (0, 5, 65, 7200)] == ["now", "5 s ago", "1 min ago", "2 h ago"]
    assert share(0.5) == "50 %"
    assert share(Counters().success_rate) == "\N{EN DASH}"
    assert grouped("+12025550143") == "+1 202-555-0143"
    assert grouped("+1") == "+1"
    assert grouped("+99900000000012") == "number erased"
