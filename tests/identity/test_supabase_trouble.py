"""A project that is away, slow, wrong or set up badly: said in one sentence, without a secret in it."""

import httpx
import pytest

from autolynx.errors import AutolynxError, IdentityError, IdentityUnreachable, kind_of
from autolynx.identity.port import SignOut
from autolynx.identity.supabase import SupabaseAuth
from tests.support.stub_vapi import Answering, Drip, Drop, Reply, as_json, page, run_stub
from tests.support.supabase_project import PASSWORD, PAT, Project, client_of, fault
from tests.support.supabase_standin.world import ANON_KEY
from tests.support.web import NOWHERE, moved_clock

pytestmark = pytest.mark.anyio


def client_at(url: str) -> SupabaseAuth:
    return SupabaseAuth(project_url=url, anon_key=ANON_KEY, jwt_secret=None, now=moved_clock().now, timeout_seconds=0.5)


async def problem_of(client: SupabaseAuth) -> AutolynxError:
    with pytest.raises(AutolynxError) as problem:
        await client.sign_in(PAT, PASSWORD)
    await client.close()
    assert PASSWORD not in problem.value.message
    assert PAT not in problem.value.message
    assert ANON_KEY not in problem.value.message
    return problem.value


async def test_nobody_there_is_trouble_on_the_way() -> None:
    problem = await problem_of(client_at(NOWHERE))
    assert isinstance(problem, IdentityUnreachable)
    assert problem.message == "Supabase could not be asked: no connection could be made. Try again shortly."
    assert kind_of(problem).http_status == 503


@pytest.mark.parametrize("answer", [Drop(), Drip(), Reply(wait=5), page(502), as_json({}, 500), as_json({}, 503)])
async def test_whatever_breaks_on_the_other_side_is_trouble_on_the_way(answer: Answering) -> None:
    async with run_stub(answer) as stub:
        assert isinstance(await problem_of(client_at(stub.url)), IdentityUnreachable)


async def test_an_answer_without_end_is_cut_off() -> None:
    huge = Reply(body=b" " * 2_000_000)
    async with run_stub(huge) as stub:
        assert isinstance(await problem_of(client_at(stub.url)), IdentityUnreachable)


@pytest.mark.parametrize(
    "answer",
    [
        page(200),
        page(404),
        as_json([1]),
        as_json({"detail": "not found"}, 404),
        Reply(status=302, headers={"Location": "http://127.0.0.1:1/"}),
    ],
)
async def test_an_address_that_is_no_supabase_is_said_to_be_wrong(answer: Answering) -> None:
    async with run_stub(answer) as stub:
        problem = await problem_of(client_at(stub.url))
        assert isinstance(problem, IdentityError)
        assert not isinstance(problem, IdentityUnreachable)
        assert "SUPABASE_URL" in problem.message
        assert stub.connections == 1, "a redirect was followed"


async def test_a_wrong_key_is_said_by_the_name_of_its_setting(project: Project) -> None:
    problem = await problem_of(client_of(project.world, project.clock, anon_key="wrong"))
    assert problem.message == "The Supabase project refused the key of this installation: check SUPABASE_ANON_KEY."


async def test_every_request_bears_the_key_and_none_bears_more_than_it_needs(project: Project) -> None:
    grant = await project.client.sign_in(PAT, PASSWORD)
    await project.client.look_up(grant.access_token)
    await project.client.sign_out(grant.access_token, scope=SignOut.EVERYWHERE)
    assert {exchange.headers["apikey"] for exchange in project.world.exchanges} == {ANON_KEY}
    bearing = {exchange.path for exchange in project.world.exchanges if "authorization" in exchange.headers}
    assert bearing == {"/user", "/logout"}
    for exchange in project.world.exchanges:
        assert grant.access_token not in str(exchange.query)
        assert PAT not in str(exchange.query)


@pytest.mark.parametrize(
    "user",
    [b"null", b"{}", b'{"id": "pat", "email": "pat@example.com"}', b'{"id": 7, "email": "pat@example.com"}', b"[]"],
)
async def test_a_session_of_nobody_is_no_session(project: Project, user: bytes) -> None:
    await project.client.offers()
    session = b'{"access_token": "a", "refresh_token": "b", "expires_in": 3600, "user": ' + user + b"}"
    project.world.fail("/token", fault(200, session))
    with pytest.raises(AutolynxError):
        await project.client.sign_in(PAT, PASSWORD)


@pytest.mark.parametrize("seconds", [b"0", b"-1", b"null", b'"3600"', b"1e99", b"99999999999"])
async def test_a_session_without_an_end_is_no_session(project: Project, seconds: bytes) -> None:
    session = b'{"access_token": "a", "refresh_token": "b", "user": {}, "expires_in": ' + seconds + b"}"
    project.world.fail("/token", fault(200, session))
    with pytest.raises(IdentityError, match="form that is not known"):
        await project.client.sign_in(PAT, PASSWORD)


async def test_what_the_settings_do_not_say_counts_as_unsafe(project: Project) -> None:
    project.world.fail("/settings", fault(200, b'{"external": null}'))
    offers = await project.client.offers()
    assert (offers.has_email, offers.oauth_providers, offers.is_email_proven) == (False, frozenset(), False)


async def test_a_code_is_not_used_up_where_the_settings_cannot_be_asked(project: Project) -> None:
    project.world.fail("/settings", fault(503))
    with pytest.raises(IdentityUnreachable):
        await project.client.exchange("code", verifier="verifier")
    assert project.world.asks["/token"] == 0


async def test_a_captcha_is_said_to_be_the_projects_matter(project: Project) -> None:
    project.world.fail("/token", fault(400, b'{"code": "captcha_failed", "message": "captcha"}'))
    with pytest.raises(IdentityError, match="CAPTCHA"):
        await project.client.sign_in(PAT, PASSWORD)


async def test_errors_of_an_older_server_are_understood(project: Project) -> None:
    await project.client.offers()
    for content, headers in (
        (b'{"code": 400, "error_code": "invalid_credentials", "msg": "no"}', {}),
        (b'{"error": "invalid_grant", "error_description": "no"}', {"x-sb-error-code": "invalid_credentials"}),
    ):
        project.world.fail("/token", fault(400, content, headers))
        with pytest.raises(AutolynxError, match="password is wrong"):
            await project.client.sign_in(PAT, PASSWORD)


async def test_a_closed_client_opens_no_more_connections(project: Project) -> None:
    client = client_of(project.world, project.clock)
    await client.close()
    with pytest.raises((RuntimeError, httpx.HTTPError, IdentityUnreachable)):
        await client.sign_in(PAT, PASSWORD)
