"""The bodies that a client reads: calls, errors and times as the service writes them."""

import hashlib
import hmac
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from vapisim import conversation, costs
from vapisim.calls import Call
from vapisim.state import State
from vapisim.town import ACCOUNT_SID, ORG_ID

UNANALYSED_SCRIPTS = frozenset({"", "voicemail", "silence", "broken"})
PRESIGNED_SECONDS = 3600.0
URL_KINDS = {
    "presignedMonoUrl": "mono-recording",
    "presignedStereoUrl": "stereo-recording",
    "presignedAssistantUrl": "assistant-recording",
    "presignedCustomerUrl": "customer-recording",
    "presignedLogUrl": "call-logs",
}


def error_body(status: int, message: str | list[str]) -> dict[str, Any]:
    """Word an error as the service does: a string for refusals, an array for validation."""
    return {"message": message, "error": HTTPStatus(status).phrase, "statusCode": status}


def iso(seconds: float) -> str:
    """Wall time as the service prints it, with milliseconds and Z."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def deep_merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay overrides over an assistant: objects merge, everything else replaces, null is dropped."""
    merged = dict(base)
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = deep_merge(merged[key], value)
        elif value is not None:
            merged[key] = value
    return merged


def effective_assistant(
    state: State, assistant_id: str | None, transient: Any, overrides: Mapping[str, Any]
) -> dict[str, Any]:
    """Find the assistant that really speaks: stored or transient, with the overrides of the call on top."""
    base = transient or state.assistants.get(assistant_id or "", {})
    return deep_merge(base, overrides)


def assistant_of(state: State, call: Call) -> dict[str, Any]:
    """Find the assistant that really speaks in a call."""
    return effective_assistant(state, call.order.assistant_id, call.order.assistant, call.order.overrides)


def call_object(state: State, call: Call) -> dict[str, Any]:
    """Show a call as GET shows it now."""
    body = _common(state, call) | {"status": call.status, "updatedAt": iso(call.updated_at)}
    clock = state.standing_faults.event_clock
    if call.connected is not None:
        body["startedAt"] = iso(call.told(call.connected, clock))
    if call.ended is not None:
        body["endedReason"] = call.ended_reason
        body["endedAt"] = iso(call.told(call.ended, clock))
    if call.is_reported:
        price = call_bill(call)
        body |= {
            "cost": price.total,
            "costs": price.items,
            "artifact": artifact(state, call),
            "analysis": analysis(state, call),
        }
        body |= {"costBreakdown": price.breakdown} if price.breakdown else {}
    return body


def call_snapshot(state: State, call: Call) -> dict[str, Any]:
    """Show a call as it was at its creation, as answers to POST and webhooks do."""
    return _common(state, call) | {"status": call.first_status, "updatedAt": iso(call.created.wall)}


def _common(state: State, call: Call) -> dict[str, Any]:
    order, echo = call.order, state.standing_faults.echo_ids
    sid = "CA" + call.id.replace("-", "")
    body: dict[str, Any] = {
        "id": call.id,
        "orgId": ORG_ID,
        "type": "outboundPhoneCall",
        "createdAt": iso(call.created.wall),
        "assistantId": order.assistant_id,
        "assistant": order.assistant,
        "assistantOverrides": order.overrides if echo else _without(order.overrides, "metadata"),
        "phoneNumberId": order.phone_number_id,
        "customer": order.customer if echo else _without(order.customer, "externalId"),
        "name": order.name if echo else None,
        "schedulePlan": order.schedule_plan,
        "cost": 0,
        "phoneCallProvider": "twilio",
        "phoneCallProviderId": sid,
        "phoneCallTransport": "pstn",
        "transport": {
            "provider": "twilio",
            "conversationType": "voice",
            "callSid": sid,
            "accountSid": ACCOUNT_SID,
        },
        "monitor": {
            "listenUrl": f"{state.base_url.replace('http', 'ws', 1)}/{call.id}/listen",
            "controlUrl": f"{state.base_url}/{call.id}/control",
        },
    }
    return {key: value for key, value in body.items() if value is not None}


def _without(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != name}


def spoken(state: State, call: Call) -> list[conversation.Turn]:
    """Tell what was said until the call ended."""
    values = call.order.overrides.get("variableValues") or {}
    assistant = assistant_of(state, call)
    names = {
        "name": str(values.get("name") or call.order.customer.get("name") or "there"),
        "business": str(values.get("business_name") or "your company"),
        "assistant": str(assistant.get("name") or "your assistant"),
    }
    return conversation.converse(call.fate.outcome.script, call.fate.dice_seed, seconds=call.talk_seconds, names=names)


def prompt_of(assistant: Mapping[str, Any]) -> str:
    """Find the system prompt, wherever the assistant keeps it."""
    model = assistant.get("model")
    messages = model.get("messages") if isinstance(model, Mapping) else None
    first = messages[0] if isinstance(messages, list) and messages else {}
    return str(first.get("content", "")) if isinstance(first, Mapping) else ""


