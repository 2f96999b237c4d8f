"""Recordings and logs: authenticated routes that lead to short-lived addresses, and what lies there."""

import gzip
import io
import json
import math
import struct
import time
import wave

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from vapisim import conversation, wire
from vapisim.calls import Call
from vapisim.refusals import Refused
from vapisim.validation import is_uuid
from vapisim.world import World

RECORDINGS = ("mono-recording", "stereo-recording", "customer-recording", "assistant-recording")
KINDS = (*RECORDINGS, "video-recording", "pcap", "call-logs")
SAMPLE_RATE = 8000
LONGEST_SECONDS = 2.0
EMPTY_PCAP = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)


async def redirect(world: World, request: Request) -> Response:
    """GET /call/{id}/<kind>: 302 to an address that works for a while."""
    call_id, kind = request.path_params["call_id"], request.path_params["kind"]
    if not is_uuid(call_id):
        raise Refused(400, ["id must be a UUID"], "validation")
    call = world.state.calls.get(call_id)
    if call is None or not _has(world, call, kind):
        raise Refused(404, f"Call {call_id} has no {kind}.", "not-found")
    return RedirectResponse(wire.presigned_url(world.state, call_id, kind, wire.presigned_until(world.state)), 302)


async def download(world: World, request: Request) -> Response:
    """Serve what a presigned address opens."""
    call_id, kind = request.path_params["call_id"], request.path_params["kind"]
    expires, signature = request.query_params.get("expires", "0"), request.query_params.get("signature")
    if signature != wire.signature(call_id, kind, expires) or float(expires) < time.time():
        return denied("Request has expired or its signature does not match")
    call = world.state.calls.get(call_id)
    if call is None or not _has(world, call, kind):
        return Response("<Error><Code>NoSuchKey</Code></Error>", 404, media_type="application/xml")
    return _content(world, call, kind)


async def identify(_world: World, _request: Request) -> Response:
    """Plain recording addresses are names, not downloads."""
    return denied("Access Denied")


def denied(message: str) -> Response:
    """Say no in the way of an object store."""
    return Response(
        f"<Error><Code>AccessDenied</Code><Message>{message}</Message></Error>",
        403,
        media_type="application/xml",
    )


def _has(world: World, call: Call, kind: str) -> bool:
    if call.is_erased or not call.is_reported:
        return False
    plan = wire.assistant_of(world.state, call).get("artifactPlan") or {}
    wanted = {
        "video-recording": plan.get("videoRecordingEnabled") is True,
        "pcap": plan.get("pcapEnabled", True) is True,
    }
    is_recorded = kind not in RECORDINGS or wire.is_recorded(wire.assistant_of(world.state, call))
    return (kind == "call-logs" or call.connected is not None) and is_recorded and wanted.get(kind, True)


def _content(world: World, call: Call, kind: str) -> Response:
    if kind == "call-logs":
        return Response(_log(world, call), media_type="application/gzip")
    if kind == "pcap":
        return Response(EMPTY_PCAP, media_type="application/vnd.tcpdump.pcap")
    if kind == "video-recording":
        return Response(b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2", media_type="video/mp4")
    return Response(tone(call, channels=2 if kind == "stereo-recording" else 1), media_type="audio/wav")


def tone(call: Call, *, channels: int) -> bytes:
    """Play a soft tone, another for each call, as a valid recording of at most two seconds."""
    pitch = 220 + call.fate.dice_seed % 440
    count = int(SAMPLE_RATE * min(LONGEST_SECONDS, max(0.1, call.talk_seconds)))
    samples = (int(128 + 40 * math.sin(2 * math.pi * pitch * n / SAMPLE_RATE)) for n in range(count))
    frames = bytes(sample for sample in samples for _ in range(channels))
    file = io.BytesIO()
    with wave.open(file, "wb") as recording:
        recording.setnchannels(channels)
        recording.setsampwidth(1)
        recording.setframerate(SAMPLE_RATE)
        recording.writeframes(frames)
    return file.getvalue()


def _log(world: World, call: Call) -> bytes:
    lines = [{"level": "INFO", "callId": call.id, "body": f"{turn.role}: {turn.text}"} for turn in _turns(world, call)]
    return gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode(), mtime=0)


def _turns(world: World, call: Call) -> list[conversation.Turn]:
    return wire.spoken(world.state, call)
