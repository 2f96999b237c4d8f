"""Webhooks: who may post, what is kept, and what becomes of a line that is freed."""

import hashlib
import hmac
import json
from typing import Any
from uuid import UUID

import pytest

from autolynx.flows.campaign_life import start_campaign
from autolynx.flows.refill import refill
from autolynx.store.database import Database
from autolynx.web.bodies import MOST_WEBHOOK_BYTES
from tests.support.engine import make_campaign
from tests.support.sim import running_sim
from tests.support.vapi_bodies import report, status_update
from tests.support.web import HOOK_SECRET, http_client, moved_clock, problem, rows, running_web

pytestmark = pytest.mark.anyio

HOOK = "/api/webhooks/vapi"
SIGNED_IN = {"X-Vapi-Secret": HOOK_SECRET}
INBOX = "SELECT * FROM webhook_inbox"
AUDIT = "SELECT actor, action, details FROM audit_log WHERE action = 'webhook.refused' ORDER BY id"


async def test_an_authentic_webhook_is_kept_and_answered(database: Database) -> None:
    async with running_web(database) as web:
        answer = await web.stranger.post(HOOK, json=status_update("ringing"), headers=SIGNED_IN)
        assert answer.status_code == 200
        body = answer.json()
        assert body == {"received": True, "callId": body["callId"], "status": None}
        assert body["callId"]
        (kept,) = await rows(database, INBOX)
        assert (kept["state"], kept["type"], kept["status"]) == ("parked", "status-update", "ringing")


async def test_a_bearer_secret_passes_too(database: Database) -> None:
    async with running_web(database) as web:
        headers = {"Authorization": f"Bearer {HOOK_SECRET}"}
        assert (await web.stranger.post(HOOK, json=report(), headers=headers)).status_code == 200


async def test_a_signature_passes_where_the_scheme_is_on(database: Database) -> None:
    raw = json.dumps(report()).encode()
    signature = hmac.new(b"signing-secret", raw, hashlib.sha256).hexdigest()
    settings: dict[str, Any] = {"WEBHOOK_SCHEMES": "hmac", "WEBHOOK_HMAC_SECRET": "signing-secret"}
    async with running_web(database, **settings) as web:
        assert (await web.stranger.post(HOOK, content=raw, headers={"X-Signature": signature})).status_code == 200
        problem(
            await web.stranger.post(HOOK, content=raw + b" ", headers={"X-Signature": signature}), 401, "UNAUTHORIZED"
        )
        problem(await web.stranger.post(HOOK, content=raw, headers=SIGNED_IN), 401, "UNAUTHORIZED")


@pytest.mark.parametrize("secret", [None, "", "wrong", HOOK_SECRET[:-1], HOOK_SECRET.upper()])
async def test_a_wrong_secret_is_refused_audited_and_nothing_is_stored(database: Database, secret: str | None) -> None:
    async with running_web(database, clock=moved_clock()) as web:
        headers = {} if secret is None else {"X-Vapi-Secret": secret}
        problem(await web.stranger.post(HOOK, json=report(), headers=headers), 401, "UNAUTHORIZED")
        assert await rows(database, INBOX) == []
        assert await rows(database, AUDIT) == [
            {"actor": "203.0.113.7", "action": "webhook.refused", "details": {"count": 1}}
        ]


async def test_an_api_token_is_no_webhook_secret(database: Database) -> None:
    async with running_web(database) as web:
        problem(await web.client.post(HOOK, json=report()), 401, "UNAUTHORIZED")


async def test_without_a_secret_configured_nothing_passes(database: Database) -> None:
    async with running_web(database, WEBHOOK_SHARED_SECRET=None) as web:
        for headers in ({}, SIGNED_IN, {"X-Vapi-Secret": "None"}, {"Authorization": "Bearer "}):
            problem(await web.stranger.post(HOOK, json=report(), headers=headers), 401, "UNAUTHORIZED")
        assert await rows(database, INBOX) == []


async def test_a_flood_costs_one_audit_row_per_address_and_minute_and_then_429(database: Database) -> None:
    clock = moved_clock()
    async with running_web(database, clock=clock) as web:
        for _ in range(1000):
            assert (await web.stranger.post(HOOK, content=b"{}")).status_code == 401
        flooded = await web.stranger.post(HOOK, content=b"{}")
        problem(flooded, 429, "RATE_LIMITED")
        assert flooded.headers["Retry-After"] == "60"
        assert len(await rows(database, AUDIT)) == 1
        assert (await web.stranger.post(HOOK, json=report(), headers=SIGNED_IN)).status_code == 200  # never limited
        clock.move(60)
        problem(await web.stranger.post(HOOK, content=b"{}"), 401, "UNAUTHORIZED")
        assert [row["details"] for row in await rows(database, AUDIT)] == [{"count": 1}, {"count": 1001}]


