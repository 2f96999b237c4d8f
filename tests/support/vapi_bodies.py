"""Webhook bodies and calls of our own making, in the shapes that the provider has been seen to send."""

from typing import Any
from uuid import UUID

CALL_ID = "019b0c1e-0000-7000-8000-00000000c411"
OUR_ID = UUID("7d3f3c7e-5a3e-4a56-9a4b-0c3c2f0f7a11")
OTHER_ID = UUID("11111111-2222-4333-8444-555555555555")
CONTROL_URL = f"https://lines.example.test/{CALL_ID}/control"
RECORDING = f"https://storage.example.test/{CALL_ID}-mono.wav"
SECRET = "wh-secret-of-the-fixture"
TALK = "AI: Hello, is this Ada?\nUser: Speaking.\nAI: Shall we book Tuesday?\nUser: Yes please.\n"


def call(**changes: Any) -> dict[str, Any]:
    """A call as it stands in webhooks and answers: a snapshot, its status that of its creation."""
    return {
        "id": CALL_ID,
        "orgId": "019b0c1e-0000-7000-8000-0000000000f0",
        "type": "outboundPhoneCall",
        "status": "queued",
        "createdAt": "2026-03-02T10:00:00.000Z",
        "updatedAt": "2026-03-02T10:00:01.000Z",
        "cost": 0,
        "assistantId": "019b0c1e-0000-7000-8000-00000000a551",
        "phoneNumberId": "019b0c1e-0000-7000-8000-000000000b0e",
        "name": str(OUR_ID),
        "customer": {"number": "+14155550123", "name": "Ada", "externalId": str(OUR_ID)},
        "assistantOverrides": {
            "metadata": {"campaignId": "c", "contactId": "k", "callId": str(OUR_ID)},
            "server": {"url": "https://app.example.test/hook", "headers": {"X-Vapi-Secret": SECRET}},
        },
        "monitor": {
            "listenUrl": f"wss://lines.example.test/{CALL_ID}/listen",
            "controlUrl": CONTROL_URL,
        },
        "transport": {"provider": "twilio", "callSid": "CA0", "accountSid": "AC0"},
        **changes,
    }


def status_update(status: Any, **changes: Any) -> dict[str, Any]:
    """A wrapped status update."""
    message = {"type": "status-update", "status": status, "timestamp": 1772445601000, "call": call()}
    return {"message": {**message, **changes}}


def report(**changes: Any) -> dict[str, Any]:
    """A wrapped end-of-call report of a call that was answered, as they look today."""
    message = {
        "type": "end-of-call-report",
        "timestamp": 1772445725000,
        "endedReason": "customer-ended-call",
        "startedAt": "2026-03-02T10:00:05.250Z",
        "endedAt": "2026-03-02T10:01:05.250Z",
        "cost": 0.0712,
        "costBreakdown": {"total": 0.0712, "llm": 0.03},
        "costs": [{"type": "transport", "cost": 0.0412}, {"type": "model", "cost": 0.03}],
        "analysis": {"summary": "Ada took Tuesday.", "successEvaluation": "true", "structuredData": {}},
        "artifact": artifact(),
        "call": call(),
        "phoneNumber": {"id": "n", "twilioAccountSid": "AC0", "twilioAuthToken": "tw-token"},
        "assistant": {"name": "Short pitch", "server": {"secret": SECRET}},
        "customer": {"number": "+14155550123"},
    }
    return {"message": {**message, **changes}}


def artifact() -> dict[str, Any]:
    """What was said and recorded, with the addresses in all their forms."""
    return {
        "transcript": TALK,
        "messages": [
            {"role": "system", "message": "You are a scheduler.", "secondsFromStart": 0},
            {"role": "bot", "message": "Hello, is this Ada?", "secondsFromStart": 1.25, "duration": 900},
            {"role": "user", "message": "Speaking.", "secondsFromStart": 3.5},
            {"role": "tool_calls", "toolCalls": [{"id": "t1"}], "name": "calendar"},
            {"role": "tool_call_result", "name": "calendar", "result": "token=abc"},
            {"role": "bot", "message": "Shall we book Tuesday?", "secondsFromStart": 5},
            {"role": "user", "message": "Yes please.", "secondsFromStart": 8},
        ],
        "recordingUrl": RECORDING,
        "stereoRecordingUrl": RECORDING.replace("mono", "stereo"),
        "recording": {"mono": {"combinedUrl": RECORDING}, "stereoUrl": RECORDING.replace("mono", "stereo")},
        "presignedMonoUrl": f"{RECORDING}?X-Amz-Signature=feedc0de&X-Amz-Expires=900",
    }
