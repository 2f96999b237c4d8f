"""Nobody gets in without a token: every operation of the document is tried."""

import re
from uuid import uuid4

import pytest

from autolynx.flows.access import LONGEST_SESSION_SECONDS, create_token, revoke
from autolynx.flows.sessions import issue_ticket, open_session
from autolynx.store.database import Database
from autolynx.web.auth import SESSION_COOKIE
from tests.support.signed_in import a_person
from tests.support.web import CRON_SECRET, Web, http_client, moved_clock, problem, rows, running_web

pytestmark = pytest.mark.anyio

METHODS = {"get", "post", "put", "patch", "delete"}


def _operations(web: Web) -> list[tuple[str, str]]:
    paths = web.app.openapi()["paths"]
    return [(method.upper(), path) for path, item in paths.items() for method in item if method in METHODS]


def _address(path: str) -> str:
    return re.sub(r"\{[^}]+\}", str(uuid4()), path)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer al_wrong"},
        {"Authorization": "Basic YWxhZGRpbg=="},
        {"Authorization": "Bearer "},
        {"Cookie": f"{SESSION_COOKIE}=al_wrong"},
        {"X-Vapi-Secret": "wrong"},
    ],
    ids=["nothing", "wrong-token", "basic", "empty", "wrong-cookie", "wrong-hook-secret"],
)
async def test_every_operation_refuses_a_stranger(database: Database, headers: dict[str, str]) -> None:
    async with running_web(database) as web:
        operations = _operations(web)
        assert len(operations) > 20
        for method, path in operations:
            answer = await web.stranger.request(method, _address(path), headers=headers)
            problem(answer, 401, "UNAUTHORIZED")
            assert answer.headers["WWW-Authenticate"] == "Bearer", path


async def test_a_stranger_is_refused_before_the_body_is_read(database: Database) -> None:
    async with running_web(database) as web:
        answer = await web.stranger.post("/api/assistants", content=b"{not json")
        problem(answer, 401, "UNAUTHORIZED")


async def test_an_unknown_address_tells_a_stranger_nothing(database: Database) -> None:
    async with running_web(database) as web:
        problem(await web.stranger.get("/api/nothing-here"), 401, "UNAUTHORIZED")
        problem(await web.client.get("/api/nothing-here"), 404, "NOT_FOUND")


async def test_the_document_and_its_page_are_open(database: Database) -> None:
    async with running_web(database) as web:
        assert (await web.stranger.get("/api/openapi.json")).json()["info"]["title"] == "AutoLynx"
        page = await web.stranger.get("/api/docs")
        assert page.status_code == 200
        assert "http" not in re.sub(r'charset="utf-8"', "", page.text).replace("https", "http").split("<body>")[0]
        for asset in re.findall(r'(?:src|href)="(/assets/[^"]+)"', page.text):
            assert (await web.stranger.get(asset)).status_code == 200


async def test_a_revoked_token_opens_nothing(database: Database) -> None:
    async with running_web(database) as web:
        made = await create_token(web.runtime, "laptop")
        headers = {"Authorization": f"Bearer {made.secret}"}
        assert (await web.stranger.get("/api/tokens", headers=headers)).status_code == 200
        await revoke(web.runtime, made.token.id)
        problem(await web.stranger.get("/api/tokens", headers=headers), 401, "UNAUTHORIZED")


async def test_only_the_hash_of_a_token_is_kept(database: Database) -> None:
    async with running_web(database) as web:
        made = (await web.client.post("/api/tokens", json={"name": "laptop"})).json()
        assert made["secret"].startswith("al_")
        kept = await rows(database, "SELECT to_jsonb(t)::text AS text FROM api_tokens t")
        assert all(made["secret"] not in row["text"] for row in kept)
        listed = await web.client.get("/api/tokens")
        assert made["secret"] not in listed.text
        assert {one["name"] for one in listed.json()["tokens"]} == {"test", "laptop"}
        assert (await web.client.delete(f"/api/tokens/{made['id']}")).status_code == 204
        assert {one["name"] for one in (await web.client.get("/api/tokens")).json()["tokens"]} == {"test"}
        problem(await web.client.delete(f"/api/tokens/{uuid4()}"), 404, "NOT_FOUND")


