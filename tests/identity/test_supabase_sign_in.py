from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from autolynx.errors import AutolynxError, IdentityError, RateLimited, Unauthorized
from autolynx.identity.port import LinkRequest, OAuthProvider
from tests.support.supabase_project import (
    HOME,
    PASSWORD,
    PAT,
    Project,
    browse,
    fault,
    new_challenge,
    query_of,
)
from tests.support.supabase_standin.world import Outsider

pytestmark = pytest.mark.anyio


async def test_a_password_opens_a_session(project: Project) -> None:
    grant = await project.client.sign_in(PAT, PASSWORD)
    user = project.world.users[0]
    assert (grant.identity.subject, grant.identity.email, grant.identity.name) == (user.id, PAT, "Pat Example")
    assert grant.identity.is_email_verified
    assert grant.expires_at == project.clock.now() + timedelta(hours=1)


async def test_neither_tokens_nor_names_nor_addresses_are_in_what_is_printed(project: Project) -> None:
    grant = await project.client.sign_in(PAT, PASSWORD)
    bearer = await project.client.verify(grant.access_token)
    for secret in (grant.access_token, grant.refresh_token, PAT, "Pat Example"):
        assert secret not in repr(grant) + repr(bearer)


async def test_a_wrong_password_an_unknown_address_and_an_unconfirmed_one_read_the_same(project: Project) -> None:
    project.world.add_user("new@example.com", password=PASSWORD, is_confirmed=False)
    project.world.add_user("banned@example.com", password=PASSWORD, is_banned=True)
    project.world.add_user("link-only@example.com")
    tries = [
        (PAT, "wrong"),
        ("nobody@example.com", PASSWORD),
        ("new@example.com", PASSWORD),
        ("banned@example.com", PASSWORD),
        ("link-only@example.com", PASSWORD),
        ("", PASSWORD),
    ]
    said = set()
    for email, password in tries:
        with pytest.raises(Unauthorized) as refusal:
            await project.client.sign_in(email, password)
        said.add((refusal.value.message, str(refusal.value.details)))
    assert said == {("The email address or the password is wrong.", "{}")}


async def test_a_link_is_sent_to_anybody_and_looks_the_same(project: Project) -> None:
    for email in (PAT, "new@example.com"):
        sent = await project.client.send_link(email, redirect_to=HOME, challenge=new_challenge()[1])
        assert sent is LinkRequest.SENT
    assert [(mail.to, mail.kind) for mail in project.world.mails] == [(PAT, "magiclink"), ("new@example.com", "signup")]


@pytest.mark.parametrize("email", [PAT, "new@example.com"])
async def test_the_usual_link_comes_back_with_a_code_that_the_same_browser_exchanges(
    project: Project, email: str
) -> None:
    verifier, challenge = new_challenge()
    await project.client.send_link(email, redirect_to=HOME + "?next=x", challenge=challenge)
    home = await browse(project.world, project.world.mails[-1].link)
    assert urlsplit(home).fragment == ""
    assert query_of(home).keys() == {"next", "code"}
    grant = await project.client.exchange(query_of(home)["code"], verifier=verifier)
    assert (grant.identity.email, grant.identity.is_email_verified) == (email, True)


async def test_the_code_of_a_link_is_worth_nothing_without_its_verifier(project: Project) -> None:
    _, challenge = new_challenge()
    await project.client.send_link(PAT, redirect_to=HOME, challenge=challenge)
    code = query_of(await browse(project.world, project.world.mails[-1].link))["code"]
    with pytest.raises(Unauthorized, match="began in another browser"):
        await project.client.exchange(code, verifier=new_challenge()[0])


@pytest.mark.parametrize("email", [PAT, "new@example.com"])
async def test_a_link_of_our_own_template_is_redeemed_by_its_hash_once(project: Project, email: str) -> None:
    await project.client.send_link(email, redirect_to=HOME, challenge=new_challenge()[1])
    token_hash = project.world.mails[-1].token_hash
    grant = await project.client.redeem_link(token_hash)
    assert (grant.identity.email, grant.identity.is_email_verified) == (email, True)
    with pytest.raises(Unauthorized, match="has been used"):
        await project.client.redeem_link(token_hash)


