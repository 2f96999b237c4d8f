"""Signing in with an account at Supabase, in a browser: every way in, and everything that keeps somebody out."""

import re
from typing import Any

import httpx
import pytest

from autolynx.flows.people import add_person, find_person, remove_person
from autolynx.flows.sessions import issue_ticket
from autolynx.web.attempt import COOKIE
from tests.support.outside import BROWSER, HOME, Outside, by_password, is_in, local, with_csrf
from tests.support.signed_in import ADMIN, HTMX, a_person, words_of
from tests.support.supabase_project import PASSWORD, PAT, browse, fault, query_of
from tests.support.supabase_standin.world import Outsider
from tests.support.web import http_client, rows, running_web

pytestmark = pytest.mark.anyio
NOT_ON_THE_LIST = "You are not on the list"


async def begin(outside: Outside, browser: httpx.AsyncClient, provider: str = "google", next_path: str = "/") -> str:
    """Press the button of a provider; returns the address at which the browser comes back."""
    outside.world.outside.setdefault(provider, Outsider(subject="g-1", email=PAT))
    gone = await browser.get(f"/sign-in/with/{provider}", params={"next": next_path})
    assert gone.status_code == 303
    assert gone.headers["location"].startswith(f"{outside.world.url}/auth/v1/authorize?")
    return await browse(outside.world, gone.headers["location"])


async def ask_for_link(outside: Outside, browser: httpx.AsyncClient, email: str = PAT) -> None:
    answer = await browser.post("/sign-in/link", data={"email": email, "wants": "link", "next": "/system"})
    assert "If this address is on the list" in words_of(answer)


async def test_the_page_shows_the_ways_that_the_project_offers(outside: Outside) -> None:
    async with outside.browser() as browser:
        page = words_of(await browser.get("/sign-in", params={"next": "/system"}))
        assert 'href="/sign-in/with/google?next=/system"' in page
        assert "Sign in with GitHub" in page
        assert "Mail me a sign-in link" in page
        assert "new password" not in page
        outside.world.providers = {"github"}
        outside.clock.move(600)  # the project is asked anew every ten minutes
        page = words_of(await browser.get("/sign-in"))
        assert "GitHub" in page
        assert "Google" not in page
        assert "<form" not in page
        assert (await browser.get("/sign-in/with/google")).status_code == 404
        unknown = await browser.get("/sign-in/with/gitlab")
        assert unknown.headers["location"].startswith("/sign-in?next=")


