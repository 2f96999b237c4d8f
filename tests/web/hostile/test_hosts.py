"""Under which names the installation answers, whom it takes a request to be from, and which pages may change it."""

from typing import Any

import pytest

from autolynx.errors import ConfigurationError
from autolynx.settings import load_settings
from autolynx.store.database import Database
from autolynx.web.hosts import is_ours
from autolynx.web.proxies import as_seen_by_proxies
from tests.support.engine import settings_for_test
from tests.support.signed_in import sign_in
from tests.support.web import HOOK_SECRET, problem, rows, running_web

pytestmark = pytest.mark.anyio

PUBLIC = "https://calls.example.test"
WITHOUT_TLS = "http://calls.example.test"  # so that cookies are sent by a client without TLS
STRANGE = ("evil.test", "calls.example.test.evil.test", "evil.test:443", "", "calls.example.test@evil.test", "[::2]")


@pytest.mark.parametrize("host", STRANGE)
@pytest.mark.parametrize("address", ["/", "/api/dialing", "/enter?ticket=x", "/assets/app.css", "/api/docs"])
async def test_a_host_that_is_not_ours_is_refused_in_plain_words(database: Database, host: str, address: str) -> None:
    async with running_web(database, PUBLIC_URL=PUBLIC) as web:
        answer = await web.client.get(address, headers={"Host": host})
        assert answer.status_code == 400
        assert "does not answer under that name" in answer.text
        assert "evil" not in answer.text
        assert (await web.stranger.get("/healthz", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    ("host", "is_known"),
    [
        ("calls.example.test", True),
        ("CALLS.example.test:8443", True),
        ("calls.example.test.", True),
        ("more.example.net", True),
        ("a.b.example.org", True),
        ("example.org", False),
        ("notexample.org", False),
        ("127.0.0.1:8000", False),
        ("localhost", False),
        ("calls.example.test:80:90", False),
        ("calls.example.test:x", False),
    ],
)
def test_in_production_only_the_public_name_and_the_allowed_ones_are_ours(host: str, is_known: bool) -> None:
    secret = "a-secret-of-more-than-16-letters"
    needed = ("VAPI_API_KEY", "WEBHOOK_SHARED_SECRET", "CRON_SHARED_SECRET")
    settings = settings_for_test(
        AUTOLYNX_ENV="production",
        PUBLIC_URL=PUBLIC,
        ALLOWED_HOSTS="more.example.net, .example.org",
        **dict.fromkeys(needed, secret),
    )
    assert is_ours(host, settings) is is_known


@pytest.mark.parametrize("host", ["localhost:3000", "127.0.0.1:8001", "[::1]:8000", "localhost"])
def test_in_development_this_machine_is_ours_at_any_port(host: str) -> None:
    assert is_ours(host, settings_for_test(PUBLIC_URL=PUBLIC))


async def test_no_link_is_made_of_the_host_that_was_asked(database: Database) -> None:
    async with running_web(database, PUBLIC_URL=WITHOUT_TLS, ALLOWED_HOSTS="other.example.test") as web:
        browser = await sign_in(web)
        for address in ("/", "/assistants", "/system", "/campaigns/new"):
            page = await browser.get(address, headers={"Host": "other.example.test"})
            assert page.status_code == 200
            assert "other.example.test" not in page.text


CROSS_SITE: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": "https://sister.example.test"},
    {"Origin": "https://evil.test"},
    {"Origin": "null"},
    {"Origin": "https://localhost.evil.test"},
    {"Origin": "ftp://localhost"},
    {"Sec-Fetch-Site": "cross-site", "Origin": WITHOUT_TLS},
]
OWN_SITE: list[dict[str, str]] = [
    {},
    {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://localhost"},
    {"Origin": WITHOUT_TLS},
]


@pytest.mark.parametrize("headers", CROSS_SITE)
async def test_a_page_of_another_site_changes_nothing_even_with_the_right_token(
    database: Database, headers: dict[str, str]
) -> None:
    async with running_web(database, PUBLIC_URL=WITHOUT_TLS) as web:
        browser = await sign_in(web)
        answer = await browser.post("/api/dialing/hold", headers=headers)
        problem(answer, 403, "FORBIDDEN")
        page = await browser.post("/system/hold", headers=headers)
        assert page.status_code == 403
        assert "a page of another site" in page.text
        assert await rows(database, "SELECT held_at FROM gate WHERE held_at IS NOT NULL") == []
        assert (await browser.get("/", headers=headers)).status_code == 200  # a link may lead here


@pytest.mark.parametrize("headers", OWN_SITE)
async def test_our_own_pages_and_programs_may(database: Database, headers: dict[str, str]) -> None:
    async with running_web(database, PUBLIC_URL=WITHOUT_TLS) as web:
        browser = await sign_in(web)
        assert (await browser.post("/api/dialing/hold", headers=headers)).status_code == 200


async def test_webhooks_are_judged_by_their_secret_not_by_their_origin(database: Database) -> None:
    async with running_web(database) as web:
        headers = {"X-Vapi-Secret": HOOK_SECRET, "Origin": "https://vapi.example.test"}
        assert (await web.stranger.post("/api/webhooks/vapi", json={}, headers=headers)).status_code == 200


def scope_of(peer: str | None, **headers: str) -> dict[str, Any]:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "client": (peer, 4711) if peer else None, "scheme": "http", "headers": raw}


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "client"),
    [
        ((), "10.0.0.1", "203.0.113.9", "10.0.0.1"),
        (("10.0.0.0/8",), "10.0.0.1", "203.0.113.9", "203.0.113.9"),
        (("10.0.0.0/8",), "192.0.2.1", "203.0.113.9", "192.0.2.1"),
        (("10.0.0.0/8",), "10.0.0.1", "1.2.3.4, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (("10.0.0.0/8",), "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        (("10.0.0.0/8",), "10.0.0.1", "nonsense", "10.0.0.1"),
        (("10.0.0.0/8",), "10.0.0.1", "203.0.113.9:5511", "203.0.113.9"),
        (("::1",), "::1", "[2001:db8::9]:5511", "2001:db8::9"),
        (("10.0.0.0/8",), "::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        (("*",), "192.0.2.1", "203.0.113.9", "203.0.113.9"),
    ],
)
def test_only_trusted_proxies_say_who_somebody_is(
    trusted: tuple[str, ...], peer: str, forwarded: str, client: str
) -> None:
    seen = as_seen_by_proxies(scope_of(peer, x_forwarded_for=forwarded), trusted)
    assert seen["client"][0] == client


def test_the_scheme_is_believed_from_trusted_proxies_alone() -> None:
    told = {"x_forwarded_proto": "https"}
    assert as_seen_by_proxies(scope_of("10.0.0.1", **told), ("10.0.0.1",))["scheme"] == "https"
    assert as_seen_by_proxies(scope_of("10.0.0.2", **told), ("10.0.0.1",))["scheme"] == "http"
    strange = scope_of("10.0.0.1", x_forwarded_proto="javascript")
    assert as_seen_by_proxies(strange, ("10.0.0.1",))["scheme"] == "http"


async def test_nobody_gets_a_fresh_count_by_inventing_an_address(database: Database) -> None:
    async with running_web(database, RATE_LIMIT_PER_MINUTE=3) as web:
        statuses = [
            (await web.stranger.get("/api/dialing", headers={"X-Forwarded-For": f"198.51.100.{n}"})).status_code
            for n in range(6)
        ]
        assert statuses[:3] == [401] * 3
        assert statuses[-1] == 429


async def test_behind_a_trusted_proxy_strangers_are_told_apart(database: Database) -> None:
    async with running_web(database, RATE_LIMIT_PER_MINUTE=1, TRUSTED_PROXIES="203.0.113.0/24") as web:
        for number in range(4):
            forwarded = {"X-Forwarded-For": f"198.51.100.{number}"}
            assert (await web.stranger.get("/api/dialing", headers=forwarded)).status_code == 401


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOWED_HOSTS", "https://calls.example.com"),
        ("ALLOWED_HOSTS", "calls.example.com:443"),
        ("ALLOWED_HOSTS", "*"),
        ("TRUSTED_PROXIES", "nginx"),
        ("TRUSTED_PROXIES", "10.0.0.0/99"),
        ("REDIS_URL", "http://127.0.0.1"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name) as refused:
        load_settings({name: value})
    assert value not in refused.value.message or value == "*"