async def test_a_link_that_is_too_old_is_over(project: Project) -> None:
    await project.client.send_link(PAT, redirect_to=HOME, challenge=new_challenge()[1])
    project.clock.move(86_401)
    with pytest.raises(Unauthorized, match="too old"):
        await project.client.redeem_link(project.world.mails[-1].token_hash)
    with pytest.raises(Unauthorized):
        await project.client.redeem_link("invented")
    with pytest.raises(Unauthorized):
        await project.client.redeem_link("")


async def test_a_code_that_is_too_old_is_over(project: Project) -> None:
    verifier, challenge = new_challenge()
    await project.client.send_link(PAT, redirect_to=HOME, challenge=challenge)
    code = query_of(await browse(project.world, project.world.mails[-1].link))["code"]
    project.clock.move(301)
    with pytest.raises(Unauthorized, match="too long"):
        await project.client.exchange(code, verifier=verifier)


async def test_limits_for_mail_do_not_tell_that_an_address_is_known(project: Project) -> None:
    for expected in (LinkRequest.SENT, LinkRequest.HELD_BACK):
        assert await project.client.send_link(PAT, redirect_to=HOME, challenge=new_challenge()[1]) is expected
    project.world.is_mail_exhausted = True
    assert await project.client.send_link("b@example.com", redirect_to=HOME, challenge=new_challenge()[1]) is expected


async def test_where_nobody_may_sign_up_a_new_address_is_refused_without_a_word_to_the_person(project: Project) -> None:
    project.world.is_signup_disabled = True
    for email in ("new@example.com", "no address"):
        sent = await project.client.send_link(email, redirect_to=HOME, challenge=new_challenge()[1])
        assert sent is LinkRequest.REFUSED
    assert project.world.mails == []


@pytest.mark.parametrize("provider", list(OAuthProvider))
async def test_an_account_elsewhere_signs_in_by_code_and_verifier(project: Project, provider: OAuthProvider) -> None:
    project.world.outside[provider] = Outsider(subject="108", email="Sam@Example.com", name="Sam\tExample\u202e ")
    verifier, challenge = new_challenge()
    address = project.client.authorize_url(provider, redirect_to=HOME + "?state=s", challenge=challenge)
    home = await browse(project.world, address)
    assert home.startswith(HOME)
    assert query_of(home)["state"] == "s"
    grant = await project.client.exchange(query_of(home)["code"], verifier=verifier)
    assert (grant.identity.email, grant.identity.name) == ("sam@example.com", "Sam Example")
    assert grant.identity.is_email_verified


async def test_the_address_for_an_account_elsewhere_holds_no_secret(project: Project) -> None:
    verifier, challenge = new_challenge()
    address = project.client.authorize_url(OAuthProvider.GITHUB, redirect_to=HOME, challenge=challenge)
    query = query_of(address)
    assert verifier not in address
    assert query == {
        "provider": "github",
        "redirect_to": HOME,
        "code_challenge": challenge,
        "code_challenge_method": "s256",
    }


async def test_an_account_elsewhere_joins_the_one_with_the_same_verified_address(project: Project) -> None:
    project.world.outside["google"] = Outsider(subject="108", email=PAT)
    verifier, challenge = new_challenge()
    address = project.client.authorize_url(OAuthProvider.GOOGLE, redirect_to=HOME, challenge=challenge)
    code = query_of(await browse(project.world, address))["code"]
    grant = await project.client.exchange(code, verifier=verifier)
    assert grant.identity.subject == project.world.users[0].id


