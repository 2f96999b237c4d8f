import json

import anyio
import pytest

from autolynx.errors import IdentityUnreachable, Unauthorized
from autolynx.identity.port import SignOut
from tests.support.supabase_project import PASSWORD, PAT, Project, fault
from tests.support.supabase_standin.sessions import show_user

pytestmark = pytest.mark.anyio


async def test_a_refresh_goes_on_with_the_session_and_changes_the_refresh_token(project: Project) -> None:
    first = await project.client.sign_in(PAT, PASSWORD)
    project.clock.move(3600)
    second = await project.client.refresh(first.refresh_token)
    assert second.refresh_token != first.refresh_token
    assert second.identity == first.identity
    assert (second.expires_at - first.expires_at).total_seconds() == 3600
    before = project.world.sessions[0].id
    assert (await project.client.verify(second.access_token)).session_id == before


async def test_a_refresh_whose_answer_got_lost_may_be_tried_again(project: Project) -> None:
    first = await project.client.sign_in(PAT, PASSWORD)
    lost = await project.client.refresh(first.refresh_token)
    project.clock.move(60)
    again = await project.client.refresh(first.refresh_token)
    assert again.refresh_token == lost.refresh_token


async def test_a_refresh_token_that_comes_back_late_ends_the_whole_session(project: Project) -> None:
    first = await project.client.sign_in(PAT, PASSWORD)
    second = await project.client.refresh(first.refresh_token)
    third = await project.client.refresh(second.refresh_token)
    project.clock.move(11)
    with pytest.raises(Unauthorized, match="session is over"):
        await project.client.refresh(first.refresh_token)
    with pytest.raises(Unauthorized, match="session is over"):
        await project.client.refresh(third.refresh_token)


async def test_refreshes_at_the_same_time_within_ten_seconds_all_go_on(project: Project) -> None:
    first = await project.client.sign_in(PAT, PASSWORD)
    second = await project.client.refresh(first.refresh_token)
    await project.client.refresh(second.refresh_token)
    project.clock.move(9)
    late = await project.client.refresh(first.refresh_token)
    assert (await project.client.refresh(late.refresh_token)).identity == first.identity


@pytest.mark.parametrize("token", ["", "short", "abcdefghijkl", "x" * 5000])
async def test_an_invented_refresh_token_reads_as_a_session_that_is_over(project: Project, token: str) -> None:
    with pytest.raises(Unauthorized, match="session is over"):
        await project.client.refresh(token)


async def test_a_refresh_tells_of_an_address_that_is_not_verified_any_more(project: Project) -> None:
    grant = await project.client.sign_in(PAT, PASSWORD)
    project.world.users[0].email_confirmed_at = None
    assert not (await project.client.refresh(grant.refresh_token)).identity.is_email_verified


async def test_somebody_who_is_banned_cannot_go_on(project: Project) -> None:
    grant = await project.client.sign_in(PAT, PASSWORD)
    project.world.users[0].is_banned = True
    with pytest.raises(Unauthorized, match="session is over"):
        await project.client.refresh(grant.refresh_token)
    with pytest.raises(Unauthorized, match="session is over"):
        await project.client.look_up(grant.access_token)


async def test_signing_out_ends_this_session_alone(project: Project) -> None:
    here, elsewhere = [await project.client.sign_in(PAT, PASSWORD) for _ in range(2)]
    await project.client.sign_out(here.access_token, scope=SignOut.HERE)
    with pytest.raises(Unauthorized):
        await project.client.refresh(here.refresh_token)
    await project.client.refresh(elsewhere.refresh_token)


async def test_signing_out_everywhere_ends_every_session_of_the_person_and_of_nobody_else(project: Project) -> None:
    project.world.add_user("sam@example.com", password=PASSWORD)
    grants = [await project.client.sign_in(PAT, PASSWORD) for _ in range(3)]
    other = await project.client.sign_in("sam@example.com", PASSWORD)
    await project.client.sign_out(grants[0].access_token, scope=SignOut.EVERYWHERE)
    for grant in grants:
        with pytest.raises(Unauthorized):
            await project.client.refresh(grant.refresh_token)
    await project.client.refresh(other.refresh_token)


