"""The official client of Supabase Auth as a second caller of the stand-in, so that it cannot drift into fiction.

The same flows as ours: what the makers' own client reads, refuses and verifies there must be what it does with the
real server.
"""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import jwt
import pytest
from supabase_auth import AsyncGoTrueClient
from supabase_auth.errors import AuthApiError, AuthInvalidJwtError, AuthRetryableError

from autolynx.runtime import SystemClock
from tests.support.supabase_project import HOME, PASSWORD, PAT, browse, client_of, fault, query_of
from tests.support.supabase_standin.keys import LEGACY_SECRET, private_key
from tests.support.supabase_standin.server import Standin
from tests.support.supabase_standin.world import ANON_KEY, Outsider, World, stamp

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world(standin: Standin) -> AsyncIterator[World]:
    with standin.project(SystemClock()) as world:  # the official client has no clock but the machine's
        world.add_user(PAT, password=PASSWORD, user_metadata={"full_name": "Pat Example"})
        yield world


@pytest.fixture
async def client(world: World) -> AsyncIterator[AsyncGoTrueClient]:
    made = official(world)
    yield made
    await made.close()


def official(world: World, key: str = ANON_KEY) -> AsyncGoTrueClient:
    return AsyncGoTrueClient(
        url=f"{world.url}/auth/v1",
        headers={"apikey": key},
        auto_refresh_token=False,
        flow_type="pkce",
        http_client=httpx.AsyncClient(follow_redirects=True),
    )


async def code_of(awaitable: Any) -> str | None:
    with pytest.raises(AuthApiError) as refused:
        await awaitable
    return refused.value.code


async def test_a_password_opens_a_session(world: World, client: AsyncGoTrueClient) -> None:
    answer = await client.sign_in_with_password({"email": PAT, "password": PASSWORD})
    user = world.users[0]
    assert answer.session is not None
    assert answer.user is not None
    assert (answer.user.id, answer.user.email, answer.session.token_type) == (user.id, PAT, "bearer")
    assert answer.user.email_confirmed_at is not None
    assert stamp(answer.user.email_confirmed_at) == stamp(user.email_confirmed_at or answer.user.created_at)
    assert [row.provider for row in answer.user.identities or []] == ["email"]


async def test_refusals_of_passwords_have_the_words_that_the_client_knows(
    world: World, client: AsyncGoTrueClient
) -> None:
    world.add_user("new@example.com", password=PASSWORD, is_confirmed=False)
    wrong = await code_of(client.sign_in_with_password({"email": PAT, "password": "wrong"}))
    unknown = await code_of(client.sign_in_with_password({"email": "nobody@example.com", "password": PASSWORD}))
    unconfirmed = await code_of(client.sign_in_with_password({"email": "new@example.com", "password": PASSWORD}))
    assert (wrong, unknown, unconfirmed) == ("invalid_credentials", "invalid_credentials", "email_not_confirmed")


async def test_signing_up_makes_a_person_who_has_yet_to_confirm(world: World, client: AsyncGoTrueClient) -> None:
    answer = await client.sign_up({"email": "new@example.com", "password": PASSWORD})
    assert answer.session is None
    assert answer.user is not None
    assert answer.user.email_confirmed_at is None
    assert await code_of(client.sign_in_with_password({"email": "new@example.com", "password": PASSWORD}))
    opened = await client.verify_otp({"type": "email", "token_hash": world.mails[0].token_hash})
    assert opened.session is not None
    assert opened.session.user.email_confirmed_at is not None


async def test_with_autoconfirm_signing_up_proves_nothing_and_opens_a_session(
    world: World, client: AsyncGoTrueClient
) -> None:
    world.is_autoconfirm = True
    answer = await client.sign_up({"email": "boss@example.com", "password": PASSWORD})
    assert answer.session is not None
    assert answer.session.user.email_confirmed_at is not None
    ours = client_of(world, SystemClock())
    assert not (await ours.sign_in("boss@example.com", PASSWORD)).identity.is_email_verified
    await ours.close()


async def test_a_link_comes_back_with_a_code(world: World, client: AsyncGoTrueClient) -> None:
    await client.sign_in_with_otp({"email": PAT, "options": {"email_redirect_to": HOME}})
    home = await browse(world, world.mails[0].link)
    assert home.startswith(HOME)
    answer = await client.exchange_code_for_session(
        {"auth_code": query_of(home)["code"], "code_verifier": "", "redirect_to": HOME}
    )
    assert answer.session is not None
    assert answer.session.user.email == PAT
    claims = await client.get_claims(answer.session.access_token)
    assert claims is not None
    assert [entry["method"] for entry in claims["claims"]["amr"] if not isinstance(entry, str)] == ["magiclink"]