async def test_a_code_is_good_for_once(project: Project) -> None:
    project.world.outside["google"] = Outsider(subject="108", email="sam@example.com")
    verifier, challenge = new_challenge()
    address = project.client.authorize_url(OAuthProvider.GOOGLE, redirect_to=HOME, challenge=challenge)
    code = query_of(await browse(project.world, address))["code"]
    await project.client.exchange(code, verifier=verifier)
    with pytest.raises(Unauthorized):
        await project.client.exchange(code, verifier=verifier)


@pytest.mark.parametrize("person", [None, Outsider(subject="108", email="sam@example.com", is_verified=False)])
async def test_a_no_from_elsewhere_comes_home_as_an_error(project: Project, person: Outsider | None) -> None:
    project.world.outside["google"] = person
    address = project.client.authorize_url(OAuthProvider.GOOGLE, redirect_to=HOME, challenge=new_challenge()[1])
    home = await browse(project.world, address)
    assert home.startswith(HOME)
    assert query_of(home)["error"] == "access_denied"


async def test_an_address_that_is_not_verified_elsewhere_does_not_count_even_where_supabase_lets_it_in(
    project: Project,
) -> None:
    project.world.may_unverified_sign_in = True
    project.world.outside["github"] = Outsider(subject="7", email="boss@example.com", is_verified=False)
    verifier, challenge = new_challenge()
    address = project.client.authorize_url(OAuthProvider.GITHUB, redirect_to=HOME, challenge=challenge)
    code = query_of(await browse(project.world, address))["code"]
    grant = await project.client.exchange(code, verifier=verifier)
    assert not grant.identity.is_email_verified


async def test_offers_are_what_the_project_has_switched_on_asked_every_ten_minutes(project: Project) -> None:
    offers = await project.client.offers()
    assert (offers.has_email, offers.is_email_proven) == (True, True)
    assert offers.oauth_providers == set(OAuthProvider)
    project.world.providers = {"github", "gitlab"}
    assert await project.client.offers() == offers
    assert project.world.asks["/settings"] == 1
    project.clock.move(600)
    offers = await project.client.offers()
    assert (offers.has_email, offers.oauth_providers) == (False, {OAuthProvider.GITHUB})


async def test_ways_that_are_switched_off_say_who_has_to_mend_it(project: Project) -> None:
    project.world.providers = set()
    for attempt in (
        project.client.sign_in(PAT, PASSWORD),
        project.client.send_link(PAT, redirect_to=HOME, challenge=new_challenge()[1]),
    ):
        with pytest.raises(IdentityError, match="switched off in the Supabase project"):
            await attempt


async def test_too_many_tries_say_when_to_come_back(project: Project) -> None:
    limit = b'{"code": "over_request_rate_limit", "message": "too many"}'
    from_gateway = {"Retry-After": "7"}
    cases: list[tuple[dict[str, str], int]] = [({}, 60), (from_gateway, 7), ({"Retry-After": "99999"}, 3600)]
    for headers, expected in cases:
        project.world.fail("/token", fault(429, limit, headers))
        with pytest.raises(RateLimited) as refusal:
            await project.client.sign_in(PAT, PASSWORD)
        assert refusal.value.retry_after_seconds == expected
    project.world.fail("/otp", fault(429, limit, {}))
    with pytest.raises(RateLimited):
        await project.client.send_link(PAT, redirect_to=HOME, challenge=new_challenge()[1])


async def test_a_redirect_that_the_project_does_not_allow_goes_to_its_own_site(project: Project) -> None:
    project.world.outside["google"] = Outsider(subject="108", email="sam@example.com")
    elsewhere = "https://evil.example.com/"
    address = project.client.authorize_url(OAuthProvider.GOOGLE, redirect_to=elsewhere, challenge=new_challenge()[1])
    assert (await browse(project.world, address)).startswith(project.world.site_url)


@pytest.mark.parametrize("email", ["half \ud800 a character@example.com", "a\x00b@example.com", "ä" * 5000])
async def test_characters_that_cannot_travel_are_refused_in_words(project: Project, email: str) -> None:
    with pytest.raises(AutolynxError):
        await project.client.sign_in(email, PASSWORD)
