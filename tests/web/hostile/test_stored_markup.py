"""Markup that somebody has stored: every page and every part of one shows it as the text it is."""

import re

import pytest

from autolynx.domain.permission import Role
from autolynx.store.database import Database
from autolynx.web.entries import ENTRIES
from tests.support.callers import callers_of
from tests.support.evil import infest
from tests.support.sim import running_sim
from tests.support.web import running_web
from tests.web.test_admission import address

pytestmark = pytest.mark.anyio

BOSS = "boss@example.com"
# A page, or a part of one; what is fetched as a file or as JSON is never taken for markup.
PAGES = [key.partition(" ")[2] for key in ENTRIES if key.startswith("GET ") and "/api/" not in key]
QUERIES = {
    "/campaigns/new": "?upload={upload_id}&assistant={assistant_id}",
    "/campaigns/new/plan": "?upload={upload_id}&assistant={assistant_id}",
    "/assistants/new": "?from={assistant_id}",
    "/": "?q=%3Cevil",
    "/assistants": "?q=%3Cevil",
    "/campaigns/{campaign_id}": "?q=%3Cevil",
    "/system/unsure": "?decision=leave",
    "/people/add": "?email=%3Cevil%20x=%22y%27z%22%3E",
    "/sign-in": "?next=/%3Cevil",
    "/sign-in/new-password": "?ticket=%3Cevil%20x=%22y%27z%22%3E",
}
# What would be markup: the tag itself, the attributes broken out of, an address that is a program.
_TAGS = r'<evil|<script>window|<img src=x|evil x="y|onerror="'
BROKEN = re.compile(rf"""{_TAGS}|(?:href|src|action)=["']?\s*javascript:""", re.IGNORECASE)


async def test_nothing_that_was_stored_is_markup_on_any_page(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web, callers_of(web) as callers:
        browser = await callers.browser(BOSS, Role.ADMIN)
        names = {**await infest(web.runtime, BOSS), "version": "2"}
        shown = set()
        for path in PAGES:
            if path == "/live":
                continue
            for query in {"", QUERIES.get(path, "")}:
                answer = await browser.get(address(path, names) + query.format(**names))
                assert answer.status_code < 500, (path, answer.status_code)
                broken = BROKEN.search(answer.text)
                assert broken is None, (path, query, answer.text[max(0, broken.start() - 200) : broken.end() + 50])
                shown |= {path} if "&lt;evil" in answer.text else set()
        assert len(shown) > 15, sorted(shown)


async def test_what_pages_are_sent_back_is_no_markup_either(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web, callers_of(web) as callers:
        browser = await callers.browser(BOSS, Role.ADMIN)
        names = {**await infest(web.runtime, BOSS), "version": "2", "decision": "leave"}
        evil = '<evil x="y\'z">'
        words = "email name role reason phone person business first_message system_prompt advanced search note q next"
        typed = dict.fromkeys(words.split(), evil) | {"provider_id": evil, "ticket": evil, "password": evil}
        told = 0
        for key in ENTRIES:
            method, _, path = key.partition(" ")
            if method != "POST" or "/api/" in path or path == "/leave":
                continue
            answer = await browser.post(address(path, names), data=typed, headers={"HX-Request": "true"})
            assert answer.status_code < 500 or answer.status_code == 502, (path, answer.status_code)
            broken = BROKEN.search(answer.text)
            assert broken is None, (path, answer.text[max(0, broken.start() - 200) : broken.end() + 50])
            told += "&lt;evil" in answer.text
        assert told > 5


async def test_files_and_json_are_never_taken_for_pages(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web, callers_of(web) as callers:
        browser = await callers.browser(BOSS, Role.ADMIN)
        names = await infest(web.runtime, BOSS)
        for key in ENTRIES:
            method, _, path = key.partition(" ")
            if method != "GET" or "/api/" not in path or path in {"/api/docs", "/api/campaigns/{campaign_id}/events"}:
                continue
            answer = await browser.get(address(path, names))
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            kind = answer.headers.get("Content-Type", "")
            assert not kind.startswith("text/html"), path
            if "csv" in kind and answer.status_code == 200:
                assert answer.headers["Content-Disposition"].startswith("attachment"), path


async def test_a_recording_that_is_a_program_is_not_followed(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web, callers_of(web) as callers:
        browser = await callers.browser(BOSS, Role.ADMIN)
        names = await infest(web.runtime, BOSS)
        answer = await browser.get(f"/api/calls/{names['call_id']}/recording")
        assert answer.status_code >= 400
        assert "javascript" not in answer.headers.get("Location", "")