async def test_a_link_is_redeemed_by_its_hash_or_by_its_digits(world: World, client: AsyncGoTrueClient) -> None:
    await client.sign_in_with_otp({"email": "new@example.com"})
    answer = await client.verify_otp({"type": "email", "token_hash": world.mails[0].token_hash})
    assert answer.session is not None
    await client.sign_in_with_otp({"email": PAT})
    answer = await client.verify_otp({"type": "email", "email": PAT, "token": world.mails[1].code})
    assert answer.session is not None
    again = client.verify_otp({"type": "email", "email": PAT, "token": world.mails[1].code})
    assert await code_of(again) == "otp_expired"


async def test_refusals_of_links_have_the_words_that_the_client_knows(world: World, client: AsyncGoTrueClient) -> None:
    await client.sign_in_with_otp({"email": PAT})
    assert await code_of(client.sign_in_with_otp({"email": PAT})) == "over_email_send_rate_limit"
    stranger = client.sign_in_with_otp({"email": "nobody@example.com", "options": {"should_create_user": False}})
    assert await code_of(stranger) == "otp_disabled"
    assert await code_of(client.sign_in_with_otp({"email": "no address"})) == "validation_failed"
    world.is_signup_disabled = True
    assert await code_of(client.sign_in_with_otp({"email": "nobody@example.com"})) == "signup_disabled"


async def test_an_account_elsewhere_comes_back_with_a_code(world: World, client: AsyncGoTrueClient) -> None:
    world.outside["github"] = Outsider(subject="7", email="sam@example.com")
    begun = await client.sign_in_with_oauth({"provider": "github", "options": {"redirect_to": HOME}})
    home = await browse(world, begun.url)
    answer = await client.exchange_code_for_session(
        {"auth_code": query_of(home)["code"], "code_verifier": "", "redirect_to": HOME}
    )
    assert answer.user is not None
    assert answer.user.app_metadata == {"provider": "github", "providers": ["github"]}
    assert answer.user.user_metadata["email_verified"] is True


async def test_refusals_of_codes_have_the_words_that_the_client_knows(world: World, client: AsyncGoTrueClient) -> None:
    world.outside["github"] = Outsider(subject="7", email="sam@example.com")
    begun = await client.sign_in_with_oauth({"provider": "github", "options": {"redirect_to": HOME}})
    code = query_of(await browse(world, begun.url))["code"]
    verifiers = {"bad_code_verifier": "x" * 64, "validation_failed": None}
    for expected, verifier in verifiers.items():
        body = {"auth_code": code, "code_verifier": verifier}
        answer = await post(world, "/token?grant_type=pkce", body)
        assert (answer.status_code, answer.json()["error_code"]) == (400, expected)
    stranger = {"auth_code": "00000000-0000-4000-8000-000000000000", "code_verifier": "x" * 64, "redirect_to": HOME}
    assert await code_of(client.exchange_code_for_session(stranger)) == "flow_state_not_found"  # type: ignore[arg-type]


