import base64
import hashlib
import hmac
import socket
from collections import Counter
from typing import Any

import pytest

from tests.simulator.stage import ADA, Delivery, Stage
from vapisim.courier import backoff_seconds, is_loopback

pytestmark = pytest.mark.anyio

SECRET = "a-secret-that-nobody-guesses"
SECRET_BASE64 = base64.b64encode(SECRET.encode()).decode()


async def one_call(stage: Stage, *, server: dict[str, Any] | None = None, **faults: object) -> str:
    """Dial Ada, who is busy: four webhooks."""
    await stage.faults(number_outcomes={ADA: "busy"}, **faults)
    body = {"url": stage.receiver.url} | (server or {})
    return await stage.dial(overrides={"server": body})


async def deliveries(stage: Stage, call_id: str, count: int = 4) -> list[Delivery]:
    await stage.until(lambda: len(stage.receiver.of(call_id)) >= count)
    return stage.receiver.of(call_id)


async def settled(stage: Stage, key: str, count: int) -> dict[str, Any]:
    await stage.until(lambda: stage.world.ledger.webhooks[key] >= count)
    summary: dict[str, Any] = (await stage.summary())["webhooks"]
    return summary


async def test_headers_of_the_server_object_are_sent(stage: Stage) -> None:
    server = {"headers": {"X-Vapi-Secret": SECRET, "X-Other": "1"}}
    for delivery in await deliveries(stage, await one_call(stage, server=server)):
        assert delivery.headers["x-vapi-secret"] == SECRET
        assert delivery.headers["x-other"] == "1"
        assert delivery.headers["content-type"] == "application/json"


async def test_the_old_secret_becomes_a_header_unless_the_header_is_set(stage: Stage) -> None:
    [first, *_] = await deliveries(stage, await one_call(stage, server={"secret": SECRET}))
    assert first.headers["x-vapi-secret"] == SECRET
    server = {"secret": "old", "headers": {"x-vapi-secret": SECRET}}
    [first, *_] = await deliveries(stage, await one_call(stage, server=server))
    assert first.headers["x-vapi-secret"] == SECRET


async def test_the_assistants_server_is_used_when_the_call_names_none(stage: Stage) -> None:
    created = await stage.client.post("/assistant", json={"server": {"url": stage.receiver.url + "/own"}})
    await stage.faults(number_outcomes={ADA: "busy"})
    body = stage.order(assistantId=created.json()["id"])
    del body["assistantOverrides"]["server"]
    call_id = (await stage.client.post("/call", json=body)).json()["id"]
    [first, *_] = await deliveries(stage, call_id)
    assert first.path == "/hook/own"


async def test_the_accounts_credential_can_be_a_plain_secret(stage: Stage) -> None:
    await stage.client.put("/_sim/auth", json={"scheme": "x-vapi-secret", "secret": SECRET})
    [first, *_] = await deliveries(stage, await one_call(stage))
    assert first.headers["x-vapi-secret"] == SECRET


@pytest.mark.parametrize(
    ("options", "name", "value"),
    [
        ({}, "authorization", f"Bearer {SECRET}"),
        ({"header_name": "X-Token", "bearer_prefix": False}, "x-token", SECRET),
    ],
)
async def test_the_accounts_credential_can_be_a_bearer_token(
    stage: Stage, options: dict[str, Any], name: str, value: str
) -> None:
    await stage.client.put("/_sim/auth", json={"scheme": "bearer", "secret": SECRET} | options)
    [first, *_] = await deliveries(stage, await one_call(stage))
    assert first.headers[name] == value


async def test_an_authorization_header_of_the_server_overrides_the_credential(stage: Stage) -> None:
    await stage.client.put("/_sim/auth", json={"scheme": "bearer", "secret": SECRET})
    [first, *_] = await deliveries(stage, await one_call(stage, server={"headers": {"authorization": "own"}}))
    assert first.headers["authorization"] == "own"


async def test_hmac_signs_timestamp_and_body_by_default(stage: Stage) -> None:
    await stage.client.put("/_sim/auth", json={"scheme": "hmac", "secret": SECRET, "preset": "default"})
    for each in await deliveries(stage, await one_call(stage)):
        timestamp = each.headers["x-timestamp"]
        signed = timestamp.encode() + b"." + each.raw
        assert each.headers["x-signature"] == hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
        assert abs(int(timestamp) - each.at) < 5