async def test_a_password_of_the_project_signs_in_and_the_entry_is_bound(outside: Outside) -> None:
    async with outside.browser() as browser:
        answer = await browser.post("/sign-in", data={"email": PAT, "password": PASSWORD, "next": "/system"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/system")
        assert await is_in(browser)
    entry = await outside.person()
    assert (entry["identity"], entry["sub"]) == ("supabase", outside.world.users[0].id)
    assert await outside.audit("identity.bound") == [(PAT, {"how": "password"})]
    assert await outside.audit("session.opened") == [(PAT, {"how": "password"})]


async def test_the_grant_is_kept_encrypted_and_the_cookie_alone_opens_it(outside: Outside) -> None:
    async with outside.browser() as browser:
        await by_password(browser)
    (row,) = await rows(outside.database, "SELECT * FROM api_tokens WHERE kind = 'session'")
    assert row["identity_until"].timestamp() == outside.clock.now().timestamp() + 3600
    refresh_token = outside.world.sessions[0].tokens[0].token
    assert refresh_token.encode() not in row["identity_grant"]
    assert refresh_token not in str(row)


@pytest.mark.parametrize("provider", ["google", "github"])
async def test_an_account_at_google_or_github_signs_in(outside: Outside, provider: str) -> None:
    async with outside.browser() as browser:
        home = await begin(outside, browser, provider, "/campaigns/new?mode=batch")
        assert PASSWORD not in home
        answer = await browser.get(local(home))
        assert (answer.status_code, answer.headers["location"]) == (303, "/campaigns/new?mode=batch")
        assert await is_in(browser)
        assert COOKIE not in browser.cookies
    assert await outside.audit("identity.bound") == [(PAT, {"how": "code"})]


async def test_a_mailed_link_signs_in_where_it_was_asked_for(outside: Outside) -> None:
    async with outside.browser() as browser, outside.browser() as other:
        await ask_for_link(outside, browser)
        home = local(await browse(outside.world, outside.world.mails[-1].link))
        assert "began in another browser" in words_of(await other.get(home), 401)
        answer = await browser.get(home)
        assert (answer.status_code, answer.headers["location"]) == (303, "/system")
        assert await is_in(browser)
        assert not await is_in(other)


async def test_a_link_of_the_own_template_signs_in_at_once_where_it_was_asked_for(outside: Outside) -> None:
    async with outside.browser() as browser:
        await ask_for_link(outside, browser)
        mail = outside.world.mails[-1]
        state = query_of(query_of(mail.link)["redirect_to"])["state"]
        answer = await browser.get("/sign-in/callback", params={"state": state, "token_hash": mail.token_hash})
        assert (answer.status_code, answer.headers["location"]) == (303, "/system")
        assert await is_in(browser)


async def test_such_a_link_asks_first_in_another_browser_and_is_not_used_up_by_looking(outside: Outside) -> None:
    async with outside.browser() as browser, outside.browser() as phone, outside.browser() as victim:
        await ask_for_link(outside, browser)
        token_hash = outside.world.mails[-1].token_hash
        for _ in range(2):
            page = words_of(await phone.get("/sign-in/callback", params={"state": "x", "token_hash": token_hash}))
        assert "Sign in by this link?" in page
        found = re.search(r'name="state" value="([^"]+)"', page)
        assert found is not None
        form = {"state": found[1], "token_hash": token_hash}
        assert (
            await victim.post("/sign-in/callback", data=form)
        ).status_code == 401  # another site's form has no cookie
        answer = await phone.post("/sign-in/callback", data=form)
        assert answer.status_code == 303
        assert await is_in(phone)
        assert not await is_in(victim)


async def test_a_link_goes_to_people_on_the_list_alone_and_reads_the_same(outside: Outside) -> None:
    async with outside.browser() as browser:
        answers = [
            words_of(await browser.post("/sign-in/link", data={"email": email})).replace(email, "")
            for email in (PAT, "stranger@example.com")
        ]
    assert answers[0] == answers[1]
    assert [mail.to for mail in outside.world.mails] == [PAT]
    assert len(outside.world.users) == 1  # nobody new was made there


@pytest.mark.parametrize("what", ["state", "cookie", "neither"])
async def test_what_another_browser_began_is_not_ours(outside: Outside, what: str) -> None:
    async with outside.browser() as attacker, outside.browser() as victim:
        attack = local(await begin(outside, attacker))
        if what != "cookie":
            await victim.get("/sign-in/with/google")
        if what == "state":  # the attacker's code behind the victim's own state
            state = victim.cookies[COOKIE].split(".")[0]
            attack = f"/sign-in/callback?state={state}&code={query_of(attack)['code']}"
        asked = outside.asked("/token")
        answer = words_of(await victim.get(attack), 401)
        assert "begin again" in answer
        assert not await is_in(victim)
        assert outside.asked("/token") == asked + (1 if what == "state" else 0)


async def test_a_code_works_once(outside: Outside) -> None:
    async with outside.browser() as browser:
        home = local(await begin(outside, browser))
        kept = browser.cookies[COOKIE]
        assert (await browser.get(home)).status_code == 303
        async with outside.browser() as again:
            again.cookies.set(COOKIE, kept)
            assert (await again.get(home)).status_code == 401
            assert not await is_in(again)


async def test_a_cookie_of_an_attempt_that_is_not_ours_is_no_attempt(outside: Outside) -> None:
    async with outside.browser() as browser:
        home = local(await begin(outside, browser))
        for junk in ("", "a.b.c", "\\x00", "." * 300, "x" * 3000, browser.cookies[COOKIE] + "A=="):
            async with http_client(outside.app, Cookie=f"{COOKIE}={junk}", **BROWSER) as other:
                assert (await other.get(home)).status_code == 401


async def test_a_wrong_password_is_refused_in_the_same_words_and_throttled(outside: Outside) -> None:
    async with outside.browser() as browser:
        answers = [
            words_of(await by_password(browser, email, "not the password"), 401).replace(email, "")
            for email in (PAT, "stranger@example.com")
        ]
        assert answers[0] == answers[1]
        for _ in range(4):
            await by_password(browser, PAT, "not the password")
        asked = outside.asked("/token")
        blocked = await by_password(browser)
        assert blocked.status_code == 429
        assert outside.asked("/token") == asked
        assert ("unknown", {"reason": "refused_by_identity"}) in await outside.audit("session.refused")


async def test_somebody_who_is_not_on_the_list_reads_so_and_is_signed_out_there(outside: Outside) -> None:
    outside.world.add_user("stranger@example.com", password=PASSWORD)
    async with outside.browser() as browser:
        page = words_of(await by_password(browser, "stranger@example.com"), 403)
        assert NOT_ON_THE_LIST in page
        assert not await is_in(browser)
    assert outside.world.sessions == []
    assert await outside.audit("session.refused") == [("stranger@example.com", {"reason": "unlisted"})]
    assert await outside.audit("session.opened") == []


async def test_an_entry_that_is_bound_to_another_account_stays_closed_in_the_same_words(outside: Outside) -> None:
    async with outside.browser() as browser:
        await by_password(browser)
    (row,) = await rows(outside.database, "SELECT sub FROM user_profiles WHERE email = %s", PAT)
    outside.world.users.clear()  # the account was deleted there, and somebody made another one of the same email
    outside.world.add_user(PAT, password="another password")
    outside.world.add_user("stranger@example.com", password=PASSWORD)
    async with outside.browser() as thief, outside.browser() as stranger:
        refused = words_of(await by_password(thief, PAT, "another password"), 403)
        assert refused == words_of(await by_password(stranger, "stranger@example.com"), 403)
        assert not await is_in(thief)
    assert (await outside.person())["sub"] == row["sub"]
    assert (PAT, {"reason": "bound_elsewhere"}) in await outside.audit("session.refused")


async def test_an_email_that_was_not_proven_opens_nothing(outside: Outside) -> None:
    outside.world.may_unverified_sign_in = True
    await add_person(outside.runtime, "new@example.com")
    outside.world.add_user("new@example.com", password=PASSWORD, is_confirmed=False)
    async with outside.browser() as browser:
        assert "not confirmed" in words_of(await by_password(browser, "new@example.com"), 403)
        assert not await is_in(browser)
    assert (await outside.person("new@example.com"))["sub"] is None
    assert await outside.audit("session.refused") == [("unknown", {"reason": "unverified"})]


async def test_a_project_that_confirms_emails_unseen_lets_nobody_in_and_the_page_says_why(outside: Outside) -> None:
    outside.world.is_autoconfirm = True
    async with outside.browser() as browser:
        assert "switch on Confirm email" in words_of(await browser.get("/sign-in"))
        assert (await by_password(browser)).status_code == 403
        assert not await is_in(browser)


async def test_a_changed_email_locks_nobody_out_who_is_bound(outside: Outside) -> None:
    async with outside.browser() as browser:
        await by_password(browser)
        outside.world.users[0].email = "married@example.com"
        async with outside.browser() as again:
            assert (await by_password(again, "married@example.com")).status_code == 303
            assert await is_in(again)


async def test_somebody_removed_and_added_again_is_bound_anew(outside: Outside) -> None:
    async with outside.browser() as browser:
        await by_password(browser)
        person = await find_person(outside.runtime, PAT)
        assert person is not None
        await remove_person(outside.runtime, person.id)
        assert not await is_in(browser)
        assert NOT_ON_THE_LIST in words_of(await by_password(browser), 403)
        await add_person(outside.runtime, PAT)
        assert not await is_in(browser)  # what ended stays ended
        assert (await by_password(browser)).status_code == 303
    assert len(await outside.audit("identity.bound")) == 2


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"error": "access_denied", "error_code": "otp_expired"}, "has been used, or is too old"),
        ({"error": "access_denied"}, "broken off"),
        ({"error": "server_error", "error_description": "Call +1 555 0100 at once"}, "did not work"),
    ],
)
async def test_an_error_from_there_is_told_in_our_words(outside: Outside, said: dict[str, str], words: str) -> None:
    async with outside.browser() as browser:
        page = words_of(await browser.get("/sign-in/callback", params=said), 401)
        assert words in page
        assert "0100" not in page


