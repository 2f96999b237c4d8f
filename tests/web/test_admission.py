"""Who is let in where: every route of the application is walked by every caller, and answers what the table says."""

import re
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
from fastapi.routing import APIRoute
from starlette.types import Receive, Send
from starlette.types import Scope as ASGIScope

from autolynx.domain.permission import Permission, Role, Scope, may
from autolynx.store.database import Database
from autolynx.web.admission import Table
from autolynx.web.auth import OWN_LOCK as UNGUARDED
from autolynx.web.entries import ENTRIES, OPEN
from autolynx.web.routers import GUARDED, OWN_LOCK, PAGES
from tests.support.callers import Callers, callers_of
from tests.support.web import CRON_SECRET, http_client, problem, running_web

ADMIN, OPERATOR = "admin@example.com", "operator@example.com"
DOCUMENT = "GET /api/openapi.json"  # the application's own
RECEIVER = "POST /api/webhooks/vapi"  # it is reached on a shorter way
STREAM = "GET /live"  # answers for as long as somebody listens: what is let in there is tested over a connection


def routes() -> Iterator[tuple[str, APIRoute]]:
    """Return every route that the application includes, with the line that it needs."""
    for router in (*OWN_LOCK, *GUARDED, *PAGES):
        for route in router.routes:
            assert isinstance(route, APIRoute)
            for method in route.methods:
                yield f"{method} {route.path}", route


def address(path: str, names: dict[str, str] | None = None) -> str:
    """Return an address of a path: nothing of these ids exists."""
    known = {"provider": "google", "version": "1", "number": "1", "decision": "leave", **(names or {})}
    return re.sub(r"\{(\w+)\}", lambda found: known.get(found[1]) or str(uuid4()), path)


def test_every_route_has_a_line_and_every_line_a_route() -> None:
    assert {key for key, _ in routes()} | {DOCUMENT} == set(ENTRIES)


def test_no_two_routes_share_a_line() -> None:
    keys = [key for key, _ in routes()]
    assert len(keys) == len(set(keys))


def test_what_the_guard_lets_through_is_open_and_nothing_else_that_shows_anything() -> None:
    unguarded = {key for key in ENTRIES if address(key.partition(" ")[2]) in UNGUARDED}
    assert {ENTRIES[key] for key in unguarded} == {OPEN}
    assert {key for key, wanted in ENTRIES.items() if wanted is OPEN} - unguarded == {"POST /leave"}


@pytest.mark.anyio
async def test_the_table_finds_the_line_of_the_route_that_answers(database: Database) -> None:
    table, scopes = Table(ENTRIES), []
    async with running_web(database) as web:

        async def watched(scope: ASGIScope, receive: Receive, send: Send) -> None:
            scopes.append(scope)
            await web.app(scope, receive, send)

        async with http_client(watched, Authorization=web.client.headers["Authorization"]) as client:
            for key in ENTRIES:
                if key in {STREAM, DOCUMENT, RECEIVER}:
                    continue
                method, _, path = key.partition(" ")
                entry, methods = table.find(method, address(path))
                assert entry is not None, key
                assert f"{entry.method} {entry.path}" == key
                assert method in methods
                await walk(client, key)
                assert scopes[-1]["route"].path == path, key


def test_what_is_fixed_comes_before_what_may_be_anything() -> None:
    table = Table({"GET /a/{one}/c": OPEN, "GET /a/b/{two}": Permission.AUDIT_READ, "GET /a/b/c": OPEN})
    found = {path: table.find("GET", path)[0] for path in ("/a/b/c", "/a/b/x", "/a/x/c", "/a/x/y", "/a/b")}
    assert {path: entry.path if entry else None for path, entry in found.items()} == {
        "/a/b/c": "/a/b/c",
        "/a/b/x": "/a/b/{two}",
        "/a/x/c": "/a/{one}/c",
        "/a/x/y": None,
        "/a/b": None,
    }
    assert table.find("POST", "/a/b/c") == (None, frozenset({"GET"}))
    assert table.find("HEAD", "/a/b/c")[0] is not None


async def walk(client: httpx.AsyncClient, key: str) -> httpx.Response:
    method, _, path = key.partition(" ")
    accepted = "application/json" if path.startswith("/api/") else "text/html"
    return await client.request(method, address(path), headers={"Accept": accepted})


def walked() -> Iterator[tuple[str, Permission]]:
    """Return the lines that ask something of their caller."""
    for key, wanted in ENTRIES.items():
        if wanted is not None:
            yield key, wanted


@pytest.mark.anyio
async def test_a_stranger_comes_in_nowhere_but_at_the_doors(database: Database) -> None:
    async with running_web(database) as web:
        for key, _ in [*walked(), ("POST /leave", OPEN)]:
            answer = await walk(web.stranger, key)
            is_page = not key.partition(" ")[2].startswith("/api/")
            leads_to_the_door = is_page and key.startswith("GET ")
            assert answer.status_code == (303 if leads_to_the_door else 401), key
            if leads_to_the_door:
                assert answer.headers["Location"].startswith("/sign-in"), key


