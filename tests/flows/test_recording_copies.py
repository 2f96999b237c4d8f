"""Copies of recordings: made once, by one process, tried again where it fails, and served from any place in them."""

import asyncio
import gc
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from autolynx.archive.folder import RecordingFolder
from autolynx.archive.port import ArchiveError, TooLarge
from autolynx.flows.recording_copies import AT_ONCE, MOST_TRIES, MOST_TRIES_WHERE_NONE, copy_due_recordings
from autolynx.flows.tick import run_once
from autolynx.runtime import Runtime, SystemClock
from autolynx.store.database import Database
from tests.support.campaign_rows import add_call, make_campaign
from tests.support.checks import query
from tests.support.engine import MovedClock, make_runtime, settings_for_test
from tests.support.stub_vapi import Answering, Drop, Reply, Seen, run_stub
from tests.support.web import problem, running_web

pytestmark = pytest.mark.anyio

AUDIO = bytes(range(256)) * 400
ADDRESS = "https://storage.example.test/x.wav"


def sound(_seen: Seen) -> Answering:
    return Reply(status=200, body=AUDIO, headers={"content-type": "audio/wav"})


async def told_recordings(database: Database, number: int = 1) -> list[UUID]:
    """Calls whose recording the provider has told."""
    campaign_id = await make_campaign(database, contacts=number)
    calls = [await add_call(database, campaign_id, n, provider_call_id=str(uuid4())) for n in range(number)]
    await query(database, "UPDATE calls SET recording_url = %s RETURNING id", ADDRESS)
    return calls


async def state_of(database: Database) -> dict[str, Any]:
    (row,) = await query(database, "SELECT * FROM call_recordings")
    return row


def runtime_with(database: Database, url: str, folder: Path, **settings: Any) -> tuple[Runtime, MovedClock]:
    clock = MovedClock(SystemClock().now())
    chosen = settings_for_test(**settings)
    return make_runtime(database, url, settings=chosen, clock=clock, recordings=RecordingFolder(folder)), clock


async def copy(runtime: Runtime) -> int:
    try:
        return await copy_due_recordings(runtime, deadline=runtime.clock.now() + timedelta(seconds=60))
    finally:
        await runtime.provider.close()


async def test_a_tick_copies_what_the_provider_recorded_and_only_once(database: Database, tmp_path: Path) -> None:
    (call_id,) = await told_recordings(database)
    async with run_stub(sound) as stub:
        runtime, _ = runtime_with(database, stub.url, tmp_path)
        await run_once(runtime)
        asked = len(stub.seen)
        await run_once(runtime)
        await runtime.provider.close()
        assert len(stub.seen) == asked
    state = await state_of(database)
    assert (state["state"], state["content_type"], state["size_bytes"]) == ("kept", "audio/wav", len(AUDIO))
    assert [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()] == [AUDIO]
    assert (tmp_path / call_id.hex[:2] / call_id.hex).stat().st_mode & 0o077 == 0


async def test_several_processes_copy_each_recording_once(database: Database, tmp_path: Path) -> None:
    calls = await told_recordings(database, 3 * AT_ONCE)
    async with run_stub(sound) as stub:
        runtimes = [runtime_with(database, stub.url, tmp_path)[0] for _ in range(3)]
        kept = await asyncio.gather(*(copy(runtime) for runtime in runtimes))
        assert sum(kept) == len(calls)
        assert len(stub.seen) == len(calls)


async def test_what_fails_is_tried_again_at_growing_distances_and_not_for_ever(
    database: Database, tmp_path: Path
) -> None:
    await told_recordings(database)
    async with run_stub(lambda _seen: Reply(status=500)) as stub:
        runtime, clock = runtime_with(database, stub.url, tmp_path)
        pauses = []
        while (state := await state_of(database))["state"] == "due":
            await copy_due_recordings(runtime, deadline=clock.now() + timedelta(seconds=60))
            if due_at := (await state_of(database))["due_at"]:
                pauses.append((due_at - clock.now()).total_seconds())
                clock.move(pauses[-1])
        await runtime.provider.close()
        assert (state["state"], state["tries"]) == ("given_up", MOST_TRIES)
        assert pauses[:4] == [60, 120, 240, 480]
        assert timedelta(days=7) < timedelta(seconds=sum(pauses)) < timedelta(days=13)
        assert "Vapi" in state["last_error"]


async def test_a_recording_that_does_not_exist_is_given_up_soon(database: Database, tmp_path: Path) -> None:
    await told_recordings(database)
    async with run_stub(lambda _seen: Reply(status=404)) as stub:
        runtime, clock = runtime_with(database, stub.url, tmp_path)
        for _ in range(MOST_TRIES_WHERE_NONE):
            await copy_due_recordings(runtime, deadline=clock.now() + timedelta(seconds=60))
            clock.move(7200)
        await runtime.provider.close()
    assert (await state_of(database))["state"] == "given_up"


