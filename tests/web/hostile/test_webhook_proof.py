"""Every way in which a webhook may prove where it comes from, by settings; forged, replayed, and at the wrong time."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest

from autolynx.errors import ConfigurationError
from autolynx.settings import load_settings
from autolynx.store.database import Database
from tests.support.vapi_bodies import report, status_update
from tests.support.web import START, moved_clock, problem, rows, running_web

pytestmark = pytest.mark.anyio

HOOK = "/api/webhooks/vapi"
KEY = "the-signing-key-of-the-test"
OLD, NEW = "the-old-secret-of-the-test", "the-new-secret-of-the-test"
NOW = int(START.timestamp())
BODY = json.dumps(report()).encode()
Signer = Callable[[bytes, int], dict[str, str]]


def digest(payload: bytes, *, key: bytes = KEY.encode(), algorithm: Any = hashlib.sha256) -> bytes:
    return hmac.new(key, payload, algorithm).digest()


def by_default(body: bytes, at: int) -> dict[str, str]:
    return {"X-Signature": digest(f"{at}.".encode() + body).hex(), "X-Timestamp": str(at)}


def like_svix(body: bytes, at: int) -> dict[str, str]:
    signature = base64.b64encode(digest(f"msg_1.{at}.".encode() + body)).decode()
    return {"webhook-id": "msg_1", "webhook-timestamp": str(at), "webhook-signature": f"v1,{signature}"}


def in_our_own_way(body: bytes, at: int) -> dict[str, str]:
    when = str(at * 1000)
    signature = digest(f"POST {when} ".encode() + body, algorithm=hashlib.sha512)
    return {"X-Mine": base64.b64encode(signature).decode(), "X-When": when}


SVIX = {
    "WEBHOOK_HMAC_PRESET": "svix",
    "WEBHOOK_HMAC_SECRET": "whsec_" + base64.b64encode(KEY.encode()).decode(),
}
OWN = {
    "WEBHOOK_HMAC_SECRET": KEY,
    "WEBHOOK_HMAC_ALGORITHM": "sha512",
    "WEBHOOK_HMAC_SIGNATURE_HEADER": "X-Mine",
    "WEBHOOK_HMAC_TIMESTAMP_HEADER": "X-When",
    "WEBHOOK_HMAC_FORMAT": "{method} {timestamp} {body}",
}
MANNERS = [
    pytest.param({"WEBHOOK_HMAC_SECRET": KEY}, by_default, id="default"),
    pytest.param(SVIX, like_svix, id="svix"),
]


@pytest.mark.parametrize(("settings", "sign"), MANNERS)
async def test_a_signed_webhook_counts_within_five_minutes_and_only_as_it_was_signed(
    database: Database, settings: dict[str, str], sign: Signer
) -> None:
    clock = moved_clock()
    async with running_web(database, clock=clock, WEBHOOK_SCHEMES="hmac", **settings) as web:
        for at in (NOW, NOW - 299, NOW + 299):
            assert (await web.stranger.post(HOOK, content=BODY, headers=sign(BODY, at))).status_code == 200
        for at in (NOW - 301, NOW + 301, 0):
            problem(await web.stranger.post(HOOK, content=BODY, headers=sign(BODY, at)), 401, "UNAUTHORIZED")
        changed = BODY.replace(b"customer-ended-call", b"voicemail")
        problem(await web.stranger.post(HOOK, content=changed, headers=sign(BODY, NOW)), 401, "UNAUTHORIZED")
        later = sign(BODY, NOW) | {"X-Timestamp": str(NOW + 1), "webhook-timestamp": str(NOW + 1)}
        problem(await web.stranger.post(HOOK, content=BODY, headers=later), 401, "UNAUTHORIZED")
        clock.move(400)
        problem(await web.stranger.post(HOOK, content=BODY, headers=sign(BODY, NOW)), 401, "UNAUTHORIZED")


@pytest.mark.parametrize(("settings", "sign"), MANNERS)
async def test_a_signed_webhook_that_is_replayed_within_its_time_is_processed_once(
    database: Database, settings: dict[str, str], sign: Signer
) -> None:
    async with running_web(database, clock=moved_clock(), WEBHOOK_SCHEMES="hmac", **settings) as web:
        headers = sign(BODY, NOW)
        for _ in range(3):
            assert (await web.stranger.post(HOOK, content=BODY, headers=headers)).status_code == 200
        (kept,) = await rows(database, "SELECT deliveries FROM webhook_inbox")
        assert kept["deliveries"] == 3
        assert await rows(database, "SELECT id FROM call_events") == []


async def test_github_signs_the_body_alone(database: Database) -> None:
    settings = {"WEBHOOK_SCHEMES": "hmac", "WEBHOOK_HMAC_PRESET": "github", "WEBHOOK_HMAC_SECRET": KEY}
    async with running_web(database, clock=moved_clock(), **settings) as web:
        signed = {"X-Hub-Signature-256": f"sha256={digest(BODY).hex()}"}
        assert (await web.stranger.post(HOOK, content=BODY, headers=signed)).status_code == 200
        problem(await web.stranger.post(HOOK, content=BODY + b" ", headers=signed), 401, "UNAUTHORIZED")
        problem(await web.stranger.post(HOOK, content=BODY, headers=by_default(BODY, NOW)), 401, "UNAUTHORIZED")


async def test_every_part_of_a_signature_can_be_set(database: Database) -> None:
    async with running_web(database, clock=moved_clock(), WEBHOOK_SCHEMES="hmac", **OWN) as web:
        signed = in_our_own_way(BODY, NOW)
        assert (await web.stranger.post(HOOK, content=BODY, headers=signed)).status_code == 200
        for name in signed:
            fewer = {key: value for key, value in signed.items() if key != name}
            problem(await web.stranger.post(HOOK, content=BODY, headers=fewer), 401, "UNAUTHORIZED")
        problem(await web.stranger.post(HOOK, content=BODY, headers=by_default(BODY, NOW)), 401, "UNAUTHORIZED")


@pytest.mark.parametrize("parting", [",", "\n", " , \n"])
async def test_two_secrets_are_accepted_while_they_are_exchanged(database: Database, parting: str) -> None:
    async with running_web(database, WEBHOOK_SHARED_SECRET=f"{NEW}{parting}{OLD}", WEBHOOK_SCHEMES="secret") as web:
        for secret in (OLD, NEW):
            headers = {"X-Vapi-Secret": secret}
            assert (await web.stranger.post(HOOK, json=status_update("ringing"), headers=headers)).status_code == 200
        for secret in (f"{NEW},{OLD}", f"{NEW}{parting}{OLD}".replace("\n", ""), "", ","):
            answer = await web.stranger.post(HOOK, json=status_update("ringing"), headers={"X-Vapi-Secret": secret})
            problem(answer, 401, "UNAUTHORIZED")


async def test_two_keys_of_signatures_are_accepted_while_they_are_exchanged(database: Database) -> None:
    settings = {"WEBHOOK_SCHEMES": "hmac", "WEBHOOK_HMAC_SECRET": f"another-key-of-the-test,{KEY}"}
    async with running_web(database, clock=moved_clock(), **settings) as web:
        assert (await web.stranger.post(HOOK, content=BODY, headers=by_default(BODY, NOW))).status_code == 200


async def test_two_secrets_of_cron_are_accepted_while_they_are_exchanged(database: Database) -> None:
    async with running_web(database, CRON_SHARED_SECRET=f"{NEW},{OLD}", CRON_SECRET="of-the-platform-itself") as web:
        for secret in (OLD, NEW, "of-the-platform-itself"):
            headers = {"Authorization": f"Bearer {secret}"}
            assert (await web.stranger.post("/api/scheduler/tick", headers=headers)).status_code == 200
        for secret in (f"{NEW},{OLD}", NEW[:-1], NEW.upper(), "x"):
            headers = {"Authorization": f"Bearer {secret}"}
            problem(await web.stranger.post("/api/scheduler/tick", headers=headers), 401, "UNAUTHORIZED")


@pytest.mark.parametrize(
    ("sent", "is_authentic"),
    [
        ({"X-My-Token": NEW}, True),
        ({"x-my-token": f"Bearer {NEW}"}, True),
        ({"Authorization": f"Bearer {NEW}"}, False),
        ({"X-Vapi-Secret": NEW}, False),
        ({"X-My-Token": "Bearer "}, False),
        ({"X-My-Token": f"Basic {NEW}"}, False),
    ],
)
async def test_the_bearer_token_may_have_a_header_of_its_own(
    database: Database, sent: dict[str, str], is_authentic: bool
) -> None:
    settings = {
        "WEBHOOK_SCHEMES": "bearer",
        "WEBHOOK_BEARER_HEADER": "X-My-Token",
        "WEBHOOK_SHARED_SECRET": NEW,
    }
    async with running_web(database, **settings) as web:
        answer = await web.stranger.post(HOOK, json=status_update("ringing"), headers=sent)
        assert (answer.status_code == 200) is is_authentic


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WEBHOOK_SCHEMES", "none"),
        ("WEBHOOK_BEARER_HEADER", "X Bad\r\n"),
        ("WEBHOOK_HMAC_ALGORITHM", "md5"),
        ("WEBHOOK_HMAC_PRESET", "stripe"),
        ("WEBHOOK_HMAC_FORMAT", "{timestamp}"),
        ("WEBHOOK_HMAC_FORMAT", "{body}{secret}"),
        ("WEBHOOK_HMAC_TOLERANCE_SECONDS", "86400"),
        ("WEBHOOK_REREAD", "sometimes"),
    ],
)
def test_a_proof_that_cannot_be_meant_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        load_settings({name: value})
