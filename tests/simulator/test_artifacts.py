import gzip
import io
import wave
from urllib.parse import urlsplit

import httpx
import pytest

from tests.simulator.stage import ADA, Stage
from vapisim import town

pytestmark = pytest.mark.anyio

TALK = {"outcome": "human-good", "ring_seconds": 1, "talk_seconds": 60}
RECORDINGS = ("mono-recording", "stereo-recording", "customer-recording", "assistant-recording")


async def a_finished_call(stage: Stage, outcome: object = TALK) -> str:
    await stage.faults(number_outcomes={ADA: outcome})
    call_id = await stage.dial()
    await stage.until(lambda: stage.world.state.calls[call_id].is_reported)
    return call_id


@pytest.mark.parametrize("kind", RECORDINGS)
async def test_a_recording_is_found_behind_a_redirect_that_needs_no_key(
    stage: Stage, anonymous: httpx.AsyncClient, kind: str
) -> None:
    call_id = await a_finished_call(stage)
    redirect = await stage.client.get(f"/call/{call_id}/{kind}")
    assert redirect.status_code == 302
    recording = await anonymous.get(redirect.headers["location"])
    assert recording.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(recording.content)) as sound:
        assert sound.getnframes() > 0
        assert sound.getnchannels() == (2 if kind == "stereo-recording" else 1)


async def test_logs_and_network_captures_are_there_too(stage: Stage) -> None:
    call_id = await a_finished_call(stage)
    logs = await stage.client.get(f"/call/{call_id}/call-logs", follow_redirects=True)
    assert b"bot: " in gzip.decompress(logs.content)
    capture = await stage.client.get(f"/call/{call_id}/pcap", follow_redirects=True)
    assert capture.content[:4] == b"\xd4\xc3\xb2\xa1"


async def test_a_video_exists_only_when_it_was_ordered(stage: Stage) -> None:
    call_id = await a_finished_call(stage)
    assert (await stage.client.get(f"/call/{call_id}/video-recording")).status_code == 404
    video = await stage.dial(overrides={"artifactPlan": {"videoRecordingEnabled": True}})
    await stage.until(lambda: stage.world.state.calls[video].is_reported)
    assert (await stage.client.get(f"/call/{video}/video-recording")).status_code == 302


async def test_a_call_that_nobody_answered_has_no_recording(stage: Stage) -> None:
    call_id = await a_finished_call(stage, "busy")
    assert (await stage.client.get(f"/call/{call_id}/mono-recording")).status_code == 404


async def test_an_assistant_that_does_not_record_leaves_no_recording(stage: Stage) -> None:
    await stage.client.patch(f"/assistant/{town.ASSISTANT_SALES}", json={"artifactPlan": {"recordingEnabled": False}})
    call_id = await a_finished_call(stage)
    assert (await stage.client.get(f"/call/{call_id}/mono-recording")).status_code == 404
    assert "recordingUrl" not in (await stage.call(call_id))["artifact"]


async def test_artifact_routes_need_the_key(stage: Stage, anonymous: httpx.AsyncClient) -> None:
    call_id = await a_finished_call(stage)
    assert (await anonymous.get(f"/call/{call_id}/mono-recording")).status_code == 401


async def test_plain_recording_addresses_open_nothing(stage: Stage) -> None:
    artifact = (await stage.call(await a_finished_call(stage)))["artifact"]
    assert (await stage.client.get(artifact["recordingUrl"])).status_code == 403
    assert (await stage.client.get(artifact["presignedMonoUrl"])).status_code == 200


async def test_a_presigned_address_cannot_be_forged_and_expires(stage: Stage) -> None:
    artifact = (await stage.call(await a_finished_call(stage)))["artifact"]
    path = urlsplit(artifact["presignedMonoUrl"]).path
    assert (await stage.client.get(f"{path}?expires=9999999999.000&signature=0")).status_code == 403
    assert (await stage.client.get(f"{path}?expires=soon&signature=0")).status_code == 403
    assert artifact["presignedUrlsExpiresAt"].endswith("Z")
