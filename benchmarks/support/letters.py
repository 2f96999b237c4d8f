"""Webhook bodies of a whole call, as the provider sends them: four status updates and one report of 33 KB."""

import json
from typing import Any
from uuid import UUID

REPORT_BYTES = 33_000
STATUSES = ("queued", "ringing", "in-progress", "ended")
_LINES = (
    ("bot", "Good morning, this is Riley from the front desk, is this a good moment to talk about your visit?"),
    ("user", "Yes, go ahead, I have about two minutes before my next appointment starts over here."),
)


def bodies_of(call_id: UUID, provider_call_id: str) -> list[bytes]:
    """Return the five bodies of one call in the order in which they are sent."""
    call = _call(call_id, provider_call_id)
    messages = [_status_update(call, status) for status in STATUSES] + [_report(call)]
    return [json.dumps({"message": message}, separators=(",", ":")).encode() for message in messages]


def _call(call_id: UUID, provider_call_id: str) -> dict[str, Any]:
    return {
        "id": provider_call_id,
        "orgId": "f0000000-0000-4000-8000-000000000001",
        "type": "outboundPhoneCall",
        "status": "queued",
        "createdAt": "2026-03-02T10:00:00.000Z",
        "updatedAt": "2026-03-02T10:00:01.000Z",
        "cost": 0,
        "assistantId": "a0000000-0000-4000-8000-000000000001",
        "phoneNumberId": "b0000000-0000-4000-8000-000000000001",
        "name": str(call_id),
        "customer": {"number": "+14155550123", "name": "Ada", "externalId": str(call_id)},
        "assistantOverrides": {
            "metadata": {"callId": str(call_id)},
            "server": {"url": "https://calls.example.test/api/webhooks/vapi", "headers": {"X-Vapi-Secret": "none"}},
            "serverMessages": ["status-update", "end-of-call-report"],
        },
        "monitor": {
            "listenUrl": f"wss://phone.example.test/{provider_call_id}/listen",
            "controlUrl": f"https://phone.example.test/{provider_call_id}/control",
        },
        "transport": {"provider": "twilio", "callSid": "CA0", "accountSid": "AC0"},
    }


def _envelope(call: dict[str, Any], kind: str) -> dict[str, Any]:
    return {
        "timestamp": 1772445601000,
        "type": kind,
        "call": call,
        "customer": call["customer"],
        "phoneNumber": {"id": call["phoneNumberId"], "provider": "twilio", "number": "+12125550100"},
        "assistant": {
            "name": "Riley",
            "model": {"provider": "openai", "messages": [{"role": "system", "content": "-"}]},
        },
    }


def _status_update(call: dict[str, Any], status: str) -> dict[str, Any]:
    ended = {"endedReason": "customer-ended-call"} if status == "ended" else {}
    return _envelope(call, "status-update") | {"status": status, **ended}


def _report(call: dict[str, Any]) -> dict[str, Any]:
    report = _envelope(call, "end-of-call-report") | {
        "endedReason": "customer-ended-call",
        "startedAt": "2026-03-02T10:00:05.250Z",
        "endedAt": "2026-03-02T10:01:05.250Z",
        "cost": 0.0712,
        "costs": [{"type": "transport", "cost": 0.0412}, {"type": "model", "cost": 0.03}],
        "analysis": {"summary": "They agreed on a visit on Tuesday at nine.", "successEvaluation": "true"},
        "artifact": {},
    }
    # The words come three times, as in real reports: as text, as messages, and as the model saw them.
    turns = 0
    while len(json.dumps(report)) < REPORT_BYTES:
        turns += 4
        report["artifact"] = _artifact(turns)
    return report


def _artifact(turns: int) -> dict[str, Any]:
    spoken = [(*_LINES[turn % 2], turn) for turn in range(turns)]
    recording = "https://storage.example.test/recording-mono.wav"
    return {
        "transcript": "".join(f"{'AI' if role == 'bot' else 'User'}: {words}\n" for role, words, _ in spoken),
        "messages": [
            {
                "role": role,
                "message": words,
                "time": 1772445601000 + turn,
                "secondsFromStart": 2.5 * turn,
                "duration": 2400,
            }
            for role, words, turn in spoken
        ],
        "messagesOpenAIFormatted": [
            {"role": "assistant" if role == "bot" else "user", "content": words} for role, words, _ in spoken
        ],
        "recordingUrl": recording,
        "recording": {"mono": {"combinedUrl": recording}},
        "presignedMonoUrl": f"{recording}?X-Amz-Signature=feedc0de&X-Amz-Expires=900",
    }
