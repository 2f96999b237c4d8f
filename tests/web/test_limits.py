"""How often somebody may ask, with the limits as they are by default."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
from starlette.requests import HTTPConnection

from autolynx.errors import RateLimited
from autolynx.flows.access import create_token
from autolynx.store.database import Database
from autolynx.web.limiter import Limiter
from autolynx.web.limits import address_key
from tests.support.signed_in import sign_in
from tests.support.vapi_bodies import status_update
from tests.support.web import CRON_SECRET, HOOK_SECRET, Web, http_client, problem, running_web

pytestmark = pytest.mark.anyio

DEFAULTS = {
    "RATE_LIMIT_PER_MINUTE": 100,
    "RATE_LIMIT_PAGES_PER_MINUTE": 1200,
    "RATE_LIMIT_UPLOADS_PER_MINUTE": 10,
    "RATE_LIMIT_EXPORTS_PER_MINUTE": 5,
}
A_FEW_MORE = 5  # a minute may begin while a test counts


@asynccontextmanager
async def limited_web(database: Database, **settings: Any) -> AsyncIterator[Web]:
    async with running_web(database, **{**DEFAULTS, **settings}) as web:
        yield web


async def count_until_429(client: httpx.AsyncClient, method: str, address: str, **sent: Any) -> tuple[int, Any]:
    """Ask until it is refused: how often it was let through, and the refusal."""
    for count in range(2000):
        answer = await client.request(method, address, **sent)
        if answer.status_code == 429:
            return count, answer
    raise AssertionError("never refused")


async def test_the_hundred_and_first_request_of_a_minute_is_told_when_to_come_back(database: Database) -> None:
    async with limited_web(database) as web:
        count, refused = await count_until_429(web.client, "GET", "/api/dialing")
        assert 100 <= count <= 100 + A_FEW_MORE
        told = problem(refused, 429, "RATE_LIMITED")
        wait = int(refused.headers["Retry-After"])
        assert 1 <= wait <= 60
        assert told["details"] == {"retryAfterSeconds": wait}
        assert "at most 100 a minute" in told["message"]


async def test_each_caller_has_a_count_of_its_own(database: Database) -> None:
    async with limited_web(database, RATE_LIMIT_PER_MINUTE=3) as web:
        await count_until_429(web.client, "GET", "/api/dialing")
        other = await create_token(web.runtime, "other")
        async with http_client(web.app, Authorization=f"Bearer {other.secret}") as client:
            assert (await client.get("/api/dialing")).status_code == 200


async def test_uploads_and_exports_have_limits_of_their_own(database: Database) -> None:
    async with limited_web(database) as web:
        count, refused = await count_until_429(web.client, "POST", "/api/uploads", content=b"nothing")
        assert 10 <= count <= 12
        assert "at most 10 a minute" in refused.json()["error"]["message"]
        problem(await web.client.post("/api/uploads/parts"), 429, "RATE_LIMITED")
        form = {"contactsCsv": ("list.csv", b"name")}
        problem(await web.client.post("/api/campaigns", files=form), 429, "RATE_LIMITED")
        count, refused = await count_until_429(web.client, "GET", f"/api/campaigns/{uuid4()}/export.csv")
        assert 5 <= count <= 6
        problem(await web.client.get("/api/analytics.csv"), 429, "RATE_LIMITED")
        assert (await web.client.get("/api/dialing")).status_code == 200
        assert (await web.client.get(f"/api/uploads/{uuid4()}/errors.csv")).status_code == 404


async def test_a_person_who_works_with_live_pages_never_meets_a_limit(database: Database) -> None:
    async with limited_web(database) as web:
        browser = await sign_in(web)
        for _ in range(60):  # a page that follows every change, for a minute, in three windows
            for address in ("/", "/assistants", "/system", "/assets/app.css"):
                assert (await browser.get(address)).status_code == 200


async def test_a_browser_that_reads_without_end_is_stopped_by_a_page_in_plain_words(database: Database) -> None:
    async with limited_web(database, RATE_LIMIT_PAGES_PER_MINUTE=5) as web:
        browser = await sign_in(web)
        _, page = await count_until_429(browser, "GET", "/assistants")
        assert "Too many requests" in page.text
        assert "at most 5 a minute" in page.text
        assert page.headers["content-type"].startswith("text/html")
        assert int(page.headers["Retry-After"]) >= 1
        fragment = await browser.get("/assistants", headers={"HX-Request": "true"})
        assert fragment.status_code == 429
        assert "<html" not in fragment.text
        assert "at most 5 a minute" in fragment.text
        download = await browser.get(f"/api/uploads/{uuid4()}/errors.csv", headers={"Accept": "text/html,*/*"})
        assert "<html" in download.text


async def test_what_changes_something_is_counted_in_a_browser_as_everywhere(database: Database) -> None:
    async with limited_web(database, RATE_LIMIT_PER_MINUTE=3) as web:
        browser = await sign_in(web)
        count, _ = await count_until_429(browser, "POST", "/system/release")
        assert 3 <= count <= 4


async def test_strangers_are_counted_by_address_and_never_stop_a_known_caller(database: Database) -> None:
    async with limited_web(database) as web:
        wrong = {"Authorization": "Bearer al_wrong"}
        count, refused = await count_until_429(web.stranger, "GET", "/api/dialing", headers=wrong)
        assert 100 <= count <= 100 + A_FEW_MORE
        assert int(refused.headers["Retry-After"]) >= 1
        problem(await web.stranger.post("/api/scheduler/tick", headers=wrong), 429, "RATE_LIMITED")
        problem(await web.stranger.get("/api/docs"), 429, "RATE_LIMITED")
        assert (await web.client.get("/api/dialing")).status_code == 200
        async with http_client(web.app) as elsewhere:
            elsewhere._transport.client = ("203.0.113.8", 1)  # type: ignore[attr-defined]
            problem(await elsewhere.get("/api/dialing"), 401, "UNAUTHORIZED")


async def test_webhooks_ticks_health_and_assets_are_not_counted(database: Database) -> None:
    async with limited_web(database, RATE_LIMIT_PER_MINUTE=2) as web:
        for number in range(8):
            body = status_update("ringing", call={"id": str(number)})
            hook = await web.stranger.post("/api/webhooks/vapi", json=body, headers={"X-Vapi-Secret": HOOK_SECRET})
            assert hook.status_code == 200
            assert (await web.stranger.get("/healthz")).status_code == 200
            assert (await web.stranger.get("/assets/app.css")).status_code == 200
            cron = {"Authorization": f"Bearer {CRON_SECRET}"}
            assert (await web.stranger.get("/api/scheduler/tick", headers=cron)).status_code == 200


async def test_zero_is_no_limit(database: Database) -> None:
    async with limited_web(database, RATE_LIMIT_PER_MINUTE=0) as web:
        for _ in range(150):
            assert (await web.client.get("/api/dialing")).status_code == 200


async def test_a_window_slides_and_what_was_refused_is_not_counted() -> None:
    limiter = Limiter(window_seconds=1)
    let_through, waits = 0, set()
    for _ in range(40):  # two seconds and more
        try:
            await limiter.hit("test", "somebody", 4)
            let_through += 1
        except RateLimited as error:
            waits.add(error.retry_after_seconds)
        await asyncio.sleep(0.06)
    assert 6 <= let_through <= 14
    assert waits == {1}


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("203.0.113.7", "203.0.113.8", False),
        ("203.0.113.7", "::ffff:203.0.113.7", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("testclient", "testclient", True),
    ],
)
def test_an_address_stands_for_what_one_customer_has(one: str, other: str, is_same: bool) -> None:
    def key(host: str) -> str:
        return address_key(HTTPConnection({"type": "http", "client": (host, 1), "headers": []}))

    assert (key(one) == key(other)) is is_same