async def test_somebody_who_says_no_at_google_comes_back_to_the_form(outside: Outside) -> None:
    outside.world.outside["google"] = None
    async with outside.browser() as browser:
        gone = await browser.get("/sign-in/with/google")
        home = await browse(outside.world, gone.headers["location"])
        assert "broken off" in words_of(await browser.get(local(home)), 401)


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"])
async def test_no_way_in_leads_elsewhere(outside: Outside, path: str) -> None:
    async with outside.browser() as browser:
        home = await begin(outside, browser, next_path=path)
        assert (await browser.get(local(home))).headers["location"] == "/"
        answer = await browser.post("/sign-in", data={"email": PAT, "password": PASSWORD, "next": path})
        assert answer.headers["location"] == "/"
        assert query_of(home).keys() == {"state", "code"}
        assert home.startswith(HOME)


async def test_a_session_that_somebody_planted_does_not_become_mine(outside: Outside) -> None:
    async with outside.browser() as browser:
        ticket = await issue_ticket(outside.runtime, await a_person(outside.runtime))
        await browser.get("/enter", params={"ticket": ticket.secret})
        planted = browser.cookies["autolynx_session"]
        await by_password(browser)
        assert browser.cookies["autolynx_session"] != planted
        assert PAT in words_of(await browser.get("/account"))