async def test_a_recording_over_the_limit_is_given_up_and_leaves_nothing(database: Database, tmp_path: Path) -> None:
    await told_recordings(database)
    async with run_stub(sound) as stub:
        runtime, _ = runtime_with(database, stub.url, tmp_path, MAX_RECORDING_BYTES=2000)
        assert await copy(runtime) == 0
    state = await state_of(database)
    assert (state["state"], state["last_error"]) == (
        "given_up",
        "The recording is larger than MAX_RECORDING_BYTES (2,000 bytes).",
    )
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_a_recording_that_breaks_off_leaves_nothing(database: Database, tmp_path: Path) -> None:
    await told_recordings(database)
    async with run_stub(lambda _seen: Drop()) as stub:
        runtime, _ = runtime_with(database, stub.url, tmp_path)
        assert await copy(runtime) == 0
    assert (await state_of(database))["state"] == "due"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_a_folder_that_cannot_be_used_is_said_and_tried_again(database: Database, tmp_path: Path) -> None:
    await told_recordings(database)
    (tmp_path / "recordings").write_text("This is a file.")
    async with run_stub(sound) as stub:
        runtime, _ = runtime_with(database, stub.url, tmp_path / "recordings")
        assert await copy(runtime) == 0
    state = await state_of(database)
    assert (state["state"], str(tmp_path) in state["last_error"]) == ("due", False)


async def test_without_a_place_nothing_is_copied_and_nothing_forgotten(database: Database) -> None:
    await told_recordings(database)
    async with run_stub(sound) as stub:
        runtime = make_runtime(database, stub.url, settings=settings_for_test())
        await run_once(runtime)
        await runtime.provider.close()
        assert stub.seen == []
    assert (await state_of(database))["state"] == "due"


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_a_folder_keeps_whole_recordings_and_gives_any_part_of_them(tmp_path: Path) -> None:
    folder, call_id = RecordingFolder(tmp_path / "new" / "folder"), uuid4()
    assert await folder.size_of(call_id) is None
    assert await folder.keep(call_id, chunks(b"abc", b"def"), most_bytes=6) == 6
    with pytest.raises(TooLarge):
        await folder.keep(call_id, chunks(b"longer", b"!"), most_bytes=6)
    assert await folder.size_of(call_id) == 6
    async with folder.open(call_id, first=2, last=4) as part:
        assert b"".join([chunk async for chunk in part]) == b"cde"
    with pytest.raises(ArchiveError):
        async with folder.open(uuid4(), first=0, last=1):
            pass


async def test_our_copy_is_served_from_any_place_in_it_without_asking_the_provider(
    database: Database, tmp_path: Path
) -> None:
    (call_id,) = await told_recordings(database)
    async with run_stub(sound) as stub:
        runtime, _ = runtime_with(database, stub.url, tmp_path)
        assert await copy(runtime) == 1
    async with running_web(database, recordings=RecordingFolder(tmp_path)) as web:
        path = f"/api/calls/{call_id}/recording"
        whole = await web.client.get(path)
        assert (whole.status_code, whole.content, whole.headers["accept-ranges"]) == (200, AUDIO, "bytes")
        assert whole.headers["content-type"] == "audio/wav"
        part = await web.client.get(path, headers={"Range": "bytes=1000-1999"})
        assert (part.status_code, part.content) == (206, AUDIO[1000:2000])
        assert part.headers["content-range"] == f"bytes 1000-1999/{len(AUDIO)}"
        beyond = await web.client.get(path, headers={"Range": f"bytes={len(AUDIO)}-"})
        assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(AUDIO)}")
        problem(await web.stranger.get(path), 401, "UNAUTHORIZED")
        (tmp_path / call_id.hex[:2] / call_id.hex).unlink()
        problem(await web.client.get(path), 502, "PROVIDER_ERROR")


async def test_a_copy_that_is_given_up_leaves_no_file_behind_opened_or_written(tmp_path: Path) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield AUDIO
        await asyncio.Event().wait()

    folder = RecordingFolder(tmp_path)
    for turns in range(30):  # given up at every step: before the file is opened, while it is, while it is written
        keeping = asyncio.create_task(folder.keep(uuid4(), chunks(), most_bytes=len(AUDIO)))
        for _ in range(turns):
            await asyncio.sleep(0)
        keeping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await keeping
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    gc.collect()  # what was left open is told now, and fails this test