async def post(world: World, path: str, body: Any, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient() as plain:
        return await plain.post(f"{world.url}/auth/v1{path}", json=body, headers={"apikey": ANON_KEY, **headers})


async def test_a_refresh_changes_the_refresh_token_and_a_late_reuse_ends_all(
    world: World, client: AsyncGoTrueClient
) -> None:
    first = (await client.sign_in_with_password({"email": PAT, "password": PASSWORD})).session
    assert first is not None
    second = (await client.refresh_session()).session
    assert second is not None
    assert second.refresh_token != first.refresh_token
    await client.refresh_session()
    for token in world.sessions[0].tokens:
        token.updated_at = token.updated_at.replace(year=2020)
    assert await code_of(client.refresh_session(first.refresh_token)) == "refresh_token_already_used"
    assert await code_of(client.refresh_session("abcdefghijkl")) == "refresh_token_not_found"


@pytest.mark.parametrize(("scope", "left"), [("global", 1), ("local", 2), ("others", 2)])
async def test_signing_out_ends_what_the_scope_says(
    world: World, client: AsyncGoTrueClient, scope: Any, left: int
) -> None:
    world.add_user("sam@example.com", password=PASSWORD)
    others = [official(world) for _ in range(2)]
    await others[0].sign_in_with_password({"email": "sam@example.com", "password": PASSWORD})
    await others[1].sign_in_with_password({"email": PAT, "password": PASSWORD})
    await client.sign_in_with_password({"email": PAT, "password": PASSWORD})
    await client.sign_out({"scope": scope})
    assert len(world.sessions) == left
    assert any(session.user.email == "sam@example.com" for session in world.sessions)
    for other in others:
        await other.close()


async def test_the_user_is_shown_while_the_session_stands(world: World, client: AsyncGoTrueClient) -> None:
    answer = await client.sign_in_with_password({"email": PAT, "password": PASSWORD})
    shown = await client.get_user()
    assert answer.session is not None
    assert shown is not None
    assert shown.user.id == world.users[0].id
    world.sessions.clear()
    assert await code_of(client.get_user(answer.session.access_token)) == "session_not_found"
    assert await code_of(client.get_user("junk")) == "bad_jwt"


async def test_a_person_can_write_into_their_metadata_that_the_address_is_verified(
    world: World, client: AsyncGoTrueClient
) -> None:
    world.may_unverified_sign_in = True
    world.add_user("boss@example.com", password=PASSWORD, is_confirmed=False)
    await client.sign_in_with_password({"email": "boss@example.com", "password": PASSWORD})
    written = await client.update_user({"data": {"email_verified": True}})
    assert written.user.user_metadata["email_verified"] is True
    assert written.user.email_confirmed_at is None


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
async def test_the_client_verifies_tokens_by_the_published_keys(
    world: World, client: AsyncGoTrueClient, algorithm: str
) -> None:
    world.keys.rotate(f"new-{algorithm}", algorithm)
    answer = await client.sign_in_with_password({"email": PAT, "password": PASSWORD})
    assert answer.session is not None
    claims = await client.get_claims(answer.session.access_token)
    ours = client_of(world, SystemClock())
    bearer = await ours.verify(answer.session.access_token)
    await ours.close()
    assert claims is not None
    assert claims["headers"].get("kid") == f"new-{algorithm}"
    assert claims["claims"]["sub"] == bearer.identity.subject == world.users[0].id
    assert claims["claims"]["session_id"] == bearer.session_id
    assert claims["claims"]["aud"] == "authenticated"


async def test_the_client_refuses_tokens_that_we_refuse(world: World, client: AsyncGoTrueClient) -> None:
    answer = await client.sign_in_with_password({"email": PAT, "password": PASSWORD})
    assert answer.session is not None
    head, _, _ = answer.session.access_token.rpartition(".")
    elsewhere = jwt.encode(
        {"exp": 2_900_000_000}, private_key("other", "ES256"), headers={"kid": "k"}, algorithm="ES256"
    )
    for token in (f"{head}.{'A' * 86}", elsewhere, "junk"):
        with pytest.raises(AuthInvalidJwtError):
            await client.get_claims(token)


async def test_with_the_secret_of_old_the_client_asks_the_server(world: World, client: AsyncGoTrueClient) -> None:
    world.keys.secret = LEGACY_SECRET
    answer = await client.sign_in_with_password({"email": PAT, "password": PASSWORD})
    assert answer.session is not None
    claims = await client.get_claims(answer.session.access_token)
    assert claims is not None
    assert (claims["headers"]["alg"], world.asks["/user"]) == ("HS256", 1)


async def test_a_wrong_key_and_a_server_that_is_away_are_what_the_client_knows(world: World) -> None:
    client = official(world, key="wrong")
    with pytest.raises(AuthApiError) as refused:
        await client.sign_in_with_password({"email": PAT, "password": PASSWORD})
    assert (refused.value.status, refused.value.code) == (401, None)
    world.fail("/token", fault(503))
    with pytest.raises(AuthRetryableError):
        await client.sign_in_with_password({"email": PAT, "password": PASSWORD})
    await client.close()


async def test_errors_have_the_form_of_the_version_that_is_asked_for(world: World) -> None:
    body = {"email": PAT, "password": "wrong"}
    older = await post(world, "/token?grant_type=password", body)
    newer = await post(world, "/token?grant_type=password", body, **{"X-Supabase-Api-Version": "2024-01-01"})
    assert older.json().keys() == {"code", "error_code", "msg"}
    assert newer.json().keys() == {"code", "message"}
    assert older.json()["code"] == 400
    assert newer.json()["code"] == older.json()["error_code"] == newer.headers["x-sb-error-code"]
    assert newer.headers["x-supabase-api-version"] == "2024-01-01"


async def test_bodies_that_are_no_json_and_grants_that_do_not_exist_are_refused(world: World) -> None:
    async with httpx.AsyncClient(headers={"apikey": ANON_KEY}) as plain:
        junk = await plain.post(f"{world.url}/auth/v1/token?grant_type=password", content=b"{")
    unknown = await post(world, "/token?grant_type=none", {})
    assert (junk.status_code, junk.json()["error_code"]) == (400, "bad_json")
    assert (unknown.status_code, unknown.json()["error_code"]) == (400, "invalid_credentials")


async def test_without_pkce_a_link_would_bring_the_tokens_behind_the_hash(world: World) -> None:
    answer = await post(world, "/magiclink", {"email": PAT})
    assert answer.json() == {}
    home = await browse(world, world.mails[0].link)
    assert query_of(home) == {}
    assert "access_token=" in home.partition("#")[2]
