"""Programs that bear a person's access token of Supabase: worth what the list says of the person, at every request."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import jwt
import pytest
from starlette.requests import HTTPConnection

from autolynx.domain.permission import Role
from autolynx.flows.people import add_person, change_person, find_person, remove_person
from autolynx.flows.standing import Standing
from autolynx.store.database import Database
from autolynx.web.app import build_app
from autolynx.web.auth import find_actor
from tests.support.outside import PROGRAM, Outside
from tests.support.supabase_project import PASSWORD, PAT, fault
from tests.support.supabase_standin.keys import private_key
from tests.support.supabase_standin.sessions import begin_session, claims_of
from tests.support.web import http_client, problem

pytestmark = pytest.mark.anyio


def access_token(outside: Outside, number: int = 0) -> str:
    """Return an access token that the project gave to a person."""
    return str(begin_session(outside.world, outside.world.users[number], "password")["access_token"])


async def ask(outside: Outside, token: str, path: str = "/api/campaigns") -> httpx.Response:
    async with http_client(outside.app, Authorization=f"Bearer {token}") as client:
        return await client.get(path)


async def test_a_token_lets_its_person_in_who_is_looked_up_once(outside: Outside) -> None:
    token = access_token(outside)
    for _ in range(3):
        assert (await ask(outside, token)).status_code == 200
    assert outside.asked("/user") == 1
    assert outside.asked("/.well-known/jwks.json") == 1
    assert await outside.audit("identity.bound") == [(PAT, {"how": "bearer"})]
    entry = await outside.person()
    assert entry["sub"] == outside.world.users[0].id
    assert entry["last_seen_at"] == outside.clock.now()


async def test_the_role_comes_from_the_list_and_not_from_the_token(outside: Outside) -> None:
    outside.world.users[0].user_metadata |= {"role": "admin"}
    token = access_token(outside)
    problem(await ask(outside, token, "/api/users"), 403, "FORBIDDEN")
    person = await find_person(outside.runtime, PAT)
    assert person is not None
    await change_person(outside.runtime, person.id, role=Role.ADMIN, actor="console")
    assert (await ask(outside, token, "/api/users")).status_code == 200


async def test_a_token_acts_without_a_csrf_token_and_on_record_as_the_person(outside: Outside) -> None:
    token = access_token(outside)
    async with http_client(outside.app, Authorization=f"Bearer {token}") as client:
        made = await client.post("/api/tokens", json={"name": "laptop", "scopes": ["read"]})
        assert made.status_code == 201, made.text
    assert (await outside.audit("api.created"))[0][0] == PAT


async def test_a_person_who_is_removed_is_refused_at_once(outside: Outside) -> None:
    token = access_token(outside)
    assert (await ask(outside, token)).status_code == 200
    person = await find_person(outside.runtime, PAT)
    assert person is not None
    await remove_person(outside.runtime, person.id)
    asked = outside.asked("/user")
    problem(await ask(outside, token), 401, "UNAUTHORIZED")
    assert outside.asked("/user") == asked


async def test_a_token_ends_with_its_hour(outside: Outside) -> None:
    token = access_token(outside)
    assert (await ask(outside, token)).status_code == 200
    outside.clock.move(3600 + 31)
    problem(await ask(outside, token), 401, "UNAUTHORIZED")


async def test_strangers_and_the_unproven_are_nobody_without_asking_twice(outside: Outside) -> None:
    outside.world.add_user("stranger@example.com")
    outside.world.add_user("new@example.com", is_confirmed=False)
    await add_person(outside.runtime, "new@example.com")
    problem(await ask(outside, access_token(outside, 1)), 401, "UNAUTHORIZED")
    assert outside.asked("/user") == 0  # not on the list: nobody has to be asked
    problem(await ask(outside, access_token(outside, 2)), 401, "UNAUTHORIZED")
    assert (await outside.person("new@example.com"))["sub"] is None


async def test_another_account_with_the_email_of_a_bound_person_is_nobody(outside: Outside) -> None:
    assert (await ask(outside, access_token(outside))).status_code == 200
    outside.world.add_user(PAT)
    asked = outside.asked("/user")
    problem(await ask(outside, access_token(outside, 1)), 401, "UNAUTHORIZED")
    assert outside.asked("/user") == asked


async def test_a_session_that_ended_there_binds_nobody(outside: Outside) -> None:
    token = access_token(outside)
    outside.world.sessions.clear()
    problem(await ask(outside, token), 401, "UNAUTHORIZED")
    assert (await outside.person())["sub"] is None


def hostile_tokens(outside: Outside) -> dict[str, str]:
    """Return tokens that are wrong in one way each, or junk."""
    begin_session(outside.world, outside.world.users[0], "password")
    claims = claims_of(outside.world, outside.world.sessions[-1])
    key = private_key("key-1", "ES256")

    def signed(by: Any = key, algorithm: str = "ES256", key_id: str = "key-1", **changed: Any) -> str:
        return jwt.encode({**claims, **changed}, by, algorithm=algorithm, headers={"kid": key_id})

    return {
        "another key": signed(private_key("mallory", "ES256")),
        "an unknown key": signed(private_key("mallory", "ES256"), key_id="mallory"),
        "no signature": signed(None, "none"),
        "a secret for a key": signed("x" * 40, "HS256"),
        "another project": signed(iss="https://other.supabase.co/auth/v1"),
        "another audience": signed(aud="anon"),
        "over": signed(exp=claims["iat"] - 3600),
        "of a program": signed(client_id="somebody"),
        "anonymous": signed(is_anonymous=True),
        "another subject": signed(sub="not-a-uuid"),
    }


async def test_hostile_tokens_are_nobody(outside: Outside) -> None:
    assert (await ask(outside, access_token(outside))).status_code == 200
    for what, token in hostile_tokens(outside).items():
        answer = await ask(outside, token)
        assert answer.status_code == 401, what
        assert answer.json()["error"]["message"].startswith("Sign in, or send a valid API token"), what


async def test_a_flood_of_junk_asks_neither_supabase_nor_the_database(outside: Outside, database_url: str) -> None:
    assert (await ask(outside, access_token(outside))).status_code == 200
    asked = outside.world.asks.total()
    away = await Database.open(database_url)
    await away.close()  # whoever asked it would be answered by 503
    app = build_app(replace(outside.runtime, database=away))
    junk = ["x", "al_short", "a.b.c", "ey.ey.x", "eyJ" + "A" * 20, "." * 5000, "ey" + "a" * 17_000 + ".ey.x", "al_\x80"]
    for token in [*junk * 5, *hostile_tokens(outside).values()]:
        async with http_client(app) as client:
            answer = await client.get("/api/campaigns", headers={"Authorization": b"Bearer " + token.encode("latin-1")})
        assert answer.status_code == 401, token[:20]
    assert outside.world.asks.total() == asked
    async with http_client(app, Authorization=f"Bearer {'al_' + 'a' * 43}") as client:
        problem(await client.get("/api/campaigns"), 503, "DATABASE_UNAVAILABLE")


async def test_supabase_away_is_not_a_wrong_token(outside: Outside) -> None:
    outside.world.fail("/.well-known/jwks.json", fault(503))
    problem(await ask(outside, access_token(outside)), 503, "IDENTITY_UNAVAILABLE")


async def test_a_wrong_token_is_nobody_although_there_is_a_session(outside: Outside) -> None:
    async with outside.browser() as browser:
        await browser.post("/sign-in", data={"email": PAT, "password": PASSWORD})
        answer = await browser.get("/api/campaigns", headers={**PROGRAM, "Authorization": "Bearer junk"})
        problem(answer, 401, "UNAUTHORIZED")


async def test_a_stream_of_a_token_ends_with_the_token_and_with_the_entry(outside: Outside) -> None:
    token = access_token(outside)
    assert (await ask(outside, token)).status_code == 200
    scope = {"type": "http", "headers": [(b"authorization", f"Bearer {token}".encode())]}
    actor = await find_actor(outside.runtime, HTTPConnection(scope))
    assert actor is not None
    standing = Standing(outside.runtime)
    async with asyncio.timeout(10), standing.held(actor):
        await standing.look()  # nothing has changed: it goes on
        await asyncio.sleep(0)
        person = await find_person(outside.runtime, PAT)
        assert person is not None
        await remove_person(outside.runtime, person.id)
        await standing.look()
        await asyncio.sleep(5)
        pytest.fail("the stream went on")
    outside.clock.move(3600)
    async with asyncio.timeout(10), standing.held(actor):
        await asyncio.sleep(5)
        pytest.fail("the stream outlived its token")
