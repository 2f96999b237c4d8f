"""The production client against a real server on loopback, one way to answer or to fail at a time."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from autolynx.domain.call import CallStatus, Source
from autolynx.errors import ConfigurationError, ProviderError, ProviderUnreachable
from autolynx.provider.port import Accepted, CallOrder, NotSent, Provider, Refused, Scope, Unknown
from autolynx.provider.vapi import VapiProvider
from autolynx.provider.wire_requests import WebhookTarget
from tests.support.stub_vapi import (
    Answering,
    Drip,
    Drop,
    Reply,
    Rule,
    Seen,
    StubVapi,
    as_json,
    in_turn,
    page,
    run_stub,
)

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 2, 21, 15, tzinfo=UTC)
KEY = "key-of-the-test-0123456789"
WEBHOOK = WebhookTarget(url="https://app.example.test/hook", secret="webhook-secret-of-the-test")
ORDER = CallOrder(
    call_id=UUID("7d3f3c7e-5a3e-4a56-9a4b-0c3c2f0f7a11"),
    campaign_id=UUID(int=1),
    contact_id=UUID(int=2),
    provider_assistant_id="a-1",
    phone_number_id="n-1",
    phone="+14155550123",
    name="Ada Lovelace",
    business_name="Engines",
)
CREATED = {"id": "c-1", "status": "queued", "subscriptionLimits": {"remainingConcurrentCalls": 4}}


@asynccontextmanager
async def client(url: str, **options: Any) -> AsyncIterator[VapiProvider]:
    settings = {"api_key": KEY, "webhook": WEBHOOK, "now": lambda: NOW, "timeout_seconds": 1.5, **options}
    provider = VapiProvider(base_url=url, **settings)
    try:
        yield provider
    finally:
        await provider.close()


@asynccontextmanager
async def account(rule: Rule | Answering, **options: Any) -> AsyncIterator[tuple[Provider, StubVapi]]:
    async with run_stub(rule) as stub, client(stub.url, **options) as provider:
        yield provider, stub


async def test_a_call_is_placed_with_one_request_that_bears_the_key() -> None:
    async with account(as_json(CREATED, 201)) as (provider, stub):
        answer = await provider.place_call(ORDER)
    assert isinstance(answer, Accepted)
    assert (answer.news.provider_call_id, answer.news.status) == ("c-1", CallStatus.QUEUED)
    assert answer.news.source is Source.DIAL
    assert answer.remaining_lines == 4
    (request,) = stub.seen
    assert (request.method, request.path) == ("POST", "/call")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.body["customer"]["externalId"] == str(ORDER.call_id)
    assert request.body["assistantOverrides"]["server"]["headers"] == {"X-Vapi-Secret": WEBHOOK.secret}


@pytest.mark.parametrize(
    "failing",
    [
        Drop(),
        Drip(),
        Reply(wait=30),
        as_json({"id": "c-1"}, 500),
        as_json({"message": "Rate limit exceeded"}, 503, Retry_After="1"),
        page(522),
        page(200),
        Reply(status=201, body=b'{"id": "c-1", "status": "queued"}', is_cut=True),
        Reply(status=201, body=b"not gzip", headers={"Content-Encoding": "gzip"}),
        Reply(status=201, body=b'{"status": "queued"}'),
    ],
    ids=["drop", "drip", "slow", "500", "503", "522", "html", "cut", "gzip", "no-id"],
)
async def test_a_request_that_may_have_arrived_is_unknown_and_never_repeated(failing: Answering) -> None:
    async with account(in_turn(failing, as_json(CREATED, 201))) as (provider, stub):
        answer = await provider.place_call(ORDER)
        assert isinstance(answer, Unknown)
        assert stub.paths() == ["POST /call"]
    assert KEY not in answer.reason
    assert "5550123" not in answer.reason


async def test_a_connection_that_dies_between_two_calls_is_noticed_before_the_second_is_sent() -> None:
    closing = Reply(status=201, body=b'{"id": "c-1"}', headers={"Connection": "close"})
    async with account(closing) as (provider, stub):
        for _ in range(3):
            assert isinstance(await provider.place_call(ORDER), Accepted)
        assert stub.connections == 3


async def test_connections_are_kept_for_the_next_request() -> None:
    async with account(as_json(CREATED, 201)) as (provider, stub):
        for _ in range(3):
            assert isinstance(await provider.place_call(ORDER), Accepted)
        assert stub.connections == 1


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_a_refused_connection_was_certainly_not_sent() -> None:
    async with client(f"http://127.0.0.1:{unused_port()}") as provider:
        assert isinstance(await provider.place_call(ORDER), NotSent)
        with pytest.raises(ProviderUnreachable, match="no connection"):
            await provider.get_call("c-1")


async def test_a_connection_that_cannot_be_made_in_time_was_not_sent() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        address = deaf.getsockname()
        fillers = [socket.socket() for _ in range(3)]  # the queue of a server that accepts nobody is full
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        async with client(f"http://127.0.0.1:{address[1]}", timeout_seconds=0.2) as provider:
            assert isinstance(await provider.place_call(ORDER), NotSent)
        for filler in fillers:
            filler.close()


async def test_a_host_without_an_address_was_not_sent() -> None:
    async with client("http://no-such-host.invalid", timeout_seconds=5) as provider:
        assert isinstance(await provider.place_call(ORDER), NotSent)


def one_line(_timeout: httpx.Timeout, _limits: httpx.Limits) -> httpx.AsyncClient:
    """A client with a single connection, for which nobody waits long."""
    return httpx.AsyncClient(timeout=httpx.Timeout(1, pool=0.1), limits=httpx.Limits(max_connections=1))


async def test_a_full_pool_of_connections_was_not_sent() -> None:
    slow = Reply(status=201, body=b'{"id": "c-1"}', wait=0.3)
    async with account(slow, launch=one_line) as (provider, stub):
        answers = await asyncio.gather(provider.place_call(ORDER), provider.place_call(ORDER))
        assert {type(answer) for answer in answers} == {Accepted, NotSent}
        assert len(stub.seen) == 1


@pytest.mark.parametrize(
    ("answering", "scope"),
    [
        (as_json({"message": ["Over Concurrency Limit"], "error": "Bad Request"}, 400), Scope.CONCURRENCY),
        (as_json({"error": "Over Concurrency Limit"}, 404), Scope.CONCURRENCY),
        (as_json({"message": "Rate limit exceeded"}, 429), Scope.RATE),
        (as_json({"message": "Invalid Key.", "error": "Unauthorized"}, 401), Scope.ACCOUNT),
        (page(403), Scope.ACCOUNT),
        (page(404), Scope.ACCOUNT),
        (as_json({"message": "Assistant not found"}, 400), Scope.CAMPAIGN),
        (as_json({"message": ["customer.number must be a valid phone number"]}, 400), Scope.CONTACT),
        (Reply(status=308, headers={"Location": "https://elsewhere.example.test/call"}), Scope.ACCOUNT),
    ],
)
async def test_a_refusal_is_certain_and_names_whom_it_concerns(answering: Answering, scope: Scope) -> None:
    async with account(answering) as (provider, stub):
        answer = await provider.place_call(ORDER)
        assert isinstance(answer, Refused)
        assert answer.scope is scope
        assert len(stub.seen) == 1


async def test_too_many_requests_tell_when_to_come_back() -> None:
    async with account(as_json({"message": "Rate limit exceeded"}, 429, Retry_After="17")) as (provider, _):
        answer = await provider.place_call(ORDER)
    assert isinstance(answer, Refused)
    assert answer.retry_at == NOW + timedelta(seconds=17)


@pytest.mark.parametrize("key", ["", "two\nlines", "spaced key", "schl\u00fcssel"])
def test_a_key_that_cannot_be_sent_is_refused_at_once(key: str) -> None:
    with pytest.raises(ConfigurationError, match="VAPI_API_KEY"):
        VapiProvider(base_url="http://127.0.0.1:9", api_key=key, webhook=WEBHOOK, now=lambda: NOW)


async def test_a_call_is_looked_up_by_its_id_whatever_is_in_it() -> None:
    async with account(as_json({"id": "a/../b?c", "status": "ended", "endedReason": "voicemail"})) as (
        provider,
        stub,
    ):
        found = await provider.get_call("a/../b?c")
        assert found is not None
        assert found.news.is_over
        assert found.news.source is Source.POLL
        assert stub.paths() == ["GET /call/a%2F..%2Fb%3Fc"]


async def test_a_call_that_vapi_does_not_know_is_none() -> None:
    async with account(as_json({"message": "Call not found", "error": "Not Found"}, 404)) as (provider, _):
        assert await provider.get_call("c-1") is None


@pytest.mark.parametrize("broken", [Drop(), as_json({}, 500), page(522)], ids=["drop", "500", "522"])
async def test_a_look_is_repeated_when_the_provider_stumbles(broken: Answering) -> None:
    async with account(in_turn(broken, broken, as_json({"id": "c-1", "status": "ringing"}))) as (
        provider,
        stub,
    ):
        found = await provider.get_call("c-1")
        assert found is not None
        assert len(stub.seen) == 3


@pytest.mark.parametrize(
    ("broken", "tries"),
    [(Drop(), 3), (as_json({}, 503), 3), (as_json({}, 429), 1), (Reply(wait=30), 1)],
    ids=["drop", "503", "429", "slow"],
)
async def test_a_look_that_fails_for_good_is_unreachable_after_few_tries(broken: Answering, tries: int) -> None:
    async with account(broken) as (provider, stub):
        with pytest.raises(ProviderUnreachable) as caught:
            await provider.get_call("c-1")
        assert len(stub.seen) == tries
    assert KEY not in caught.value.message
    assert "127.0.0.1" not in caught.value.message


@pytest.mark.parametrize(
    ("answering", "words"),
    [
        (as_json({"message": "Invalid Key."}, 401), "check VAPI_API_KEY"),
        (as_json({"message": ["id must be a UUID"]}, 400), "id must be a UUID"),
        (page(200), "VAPI_BASE_URL"),
        (page(404), "VAPI_BASE_URL"),
        (as_json({"message": "Cannot GET /v1/call/c-1", "error": "Not Found"}, 404), "VAPI_BASE_URL"),
        (as_json({"hello": "world"}), "VAPI_BASE_URL"),
        (Reply(status=302, headers={"Location": "https://elsewhere.example.test/"}), "VAPI_BASE_URL"),
    ],
)
async def test_a_look_that_is_refused_says_so_in_one_sentence(answering: Answering, words: str) -> None:
    async with account(answering) as (provider, stub):
        with pytest.raises(ProviderError, match=words) as caught:
            await provider.get_call("c-1")
        assert not isinstance(caught.value, ProviderUnreachable)
        assert len(stub.seen) == 1


class History:
    """Calls as the provider lists them: newest first, filtered by time, at most `limit` of them."""

    def __init__(self, moments: list[datetime], *, digits: str = "milliseconds") -> None:
        ordered = sorted(enumerate(moments), key=lambda pair: pair[1], reverse=True)
        self.calls = [(moment, f"c-{number}") for number, moment in ordered]
        self.digits = digits

    def __call__(self, seen: Seen) -> Reply:
        before = datetime.fromisoformat(seen.query.get("createdAtLe", "2099-01-01T00:00:00Z"))
        rows = [(at, name) for at, name in self.calls if at <= before][: int(seen.query["limit"])]
        shown = ((at.isoformat(timespec=self.digits).replace("+00:00", "Z"), name) for at, name in rows)
        return as_json([{"id": name, "status": "ended", "createdAt": at} for at, name in shown])


def moments(count: int, *, apart_ms: float = 500) -> list[datetime]:
    return [NOW - timedelta(milliseconds=apart_ms * n) for n in range(count)]


@pytest.mark.parametrize(
    "times",
    [
        moments(0),
        moments(4),
        moments(5),
        moments(23),
        [NOW] * 4 + moments(20),
        [moment for moment in moments(8) for _ in range(3)],
        moments(40, apart_ms=0.3),
        [NOW] * 50,
    ],
    ids=["none", "less", "one-page", "many", "ties", "triples", "microseconds", "all-at-once"],
)
async def test_every_page_is_read_and_every_call_listed_once(times: list[datetime]) -> None:
    async with account(History(times), page_size=5) as (provider, stub):
        found = await provider.list_calls(phone_number_id="n-1", created_from=NOW - timedelta(hours=1))
    assert found.is_complete
    ids = [seen.provider_call_id for seen in found.calls]
    assert len(ids) == len(set(ids)) == len(times)
    for request in stub.seen:
        assert request.query["phoneNumberId"] == "n-1"
        assert request.query["createdAtGe"] == "2026-03-02T20:15:00.000Z"


async def test_a_window_by_last_change_is_paged_too() -> None:
    async with account(History(moments(12)), page_size=5) as (provider, stub):
        found = await provider.list_calls(updated_from=NOW - timedelta(minutes=2))
    assert len(found.calls) == 12
    assert {request.query["updatedAtGe"] for request in stub.seen} == {"2026-03-02T21:13:00.000Z"}
    assert {call.news.source for call in found.calls} == {Source.SWEEP}


async def test_a_list_that_is_cut_by_its_bound_says_so() -> None:
    async with account(History(moments(23)), page_size=5) as (provider, _):
        cut = await provider.list_calls(most=12)
        whole = await provider.list_calls(most=30)
    assert (len(cut.calls), cut.is_complete) == (12, False)
    assert (len(whole.calls), whole.is_complete) == (23, True)


@pytest.mark.parametrize(
    "rows",
    [
        [{"id": f"c-{n}", "createdAt": (NOW + timedelta(seconds=n)).isoformat()} for n in range(5)],
        [{"id": f"c-{n}"} for n in range(5)],
        [{"id": f"c-{n}", "createdAt": "yesterday"} for n in range(5)],
        [None, {"createdAt": "2026-03-02T10:00:00Z"}],
    ],
    ids=["oldest-first", "no-times", "odd-times", "unreadable"],
)
async def test_a_list_that_cannot_be_paged_for_certain_is_not_called_complete(rows: list[Any]) -> None:
    async with account(as_json(rows), page_size=5) as (provider, _):
        assert not (await provider.list_calls()).is_complete


@pytest.mark.parametrize("answering", [as_json({"calls": []}), as_json("x"), as_json({"message": "no"}, 404)])
async def test_a_list_that_is_none_is_an_error(answering: Answering) -> None:
    async with account(answering) as (provider, _):
        with pytest.raises(ProviderError, match="VAPI_BASE_URL"):
            await provider.list_calls()


@pytest.mark.parametrize(("status", "is_ended"), [(200, True), (201, True), (400, False), (404, False), (409, False)])
async def test_a_call_is_hung_up_at_its_control_address_without_our_key(status: int, is_ended: bool) -> None:
    async with account(Reply(status=status)) as (provider, stub):
        assert await provider.end_call(f"{stub.url}/c-1/control") is is_ended
        (request,) = stub.seen
    assert (request.method, request.path, request.body) == ("POST", "/c-1/control", {"type": "end-call"})
    assert "authorization" not in request.headers


@pytest.mark.parametrize("answering", [Drop(), Reply(wait=30), page(502), as_json({}, 429)])
async def test_a_hang_up_that_may_not_have_arrived_is_unreachable(answering: Answering) -> None:
    async with account(answering) as (provider, stub):
        with pytest.raises(ProviderUnreachable):
            await provider.end_call(f"{stub.url}/c-1/control")
        assert len(stub.seen) == 1


async def test_a_hang_up_that_needs_another_key_is_an_error() -> None:
    async with account(as_json({"message": "Unauthorized"}, 401)) as (provider, stub):
        with pytest.raises(ProviderError, match="401"):
            await provider.end_call(f"{stub.url}/c-1/control")


@pytest.mark.parametrize("url", ["http://lines.example.test/c", "ftp://x.example.test/", "", "/control", "https://["])
async def test_only_safe_control_addresses_are_asked(url: str) -> None:
    async with client("https://api.example.test") as provider:
        with pytest.raises(ProviderError, match="control address"):
            await provider.end_call(url)


async def test_webhooks_are_read_and_scrubbed_by_the_same_client() -> None:
    async with client("http://127.0.0.1:9") as provider:
        body = {"message": {"type": "status-update", "status": "ringing", "note": f"{KEY} {WEBHOOK.secret}"}}
        read = provider.read_webhook(body)
        assert read.news is not None
        assert read.news.status is CallStatus.RINGING
        assert provider.scrub(body)["message"]["note"] == "[removed] [removed]"
