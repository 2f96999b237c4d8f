"""Assistants, phone numbers and recordings over a real connection."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from autolynx.errors import ProviderError, ProviderUnreachable
from autolynx.provider.port import Provider
from autolynx.provider.vapi import VapiProvider
from autolynx.provider.wire_requests import WebhookTarget
from tests.support.stub_vapi import (
    Answering,
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

KEY = "key-of-the-test-0123456789"
WAVE = b"RIFF" + bytes(range(256)) * 40
PITCH: dict[str, Any] = {
    "id": "a-1",
    "orgId": "o",
    "createdAt": "2026-03-02T10:00:00.000Z",
    "updatedAt": "2026-03-02T10:00:00.000Z",
    "name": "Short pitch",
    "model": {
        "provider": "openai",
        "model": "gpt-4o",
        "messages": [{"role": "system", "content": "Be brief."}],
    },
}


@asynccontextmanager
async def account(rule: Rule | Answering) -> AsyncIterator[tuple[Provider, StubVapi]]:
    async with run_stub(rule) as stub:
        provider = VapiProvider(
            base_url=stub.url,
            api_key=KEY,
            webhook=WebhookTarget(url="https://app.example.test/hook"),
            now=lambda: datetime(2026, 3, 2, tzinfo=UTC),
            timeout_seconds=2,
        )
        try:
            yield provider, stub
        finally:
            await provider.close()


async def test_an_assistant_is_created_once_with_its_name_cut() -> None:
    async with account(as_json(PITCH, 201)) as (provider, stub):
        config = {"model": PITCH["model"], "id": "mine", "createdAt": "now"}
        made = await provider.create_assistant(name="n" * 60, config=config)
        assert made.provider_assistant_id == "a-1"
        (request,) = stub.seen
    assert (request.method, request.path) == ("POST", "/assistant")
    assert request.body == {"model": PITCH["model"], "name": "n" * 40}


@pytest.mark.parametrize("broken", [Drop(), as_json({}, 500), page(522), Reply(wait=30), as_json({}, 429)])
async def test_a_change_is_never_repeated(broken: Answering) -> None:
    async with account(in_turn(broken, as_json(PITCH, 201))) as (provider, stub):
        with pytest.raises(ProviderUnreachable):
            await provider.create_assistant(name="Short pitch", config={})
        assert len(stub.seen) == 1


async def test_a_refused_change_repeats_what_vapi_said() -> None:
    async with account(as_json({"message": ["model.temperature must not be greater than 2"]}, 400)) as (
        provider,
        _,
    ):
        with pytest.raises(ProviderError, match=r"model\.temperature must not be greater than 2") as caught:
            await provider.create_assistant(name="x", config={"model": {"temperature": 9}})
        assert caught.value.status == 400


async def test_a_configuration_that_is_no_json_is_not_sent() -> None:
    async with account(as_json(PITCH, 201)) as (provider, stub):
        with pytest.raises(ProviderError, match="no JSON"):
            await provider.create_assistant(name="x", config={"model": {"temperature": float("nan")}})
        assert stub.seen == []


async def test_an_update_reads_merges_and_writes_whole_keys() -> None:
    written = {**PITCH, "firstMessage": "Hi"}
    async with account(in_turn(as_json(PITCH), as_json(written))) as (provider, stub):
        changes = {"model": {"temperature": 0.2}, "firstMessage": "Hi"}
        changed = await provider.update_assistant("a-1", name="Short pitch", changes=changes)
        assert changed.config["firstMessage"] == "Hi"
        assert stub.paths() == ["GET /assistant/a-1", "PATCH /assistant/a-1"]
        assert stub.seen[1].body == {"model": {**PITCH["model"], "temperature": 0.2}, "firstMessage": "Hi"}


async def test_an_update_that_changes_nothing_writes_nothing() -> None:
    async with account(as_json(PITCH)) as (provider, stub):
        same = await provider.update_assistant("a-1", name=None, changes={"model": {"model": "gpt-4o"}})
        assert same.name == "Short pitch"
        assert stub.paths() == ["GET /assistant/a-1"]


async def test_an_assistant_that_is_gone_is_none_to_look_at_an_error_to_change_and_fine_to_delete() -> None:
    async with account(as_json({"message": "Assistant not found"}, 404)) as (provider, stub):
        assert await provider.get_assistant("a-1") is None
        with pytest.raises(ProviderError, match="deleted there"):
            await provider.update_assistant("a-1", name=None, changes={"firstMessage": "Hi"})
        await provider.delete_assistant("a-1")
        assert stub.paths()[-1] == "DELETE /assistant/a-1"


async def test_a_pinned_assistant_is_not_deleted() -> None:
    refusal = as_json({"error": "assistant_pinned", "message": "The assistant is pinned."}, 409)
    async with account(refusal) as (provider, _):
        with pytest.raises(ProviderError, match="pinned") as caught:
            await provider.delete_assistant("a-1")
        assert caught.value.status == 409


async def test_the_accounts_assistants_and_numbers_are_listed_without_secrets() -> None:
    rows = [{"id": "n-1", "provider": "vapi", "number": "+14155550100", "twilioAuthToken": "t"}, "odd", {}]

    def rule(seen: Seen) -> Reply:
        return as_json(rows if seen.path == "/phone-number" else [PITCH])

    async with account(rule) as (provider, _):
        assert [found.name for found in await provider.list_assistants()] == ["Short pitch"]
        (number,) = await provider.list_phone_numbers()
    assert (number.phone_number_id, number.is_free, number.status) == ("n-1", True, "active")


def redirect(to: str) -> Reply:
    return Reply(status=302, headers={"Location": to})


def store_of(answering: Answering) -> Rule:
    """Vapi's route names another host; everything else is answered as told."""

    def rule(seen: Seen) -> Answering:
        return (
            redirect(f"http://localhost:{seen.headers['host'].rpartition(':')[2]}/stored?sig=1")
            if (seen.path == "/call/c-1/mono-recording")
            else answering
        )

    return rule