@pytest.mark.anyio
@pytest.mark.parametrize("role", Role)
async def test_a_browser_is_let_in_where_its_role_says(database: Database, role: Role) -> None:
    async with running_web(database) as web, callers_of(web) as callers:
        await callers.person(ADMIN, Role.ADMIN)
        for key, wanted in walked():
            # A session of its own for each: some of what is walked ends it.
            await compare(await callers.browser(f"{role}@example.com", role), key, may(role, {Scope.ALL}, wanted))


@pytest.mark.anyio
@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("role", Role)
async def test_a_token_is_let_in_where_role_and_scope_say(database: Database, role: Role, scope: Scope) -> None:
    if role is Role.OPERATOR and scope is Scope.METRICS:
        pytest.skip("there is no such token: it would give nothing")
    async with running_web(database) as web, callers_of(web) as callers:
        client = await callers.program(f"{role}@example.com", role, [scope])
        for key, wanted in walked():
            await compare(client, key, may(role, {scope}, wanted))


async def compare(client: httpx.AsyncClient, key: str, is_let_in: bool) -> None:
    if key == STREAM and is_let_in:
        return
    answer = await walk(client, key)
    assert answer.status_code not in {401, 303} or key == "GET /sign-in", (key, answer.status_code)
    assert (answer.status_code != 403) is is_let_in, (key, answer.status_code, answer.text[:300])
    assert answer.status_code < 500 or answer.status_code == 502, (key, answer.status_code)


@pytest.mark.anyio
async def test_a_refusal_says_what_is_missing(database: Database) -> None:
    async with running_web(database) as web, callers_of(web) as callers:
        program = await callers.program(ADMIN, Role.ADMIN, [Scope.READ])
        inside = problem(await program.post("/api/dialing/hold"), 403, "FORBIDDEN")
        assert inside["message"] == "This token may not do that: it needs dialing:hold."
        browser = await callers.browser(OPERATOR)
        inside = problem(await browser.post("/api/dialing/hold"), 403, "FORBIDDEN")
        assert "Your role does not allow this" in inside["message"]
        assert "This is not for you" in (await browser.get("/people")).text


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/api/nothing", "/nothing", "/api/campaigns/x/y/z", "/people/", "/API/users"])
async def test_an_address_without_a_line_does_not_exist(database: Database, path: str) -> None:
    async with running_web(database) as web:
        assert (await web.client.get(path)).status_code == 404


@pytest.mark.anyio
async def test_a_method_without_a_line_is_told_which_there_are(database: Database) -> None:
    async with running_web(database) as web:
        answer = await web.client.put("/api/campaigns")
        problem(answer, 405, "METHOD_NOT_ALLOWED")
        assert answer.headers["Allow"] == "GET, POST"


@pytest.mark.anyio
async def test_only_who_may_tick_ticks_by_token_at_the_door_of_cron(database: Database) -> None:
    async with running_web(database) as web, callers_of(web) as callers:
        for method in ("GET", "POST"):
            for client in await refused_at_the_door_of_cron(callers):
                problem(await client.request(method, "/api/scheduler/tick"), 403, "FORBIDDEN")
            admin = await callers.program(ADMIN, Role.ADMIN)
            assert (await admin.request(method, "/api/scheduler/tick")).status_code == 200
            cron = {"Authorization": f"Bearer {CRON_SECRET}"}
            assert (await web.stranger.request(method, "/api/scheduler/tick", headers=cron)).status_code == 200


async def refused_at_the_door_of_cron(callers: Callers) -> list[httpx.AsyncClient]:
    return [
        await callers.program(OPERATOR),
        await callers.program(ADMIN, Role.ADMIN, [Scope.READ]),
        await callers.program(ADMIN, Role.ADMIN, [Scope.CALL, Scope.ASSISTANTS]),
    ]


@pytest.mark.anyio
async def test_whoever_is_made_an_operator_is_one_at_the_next_request(database: Database) -> None:
    async with running_web(database) as web, callers_of(web) as callers:
        boss = await callers.browser(ADMIN, Role.ADMIN)
        other = await callers.browser("other@example.com", Role.ADMIN)
        token = await callers.program("other@example.com", Role.ADMIN)
        person = await callers.person("other@example.com")
        assert (await other.get("/people")).status_code == 200
        changed = await boss.patch(f"/api/users/{person.id}", json={"role": "operator"})
        assert changed.status_code == 200, changed.text
        assert (await other.get("/people")).status_code == 403
        problem(await token.get("/api/users"), 403, "FORBIDDEN")