async def test_two_processes_share_the_audit_row_of_a_minute(database: Database) -> None:
    clock = moved_clock()
    async with running_web(database, clock=clock) as one, running_web(database, clock=clock) as other:
        await one.stranger.post(HOOK, content=b"{}")
        await other.stranger.post(HOOK, content=b"{}")
    assert len(await rows(database, AUDIT)) == 1


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"not json", b"\xff\xfe\x00", b"{'a': 1}", b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}"],
    ids=["empty", "cut", "words", "bytes", "quotes", "deep", "long-number"],
)
async def test_what_is_not_json_is_a_400(database: Database, raw: bytes) -> None:
    async with running_web(database) as web:
        problem(await web.stranger.post(HOOK, content=raw, headers=SIGNED_IN), 400, "VALIDATION_ERROR")
        assert await rows(database, INBOX) == []


@pytest.mark.parametrize(
    "raw",
    [
        b"null",
        b"[]",
        b'"text"',
        b"5",
        b"{}",
        b'{"message": null}',
        b'{"message": {"type": "status-update\\u0000", "status": "ringing", "call": {"id": "a\\u0000b"}}}',
        b'{"message": {"type": "end-of-call-report", "cost": NaN, "call": {"id": "c"}, "x": Infinity}}',
        b'{"message": {"type": "end-of-call-report", "call": {"id": "\\ud800"}, "summary": "\\udfff"}}',
        b'{"message": {"type": "status-update", "status": {"a": []}, "call": ["x"]}}',
        b'{"a":' * 400 + b"1" + b"}" * 400,
        b'{"message": {"type": "' + b"x" * 100_000 + b'", "call": {"id": "' + b"y" * 100_000 + b'"}}}',
    ],
)
async def test_no_json_value_makes_a_500(database: Database, raw: bytes) -> None:
    async with running_web(database) as web:
        for _ in range(2):
            answer = await web.stranger.post(HOOK, content=raw, headers=SIGNED_IN)
            assert answer.status_code == 200, answer.text
        assert [row["deliveries"] for row in await rows(database, INBOX)] == [2]


async def test_a_body_over_five_megabytes_is_a_413_with_or_without_a_length(database: Database) -> None:
    async def pieces() -> Any:
        for _ in range(MOST_WEBHOOK_BYTES // 65536 + 1):
            yield b" " * 65536

    async with running_web(database) as web:
        big = b" " * (MOST_WEBHOOK_BYTES + 1)
        problem(await web.stranger.post(HOOK, content=big, headers=SIGNED_IN), 413, "PAYLOAD_TOO_LARGE")
        problem(await web.stranger.post(HOOK, content=pieces(), headers=SIGNED_IN), 413, "PAYLOAD_TOO_LARGE")
        fits = b'{"x": "' + b" " * (MOST_WEBHOOK_BYTES - 9) + b'"}'
        assert (await web.stranger.post(HOOK, content=fits, headers=SIGNED_IN)).status_code == 200


async def test_a_database_that_cannot_be_reached_is_a_503_so_that_the_provider_repeats(database: Database) -> None:
    async with running_web(database) as web:
        await database.close()
        answer = await web.stranger.post(HOOK, json=report(), headers=SIGNED_IN)
        problem(answer, 503, "DATABASE_UNAVAILABLE")
        assert int(answer.headers["Retry-After"]) >= 1
        problem(await web.stranger.post(HOOK, json=report()), 401, "UNAUTHORIZED")  # refused all the same
        assert (await web.stranger.get("/healthz")).status_code == 503


async def _one_live_call(database: Database, runtime: Any) -> tuple[UUID, dict[str, Any]]:
    """Dial the first of two contacts under a cap of one."""
    campaign_id = await make_campaign(database, contacts=2, cap=1)
    await start_campaign(runtime, campaign_id)
    assert (await refill(runtime, most=1)).launched == {campaign_id: 1}
    (call,) = await rows(database, "SELECT id, provider_call_id FROM calls WHERE holds_line")
    return campaign_id, call


@pytest.mark.parametrize("is_function", [False, True], ids=["server", "function"])
async def test_the_webhook_that_ends_a_call_places_the_next_one(database: Database, is_function: bool) -> None:
    async with running_sim(speed=1) as sim:
        async with running_web(database, sim.url, is_function=is_function) as web:
            campaign_id, call = await _one_live_call(database, web.runtime)
            body = report(call={"id": call["provider_call_id"]})
            answer = await web.stranger.post(HOOK, json=body, headers=SIGNED_IN)
            assert answer.json() == {"received": True, "callId": call["provider_call_id"], "status": "ENDED"}
            if web.refiller is not None:
                await web.refiller.drain()
            dials = await rows(
                database,
                "SELECT status FROM calls WHERE campaign_id = %s AND provider_call_id IS NOT NULL",
                campaign_id,
            )
            assert len(dials) == 2
            again = await web.stranger.post(HOOK, json=body, headers=SIGNED_IN)
            assert again.json()["status"] == "ENDED"
        assert set((await sim.summary())["dialsPerNumber"].values()) == {1}


async def test_the_address_of_the_sender_is_told_apart(database: Database) -> None:
    async with running_web(database, clock=moved_clock()) as web:
        await web.stranger.post(HOOK, content=b"{}")
        async with http_client(web.app) as other:
            other._transport.client = ("203.0.113.8", 1)  # type: ignore[attr-defined]
            await other.post(HOOK, content=b"{}")
    assert {row["actor"] for row in await rows(database, AUDIT)} == {"203.0.113.7", "203.0.113.8"}