async def test_a_recording_is_fetched_from_the_other_host_without_our_key() -> None:
    async with account(store_of(Reply(body=WAVE, headers={"Content-Type": "audio/wav"}))) as (provider, stub):
        async with provider.open_recording("c-1") as recording:
            assert (recording.content_type, recording.content_length) == ("audio/wav", len(WAVE))
            assert b"".join([chunk async for chunk in recording.chunks]) == WAVE
        asked, fetched = stub.seen
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert fetched.headers["host"].startswith("localhost")
    assert "authorization" not in fetched.headers
    assert fetched.query == {"sig": "1"}


async def test_a_recording_of_no_stated_type_is_a_wave() -> None:
    plain = Reply(body=WAVE, headers={"Content-Type": "binary/octet-stream"})
    async with account(plain) as (provider, _), provider.open_recording("c-1") as recording:
        assert recording.content_type == "audio/wav"


async def test_the_stereo_recording_stands_in_for_a_missing_mono_one() -> None:
    def rule(seen: Seen) -> Reply:
        return Reply(body=WAVE) if seen.path.endswith("stereo-recording") else as_json({}, 404)

    async with account(rule) as (provider, stub):
        async with provider.open_recording("c-1") as recording:
            assert b"".join([chunk async for chunk in recording.chunks]) == WAVE
        assert stub.paths() == ["GET /call/c-1/mono-recording", "GET /call/c-1/stereo-recording"]


@pytest.mark.parametrize(
    ("answering", "kind"),
    [
        (as_json({"message": "not found"}, 404), ProviderError),
        (as_json({"message": "Invalid Key."}, 401), ProviderError),
        (page(200), ProviderError),
        (page(500), ProviderUnreachable),
        (Drop(), ProviderUnreachable),
        (Reply(wait=30), ProviderUnreachable),
        (redirect("http://storage.example.test/x"), ProviderError),
        (redirect("file:///etc/passwd"), ProviderError),
        (redirect("https://["), ProviderError),
        (redirect("/call/c-1/mono-recording"), ProviderError),
    ],
)
async def test_a_recording_that_cannot_be_had_is_an_error(answering: Answering, kind: type[ProviderError]) -> None:
    async with account(answering) as (provider, _):
        with pytest.raises(ProviderError) as caught:
            async with provider.open_recording("c-1"):
                pass
        assert type(caught.value) is kind
        assert KEY not in caught.value.message


async def test_a_recording_that_breaks_off_says_so() -> None:
    cut = store_of(Reply(body=WAVE, is_cut=True))
    async with account(cut) as (provider, _), provider.open_recording("c-1") as recording:
        with pytest.raises(ProviderUnreachable, match="broke off"):
            _ = [chunk async for chunk in recording.chunks]
