"""Rights that somebody does not have any more, or never had: removed people, narrow tokens, old sessions."""

import pytest

from autolynx.domain.permission import Role, Scope
from autolynx.flows.access import LONGEST_SESSION_SECONDS, SESSION_SECONDS
from autolynx.flows.people import add_person, remove_person
from autolynx.store.database import Database
from tests.support.callers import callers_of
from tests.support.web import moved_clock, problem, running_web

pytestmark = pytest.mark.anyio

BOSS, ZOE = "boss@example.com", "zoe@example.com"
DAY = 24 * 3600.0


async def test_sessions_and_tokens_of_a_removed_person_are_shut_at_once_and_for_good(database: Database) -> None:
    async with running_web(database) as web, callers_of(web) as callers:
        boss = await callers.browser(BOSS, Role.ADMIN)
        browser, program = await callers.browser(ZOE), await callers.program(ZOE)
        for client in (browser, program):
            assert (await client.get("/api/campaigns")).status_code == 200
        zoe = await callers.person(ZOE)
        assert (await boss.delete(f"/api/users/{zoe.id}")).status_code == 204
        for client in (browser, program):
            problem(await client.get("/api/campaigns"), 401, "UNAUTHORIZED")
        await add_person(web.runtime, ZOE, role=Role.ADMIN)
        for client in (browser, program):
            problem(await client.get("/api/campaigns"), 401, "UNAUTHORIZED")


async def test_a_narrow_token_makes_no_wider_one(database: Database) -> None:
    async with running_web(database) as web, callers_of(web) as callers:
        for scope in set(Scope) - {Scope.ALL}:
            program = await callers.program(BOSS, Role.ADMIN, [scope])
            problem(await program.post("/api/tokens", json={"name": "wider", "scopes": ["all"]}), 403, "FORBIDDEN")
            problem(await program.get("/api/tokens"), 403, "FORBIDDEN")
            problem(await program.post("/api/users", json={"email": "x@example.com"}), 403, "FORBIDDEN")


async def test_an_operator_makes_no_token_that_an_admin_would_have(database: Database) -> None:
    async with running_web(database) as web, callers_of(web) as callers:
        browser = await callers.browser(ZOE)
        problem(await browser.post("/api/tokens", json={"name": "x", "scopes": ["metrics"]}), 403, "FORBIDDEN")
        made = (await browser.post("/api/tokens", json={"name": "x", "scopes": ["all"]})).json()
        bearer = {"Authorization": f"Bearer {made['secret']}"}
        for path in ("/api/users", "/api/metrics", "/people"):
            assert (await web.stranger.get(path, headers=bearer)).status_code == 403
        assert (await web.stranger.post("/api/dialing/hold", headers=bearer)).status_code == 403


async def test_an_operator_neither_sees_nor_revokes_tokens_of_others(database: Database) -> None:
    async with running_web(database) as web, callers_of(web) as callers:
        boss, zoe = await callers.browser(BOSS, Role.ADMIN), await callers.browser(ZOE)
        made = (await boss.post("/api/tokens", json={"name": "of the boss"})).json()
        assert "of the boss" not in (await zoe.get("/api/tokens")).text + (await zoe.get("/account")).text
        problem(await zoe.delete(f"/api/tokens/{made['id']}"), 404, "NOT_FOUND")
        assert (await zoe.post(f"/account/tokens/{made['id']}/revoke")).status_code == 404
        bearer = {"Authorization": f"Bearer {made['secret']}"}
        assert (await web.stranger.get("/api/tokens", headers=bearer)).status_code == 200


async def test_nobody_makes_an_admin_of_themselves(database: Database) -> None:
    async with running_web(database) as web, callers_of(web) as callers:
        zoe = await callers.person(ZOE)
        for client in (await callers.browser(ZOE), await callers.program(ZOE)):
            problem(await client.patch(f"/api/users/{zoe.id}", json={"role": "admin"}), 403, "FORBIDDEN")
            assert (await client.post(f"/people/{zoe.id}/role", data={"role": "admin"})).status_code == 403
            assert (await client.post(f"/people/{zoe.id}/link")).status_code == 403


async def test_the_last_admin_stays_over_http_too(database: Database) -> None:
    async with running_web(database) as web, callers_of(web) as callers:
        boss = await callers.browser(BOSS, Role.ADMIN)
        person = await callers.person(BOSS)
        problem(await boss.patch(f"/api/users/{person.id}", json={"role": "operator"}), 409, "CONFLICT")
        problem(await boss.delete(f"/api/users/{person.id}"), 409, "CONFLICT")
        assert "one admin left" in (await boss.post(f"/people/{person.id}/role", data={"role": "operator"})).text
        assert (await boss.get("/api/users")).status_code == 200


async def test_a_session_slides_for_thirty_days_and_no_longer(database: Database) -> None:
    clock = moved_clock()
    async with running_web(database, clock=clock) as web, callers_of(web) as callers:
        browser = await callers.browser(ZOE)
        for _ in range(int(LONGEST_SESSION_SECONDS / DAY * 2) - 1):
            clock.move(DAY / 2)
            assert (await browser.get("/api/campaigns")).status_code == 200
        clock.move(DAY / 2)
        problem(await browser.get("/api/campaigns"), 401, "UNAUTHORIZED")


async def test_a_session_that_is_not_used_ends_after_a_day(database: Database) -> None:
    clock = moved_clock()
    async with running_web(database, clock=clock) as web, callers_of(web) as callers:
        browser = await callers.browser(ZOE)
        clock.move(SESSION_SECONDS)
        problem(await browser.get("/api/campaigns"), 401, "UNAUTHORIZED")


async def test_a_ticket_of_a_removed_person_opens_nothing(database: Database) -> None:
    async with running_web(database) as web, callers_of(web) as callers:
        boss = await callers.browser(BOSS, Role.ADMIN)
        zoe = await callers.person(ZOE)
        page = (await boss.post(f"/people/{zoe.id}/link")).text
        await remove_person(web.runtime, zoe.id)
        ticket = page.partition("ticket=")[2].partition("<")[0]
        assert ticket.startswith("al_")
        assert (await web.stranger.get("/enter", params={"ticket": ticket})).status_code == 401
