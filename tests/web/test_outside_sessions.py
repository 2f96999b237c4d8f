"""Sessions that Supabase vouches for: asked again once an hour by one request, ended from either side."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import pytest

from autolynx.domain.permission import Role
from autolynx.errors import Unauthorized
from autolynx.flows.vouching import ASK_AGAIN_SECONDS, GRACE_SECONDS
from autolynx.identity.sealed_grant import seal, unseal, vouched_until
from autolynx.store.database import Database
from tests.support.outside import PROGRAM, Outside, PassingClock, by_password, is_in, running_outside, with_csrf
from tests.support.signed_in import HTMX, a_person, words_of
from tests.support.supabase_project import PASSWORD, PAT, fault
from tests.support.supabase_standin.server import Standin
from tests.support.supabase_standin.sessions import refresh_session
from tests.support.web import rows

pytestmark = pytest.mark.anyio
HOUR = 3600


async def entered(browser: httpx.AsyncClient) -> httpx.AsyncClient:
    assert (await by_password(browser)).status_code == 303
    return browser


async def test_within_the_hour_nobody_is_asked_and_then_once(outside: Outside) -> None:
    async with outside.browser() as browser:
        await entered(browser)
        asked = outside.asked("/token")
        outside.clock.move(HOUR - 1)
        assert await is_in(browser)
        assert outside.asked("/token") == asked
        outside.clock.move(1)
        assert await is_in(browser)
        assert await is_in(browser)
        assert outside.asked("/token") == asked + 1
        for _ in range(3):  # each time with the next refresh token
            outside.clock.move(HOUR)
            assert await is_in(browser)
        assert outside.asked("/token") == asked + 4
    assert len(outside.world.sessions) == 1


@pytest.mark.parametrize("seconds", [HOUR, 5 * HOUR])
async def test_many_requests_at_the_end_of_the_hour_use_up_one_refresh_token(
    database: Database, standin: Standin, seconds: int
) -> None:
    async with running_outside(database, standin, clock=PassingClock()) as outside, outside.browser() as browser:
        await entered(browser)
        asked = outside.asked("/token")
        outside.clock.move(seconds)
        answers = await asyncio.gather(*(browser.get("/account") for _ in range(8)))
        assert {answer.status_code for answer in answers} == {200}
        assert outside.asked("/token") == asked + 1
        assert len(outside.world.sessions[0].tokens) == 2


async def test_a_person_who_is_banned_there_is_out_within_the_hour(outside: Outside) -> None:
    async with outside.browser() as browser:
        await entered(browser)
        outside.world.users[0].is_banned = True
        outside.clock.move(HOUR)
        gone = await browser.get("/")
        assert gone.headers["location"] == "/sign-in"
        assert await outside.audit("session.ended") == [(PAT, {"reason": "identity"})]
        outside.world.users[0].is_banned = False
        assert not await is_in(browser)


async def test_a_session_that_ended_there_ends_here(outside: Outside) -> None:
    async with outside.browser() as browser:
        await entered(browser)
        outside.world.sessions.clear()
        outside.clock.move(HOUR)
        assert not await is_in(browser)


async def test_while_supabase_is_away_a_session_goes_on_for_ten_minutes(outside: Outside) -> None:
    async with outside.browser() as browser:
        await entered(browser)
        outside.world.fail("/token", *[fault(503)] * 100)
        asked = outside.asked("/token")
        outside.clock.move(HOUR)
        assert await is_in(browser)
        assert await is_in(browser)
        assert outside.asked("/token") == asked + 1  # not at every request
        outside.clock.move(ASK_AGAIN_SECONDS)
        assert await is_in(browser)
        assert outside.asked("/token") == asked + 2
        outside.clock.move(GRACE_SECONDS)
        for _ in range(2):  # who asks, and who finds that somebody has just asked
            answer = await browser.get("/api/campaigns", headers=PROGRAM)
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "IDENTITY_UNAVAILABLE")
        outside.world.faults["/token"].clear()
        outside.clock.move(ASK_AGAIN_SECONDS)
        assert await is_in(browser)  # the session was not lost


async def test_an_answer_that_was_lost_costs_no_session(outside: Outside) -> None:
    async with outside.browser() as browser:
        await entered(browser)
        outside.clock.move(HOUR)
        refresh_session(outside.world, outside.world.sessions[0].tokens[0].token)  # used up there, never told here
        outside.clock.move(60)
        assert await is_in(browser)


async def test_a_refresh_token_that_somebody_else_went_on_with_ends_the_session(outside: Outside) -> None:
    async with outside.browser() as browser:
        await entered(browser)
        outside.clock.move(HOUR)
        session = outside.world.sessions[0]
        stolen = refresh_session(outside.world, session.tokens[0].token)["refresh_token"]
        refresh_session(outside.world, stolen)
        outside.clock.move(60)
        assert not await is_in(browser)
        assert all(token.is_revoked for token in session.tokens)


async def test_no_transaction_is_open_while_supabase_is_asked(database: Database, standin: Standin) -> None:
    async with running_outside(database, standin) as outside, outside.browser() as browser:
        await entered(browser)
        outside.clock.move(HOUR)
        seen: list[int] = []

        async def look() -> None:
            while outside.asked("/token") < 2:
                await asyncio.sleep(0)
            found = await rows(
                database,
                "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND state LIKE %s",
                "idle in%",
            )
            seen.append(found[0]["n"])

        await asyncio.gather(look(), browser.get("/account"))
        assert seen == [0]


async def test_signing_out_ends_the_session_there_too(outside: Outside) -> None:
    async with outside.browser() as browser, outside.browser() as phone:
        await entered(phone)
        await with_csrf(await entered(browser))
        assert (await browser.post("/leave", headers=HTMX)).headers["hx-redirect"] == "/sign-in"
        assert len(outside.world.sessions) == 1  # the phone's
        assert await is_in(phone)


async def test_signing_out_by_the_api_ends_the_session_there_too(outside: Outside) -> None:
    async with outside.browser() as browser:
        await with_csrf(await entered(browser))
        assert (await browser.delete("/api/session")).status_code == 204
        assert outside.world.sessions == []


async def test_signing_out_works_while_supabase_is_away(outside: Outside) -> None:
    async with outside.browser() as browser:
        await with_csrf(await entered(browser))
        kept = browser.cookies["autolynx_session"]
        outside.world.fail("/token", fault(503))
        assert (await browser.post("/leave", headers=HTMX)).status_code == 200
        browser.cookies.set("autolynx_session", kept, domain="testserver.local", path="/")
        assert not await is_in(browser)


async def test_signing_out_everywhere_else_ends_the_others_here_and_there(outside: Outside) -> None:
    async with outside.browser() as browser, outside.browser() as phone:
        await entered(phone)
        await with_csrf(await entered(browser))
        answer = await browser.post("/account/sign-out-elsewhere", headers=HTMX)
        assert "Signed out elsewhere (1 ended)" in words_of(answer)
        assert not await is_in(phone)
        assert len(outside.world.sessions) == 1
        outside.clock.move(HOUR)
        assert await is_in(browser)


async def test_who_signs_out_elsewhere_is_told_when_supabase_did_not_hear_of_it(outside: Outside) -> None:
    async with outside.browser() as browser, outside.browser() as phone:
        await entered(phone)
        await with_csrf(await entered(browser))
        outside.world.fail("/token", fault(503))
        answer = await browser.post("/account/sign-out-elsewhere", headers=HTMX)
        assert "Supabase could not be told" in words_of(answer)
        assert not await is_in(phone)
        assert await is_in(browser)


async def test_an_admin_signs_somebody_out_everywhere(outside: Outside) -> None:
    outside.world.add_user("admin@example.com", password=PASSWORD)
    await a_person(outside.runtime, "admin@example.com", Role.ADMIN)
    async with outside.browser() as admin, outside.browser() as browser:
        await entered(browser)
        await by_password(admin, "admin@example.com")
        await with_csrf(admin)
        pat = await outside.person()
        assert (await admin.post(f"/people/{pat['id']}/sign-out", headers=HTMX)).status_code == 200
        assert not await is_in(browser)


async def test_a_session_of_supabase_ends_where_supabase_is_not_used_any_more(outside: Outside) -> None:
    async with outside.browser() as browser:
        await entered(browser)
        object.__setattr__(outside.runtime, "identity", None)
        assert not await is_in(browser)


def test_a_grant_is_opened_by_its_own_session_alone() -> None:
    one, other = (datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2))
    session_id = uuid4()
    sealed = seal("refresh", session_secret="al_secret", session_id=session_id, until=one)
    assert vouched_until(sealed) == one
    assert unseal(sealed, session_secret="al_secret", session_id=session_id) == "refresh"
    moved = sealed[:1] + int(other.timestamp()).to_bytes(8, "big") + sealed[9:]
    tries = [
        (sealed, "al_other", session_id),
        (sealed, "al_secret", uuid4()),
        (moved, "al_secret", session_id),
        (sealed[:-1], "al_secret", session_id),
        (b"", "al_secret", session_id),
    ]
    for wrong, secret, of in tries:
        with pytest.raises(Unauthorized):
            unseal(wrong, session_secret=secret, session_id=of)