def artifact(state: State, call: Call) -> dict[str, Any]:
    """Transcript, messages and recordings; empty for a call that nobody answered."""
    if call.connected is None:
        return {}
    assistant = assistant_of(state, call)
    turns, prompt = spoken(state, call), prompt_of(assistant)
    started_ms = call.told(call.connected, state.standing_faults.event_clock) * 1000
    body: dict[str, Any] = {
        "messages": conversation.as_messages(
            turns, prompt=prompt, started_ms=started_ms, dice_seed=call.fate.dice_seed
        ),
        "messagesOpenAIFormatted": conversation.as_openai(turns, prompt=prompt),
        "transcript": conversation.transcript(turns),
        "variableValues": call.order.overrides.get("variableValues") or {},
        "nodes": [],
        "transfers": [],
        "logUrl": f"{state.base_url}/storage/{call.id}-call.jsonl.gz",
    }
    return body | (recordings(state, call) if is_recorded(assistant) else {})


def is_recorded(assistant: Mapping[str, Any]) -> bool:
    """Whether the assistant's plan lets calls be recorded (the default is yes)."""
    plan = assistant.get("artifactPlan")
    return not (isinstance(plan, Mapping) and plan.get("recordingEnabled") is False)


def recordings(state: State, call: Call) -> dict[str, Any]:
    """Plain addresses, which open nothing, and presigned ones, which open the recording for a while."""
    plain = {
        part: f"{state.base_url}/storage/{call.id}-{part}.wav" for part in ("mono", "stereo", "assistant", "customer")
    }
    expires = presigned_until(state)
    return {
        "recordingUrl": plain["mono"],
        "stereoRecordingUrl": plain["stereo"],
        "recording": {
            "stereoUrl": plain["stereo"],
            "mono": {
                "combinedUrl": plain["mono"],
                "assistantUrl": plain["assistant"],
                "customerUrl": plain["customer"],
            },
        },
        **{name: presigned_url(state, call.id, kind, expires) for name, kind in URL_KINDS.items()},
        "presignedUrlsExpiresAt": iso(expires),
    }


def presigned_until(state: State) -> float:
    """Say when an address made now stops working: in play time, after ten real seconds at least."""
    return time.time() + max(10.0, state.clock.real_seconds(PRESIGNED_SECONDS))


def presigned_url(state: State, call_id: str, kind: str, expires: float) -> str:
    """Make an address that opens one artifact until it expires."""
    until = f"{expires:.3f}"
    proof = signature(call_id, kind, until)
    return f"{state.base_url}/storage/signed/{call_id}/{kind}?expires={until}&signature={proof}"


def signature(call_id: str, kind: str, expires: str) -> str:
    """Compute what makes a presigned address valid."""
    return hmac.new(b"vapisim-storage", f"{call_id}/{kind}/{expires}".encode(), hashlib.sha256).hexdigest()[:32]


def call_bill(call: Call) -> costs.Bill:
    """Say what the call costs."""
    is_analysed = call.fate.outcome.script not in UNANALYSED_SCRIPTS
    return costs.bill(seconds=call.talk_seconds, words=int(call.talk_seconds * 1.4), is_analysed=is_analysed)


def analysis(state: State, call: Call) -> dict[str, Any]:
    """Summary and verdict; empty when there was no conversation to judge."""
    if call.fate.outcome.script in UNANALYSED_SCRIPTS or call.connected is None:
        return {}
    assistant = assistant_of(state, call)
    plan = assistant.get("analysisPlan") or {}
    is_success = bool(call.fate.outcome.success)
    body: dict[str, Any] = {"summary": _summary(call, is_success=is_success)}
    rubric = (plan.get("successEvaluationPlan") or {}).get("rubric", "PassFail")
    body["successEvaluation"] = verdict(rubric, is_success=is_success, dice_seed=call.fate.dice_seed)
    body["structuredData"] = {"interested": is_success, "callBack": is_success}
    switches = {"summaryPlan": "summary", "successEvaluationPlan": "successEvaluation"}
    off = [name for key, name in switches.items() if (plan.get(key) or {}).get("enabled") is False]
    return {name: value for name, value in body.items() if name not in off}


def verdict(rubric: str, *, is_success: bool, dice_seed: int) -> str:
    """Word the success evaluation, always a string, in the words of the rubric."""
    step = dice_seed % 3
    words = {
        "PassFail": ("true",) * 3 if is_success else ("false",) * 3,
        "NumericScale": ("8", "9", "10") if is_success else ("2", "3", "4"),
        "PercentageScale": ("80%", "90%", "100%") if is_success else ("10%", "20%", "30%"),
        "DescriptiveScale": ("Good", "Excellent", "Good") if is_success else ("Poor", "Fair", "Poor"),
        "LikertScale": ("Agree", "Strongly Agree", "Agree")
        if is_success
        else ("Disagree", "Strongly Disagree", "Disagree"),
    }
    fallback = ("The goal was reached.",) * 3 if is_success else ("The goal was not reached.",) * 3
    return words.get(rubric, fallback)[step]


def _summary(call: Call, *, is_success: bool) -> str:
    who = call.order.customer.get("name") or "The customer"
    if call.fate.outcome.forward is not None:
        return f"{who} asked for a person and was transferred."
    if is_success:
        return f"{who} described their bookkeeping and agreed to a free half-hour on Thursday at half past nine."
    return f"{who} was reached but is not interested. No further call was agreed."
