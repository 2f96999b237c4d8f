"""Attacks on the door: a cookie laid in wait, guesses, questions about who is here, and ways that lead elsewhere."""

import asyncio
import re
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autolynx.domain.permission import Role
from autolynx.flows.access import csrf_for
from autolynx.flows.people import remove_person
from autolynx.flows.sessions import issue_ticket
from autolynx.flows.sign_in import set_password
from autolynx.store.database import Database
from autolynx.web.auth import SESSION_COOKIE
from autolynx.web.safe_path import safe_path
from tests.support.mail_server import running_mail_server
from tests.support.signed_in import a_person
from tests.support.web import NOWHERE, Web, http_client, moved_clock, rows, running_web

ZOE, BOSS = "zoe@example.com", "boss@example.com"
PASSWORD = "four words of nobody else"


async def zoe_in(web: Web) -> None:
    await a_person(web.runtime, BOSS, Role.ADMIN)
    await set_password(web.runtime, await a_person(web.runtime, ZOE, Role.OPERATOR), PASSWORD)


async def signs_in(
    client: httpx.AsyncClient,
    password: str = PASSWORD,
    email: str = ZOE,
    headers: dict[str, str] | None = None,
    **more: str,
) -> httpx.Response:
    return await client.post("/sign-in", data={"email": email, "password": password, **more}, headers=headers)


def secret_in(answer: httpx.Response) -> str:
    """Return the session that an answer gives."""
    found = re.search(rf"{SESSION_COOKIE}=([^;]+)", answer.headers["Set-Cookie"])
    assert found is not None
    return found[1]


async def opens(web: Web, secret: str) -> bool:
    async with http_client(web.app, Cookie=f"{SESSION_COOKIE}={secret}") as client:
        return (await client.get("/api/campaigns")).status_code == 200


@pytest.mark.anyio
async def test_a_cookie_laid_in_wait_is_not_adopted(database: Database) -> None:
    async with running_web(database) as web:
        await zoe_in(web)
        planted = "al_known-to-the-attacker"
        answer = await signs_in(web.stranger, headers={"Cookie": f"{SESSION_COOKIE}={planted}"})
        assert answer.status_code == 303
        assert secret_in(answer) != planted
        assert not await opens(web, planted)
        assert await opens(web, secret_in(answer))


@pytest.mark.anyio
@pytest.mark.parametrize("way", ["password", "link", "api"])
async def test_the_secret_changes_at_every_sign_in_and_the_one_before_ends(database: Database, way: str) -> None:
    async with running_web(database) as web:
        await zoe_in(web)
        attackers = secret_in(await signs_in(web.stranger))
        web.stranger.cookies.clear()
        had = {"Cookie": f"{SESSION_COOKIE}={attackers}"}
        ticket = (await issue_ticket(web.runtime, await a_person(web.runtime, ZOE))).secret
        if way == "password":
            answer = await signs_in(web.stranger, headers=had)
        elif way == "link":
            answer = await web.stranger.get("/enter", params={"ticket": ticket}, headers=had)
        else:
            answer = await web.stranger.post("/api/session", json={"ticket": ticket}, headers=had)
        assert secret_in(answer) != attackers
        assert csrf_for(secret_in(answer)) != csrf_for(attackers)
        assert not await opens(web, attackers), "who knows the former secret is out"


@pytest.mark.anyio
async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(database: Database) -> None:
    async with running_web(database, PUBLIC_URL="https://calls.example.com") as web:
        await zoe_in(web)
        host = {"Host": "calls.example.com", "X-Forwarded-Proto": "https"}
        cookie = (await signs_in(web.stranger, headers=host)).headers["Set-Cookie"].lower()
        for word in ("httponly", "secure", "samesite=lax", "path=/"):
            assert word in cookie
        assert "domain=" not in cookie


@pytest.mark.anyio
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://testserver.evil.example"},
    ],
)
async def test_another_site_signs_nobody_in_as_somebody_else(database: Database, headers: dict[str, str]) -> None:
    async with running_web(database) as web:
        await zoe_in(web)
        answer = await signs_in(web.stranger, headers=headers)
        assert answer.status_code == 403
        assert "Set-Cookie" not in answer.headers
        for own in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": NOWHERE}, {}):
            assert (await signs_in(web.stranger, headers=own)).status_code == 303


@pytest.mark.anyio
async def test_guesses_of_one_password_are_stopped_and_say_until_when(database: Database) -> None:
    clock = moved_clock()
    async with running_web(database, clock=clock) as web:
        await zoe_in(web)
        for number in range(5):
            assert (await signs_in(web.stranger, f"guess {number}")).status_code == 401
        stopped = await signs_in(web.stranger)
        assert stopped.status_code == 429
        assert stopped.headers["Retry-After"] == "900"
        assert "Try again in 15 minutes" in stopped.text
        assert "Set-Cookie" not in stopped.headers
        link = await issue_ticket(web.runtime, await a_person(web.runtime, ZOE))
        assert (await web.stranger.get("/enter", params={"ticket": link.secret})).status_code == 303
        web.stranger.cookies.clear()
        clock.move(900)
        assert (await signs_in(web.stranger)).status_code == 303


@pytest.mark.anyio
async def test_guesses_from_one_address_are_stopped_and_others_are_not(database: Database) -> None:
    async with running_web(database, clock=moved_clock()) as web:
        await zoe_in(web)
        for number in range(30):
            assert (await signs_in(web.stranger, "x", email=f"{number}@example.com")).status_code == 401
        assert (await signs_in(web.stranger)).status_code == 429
        elsewhere = httpx.ASGITransport(app=web.app, client=("198.51.100.9", 1))
        async with httpx.AsyncClient(transport=elsewhere, base_url=NOWHERE) as other:
            assert (await signs_in(other)).status_code == 303