async def test_hmac_can_look_like_githubs(stage: Stage) -> None:
    await stage.client.put("/_sim/auth", json={"scheme": "hmac", "secret": SECRET, "preset": "github"})
    for each in await deliveries(stage, await one_call(stage)):
        digest = hmac.new(SECRET.encode(), each.raw, hashlib.sha256).hexdigest()
        assert each.headers["x-hub-signature-256"] == f"sha256={digest}"


async def test_hmac_can_look_like_svixs(stage: Stage) -> None:
    await stage.client.put("/_sim/auth", json={"scheme": "hmac", "secret": SECRET_BASE64, "preset": "svix"})
    for each in await deliveries(stage, await one_call(stage)):
        head = f"{each.headers['webhook-id']}.{each.headers['webhook-timestamp']}."
        digest = hmac.new(SECRET.encode(), head.encode() + each.raw, hashlib.sha256).digest()
        assert each.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


async def test_hmac_options_can_be_set_one_by_one(stage: Stage) -> None:
    options = {
        "algorithm": "sha512",
        "payload_format": "{method} {url} {timestamp} {body}",
        "timestamp_unit": "milliseconds",
        "signature_header": "x-mine",
    }
    await stage.client.put("/_sim/auth", json={"scheme": "hmac", "secret": SECRET, "hmac": options})
    [first, *_] = await deliveries(stage, await one_call(stage))
    timestamp = first.headers["x-timestamp"]
    signed = f"POST {stage.receiver.url} {timestamp} ".encode() + first.raw
    assert len(timestamp) == 13
    assert first.headers["x-mine"] == hmac.new(SECRET.encode(), signed, hashlib.sha512).hexdigest()


@pytest.mark.parametrize(
    "body",
    [
        {"scheme": "magic"},
        {"scheme": "hmac"},
        {"colour": 1},
        {"hmac": {"colour": 1}},
        {"preset": "x"},
        {"scheme": "hmac", "secret": "s", "hmac": {"algorithm": "md5"}},
    ],
)
async def test_a_credential_that_cannot_be_understood_is_refused(stage: Stage, body: dict[str, Any]) -> None:
    assert (await stage.client.put("/_sim/auth", json=body)).status_code == 400


async def test_a_forged_webhook_has_a_wrong_secret_of_the_right_length(stage: Stage) -> None:
    call_id = await one_call(stage, server={"headers": {"X-Vapi-Secret": SECRET}}, wrong_signature=1)
    for delivery in await deliveries(stage, call_id):
        assert delivery.headers["x-vapi-secret"] != SECRET
        assert len(delivery.headers["x-vapi-secret"]) == len(SECRET)
    assert (await stage.summary())["webhooks"]["forged"] == 4


async def test_without_a_plan_nothing_is_tried_twice(stage: Stage) -> None:
    stage.receiver.statuses = [500] * 4
    await one_call(stage)
    webhooks = await settled(stage, "failed", 4)
    assert (webhooks["attempts"], webhooks["sent"], webhooks["byStatus"]) == (4, 0, {"500": 4})


async def test_with_a_plan_every_status_but_success_is_tried_again(stage: Stage) -> None:
    stage.receiver.statuses = [404, 500]
    plan = {"type": "exponential", "maxRetries": 3, "baseDelaySeconds": 1}
    call_id = await one_call(stage, server={"backoffPlan": plan})
    webhooks = await settled(stage, "sent", 4)
    assert (webhooks["attempts"], webhooks["retried"], webhooks["failed"]) == (6, 2, 0)
    assert len(stage.receiver.of(call_id)) == 6


async def test_excluded_statuses_are_not_tried_again(stage: Stage) -> None:
    stage.receiver.statuses = [401] * 4
    plan = {"type": "fixed", "maxRetries": 3, "baseDelaySeconds": 1, "excludedStatusCodes": [401]}
    await one_call(stage, server={"backoffPlan": plan})
    webhooks = await settled(stage, "failed", 4)
    assert (webhooks["attempts"], webhooks["retried"]) == (4, 0)


async def test_a_plan_is_given_up_after_its_last_try(stage: Stage) -> None:
    stage.receiver.statuses = [503] * 12
    plan = {"type": "fixed", "maxRetries": 2, "baseDelaySeconds": 1}
    await one_call(stage, server={"backoffPlan": plan})
    webhooks = await settled(stage, "failed", 4)
    assert (webhooks["attempts"], webhooks["retried"]) == (12, 8)


async def test_a_receiver_that_is_not_there_counts_as_a_failure(stage: Stage) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        await one_call(stage, server={"url": f"http://127.0.0.1:{nobody.getsockname()[1]}/hook"})
        webhooks = await settled(stage, "failed", 4)
    assert webhooks["byStatus"] == {"refused": 4}