async def test_signing_out_twice_is_no_error(project: Project) -> None:
    grant = await project.client.sign_in(PAT, PASSWORD)
    for _ in range(2):
        await project.client.sign_out(grant.access_token, scope=SignOut.EVERYWHERE)


async def test_signing_out_with_a_token_that_has_expired_says_that_it_did_not_happen(project: Project) -> None:
    grant = await project.client.sign_in(PAT, PASSWORD)
    project.clock.move(3601)
    with pytest.raises(Unauthorized):
        await project.client.sign_out(grant.access_token, scope=SignOut.EVERYWHERE)
    fresh = await project.client.refresh(grant.refresh_token)
    await project.client.sign_out(fresh.access_token, scope=SignOut.EVERYWHERE)
    assert project.world.sessions == []


async def test_looking_up_asks_whether_the_session_stands_and_the_address_is_verified(project: Project) -> None:
    grant = await project.client.sign_in(PAT, PASSWORD)
    assert (await project.client.look_up(grant.access_token)) == grant.identity
    await project.client.sign_out(grant.access_token, scope=SignOut.HERE)
    with pytest.raises(Unauthorized, match="session is over"):
        await project.client.look_up(grant.access_token)
    assert (await project.client.verify(grant.access_token)).identity.subject == grant.identity.subject


async def test_an_answer_about_somebody_else_is_believed_by_nobody(project: Project) -> None:
    grant = await project.client.sign_in(PAT, PASSWORD)
    other = show_user(project.world.add_user("sam@example.com", password=PASSWORD))
    project.world.fail("/user", fault(200, json.dumps(other).encode()))
    with pytest.raises(Unauthorized, match="session is over"):
        await project.client.look_up(grant.access_token)


async def test_an_anonymous_session_is_nobodys(project: Project) -> None:
    project.world.users[0].is_anonymous = True
    with pytest.raises(Unauthorized, match="Only people with an email address"):
        await project.client.sign_in(PAT, PASSWORD)


async def test_junk_is_never_sent_to_be_looked_up(project: Project) -> None:
    with pytest.raises(Unauthorized):
        await project.client.look_up("junk")
    assert project.world.asks["/user"] == 0


async def test_an_address_counts_as_nobodys_where_supabase_confirms_it_unseen(project: Project) -> None:
    project.world.is_autoconfirm = True
    grant = await project.client.sign_in(PAT, PASSWORD)
    assert not grant.identity.is_email_verified
    assert not (await project.client.look_up(grant.access_token)).is_email_verified
    assert not (await project.client.offers()).is_email_proven


async def test_what_a_person_writes_into_their_metadata_verifies_nothing(project: Project) -> None:
    project.world.may_unverified_sign_in = True
    user = project.world.add_user("boss@example.com", password=PASSWORD, is_confirmed=False)
    user.user_metadata = {"email_verified": True, "email": "boss@example.com", "name": "Boss"}
    grant = await project.client.sign_in("boss@example.com", PASSWORD)
    assert not grant.identity.is_email_verified
    assert not (await project.client.verify(grant.access_token)).identity.is_email_verified
    assert not (await project.client.look_up(grant.access_token)).is_email_verified


async def test_a_busy_session_is_trouble_on_the_way_and_not_the_end(project: Project) -> None:
    grant = await project.client.sign_in(PAT, PASSWORD)
    project.world.fail("/token", fault(409, b'{"code": "conflict", "message": "busy"}'))
    with pytest.raises(IdentityUnreachable):
        await project.client.refresh(grant.refresh_token)
    assert (await project.client.refresh(grant.refresh_token)).identity == grant.identity


async def test_many_people_sign_in_at_once(project: Project) -> None:
    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(project.client.sign_in, PAT, PASSWORD)
    assert len(project.world.sessions) == 20
