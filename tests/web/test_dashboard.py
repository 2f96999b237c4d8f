"""The list of campaigns: found, filtered, sorted, paged, moved in place, and told live."""

import asyncio
import html
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from autolynx.flows.sessions import issue_ticket
from autolynx.store.database import Database
from autolynx.web.auth import SESSION_COOKIE
from autolynx.web.pages.contact_wish import ContactWish
from autolynx.web.pages.shared_work import SharedWork
from tests.support.campaign_rows import START, add_call, add_event, change_campaign, change_contact, make_campaign
from tests.support.signed_in import a_person
from tests.support.web import START as NOW
from tests.support.web import Web, listening, moved_clock, rows, running_web

pytestmark = pytest.mark.anyio
HTMX = {"HX-Request": "true"}


async def signed_in(web: Web) -> httpx.AsyncClient:
    """Return a browser's client that sends what the page's script sends."""
    ticket = await issue_ticket(web.runtime, await a_person(web.runtime))
    await web.stranger.get("/enter", params={"ticket": ticket.secret})
    page = await web.stranger.get("/")
    token = re.search(r'name="csrf-token" content="([^"]+)"', page.text)
    assert token
    web.stranger.headers["X-CSRF-Token"] = token[1]
    return web.stranger


def names(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200
    return re.findall(r'<td class="who"><a [^>]*title="([^"]*)"', answer.text)


async def test_campaigns_are_found_filtered_sorted_and_paged(database: Database) -> None:
    async with running_web(database) as web:
        browser = await signed_in(web)
        for number in range(27):
            campaign_id = await make_campaign(database, contacts=1, name=f"List {number:02}")
            await change_campaign(database, campaign_id, created_at=NOW + timedelta(minutes=number))
        await change_campaign(database, campaign_id, status="PAUSED")
        first = await browser.get("/")
        assert names(first)[:2] == ["List 26", "List 25"]
        assert "1 to 25 of 27 campaigns" in first.text
        assert names(await browser.get("/?page=2")) == ["List 01", "List 00"]
        assert names(await browser.get("/?state=paused")) == ["List 26"]
        assert names(await browser.get("/?q=LIST 03")) == ["List 03"]
        assert names(await browser.get("/?sort=oldest"))[0] == "List 00"
        assert "No campaign matches." in (await browser.get("/?q=nothing")).text
        odd = await browser.get("/?state=x&sort=y&page=-3")
        assert names(odd)[0] == "List 26"


async def test_an_address_keeps_what_was_chosen_when_somebody_turns_the_page(database: Database) -> None:
    async with running_web(database) as web:
        browser = await signed_in(web)
        for number in range(26):
            await make_campaign(database, contacts=1, name=f"A & b {number:02}")
        page = (await browser.get("/?q=a %26&sort=name")).text
        assert 'href="/?q=a+%26&amp;sort=name&amp;page=2"' in page


@pytest.mark.parametrize(("move", "status"), [("start", "QUEUED"), ("pause", "PAUSED"), ("resume", "RUNNING")])
async def test_a_campaign_is_moved_in_place(database: Database, move: str, status: str) -> None:
    before = {"start": "CREATED", "pause": "RUNNING", "resume": "PAUSED"}[move]
    async with running_web(database) as web:
        browser = await signed_in(web)
        campaign_id = await make_campaign(database, contacts=1, name="Spring")
        await change_campaign(database, campaign_id, status=before, started_at=START if before != "CREATED" else None)
        await rows(database, "UPDATE gate SET held_at = now() RETURNING id")  # nobody is dialled meanwhile
        answer = await browser.post(f"/campaigns/{campaign_id}/{move}", headers=HTMX)
        assert answer.status_code == 200
        assert f'hx-target="#campaign-{campaign_id}"' in answer.text
        assert 'hx-target="#toasts"' in answer.text
        (row,) = await rows(database, "SELECT status FROM campaigns")
        assert row["status"] == status


async def test_a_move_that_is_not_possible_is_said_at_the_edge_of_the_page(database: Database) -> None:
    async with running_web(database) as web:
        browser = await signed_in(web)
        campaign_id = await make_campaign(database, contacts=1)
        answer = await browser.post(f"/campaigns/{campaign_id}/pause", headers=HTMX)
        assert answer.status_code == 409
        assert 'class="toast bad"' in answer.text
        assert "<html" not in answer.text


async def test_no_button_works_without_the_token_of_the_session(database: Database) -> None:
    async with running_web(database) as web:
        browser = await signed_in(web)
        del browser.headers["X-CSRF-Token"]
        campaign_id = await make_campaign(database, contacts=1)
        for path in (f"/campaigns/{campaign_id}/start", f"/campaigns/{campaign_id}/stop", "/leave"):
            assert (await browser.post(path, headers=HTMX)).status_code == 403
        (row,) = await rows(database, "SELECT status FROM campaigns")
        assert row["status"] == "CREATED"


async def test_stopping_says_first_what_happens_to_live_calls(database: Database) -> None:
    async with running_web(database) as web:
        browser = await signed_in(web)
        campaign_id = await make_campaign(database, contacts=3, name="Spring")
        await change_campaign(database, campaign_id, status="RUNNING", started_at=START)
        await change_contact(database, campaign_id, 0, state="calling")
        await add_call(database, campaign_id, 0, status="RINGING", outcome=None, holds_line=True, is_final=False)
        asked = await browser.get(f"/campaigns/{campaign_id}/stop", headers=HTMX)
        assert "1 call is live. What should happen to it?" in asked.text
        assert "2 contacts that were not called yet stay uncalled" in asked.text
        stopped = await browser.post(f"/campaigns/{campaign_id}/stop", data={"liveCalls": "end"}, headers=HTMX)
        assert "The campaign is stopped; 0 calls were asked to end, 1 end by themselves." in stopped.text


async def test_the_account_stands_above_every_list(database: Database) -> None:
    async with running_web(database, ACCOUNT_CONCURRENCY_CAP=6) as web:
        browser = await signed_in(web)
        campaign_id = await make_campaign(database, contacts=3)
        await change_campaign(database, campaign_id, status="RUNNING", started_at=START)
        await change_contact(database, campaign_id, 0, state="calling")
        await add_call(database, campaign_id, 0, status="RINGING", outcome=None, holds_line=True, is_final=False)
        await change_contact(database, campaign_id, 1, state="unsure", reason="x")
        page = " ".join((await browser.get("/")).text.split())
        assert "<dt>Lines in use</dt><dd>1<small> / 4</small></dd>" in page
        assert "<dt>Still to call</dt><dd>1</dd>" in page
        assert '<dt>Need your decision</dt><dd><a href="/system#unsure">1</a></dd>' in page
        await rows(database, "UPDATE gate SET held_at = now(), hold_reason = 'Wrong list.' RETURNING id")
        assert "Dialling is held: Wrong list." in (await browser.get("/")).text


async def test_signing_out_ends_the_session(database: Database) -> None:
    async with running_web(database) as web:
        browser = await signed_in(web)
        secret = browser.cookies[SESSION_COOKIE]
        answer = await browser.post("/leave", headers=HTMX)
        assert answer.headers["HX-Redirect"] == "/sign-in"
        assert SESSION_COOKIE not in browser.cookies
        browser.cookies.set(SESSION_COOKIE, secret)
        assert (await browser.get("/")).status_code == 401


async def test_a_stranger_opens_no_stream_and_presses_no_button(database: Database) -> None:
    async with running_web(database) as web:
        assert (await web.stranger.get("/live")).status_code == 401
        answer = await web.stranger.post("/leave", headers=HTMX)
        assert answer.status_code == 401
        assert answer.headers["HX-Redirect"] == "/sign-in"


@asynccontextmanager
async def streaming(web: Web, path: str) -> AsyncIterator[AsyncIterator[str]]:
    """Open a stream over a real connection; yields its messages."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    token = web.client.headers["Authorization"]
    async with (
        listening(web.app, listener),
        httpx.AsyncClient(headers={"Authorization": token}) as client,
        client.stream("GET", f"http://127.0.0.1:{port}{path}") as answer,
    ):
        assert answer.status_code == 200
        yield messages(answer)


async def messages(answer: httpx.Response) -> AsyncIterator[str]:
    said: list[str] = []
    async for line in answer.aiter_lines():
        if line:
            said.append(line)
        elif said:
            yield "\n".join(said)
            said = []


async def until(stream: AsyncIterator[str], wanted: str) -> str:
    async with asyncio.timeout(5):
        async for message in stream:
            if wanted in message:
                return message
    raise AssertionError(wanted)


async def test_the_list_hears_of_a_change_and_of_a_new_campaign(database: Database) -> None:
    async with running_web(database) as web:
        campaign_id = await make_campaign(database, contacts=3, name="Spring")
        stamp = re.search(r"stamp=(\w+)", (await web.client.get("/")).text)
        assert stamp
        async with streaming(web, f"/live?view=list&campaigns={campaign_id}&stamp={stamp[1]}") as stream:
            first = await until(stream, f"#campaign-{campaign_id}")
            assert "badge-created" in first
            await change_campaign(database, campaign_id, status="PAUSED")
            assert "badge-paused" in await until(stream, f"#campaign-{campaign_id}")
            await make_campaign(database, contacts=1, name="Autumn")
            await until(stream, "event: stale")


async def test_a_campaigns_page_hears_of_calls_since_the_event_it_has_seen(database: Database) -> None:
    async with running_web(database) as web:
        campaign_id = await make_campaign(database, contacts=3, name="Spring")
        await change_campaign(database, campaign_id, status="RUNNING", started_at=START)
        async with streaming(web, f"/live?view=campaign&campaigns={campaign_id}&after=0") as stream:
            await until(stream, "#campaign-head")
            values: dict[str, Any] = {"cost_usd": Decimal("0.25"), "holds_line": True, "is_final": False}
            await add_call(database, campaign_id, 0, **values, status="RINGING", outcome=None)
            told = await until(stream, "#row-")
            assert "badge-ringing" in told
            assert "#latest" in told


@pytest.mark.parametrize("query", ["campaigns=x", "after=-1", "campaigns=" + ",".join(["0" * 32] * 51)])
async def test_a_stream_of_nonsense_is_refused(database: Database, query: str) -> None:
    async with running_web(database) as web:
        assert (await web.client.get(f"/live?{query}")).status_code == 400


async def test_what_many_need_at_once_is_done_once_and_a_failure_is_tried_again() -> None:
    shared, begun = SharedWork(), 0

    async def work() -> int:
        nonlocal begun
        begun += 1
        await asyncio.sleep(0.01)
        if begun == 1:
            raise ValueError("the first fails")
        return begun

    first = await asyncio.gather(*(shared.once("key", work) for _ in range(5)), return_exceptions=True)
    assert all(isinstance(one, ValueError) for one in first)
    assert await asyncio.gather(*(shared.once("key", work) for _ in range(5))) == [2] * 5


async def test_whoever_looks_at_a_deleted_campaign_is_led_away(database: Database) -> None:
    async with running_web(database) as web:
        campaign_id = await make_campaign(database, contacts=1)
        async with streaming(web, f"/live?view=campaign&campaigns={campaign_id}&after=0") as stream:
            await until(stream, "#campaign-head")
            await change_campaign(database, campaign_id, deleted_at=START)
            await until(stream, "event: gone")


async def test_the_head_of_a_campaign_follows_the_red_button(database: Database) -> None:
    async with running_web(database) as web:
        campaign_id = await make_campaign(database, contacts=1)
        await change_campaign(database, campaign_id, status="RUNNING", started_at=START)
        async with streaming(web, f"/live?view=campaign&campaigns={campaign_id}&after=0") as stream:
            assert "Wrong list." not in await until(stream, "#campaign-head")
            await rows(database, "UPDATE gate SET held_at = now(), hold_reason = 'Wrong list.' RETURNING id")
            assert "Wrong list." in await until(stream, "#campaign-head")


async def test_a_row_of_the_list_says_why_nothing_is_dialled_while_that_is_so(database: Database) -> None:
    clock = moved_clock()
    async with running_web(database, clock=clock) as web:
        campaign_id = await make_campaign(database, contacts=1)
        await change_campaign(database, campaign_id, status="RUNNING", started_at=START)
        async with streaming(web, f"/live?view=list&campaigns={campaign_id}") as stream:
            assert "why" not in await until(stream, f"#campaign-{campaign_id}")
            await rows(database, "UPDATE gate SET held_at = now(), hold_reason = 'Wrong list.' RETURNING id")
            held = await until(stream, f"#campaign-{campaign_id}")
            assert 'title="Dialling is held: Wrong list. Release it to go on.">dialling is held</span>' in held
            resting = "UPDATE gate SET held_at = NULL, not_before = %s, rest_reason = 'Tired.' RETURNING id"
            await rows(database, resting, clock.now() + timedelta(seconds=40))
            assert "dialling rests, may change <time" in await until(stream, f"#campaign-{campaign_id}")
            clock.move(41)  # nothing is written: time alone has ended it
            assert "why" not in await until(stream, f"#campaign-{campaign_id}")


async def test_the_history_is_sent_whole_once_and_then_only_its_new_lines(database: Database) -> None:
    async with running_web(database) as web:
        campaign_id = await make_campaign(database, contacts=3)
        values: dict[str, Any] = {"status": "RINGING", "outcome": None, "holds_line": True, "is_final": False}
        call_id = await add_call(database, campaign_id, 0, **values)
        first = await add_event(database, campaign_id, call_id)
        path = f"/live?view=events&campaigns={campaign_id}"
        async with streaming(web, path) as one, streaming(web, f"{path}&kind=decided") as other:
            whole = await until(one, "#history")
            assert f'id="event-{first}"' in whole
            assert "Nothing of the kind has happened." in await until(other, "#history")
            second = await add_event(database, campaign_id, call_id)
            told = await until(one, "#event-rows")
            assert f'id="event-{second}"' in told
            assert f'id="event-{first}"' not in told
        older = (await web.client.get(f"/campaigns/{campaign_id}/events?before={second}")).text
        assert "/live?view=history" in older, "older lines do not change"


async def test_the_figures_of_a_campaign_are_sent_as_they_change(database: Database) -> None:
    async with running_web(database) as web:
        campaign_id = await make_campaign(database, contacts=3)
        async with streaming(web, f"/live?view=analytics&campaigns={campaign_id}") as stream:
            assert "There are no figures yet" in await until(stream, "#figures")
            await add_call(database, campaign_id, 0, outcome="busy")
            assert 'id="outcome-busy"' in await until(stream, "#figures")


async def test_a_filtered_list_says_what_came_and_what_left_and_keeps_its_rows(database: Database) -> None:
    async with running_web(database) as web:
        campaign_id = await make_campaign(database, contacts=4)
        talking: dict[str, Any] = {"status": "IN_PROGRESS", "outcome": None, "holds_line": True, "is_final": False}
        first = await add_call(database, campaign_id, 1, **talking)
        page = (await web.client.get(f"/campaigns/{campaign_id}?status=IN_PROGRESS")).text
        found = re.search(r'hx-sse:connect="([^"]+)"', page)
        assert found
        path = html.unescape(found[1])
        assert "&shown=1&since=" in path
        async with streaming(web, path) as stream:
            assert "list-news" not in await until(stream, f"mark-{first}"), "nothing has changed yet"
            second = await add_call(database, campaign_id, 2, **{**talking, "claimed_at": web.runtime.clock.now()})
            told = await until(stream, f"mark-{second}")
            assert "1 contact that matches has changed and is not shown." in told
            assert f'hx-get="/campaigns/{campaign_id}?status=IN_PROGRESS"' in told
            ended = "UPDATE calls SET status = 'ENDED', outcome = 'busy', holds_line = false, version = version + 1"
            await rows(database, f"{ended} WHERE id = %s RETURNING id", first)
            await add_event(database, campaign_id, first)
            assert "are not shown" not in told
            assert "; 1 shown matches no more." in await until(stream, f"mark-{first}")
            await rows(database, f"{ended} WHERE id = %s RETURNING id", second)
            await add_event(database, campaign_id, second)
            assert "<p>1 shown matches no more.</p>" in await until(stream, f"mark-{second}")


async def test_a_list_that_shows_other_campaigns_watches_those(database: Database) -> None:
    async with running_web(database) as web:
        browser = await signed_in(web)
        first = await make_campaign(database, contacts=1, name="newest")
        await make_campaign(database, contacts=1, name="Other")
        pages = [(await browser.get(path)).text for path in ("/", "/?q=newest")]
        assert len({re.findall(r'id="(live-[^"]+)"', page)[0] for page in pages}) == 2
        found = re.search(r'hx-sse:connect="([^"]+)"', pages[1])
        assert found
        assert f"campaigns={first}&" in html.unescape(found[1])
        assert "/?q=newest" in html.unescape((await browser.get("/?q=newest&page=2")).text)


def test_a_word_that_is_ordinary_elsewhere_is_searched_for() -> None:
    assert ContactWish(search="file").page_query == "?q=file"
