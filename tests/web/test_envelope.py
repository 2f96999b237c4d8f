"""Every error has one shape, every answer its security headers, and nothing shows its internals."""

from typing import Any

import pytest
from fastapi import APIRouter

from autolynx.domain.permission import Permission
from autolynx.errors import RateLimited
from autolynx.flows.sessions import issue_ticket, open_session
from autolynx.store.database import Database
from autolynx.web.admission import Table
from autolynx.web.auth import SESSION_COOKIE
from tests.support.signed_in import a_person
from tests.support.web import HOOK_SECRET, Web, http_client, problem, running_web

pytestmark = pytest.mark.anyio


def _add_broken_routes(web: Web) -> None:
    """Routes that do what no route should."""
    router = APIRouter(prefix="/api/broken")

    @router.get("/crash")
    async def crash() -> None:
        raise RuntimeError("secret inside: +1 202 555 0143")

    @router.get("/busy")
    async def busy() -> None:
        raise RateLimited("Too many requests; wait a moment.", retry_after_seconds=17)

    web.app.include_router(router)
    web.app.state.admission = Table({f"GET /api/broken/{name}": Permission.SETTINGS_READ for name in ("crash", "busy")})


async def test_a_crash_is_a_500_without_internals(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    async with running_web(database) as web:
        _add_broken_routes(web)
        answer = await web.client.get("/api/broken/crash")
        problem(answer, 500, "INTERNAL_ERROR")
        assert "secret inside" not in answer.text
        assert "RuntimeError" not in answer.text
        assert answer.headers["Content-Security-Policy"]
    printed = capsys.readouterr()
    assert "web.unexpected" in printed.out + printed.err
    assert "secret inside" not in printed.out + printed.err


async def test_too_many_requests_say_when_to_come_back(database: Database) -> None:
    async with running_web(database) as web:
        _add_broken_routes(web)
        answer = await web.client.get("/api/broken/busy")
        assert problem(answer, 429, "RATE_LIMITED")["details"] == {"retryAfterSeconds": 17}
        assert answer.headers["Retry-After"] == "17"


async def test_unknown_addresses_and_methods_have_the_envelope(database: Database) -> None:
    async with running_web(database) as web:
        problem(await web.client.get("/api/nothing"), 404, "NOT_FOUND")
        problem(await web.client.delete("/api/assistants"), 405, "METHOD_NOT_ALLOWED")
        problem(await web.client.get("/api/assistants/not-a-uuid"), 400, "VALIDATION_ERROR")
        problem(await web.client.get("/api/webhooks/vapi"), 405, "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize(
    "raw",
    [b"{", b"[]", b"null", b'"x"', b"[" * 100_000, b'{"name": "\\ud800"}', b'{"name": NaN}', b"\xff\xfe", b"9" * 5000],
)
async def test_a_body_that_is_no_such_object_is_a_400(database: Database, raw: bytes) -> None:
    async with running_web(database) as web:
        for address in ("/api/assistants", "/api/tokens", "/api/assistants/import"):
            headers = {"Content-Type": "application/json"}
            problem(await web.client.post(address, content=raw, headers=headers), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    "value",
    ['{"a": ' * 60 + "1" + "}" * 60, '{"a": "x\\u0000"}', '{"\\u0000": 1}', '{"a": Infinity}', '{"a": "\\udfff"}'],
)
async def test_what_cannot_be_stored_is_refused_by_name(database: Database, value: str) -> None:
    async with running_web(database) as web:
        raw = f'{{"name": "Riley", "config": {value}}}'
        headers = {"Content-Type": "application/json"}
        problem(await web.client.post("/api/assistants", content=raw, headers=headers), 400, "VALIDATION_ERROR")


async def test_json_that_is_not_called_json_is_refused_with_the_remedy(database: Database) -> None:
    async with running_web(database) as web:
        headers = {"Content-Type": "text/plain"}
        answer = await web.client.post("/api/tokens", content=b'{"name": "x"}', headers=headers)
        assert "application/json" in problem(answer, 400, "VALIDATION_ERROR")["message"]


async def test_a_refused_value_is_not_repeated(database: Database) -> None:
    async with running_web(database) as web:
        answer = await web.client.post("/api/assistants", json={"name": ["+12025550143"], "config": {}})
        problem(answer, 400, "VALIDATION_ERROR")
        assert "2025550143" not in answer.text


async def test_nul_in_the_address_is_refused_everywhere(database: Database) -> None:
    async with running_web(database) as web:
        for address in ("/api/assistants?q=a%00b", "/api/assistants/%00", "/assets/%00"):
            problem(await web.client.get(address), 400, "VALIDATION_ERROR")
        page = await web.client.get("/campaigns/%00")
        assert page.status_code == 400
        assert "The address contains a NUL character; remove it." in page.text


async def test_every_answer_bears_the_security_headers(database: Database) -> None:
    async with running_web(database) as web:
        for address in ("/api/docs", "/api/openapi.json", "/api/assistants", "/assets/docs.js", "/healthz", "/nothing"):
            answer = await web.stranger.get(address)
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert "http" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "Strict-Transport-Security" not in answer.headers
            if address.startswith("/api/"):
                assert answer.headers["Cache-Control"] == "no-store"


async def test_behind_https_browsers_are_told_to_stay_there(database: Database) -> None:
    async with running_web(database, PUBLIC_URL="https://calls.example.test") as web:
        assert "max-age" in (await web.stranger.get("/healthz")).headers["Strict-Transport-Security"]
        session = await open_session(web.runtime, (await issue_ticket(web.runtime, await a_person(web.runtime))).secret)
        assert session.secret
        ticket = await issue_ticket(web.runtime, await a_person(web.runtime))
        async with http_client(web.app) as browser:
            opened = await browser.post("/api/session", json={"ticket": ticket.secret})
        cookie = opened.headers["Set-Cookie"]
        assert cookie.startswith(SESSION_COOKIE)
        assert "; Secure" in cookie


async def test_a_body_beyond_every_limit_is_a_413_even_without_a_length(database: Database) -> None:
    async def pieces() -> Any:
        for _ in range(30):
            yield b" " * 1024 * 1024

    async with running_web(database) as web:
        problem(await web.client.post("/api/assistants", content=pieces()), 413, "PAYLOAD_TOO_LARGE")
        problem(await web.client.post("/api/assistants", content=b" " * 30_000_000), 413, "PAYLOAD_TOO_LARGE")


async def test_the_docs_page_asks_nobody_else_and_has_nothing_inline(database: Database) -> None:
    async with running_web(database) as web:
        page = (await web.stranger.get("/api/docs")).text
        assert "//" not in page.replace("<!doctype", "")
        assert "<script>" not in page
        assert "style=" not in page
        assert " on" not in page.split("<body>")[0]


async def test_secrets_of_the_settings_are_in_no_document(database: Database) -> None:
    async with running_web(database) as web:
        assert HOOK_SECRET not in (await web.stranger.get("/api/openapi.json")).text