async def test_a_ticket_opens_one_session_and_unsafe_requests_need_its_csrf_token(database: Database) -> None:
    async with running_web(database) as web, http_client(web.app) as browser:
        ticket = await issue_ticket(web.runtime, await a_person(web.runtime))
        opened = await browser.post("/api/session", json={"ticket": ticket.secret})
        assert opened.status_code == 200
        cookie = opened.headers["Set-Cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert f"max-age={int(LONGEST_SESSION_SECONDS)}" in cookie
        problem(await web.stranger.post("/api/session", json={"ticket": ticket.secret}), 401, "UNAUTHORIZED")

        assert (await browser.get("/api/tokens")).status_code == 200
        problem(await browser.post("/api/tokens", json={"name": "x"}), 403, "FORBIDDEN")
        wrong = {"X-CSRF-Token": "0" * 64}
        problem(await browser.post("/api/tokens", json={"name": "x"}, headers=wrong), 403, "FORBIDDEN")
        right = {"X-CSRF-Token": opened.json()["csrfToken"]}
        assert (await browser.post("/api/tokens", json={"name": "x"}, headers=right)).status_code == 201

        kept = browser.cookies[SESSION_COOKIE]
        assert (await browser.delete("/api/session", headers=right)).status_code == 204
        again = await web.stranger.get("/api/tokens", headers={"Cookie": f"{SESSION_COOKIE}={kept}"})
        problem(again, 401, "UNAUTHORIZED")


async def test_guessing_tickets_is_throttled(database: Database) -> None:
    async with running_web(database, clock=moved_clock()) as web:
        for number in range(30):
            answer = await web.stranger.post("/api/session", json={"ticket": f"al_guess_{number}"})
            problem(answer, 401, "UNAUTHORIZED")
        answer = await web.stranger.post("/api/session", json={"ticket": "al_guess"})
        problem(answer, 429, "RATE_LIMITED")
        assert answer.headers["Retry-After"] == "60"
        good = await issue_ticket(web.runtime, await a_person(web.runtime))
        assert (await web.stranger.post("/api/session", json={"ticket": good.secret})).status_code == 200


async def test_a_session_secret_is_no_api_token_and_a_ticket_is_neither(database: Database) -> None:
    async with running_web(database) as web:
        session = await open_session(web.runtime, (await issue_ticket(web.runtime, await a_person(web.runtime))).secret)
        ticket = await issue_ticket(web.runtime, await a_person(web.runtime))
        for secret in (session.secret, ticket.secret):
            answer = await web.stranger.get("/api/tokens", headers={"Authorization": f"Bearer {secret}"})
            problem(answer, 401, "UNAUTHORIZED")
        made = await create_token(web.runtime, "laptop")
        for secret in (made.secret, ticket.secret):
            answer = await web.stranger.get("/api/tokens", headers={"Cookie": f"{SESSION_COOKIE}={secret}"})
            problem(answer, 401, "UNAUTHORIZED")


async def test_a_wrong_token_is_not_saved_by_a_good_cookie(database: Database) -> None:
    async with running_web(database) as web:
        session = await open_session(web.runtime, (await issue_ticket(web.runtime, await a_person(web.runtime))).secret)
        headers = {"Authorization": "Bearer al_wrong", "Cookie": f"{SESSION_COOKIE}={session.secret}"}
        problem(await web.stranger.get("/api/tokens", headers=headers), 401, "UNAUTHORIZED")


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_tick_takes_the_cron_secret_or_a_token(database: Database, method: str) -> None:
    async with running_web(database, CRON_SECRET="the-second-cron-secret") as web:
        for secret in ("", "wrong", CRON_SECRET + "x", CRON_SECRET[:-1], f"{CRON_SECRET} x"):
            headers = {"Authorization": f"Bearer {secret}"}
            problem(await web.stranger.request(method, "/api/scheduler/tick", headers=headers), 401, "UNAUTHORIZED")
        for secret in (CRON_SECRET, "the-second-cron-secret"):
            headers = {"Authorization": f"Bearer {secret}"}
            answer = await web.stranger.request(method, "/api/scheduler/tick", headers=headers)
            assert answer.status_code == 200
        assert (await web.client.request(method, "/api/scheduler/tick")).status_code == 200


async def test_the_cron_secret_opens_nothing_else(database: Database) -> None:
    async with running_web(database) as web:
        headers = {"Authorization": f"Bearer {CRON_SECRET}"}
        problem(await web.stranger.get("/api/tokens", headers=headers), 401, "UNAUTHORIZED")
        problem(await web.stranger.post("/api/scheduler/run", headers=headers), 401, "UNAUTHORIZED")


async def test_without_a_cron_secret_only_a_token_ticks(database: Database) -> None:
    async with running_web(database, CRON_SHARED_SECRET=None) as web:
        problem(await web.stranger.get("/api/scheduler/tick"), 401, "UNAUTHORIZED")
        headers = {"Authorization": "Bearer None"}
        problem(await web.stranger.get("/api/scheduler/tick", headers=headers), 401, "UNAUTHORIZED")
