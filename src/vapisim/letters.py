"""The bodies of webhooks, made at the moment of delivery and thrown away after it."""

import json
from typing import Any

from vapisim import conversation, wire
from vapisim.calls import Call
from vapisim.state import State

DEFAULT_SERVER_MESSAGES = frozenset(
    {
        "conversation-update",
        "end-of-call-report",
        "function-call",
        "hang",
        "speech-update",
        "status-update",
        "tool-calls",
        "transfer-destination-request",
        "handoff-destination-request",
        "user-interrupted",
        "assistant.started",
    }
)


def encode(message: dict[str, Any]) -> bytes:
    """Put a message into its envelope: everything sits under `message`."""
    return json.dumps({"message": message}, separators=(",", ":"), ensure_ascii=False).encode()


def status_update(state: State, call: Call, *, status: str, told_at: float) -> dict[str, Any]:
    """`status-update`: the status that counts is in the message, not in the call inside it."""
    message = _envelope(state, call, "status-update", told_at) | {"status": status}
    if status == "ended":
        message["endedReason"] = call.ended_reason
    if status == "forwarding":
        message["destination"] = {"type": "number", "number": call.forwarded_to}
    if status in {"in-progress", "forwarding", "ended"} and call.connected is not None:
        assistant = message["assistant"]
        prompt, turns = wire.prompt_of(assistant), wire.spoken(state, call) if status == "ended" else []
        message["artifact"] = {"messagesOpenAIFormatted": conversation.as_openai(turns, prompt=prompt)}
    return message


def report(state: State, call: Call, *, told_at: float) -> dict[str, Any]:
    """`end-of-call-report`: nearly empty for a call that nobody answered."""
    message = _envelope(state, call, "end-of-call-report", told_at) | {"endedReason": call.ended_reason}
    price = wire.call_bill(call)
    message |= {"cost": price.total, "costs": price.items}
    if call.connected is None:
        del message["customer"]
        message |= {"analysis": {}, "artifact": {}}
    else:
        message |= _talk(state, call)
        message["costBreakdown"] = price.breakdown
    is_legacy = state.standing_faults.payload_shape == "legacy2024"
    return _as_in_2024(message) if is_legacy else message


def information(state: State, call: Call, kind: str, *, told_at: float) -> dict[str, Any]:
    """Write the chatter that a client gets unless it asks for less."""
    message = _envelope(state, call, kind, told_at)
    extras: dict[str, dict[str, Any]] = {
        "speech-update": {"status": "started", "role": "assistant", "turn": 0},
        "conversation-update": {"messages": [], "messagesOpenAIFormatted": []},
    }
    return message | extras.get(kind, {})


def _envelope(state: State, call: Call, kind: str, told_at: float) -> dict[str, Any]:
    faults = state.standing_faults
    snapshot = wire.call_snapshot(state, call)
    if not faults.stale_call_status:
        snapshot |= {"status": call.status, "updatedAt": wire.iso(call.updated_at)}
        snapshot |= {"endedReason": call.ended_reason} if call.ended_reason else {}
    return {
        "timestamp": round(told_at * 1000),
        "type": kind,
        "call": snapshot,
        "customer": snapshot["customer"],
        "phoneNumber": state.phone_number(call.order.phone_number_id),
        "assistant": wire.assistant_of(state, call),
    }


def _talk(state: State, call: Call) -> dict[str, Any]:
    """Write what a report says about an answered call; much of it twice, as in reality."""
    clock = state.standing_faults.event_clock
    artifact = wire.artifact(state, call)
    artifact["performanceMetrics"] = _performance(call)
    analysis = wire.analysis(state, call)
    seconds = call.talk_seconds
    body: dict[str, Any] = {
        "analysis": analysis,
        "artifact": artifact,
        "startedAt": wire.iso(call.told(call.connected, clock)) if call.connected else None,
        "endedAt": wire.iso(call.told(call.ended, clock)) if call.ended else None,
        "durationMs": round(seconds * 1000),
        "durationSeconds": round(seconds, 3),
        "durationMinutes": round(seconds / 60, 4),
        "summary": analysis.get("summary", ""),
        "transcript": artifact["transcript"],
        "messages": artifact["messages"],
    }
    twice = ("recordingUrl", "stereoRecordingUrl")
    return body | {name: artifact[name] for name in twice if name in artifact}


def _performance(call: Call) -> dict[str, Any]:
    turns = [
        {
            "modelLatency": 600 + step,
            "voiceLatency": 200 + step,
            "transcriberLatency": 130,
            "endpointingLatency": 80,
            "turnLatency": 1010 + 2 * step,
        }
        for step in range(0, min(300, int(call.talk_seconds) * 3), 30)
    ]
    return {
        "turnLatencies": turns,
        "modelLatencyAverage": 750,
        "voiceLatencyAverage": 350,
        "transcriberLatencyAverage": 130,
        "endpointingLatencyAverage": 80,
        "turnLatencyAverage": 1310,
        "numUserInterrupted": 0,
        "numAssistantInterrupted": 0,
    }


def _as_in_2024(message: dict[str, Any]) -> dict[str, Any]:
    """Move everything to where it stood in 2024: at the top, with an ISO timestamp and a nested number."""
    moved = message.pop("artifact"), message.pop("analysis")
    for part in moved:
        message |= {key: value for key, value in part.items() if key != "recording"}
    message["timestamp"] = wire.iso(message["timestamp"] / 1000)
    message["phoneNumber"] = {"phoneNumber": message["phoneNumber"]}
    message["call"] |= {
        "startedAt": None,
        "endedAt": None,
        "transcript": None,
        "recordingUrl": None,
        "summary": None,
    }
    return message