async def test_a_receiver_that_is_too_slow_counts_as_a_failure(stage: Stage) -> None:
    stage.receiver.pause_seconds = 1.5
    await one_call(stage, server={"timeoutSeconds": 1})
    webhooks = await settled(stage, "failed", 4)
    assert webhooks["byStatus"] == {"timeout": 4}


@pytest.mark.parametrize("url", ["https://example.com/hook", "http://10.0.0.1/", "http://127.0.0.1.example.com/"])
async def test_only_this_machine_is_ever_contacted(stage: Stage, url: str) -> None:
    await one_call(stage, server={"url": url})
    webhooks = await settled(stage, "refusedUrl", 4)
    assert webhooks["attempts"] == 0
    assert webhooks["refusedUrls"] == {url: 4}


@pytest.mark.parametrize(
    ("url", "is_near"),
    [
        ("http://127.0.0.1:80/x", True),
        ("http://127.9.9.9/", True),
        ("http://localhost:1/", True),
        ("http://[::1]:1/", True),
        ("http://localhost.example.com/", False),
        ("http://user@example.com@127.0.0.1.evil.test/", False),
        ("http://0.0.0.0/", False),
        ("ftp://127.0.0.1/", False),
        ("127.0.0.1", False),
        ("http://[::1/", False),
    ],
)
def test_what_is_this_machine(url: str, is_near: bool) -> None:
    assert is_loopback(url) is is_near


async def test_lost_webhooks_are_never_sent_but_counted(stage: Stage) -> None:
    call_id = await one_call(stage, webhook_loss=1)
    webhooks = await settled(stage, "lost", 4)
    assert (webhooks["attempts"], stage.receiver.of(call_id)) == (0, [])


async def test_doubled_webhooks_come_twice(stage: Stage) -> None:
    call_id = await one_call(stage, webhook_duplicate=1)
    counts = Counter(each.what for each in await deliveries(stage, call_id, 8))
    assert counts == {"queued": 2, "ringing": 2, "ended": 2, "end-of-call-report": 2}


async def test_a_held_webhook_comes_after_the_next_one(stage: Stage) -> None:
    """With a chance of one half per message, some message of several calls is overtaken."""
    await stage.faults(webhook_reorder=0.5)
    calls = [await stage.dial(f"+1202555{number:04d}") for number in range(111, 119)]
    await stage.until(lambda: all(stage.world.state.calls[call_id].is_reported for call_id in calls))
    await stage.world.timers.sleep(60)
    ranks = ["queued", "ringing", "in-progress", "forwarding", "ended", "end-of-call-report"]
    orders = [[ranks.index(what) for what in stage.receiver.whats(call_id)] for call_id in calls]
    assert sum(order != sorted(order) for order in orders) >= 2
    assert all(sorted(set(order)) == sorted(order) for order in orders)


async def test_the_report_can_come_before_the_end(stage: Stage) -> None:
    whats = [each.what for each in await deliveries(stage, await one_call(stage, report_before_ended=1))]
    assert whats.index("end-of-call-report") < whats.index("ended")


async def test_the_report_of_an_unanswered_call_can_be_missing(stage: Stage) -> None:
    call_id = await one_call(stage, report_missing_for_unanswered=True)
    await stage.until(lambda: stage.world.state.calls[call_id].is_reported)
    await stage.world.timers.sleep(20)
    assert "end-of-call-report" not in stage.receiver.whats(call_id)


async def test_a_webhook_can_come_before_the_answer_to_its_call(stage: Stage) -> None:
    await stage.faults(webhook_before_response=True, slow_answer=1, slow_answer_seconds=20)
    call_id = await stage.dial()
    assert stage.receiver.whats(call_id)[0] == "queued"


async def test_webhooks_can_be_late(stage: Stage) -> None:
    call_id = await one_call(stage, webhook_delay_seconds=100, webhook_jitter_seconds=10)
    [dial] = (await stage.ledger())["dials"]
    last = (await deliveries(stage, call_id))[-1]
    assert last.at - dial["admittedReal"] > 100 / 400


def test_an_exponential_plan_doubles_and_a_fixed_one_does_not() -> None:
    exponential = {"type": "exponential", "baseDelaySeconds": 2}
    assert [backoff_seconds(exponential, attempt) for attempt in (1, 2, 3)] == [2, 4, 8]
    fixed = {"type": "fixed", "baseDelaySeconds": 2}
    assert [backoff_seconds(fixed, attempt) for attempt in (1, 2, 3)] == [2, 2, 2]