@pytest.mark.anyio
async def test_many_guesses_at_once_are_no_way_around(database: Database) -> None:
    async with running_web(database, clock=moved_clock()) as web:
        await zoe_in(web)
        answers = await asyncio.gather(*(signs_in(web.stranger, f"guess {number}") for number in range(10)))
        assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 5


async def everybody(web: Web) -> list[str]:
    """Return an email of each kind: known, unknown, removed, without a password, none at all."""
    await zoe_in(web)
    await a_person(web.runtime, "bare@example.com", Role.OPERATOR)
    removed = await a_person(web.runtime, "gone@example.com", Role.OPERATOR)
    await set_password(web.runtime, removed, PASSWORD)
    await remove_person(web.runtime, removed.id)
    return [ZOE, "nobody@example.com", "gone@example.com", "bare@example.com", "no email"]


@pytest.mark.anyio
async def test_nobody_learns_at_the_door_who_is_here(database: Database) -> None:
    async with running_web(database) as web:
        answers = set()
        for email in await everybody(web):
            answer = await signs_in(web.stranger, "wrong", email=email)
            answers.add((answer.status_code, answer.text.replace(email, "-"), tuple(answer.headers)))
        assert len(answers) == 1
        assert next(iter(answers))[0] == 401


@pytest.mark.anyio
async def test_nobody_learns_by_asking_for_a_link_who_is_here(database: Database, tmp_path: Path) -> None:
    async with running_mail_server(tmp_path) as server, running_web(database, mailer=server.mailer()) as web:
        answers = set()
        for email in await everybody(web):
            for wants in ("link", "password"):
                answer = await web.stranger.post("/sign-in/link", data={"email": email, "wants": wants})
                answers.add((answer.status_code, answer.text.replace(email, "-"), tuple(answer.headers)))
        assert len(answers) == 1
        assert {message["To"] for message in server.outbox} == {ZOE, "bare@example.com"}


@pytest.mark.anyio
async def test_the_work_for_nobody_is_that_for_somebody(database: Database) -> None:
    """A hash is computed for every one of them: the fastest of each differ by less than half."""
    async with running_web(database, clock=moved_clock()) as web:
        emails = await everybody(web)
        fastest: dict[str, float] = {}
        loop = asyncio.get_running_loop()
        for _ in range(4):
            for email in emails:
                begun = loop.time()
                await signs_in(web.stranger, "wrong", email=email)
                fastest[email] = min(fastest.get(email, 9.0), loop.time() - begun)
        assert min(fastest.values()) > 0.005, "a hash takes its time"
        assert min(fastest.values()) > 0.4 * max(fastest.values()), fastest


@pytest.mark.anyio
async def test_failures_are_on_record_once_a_minute_without_a_name(database: Database) -> None:
    async with running_web(database, clock=moved_clock()) as web:
        await zoe_in(web)
        for _ in range(4):
            await signs_in(web.stranger, "wrong")
        found = await rows(database, "SELECT actor, details FROM audit_log WHERE action = 'session.refused'")
        assert len(found) == 1
        assert ZOE not in str(found)


ELSEWHERE = [
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/%5cevil.example",
    "%2f%2fevil.example",
    "/%2fevil.example",
    "/%2f%2fevil.example",
    "///evil.example",
    "http:evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "/\tevil",
    "/\n/evil.example",
    "\x01//evil.example",
    "/..//evil.example",
    "/./..//evil.example",
    "@evil.example",
    ".evil.example",
    "/a/../../..//evil.example",
    "x" * 3000,
]


@pytest.mark.anyio
@pytest.mark.parametrize("place", ELSEWHERE)
async def test_signing_in_leads_to_no_other_site(database: Database, place: str) -> None:
    async with running_web(database) as web:
        await zoe_in(web)
        answer = await signs_in(web.stranger, next=place)
        if len(place) > 2000:
            assert answer.status_code == 400
            return
        assert answer.status_code == 303
        assert stays(answer.headers["Location"])
        signed_in = await web.stranger.get("/sign-in", params={"next": place})
        assert signed_in.status_code == 303
        assert stays(signed_in.headers["Location"])


@pytest.mark.anyio
async def test_signing_in_leads_back_to_what_was_asked_for(database: Database) -> None:
    async with running_web(database) as web:
        await zoe_in(web)
        asked = await web.stranger.get("/analytics", params={"from": "2026-03-01"}, headers={"Accept": "text/html"})
        door = (await web.stranger.get(asked.headers["Location"])).text
        wanted = re.search(r'name="next" value="([^"]+)"', door)
        assert wanted is not None
        assert (await signs_in(web.stranger, next=wanted[1])).headers["Location"] == "/analytics?from=2026-03-01"


def stays(place: str) -> bool:
    """Whether a browser that is led there stays on the site, whatever it makes of slashes and blanks."""
    made = re.sub(r"[\x00-\x20]", "", place.replace("\\", "/"))
    return made.startswith("/") and not made.startswith("//") and httpx.URL("http://here/").join(made).host == "here"


@given(st.text(alphabet=st.sampled_from("/\\.%25fc:@?#ea \t\n\r\x00"), max_size=30) | st.text(max_size=40))
def test_no_path_leads_to_another_site(place: str) -> None:
    assert stays(safe_path(place))


@pytest.mark.anyio
async def test_a_secret_in_the_address_is_not_handed_on(database: Database) -> None:
    async with running_web(database) as web:
        for path in ("/enter?ticket=al_x", "/sign-in/new-password?ticket=al_x"):
            answer = await web.stranger.get(path)
            assert answer.headers["Referrer-Policy"] in {"no-referrer", "same-origin", "strict-origin"}
            assert "no-store" in answer.headers["Cache-Control"]
