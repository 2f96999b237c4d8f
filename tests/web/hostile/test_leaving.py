"""Where a browser may be sent, and what an answer's length must not tell."""

import gzip
import re

import pytest

from autolynx.flows.access import csrf_for
from autolynx.store.database import Database
from autolynx.web.auth import SESSION_COOKIE
from autolynx.web.masking import masked, unmasked
from autolynx.web.safe_path import safe_path
from tests.support.engine import make_campaign
from tests.support.signed_in import sign_in
from tests.support.web import running_web

MOST_OF_A_FIRST_LOAD = 200_000


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.test/",
        "//evil.test",
        "///evil.test",
        "/\\evil.test",
        "\\\\evil.test",
        "/%2fevil.test",
        "/%5cevil.test",
        "/%252fevil.test",
        "/\t/evil.test",
        "/\n/evil.test",
        " /system",
        "/ /evil.test",
        "javascript:alert(1)",
        "data:text/html,x",
        "evil.test",
        "",
        None,
        "/a\r\nSet-Cookie: x=y",
        "/a?b=\r\nSet-Cookie: x=y",
        "/..//evil.test",
        "/a/../../evil",
        "/" + "a" * 3000,
        "http:evil.test",
        "/\x00",
        "?next=/",
        "/\x85/evil.test",
        "//[",
    ],
)
def test_what_is_no_path_of_ours_leads_to_the_first_page(wanted: str | None) -> None:
    assert safe_path(wanted) == "/"
    assert safe_path(wanted, otherwise="/system") == "/system"


@pytest.mark.parametrize(
    "wanted",
    [
        "/",
        "/system",
        "/campaigns/6d1f?call=1&q=a%20b",
        "/?state=all",
        "/a%C3%A9",
        "/x?next=https%3A%2F%2Fa.test",
        "/a#b",
    ],
)
def test_a_path_of_ours_is_kept_with_its_query(wanted: str) -> None:
    assert safe_path(wanted) == wanted


def test_a_masked_secret_is_another_text_each_time_and_is_found_behind_its_mask() -> None:
    secret = csrf_for("session")
    shown = {masked(secret) for _ in range(50)}
    assert len(shown) == 50
    assert {unmasked(text) for text in shown} == {secret}
    assert unmasked(secret) == secret


@pytest.mark.parametrize("text", ["", "x", "\udc80", "a" * 88, "=" * 88, "\N{SNOWMAN}", "A" * 10_000])
def test_a_mask_that_is_none_is_wrong_and_breaks_nothing(text: str) -> None:
    assert unmasked(text) != csrf_for("session")


@pytest.mark.anyio
async def test_a_page_shows_its_token_behind_a_new_mask_each_time(database: Database) -> None:
    async with running_web(database) as web:
        browser = await sign_in(web)
        secret = csrf_for(browser.cookies[SESSION_COOKIE])
        pages = [(await browser.get("/system")).text for _ in range(3)]
        tokens = [re.findall(r'name="csrf-token" content="([^"]+)"', page)[0] for page in pages]
        assert len(set(tokens)) == 3
        assert all(secret not in page for page in pages)
        for token in tokens:
            hold = await browser.post("/api/dialing/hold", headers={"X-CSRF-Token": token})
            assert hold.status_code == 200


@pytest.mark.anyio
async def test_a_token_of_another_session_is_refused_behind_any_mask(database: Database) -> None:
    async with running_web(database) as web:
        browser = await sign_in(web)
        for token in (masked(csrf_for("other")), csrf_for("other"), "", masked("00" * 32)):
            refused = await browser.post("/api/dialing/hold", headers={"X-CSRF-Token": token})
            assert refused.status_code == 403


@pytest.mark.anyio
async def test_what_is_read_comes_compressed_and_what_is_told_once_does_not(database: Database) -> None:
    async with running_web(database) as web:
        browser = await sign_in(web)
        for address in ("/", "/api/openapi.json"):
            answer = await browser.get(address, headers={"Accept-Encoding": "gzip"})
            assert answer.headers["content-encoding"] == "gzip"
            assert "Accept-Encoding" in answer.headers["vary"]
            plain = await browser.get(address, headers={"Accept-Encoding": "identity"})
            assert "content-encoding" not in plain.headers
        made = await web.client.post("/api/tokens", json={"name": "x" * 100}, headers={"Accept-Encoding": "gzip"})
        assert "content-encoding" not in made.headers


@pytest.mark.anyio
async def test_a_live_stream_is_not_held_back_to_be_compressed(database: Database) -> None:
    async with running_web(database) as web:
        campaign_id = await make_campaign(database, contacts=1)
        seen: list[dict[str, object]] = []

        async def receive() -> dict[str, object]:
            return {"type": "http.disconnect"} if seen else {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, object]) -> None:
            seen.append(message)

        scope = {
            "type": "http", "method": "GET", "path": f"/api/campaigns/{campaign_id}/events", "query_string": b"",
            "headers": [(b"host", b"localhost"), (b"accept-encoding", b"gzip"),
                        (b"authorization", web.client.headers["authorization"].encode())],
            "client": ("203.0.113.7", 1), "scheme": "http", "http_version": "1.1",
        }  # fmt: skip
        await web.app(scope, receive, send)  # type: ignore[arg-type]
        headers = dict(seen[0]["headers"])  # type: ignore[call-overload]
        assert headers[b"content-type"].startswith(b"text/event-stream")
        assert b"content-encoding" not in headers


@pytest.mark.anyio
async def test_the_first_load_of_the_dashboard_is_within_200_kb(database: Database) -> None:
    async with running_web(database) as web:
        for number in range(25):
            await make_campaign(database, contacts=3, first=number * 3, name=f"Campaign of the spring {number}")
        browser = await sign_in(web)
        browser.headers["Accept-Encoding"] = "gzip"
        page = await browser.get("/")
        parts = set(re.findall(r'(?:href|src)="(/assets/[^"]+)"', page.text))
        assert len(parts) > 3
        sizes = {"/": len(gzip.compress(page.content, 6))}
        for part in parts:
            sizes[part] = int((await browser.get(part)).headers["content-length"])
        assert sum(sizes.values()) < MOST_OF_A_FIRST_LOAD, sizes
        print(sizes)  # noqa: T201 - how much room is left
