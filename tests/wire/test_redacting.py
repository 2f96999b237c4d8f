"""With redaction on, nothing that is read from the provider bears what nobody should have said."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from autolynx.domain.redaction import CARD, SSN
from autolynx.provider.vapi import VapiProvider
from autolynx.provider.wire_requests import WebhookTarget
from tests.support.stub_vapi import as_json, run_stub

pytestmark = pytest.mark.anyio
SAID = "User: My card is 4111 1111 1111 1111.\nAI: And your social?\nUser: 078-05-1120\n"
CALL: dict[str, Any] = {
    "id": "11111111-2222-4333-8444-555555555555",
    "status": "ended",
    "endedReason": "customer-ended-call",
    "artifact": {
        "transcript": SAID,
        "messages": [{"role": "user", "message": "four one one one " + "one " * 12, "secondsFromStart": 1}],
    },
    "analysis": {"summary": "The card is 4111-1111-1111-1111.", "successEvaluation": "true"},
}
REPORT = {"message": {"type": "end-of-call-report", "call": CALL, **{k: CALL[k] for k in ("artifact", "analysis")}}}


def make_provider(url: str, *, redacts: bool) -> VapiProvider:
    return VapiProvider(
        base_url=url,
        api_key="test-key",
        webhook=WebhookTarget(url="http://127.0.0.1:9/", secret=None),
        now=lambda: datetime(2026, 3, 2, tzinfo=UTC),
        redacts=redacts,
    )


@pytest.fixture(params=[True, False], ids=["redacting", "plain"])
def redacts(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


async def test_what_is_kept_of_a_conversation_is_redacted_through_every_door(redacts: bool) -> None:
    async with run_stub(lambda seen: as_json([CALL] if seen.path == "/call" else CALL)) as stub:
        provider = make_provider(stub.url, redacts=redacts)
        seen = await provider.get_call(CALL["id"])
        listed = await provider.list_calls()
        told = provider.read_webhook(REPORT)
        body = provider.scrub(REPORT)
        await provider.close()
    assert seen is not None
    assert told.news is not None
    kept = [seen.news.facts, listed.calls[0].news.facts, told.news.facts]
    texts = [f"{json.dumps(facts.transcript)} {facts.summary}" for facts in kept] + [json.dumps(body)]
    for text in texts:
        assert (CARD in text) is redacts
        assert ("4111" in text) is not redacts
        assert ("one one one" in text) is not redacts
        assert (SSN in text) is redacts
    assert len({facts.transcript_rank for facts in kept}) == 1
    assert all(facts.success_raw == "true" for facts in kept)
    assert seen.provider_call_id == told.provider_call_id == CALL["id"]
