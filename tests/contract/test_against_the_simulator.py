"""The production client against the simulator in a process of its own: an independent reading of the same wire."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from autolynx.domain.call import CallStatus, Outcome
from autolynx.domain.ended_reason import EndClass, classify_end
from autolynx.errors import ProviderError
from autolynx.provider.port import Accepted, CallOrder, Refused, Scope, Unknown, WebhookNews
from autolynx.provider.vapi import VapiProvider
from autolynx.provider.webhook_auth import Hmac, Scheme, WebhookAuth, github_like, svix_like, verify
from autolynx.provider.wire_requests import WebhookTarget
from tests.support.sim import ASSISTANT_SALES, TWILIO_MAIN, TWILIO_SECOND, Sim, running_sim
from tests.support.stub_vapi import Reply, Seen, StubVapi, run_stub

pytestmark = pytest.mark.anyio

KEY = "key-of-the-test-0123456789"
SECRET = "webhook-secret-of-the-test"
FREE_NUMBER = "b0000000-0000-4000-8000-000000000004"
BLOCKED_NUMBER = "b0000000-0000-4000-8000-000000000005"


def now() -> datetime:
    return datetime.now(UTC)


def order(phone: str = "+14155550123", **changes: Any) -> CallOrder:
    given: dict[str, Any] = {
        "call_id": uuid4(),
        "campaign_id": UUID(int=1),
        "contact_id": UUID(int=2),
        "provider_assistant_id": ASSISTANT_SALES,
        "phone_number_id": TWILIO_MAIN,
        "phone": phone,
        "name": "Ada Lovelace",
        "business_name": "Engines",
        "variables": {"city": "London"},
        **changes,
    }
    return CallOrder(**given)


@asynccontextmanager
async def town(*options: str, speed: float = 200, **settings: Any) -> AsyncIterator[tuple[VapiProvider, Sim, StubVapi]]:
    """A simulator, a receiver for its webhooks and the client between them."""
    async with run_stub(Reply()) as hook, running_sim("--scenario", "all-answer", *options, speed=speed) as sim:
        target = WebhookTarget(url=f"{hook.url}/hook", secret=SECRET)
        chosen = {"api_key": KEY, "webhook": target, "now": now, "timeout_seconds": 5, **settings}
        provider = VapiProvider(base_url=sim.url, **chosen)
        try:
            yield provider, sim, hook
        finally:
            await provider.close()


async def until(is_done: Callable[[], bool], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not is_done():
            await asyncio.sleep(0.02)


def reports(hook: StubVapi) -> list[Seen]:
    return [seen for seen in hook.seen if seen.body["message"]["type"] == "end-of-call-report"]


async def place(provider: VapiProvider, wanted: CallOrder) -> Accepted:
    answer = await provider.place_call(wanted)
    assert isinstance(answer, Accepted), answer
    return answer


@pytest.mark.parametrize("shape", ["current", "legacy2024"])
async def test_a_call_is_followed_from_the_dial_to_the_report_and_the_recording(shape: str) -> None:
    async with town("--fault", f"payload_shape={shape}", "--fault", "stale_call_status=true") as (provider, sim, hook):
        wanted = order()
        accepted = await place(provider, wanted)
        assert accepted.news.status is CallStatus.QUEUED
        assert accepted.remaining_lines is not None
        await until(lambda: bool(reports(hook)))

        config = WebhookAuth(secrets=(SECRET,))
        for seen in hook.seen:
            assert verify(seen.headers, seen.raw, config=config, now=now())
            assert not verify(seen.headers, seen.raw, config=WebhookAuth(secrets=("other",)), now=now())
        read = [provider.read_webhook(seen.body) for seen in hook.seen]
        assert {news.our_call_id for news in read} == {wanted.call_id}
        assert {news.provider_call_id for news in read} == {accepted.news.provider_call_id}
        assert [status for status in statuses(read) if status is not None] == ordered(statuses(read))

        facts = provider.read_webhook(reports(hook)[0].body).news
        assert facts is not None
        assert facts.is_over
        assert facts.facts.transcript is not None
        assert {"user", "assistant"} <= {line["role"] for line in facts.facts.transcript["messages"]}
        assert facts.facts.cost_usd

        found = await provider.get_call(accepted.news.provider_call_id or "")
        assert found is not None
        assert (found.our_call_id, found.is_active) == (wanted.call_id, False)
        assert found.news.facts.transcript_rank == facts.facts.transcript_rank
        assert found.news.facts.cost_usd == facts.facts.cost_usd

        async with provider.open_recording(found.provider_call_id) as recording:
            sound = b"".join([chunk async for chunk in recording.chunks])
        assert sound.startswith(b"RIFF")
        assert (await sim.summary())["controls"] == 0


def statuses(read: list[WebhookNews]) -> list[CallStatus | None]:
    return [news.news.status for news in read if news.news is not None]


def ordered(found: list[CallStatus | None]) -> list[CallStatus]:
    return sorted((status for status in found if status is not None), key=list(CallStatus).index)


KEY_BYTES = base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


@pytest.mark.parametrize(
    ("preset", "settings"),
    [
        ("default", Hmac(secrets=("old", KEY_BYTES))),
        ("github", github_like((KEY_BYTES,))),
        ("svix", svix_like((KEY_BYTES,))),
    ],
)
async def test_signatures_of_each_kind_are_accepted_and_forged_ones_are_not(preset: str, settings: Hmac) -> None:
    config = WebhookAuth(schemes=(Scheme.HMAC,), hmac=settings)
    options = ("--webhook-auth", "hmac", "--webhook-secret", KEY_BYTES, "--hmac-preset", preset)
    async with town(*options) as (provider, _, hook):
        await place(provider, order())
        await until(lambda: bool(reports(hook)))
    assert all(verify(seen.headers, seen.raw, config=config, now=now()) for seen in hook.seen)
    forged = hook.seen[0]
    assert not verify(forged.headers, forged.raw + b" ", config=config, now=now())


@pytest.mark.parametrize(
    "fault", ["error_after_accept=1", "drop_after_accept=1", "html_522_after_accept=1", "slow_answer=1"]
)
async def test_an_unknown_call_is_found_by_our_id_and_was_dialled_once(fault: str) -> None:
    slow = ("--fault", "slow_answer_seconds=10000")
    async with town("--fault", fault, *slow, timeout_seconds=0.5) as (provider, sim, _):
        wanted = order()
        began = now() - timedelta(seconds=5)
        assert isinstance(await provider.place_call(wanted), Unknown)
        listed = await provider.list_calls(phone_number_id=TWILIO_MAIN, created_from=began)
        assert listed.is_complete
        assert [seen.our_call_id for seen in listed.calls] == [wanted.call_id]
        assert len((await sim.ledger())["dials"]) == 1


@pytest.mark.parametrize("fault", ["error_before_accept=1", "drop_before_accept=1", "html_522=1"])
async def test_an_unknown_call_that_was_not_placed_is_not_found(fault: str) -> None:
    async with town("--fault", fault) as (provider, sim, _):
        assert isinstance(await provider.place_call(order()), Unknown)
        listed = await provider.list_calls(phone_number_id=TWILIO_MAIN)
        assert (listed.is_complete, list(listed.calls)) == (True, [])
        assert (await sim.ledger())["dials"] == []


@pytest.mark.parametrize("mode", ["http400", "http400-error"])
async def test_a_full_account_that_refuses_is_a_matter_of_concurrency(mode: str) -> None:
    faults = ("--fault", f"over_limit_mode={mode}", "--fault", "occupied_lines=10")
    async with town(*faults) as (provider, _, _hook):
        answer = await provider.place_call(order())
    assert isinstance(answer, Refused)
    assert answer.scope is Scope.CONCURRENCY


async def test_a_call_accepted_above_the_limit_is_marked_and_ends_without_a_start() -> None:
    faults = ("--fault", "over_limit_mode=blocked201", "--fault", "occupied_lines=10")
    async with town(*faults) as (provider, sim, _):
        assert (await place(provider, order())).news.is_blocked
        assert (await sim.ledger())["dials"] == []


async def test_a_call_that_ends_at_once_above_the_limit_says_so_in_its_reason() -> None:
    faults = ("--fault", "over_limit_mode=ended201", "--fault", "occupied_lines=10")
    async with town(*faults) as (provider, _, hook):
        await place(provider, order())
        await until(lambda: any(seen.body["message"].get("status") == "ended" for seen in hook.seen))
        ends = [news for seen in hook.seen if (news := provider.read_webhook(seen.body).news) and news.is_over]
    assert {classify_end(end.facts.ended_reason) for end in ends} == {EndClass.COOLDOWN}


async def test_a_call_that_waits_for_a_line_is_an_accepted_call() -> None:
    faults = ("--fault", "over_limit_mode=queue", "--fault", "occupied_lines=10")
    async with town(*faults) as (provider, _, _hook):
        accepted = await place(provider, order())
        found = await provider.get_call(accepted.news.provider_call_id or "")
    assert accepted.news.status is CallStatus.QUEUED
    assert found is not None
    assert found.is_active


@pytest.mark.parametrize(
    ("wanted", "scope"),
    [
        (order("+04155550123"), Scope.CONTACT),
        (order("+442079460958", phone_number_id=FREE_NUMBER), Scope.CONTACT),
        (order(phone_number_id=BLOCKED_NUMBER), Scope.NUMBER),
        (order(phone_number_id=str(UUID(int=9))), Scope.CAMPAIGN),
        (order(phone_number_id="no-uuid"), Scope.CAMPAIGN),
        (order(provider_assistant_id=str(UUID(int=9))), Scope.CAMPAIGN),
        (order(extension="12345678901"), Scope.CONTACT),
    ],
)
async def test_a_refusal_names_whom_it_concerns(wanted: CallOrder, scope: Scope) -> None:
    async with town("--fault", "free_number_daily_limit=0") as (provider, _, _hook):
        answer = await provider.place_call(wanted)
    assert isinstance(answer, Refused)
    assert answer.scope is scope
    assert wanted.phone not in answer.reason


async def test_trouble_of_the_account_and_the_number_is_told_apart() -> None:
    async with town("--fault", "free_number_daily_limit=0", "--fault", "no_credit=true") as (provider, sim, _):
        broke = await provider.place_call(order())
        await sim.faults(no_credit=False)
        spent = await provider.place_call(order(phone_number_id=FREE_NUMBER))
        await sim.faults(http_429=1, retry_after=True)
        busy = await provider.place_call(order())
    assert isinstance(broke, Refused)
    assert isinstance(spent, Refused)
    assert isinstance(busy, Refused)
    assert [answer.scope for answer in (broke, spent, busy)] == [Scope.ACCOUNT, Scope.NUMBER, Scope.RATE]
    assert spent.retry_at is not None
    assert (spent.retry_at.hour, spent.retry_at.minute) == (0, 0)
    assert busy.retry_at is not None


async def test_a_wrong_key_is_the_accounts_trouble() -> None:
    async with town("--api-key", "another-key") as (provider, _, _hook):
        answer = await provider.place_call(order())
        assert isinstance(answer, Refused)
        assert answer.scope is Scope.ACCOUNT
        assert "VAPI_API_KEY" in answer.reason
        with pytest.raises(ProviderError, match="VAPI_API_KEY"):
            await provider.list_phone_numbers()


async def test_a_long_list_is_read_to_its_end_in_small_pages() -> None:
    async with town("--concurrency-limit", "40", page_size=4) as (provider, _, _hook):
        wanted = [order(f"+1415555{n:04}") for n in range(100, 123)]
        for batch in (wanted[:12], wanted[12:]):
            await asyncio.gather(*(place(provider, each) for each in batch))
        await place(provider, order(phone_number_id=TWILIO_SECOND))
        listed = await provider.list_calls(phone_number_id=TWILIO_MAIN)
        cut = await provider.list_calls(most=10)
    assert listed.is_complete
    assert sorted(str(seen.our_call_id) for seen in listed.calls) == sorted(str(w.call_id) for w in wanted)
    assert (len(cut.calls), cut.is_complete) == (10, False)


async def test_a_live_call_is_hung_up_and_a_call_that_is_over_is_not() -> None:
    async with town("--fault", "stuck_in_progress=1", speed=50) as (provider, _, hook):
        accepted = await place(provider, order())
        control_url = accepted.news.facts.control_url or ""
        await until(lambda: any(seen.body["message"].get("status") == "in-progress" for seen in hook.seen))
        assert await provider.end_call(control_url)
        await until(lambda: any(seen.body["message"].get("status") == "ended" for seen in hook.seen))
        assert not await provider.end_call(control_url)


async def test_the_data_of_a_call_is_deleted_and_deleting_it_again_is_no_error() -> None:
    async with town() as (provider, _sim, hook):
        accepted = await place(provider, order())
        await until(lambda: bool(reports(hook)))
        call_id = accepted.news.provider_call_id or ""
        await provider.delete_call(call_id)
        assert await provider.get_call(call_id) is None
        await provider.delete_call(call_id)


async def test_an_assistant_lives_through_its_whole_life() -> None:
    async with town() as (provider, _, _hook):
        config = {
            "firstMessage": "Hello {{name}}",
            "model": {
                "provider": "openai",
                "model": "gpt-4o",
                "messages": [{"role": "system", "content": "Be brief."}],
            },
        }
        made = await provider.create_assistant(name="Spring pitch " * 5, config=config)
        assert len(made.name) <= 40
        changes = {"model": {"temperature": 0.2}}
        await provider.update_assistant(made.provider_assistant_id, name="Spring", changes=changes)
        found = await provider.get_assistant(made.provider_assistant_id)
        assert found is not None
        assert found.name == "Spring"
        assert found.config["model"] == {**config["model"], "temperature": 0.2}  # type: ignore[dict-item]
        assert made.provider_assistant_id in {a.provider_assistant_id for a in await provider.list_assistants()}
        await provider.delete_assistant(made.provider_assistant_id)
        assert await provider.get_assistant(made.provider_assistant_id) is None


async def test_the_accounts_numbers_come_without_their_secrets() -> None:
    async with town() as (provider, _, _hook):
        numbers = {number.phone_number_id: number for number in await provider.list_phone_numbers()}
    assert numbers[FREE_NUMBER].is_free
    assert numbers[BLOCKED_NUMBER].status == "blocked"
    assert not numbers[TWILIO_MAIN].is_free


async def test_a_call_is_none_until_the_provider_shows_it() -> None:
    async with town("--fault", "read_lag_seconds=100000", "--fault", "list_lag_seconds=100000") as (provider, _, _hook):
        accepted = await place(provider, order())
        assert await provider.get_call(accepted.news.provider_call_id or "") is None
        assert (await provider.list_calls()).calls == []


async def test_the_outcome_of_a_bad_number_is_bad_number() -> None:
    async with town() as (provider, _, _hook):
        answer = await provider.place_call(order("+04155550123"))
    assert isinstance(answer, Refused)
    assert answer.outcome is Outcome.BAD_NUMBER