async def test_supabase_away_is_told_and_links_of_the_terminal_still_work(outside: Outside) -> None:
    outside.world.fail("/settings", *[fault(503)] * 3)
    async with outside.browser() as browser:
        assert "Supabase could not answer" in words_of(await browser.get("/sign-in"))
        assert (await by_password(browser)).status_code == 503
        ticket = await issue_ticket(outside.runtime, await a_person(outside.runtime))
        assert (await browser.get("/enter", params={"ticket": ticket.secret})).status_code == 303
        outside.clock.move(23 * 3600)
        assert await is_in(browser)  # nobody has to vouch for it
    assert outside.asked("/token") == 0


async def test_there_are_no_passwords_here(outside: Outside) -> None:
    ticket = await issue_ticket(outside.runtime, await a_person(outside.runtime))
    async with outside.browser() as browser:
        await browser.get("/enter", params={"ticket": ticket.secret})
        await with_csrf(browser)
        assert "Change password" not in words_of(await browser.get("/account"))
        tries: list[tuple[str, str, dict[str, Any]]] = [
            ("GET", "/sign-in/new-password?ticket=x", {}),
            ("POST", "/sign-in/new-password", {"ticket": "x", "password": "a long new password"}),
            ("POST", "/sign-in/link", {"email": ADMIN, "wants": "password"}),
            ("POST", "/account/password", {"password": "a long new password"}),
        ]
        for method, path, form in tries:
            answer = await browser.request(method, path, data=form, headers=HTMX if "account" in path else {})
            assert "set passwords there" in words_of(answer, 409), path
        added = await browser.post("/people/add", data={"email": "b@example.com", "role": "operator"}, headers=HTMX)
        assert "/sign-in</code>" in words_of(added)
        person = await find_person(outside.runtime, PAT)
        assert person is not None
        assert (await browser.post(f"/people/{person.id}/link", headers=HTMX)).status_code == 409


async def test_where_accounts_are_here_the_ways_to_supabase_do_not_exist(database: Any) -> None:
    async with running_web(database) as web:
        for path in ("/sign-in/with/google", "/sign-in/callback?code=x&state=y", "/sign-in/callback?token_hash=x"):
            assert (await web.stranger.get(path)).status_code == 404
        assert (await web.stranger.post("/sign-in/callback")).status_code == 404
