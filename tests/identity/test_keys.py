"""The keys of a project, kept: rotation, forged ids, a server that is away, many askers at once."""

import json
from typing import Any

import anyio
import jwt
import pytest

from autolynx.errors import IdentityError, IdentityUnreachable, Unauthorized
from autolynx.identity.jwks import MOST_KEYS, KeyRing, read_keys
from tests.support.supabase_project import PAT, Project, fault
from tests.support.supabase_standin.keys import private_key, public_jwk
from tests.support.supabase_standin.sessions import begin_session
from tests.support.web import moved_clock

pytestmark = pytest.mark.anyio

KEYS = "/.well-known/jwks.json"


def fresh_token(project: Project) -> str:
    token: str = begin_session(project.world, project.world.users[0], "password")["access_token"]
    return token


async def test_keys_are_asked_for_once_in_ten_minutes(project: Project) -> None:
    for _ in range(5):
        await project.client.verify(fresh_token(project))
    assert project.world.asks[KEYS] == 1
    project.clock.move(600)
    await project.client.verify(fresh_token(project))
    assert project.world.asks[KEYS] == 2


async def test_a_new_key_is_fetched_when_the_first_token_names_it(project: Project) -> None:
    await project.client.verify(fresh_token(project))
    project.clock.move(31)
    project.world.keys.rotate("key-2")
    old, new = project.world.keys.published
    assert (old[0], new[0]) == ("key-1", "key-2")
    assert (await project.client.verify(fresh_token(project))).identity.email == PAT
    assert project.world.asks[KEYS] == 2


async def test_tokens_of_the_old_key_count_until_it_is_withdrawn(project: Project) -> None:
    old = fresh_token(project)
    await project.client.verify(old)
    project.world.keys.rotate("key-2", "RS256")
    project.clock.move(600)
    await project.client.verify(old)
    project.world.keys.withdraw("key-1")
    project.clock.move(600)
    with pytest.raises(Unauthorized) as refused:
        await project.client.verify(old)
    assert refused.value.details["reason"] == "key"


async def test_forged_key_ids_do_not_make_us_hammer_the_server(project: Project) -> None:
    good = fresh_token(project)
    header_of_nobody = "eyJhbGciOiJFUzI1NiIsImtpZCI6Im5vYm9keSJ9"
    for _ in range(100):
        with pytest.raises(Unauthorized):
            await project.client.verify(f"{header_of_nobody}.e30.e30")
    assert (await project.client.verify(good)).identity.email == PAT
    assert project.world.asks[KEYS] == 1
    project.clock.move(30)
    with pytest.raises(Unauthorized):
        await project.client.verify(f"{header_of_nobody}.e30.e30")
    assert project.world.asks[KEYS] == 2


async def test_many_at_once_share_one_answer(project: Project) -> None:
    token = fresh_token(project)
    async with anyio.create_task_group() as group:
        for _ in range(50):
            group.start_soon(project.client.verify, token)
    assert project.world.asks[KEYS] == 1


async def test_with_keys_at_hand_a_server_that_is_away_is_not_noticed_for_a_day(project: Project) -> None:
    project.world.access_seconds = 100_000
    token = fresh_token(project)
    await project.client.verify(token)
    project.world.fail(KEYS, *[fault(503)] * 10)
    project.clock.move(3600)
    assert (await project.client.verify(token)).identity.email == PAT
    assert project.world.asks[KEYS] == 2
    await project.client.verify(token)
    assert project.world.asks[KEYS] == 2, "asked again at once"
    project.clock.move(86_400 - 3600 + 1)
    with pytest.raises(IdentityUnreachable):
        await project.client.verify(token)


async def test_without_keys_a_server_that_is_away_is_trouble_and_no_refusal(project: Project) -> None:
    token = fresh_token(project)
    project.world.fail(KEYS, fault(503), fault(503))
    for _ in range(3):
        with pytest.raises(IdentityUnreachable):
            await project.client.verify(token)
    assert project.world.asks[KEYS] == 1
    project.clock.move(30)
    with pytest.raises(IdentityUnreachable):
        await project.client.verify(token)
    project.clock.move(30)
    assert (await project.client.verify(token)).identity.email == PAT


@pytest.mark.parametrize("content", [b"{}", b'{"keys": 7}', b"[]", b"<html>", b"null"])
async def test_an_address_that_answers_no_keys_is_said_to_be_wrong(project: Project, content: bytes) -> None:
    project.world.fail(KEYS, fault(200, content))
    with pytest.raises(IdentityError, match="SUPABASE_URL"):
        await project.client.verify(fresh_token(project))


async def test_an_answer_without_keys_does_not_take_away_those_at_hand(project: Project) -> None:
    token = fresh_token(project)
    await project.client.verify(token)
    project.clock.move(600)
    project.world.fail(KEYS, fault(200, b"{}"))
    assert (await project.client.verify(token)).identity.email == PAT


async def test_an_asker_who_goes_away_leaves_the_way_free_for_the_next() -> None:
    clock, asked = moved_clock(), 0

    async def fetch() -> Any:
        nonlocal asked
        asked += 1
        if asked == 1:
            await anyio.sleep_forever()
        return {"keys": [public_jwk("key-1", "ES256")]}

    ring = KeyRing(fetch, now=clock.now)
    with anyio.move_on_after(0.05):
        await ring.find("key-1")
    assert (await ring.find("key-1")).algorithm == "ES256"
    assert asked == 2


async def test_a_clock_that_is_set_back_stops_nothing(project: Project) -> None:
    await project.client.verify(fresh_token(project))
    project.clock.move(-7200)
    assert (await project.client.verify(fresh_token(project))).identity.email == PAT


def test_keys_that_are_not_for_us_are_left_out() -> None:
    good = public_jwk("good", "ES256")
    strange: list[Any] = [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "secret", "alg": "HS256"},
        {**jwt.algorithms.ECAlgorithm.to_jwk(private_key("good", "ES256"), as_dict=True), "kid": "private"},
        {**good, "kid": "for-secrets", "use": "enc"},
        {**good, "kid": "bent", "alg": "HS256"},
        {**good, "kid": "other-curve", "crv": "P-384", "alg": "ES384"},
        {**good, "kid": "off-the-curve", "x": good["y"]},
        {**good, "kid": "torn", "x": "!"},
        {**good, "kid": 7},
        {name: value for name, value in good.items() if name != "kid"},
        "no key",
        None,
    ]
    assert set(read_keys({"keys": [*strange, good]})) == {"good"}
    bare = {name: good[name] for name in ("kty", "crv", "x", "y", "kid")}
    assert read_keys({"keys": [bare]})["good"].algorithm == "ES256"


def test_no_more_than_fifty_keys_are_read() -> None:
    good = public_jwk("good", "ES256")
    many = [{**good, "kid": f"key-{number}"} for number in range(MOST_KEYS * 3)]
    assert len(read_keys({"keys": many})) == MOST_KEYS


def test_what_is_printed_of_a_key_is_its_algorithm() -> None:
    key = read_keys({"keys": [public_jwk("good", "ES256")]})["good"]
    assert json.dumps(repr(key)) == "\"SigningKey(algorithm='ES256')\""
