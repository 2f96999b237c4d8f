"""Requests that another site makes a signed-in browser send: without the session's token none is obeyed."""

import pytest

from autolynx.domain.permission import Role
from autolynx.store.database import Database
from autolynx.web.auth import CSRF_HEADER
from autolynx.web.entries import ENTRIES, OPEN
from tests.support.callers import callers_of
from tests.support.web import rows, running_web
from tests.web.test_admission import address

pytestmark = pytest.mark.anyio
UNSAFE = [
    key
    for key, wanted in ENTRIES.items()
    if not key.startswith("GET ") and (wanted is not OPEN or key == "POST /leave")
]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}  # what a form of another site can send
FORGED = [{}, {CSRF_HEADER: ""}, {CSRF_HEADER: "0" * 64}, {"HX-Request": "true"}]


async def test_no_unsafe_address_obeys_a_browser_without_its_token(database: Database) -> None:
    assert len(UNSAFE) > 50
    async with running_web(database) as web, callers_of(web) as callers:
        browser = await callers.browser("boss@example.com", Role.ADMIN)
        token = browser.headers.pop(CSRF_HEADER)
        before = await rows(database, "SELECT count(*) AS n FROM audit_log")
        for key in UNSAFE:
            method, _, path = key.partition(" ")
            for forged in FORGED:
                answer = await browser.request(method, address(path), headers={**FORM, **forged}, content=b"role=admin")
                assert answer.status_code == 403, (key, forged, answer.status_code)
        assert await rows(database, "SELECT count(*) AS n FROM audit_log") == before
        assert (await browser.post("/leave", headers={CSRF_HEADER: token})).status_code == 200


async def test_the_token_of_one_session_is_nothing_to_another(database: Database) -> None:
    async with running_web(database) as web, callers_of(web) as callers:
        mine, theirs = [await callers.browser("boss@example.com", Role.ADMIN) for _ in range(2)]
        answer = await mine.post("/account/tokens", headers={CSRF_HEADER: theirs.headers[CSRF_HEADER]})
        assert answer.status_code == 403


async def test_signing_out_over_json_needs_the_token_too(database: Database) -> None:
    async with running_web(database) as web, callers_of(web) as callers:
        browser = await callers.browser("boss@example.com", Role.ADMIN)
        token = browser.headers.pop(CSRF_HEADER)
        assert (await browser.delete("/api/session")).status_code == 403
        assert (await browser.delete("/api/session", headers={CSRF_HEADER: token})).status_code == 204


async def test_a_token_in_the_address_or_the_form_is_no_token(database: Database) -> None:
    async with running_web(database) as web, callers_of(web) as callers:
        browser = await callers.browser("boss@example.com", Role.ADMIN)
        token = browser.headers.pop(CSRF_HEADER)
        sent = {"csrf-token": token, CSRF_HEADER: token, "name": "x"}
        assert (await browser.post("/account/tokens", params=sent, data=sent)).status_code == 403


async def test_no_address_that_is_only_read_changes_anything(database: Database) -> None:
    async with running_web(database) as web, callers_of(web) as callers:
        browser = await callers.browser("boss@example.com", Role.ADMIN)
        query = "SELECT count(*) AS n, max(action) AS last FROM audit_log WHERE action NOT LIKE 'session.%%'"
        before = await rows(database, query)
        for key, wanted in ENTRIES.items():
            if (
                key.startswith("GET ")
                and wanted is not OPEN
                and key != "GET /live"
                and "export" not in key
                and "csv" not in key
            ):
                await browser.get(address(key.partition(" ")[2]))
        assert await rows(database, query) == before
