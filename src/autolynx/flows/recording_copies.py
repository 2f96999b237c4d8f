"""Recordings are copied before the provider deletes them: claimed, fetched, kept; what fails is tried again later."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from autolynx.archive.port import ArchiveError, RecordingStore, TooLarge
from autolynx.errors import ProviderError
from autolynx.log import log
from autolynx.runtime import Runtime
from autolynx.store import recordings
from autolynx.store.recordings import DueRecording

AT_ONCE = 4
COPY_SECONDS = 120.0  # one recording, in real seconds: a slow line does not hold up the others for ever
LEASE_SECONDS = 2 * COPY_SECONDS
FIRST_PAUSE_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 12 * 3600.0
MOST_TRIES = 27  # with the pauses above about nine days: the provider keeps recordings for fourteen
MOST_TRIES_WHERE_NONE = 5  # it may come a little later than the report of the call
GONE = 404


class _GivenUp(Exception):
    """Trying again would not help; says why."""


async def copy_due_recordings(runtime: Runtime, *, deadline: datetime) -> int:
    """Copy what is due, a few at a time, and begin no more after the deadline; returns how many are kept now.

    Any number of these may run at once, in any number of processes: each recording is taken by one.
    """
    kept = 0
    while runtime.recordings is not None and (now := runtime.clock.now()) < deadline:
        async with runtime.database.connection(by_index=True) as conn:
            again_at = now + timedelta(seconds=LEASE_SECONDS)
            due = await recordings.claim_due(conn, now=now, again_at=again_at, most=AT_ONCE)
        if not due:
            break
        kept += sum(await _copy_all(runtime, runtime.recordings, due))
    return kept


async def _copy_all(runtime: Runtime, archive: RecordingStore, due: Sequence[DueRecording]) -> list[bool]:
    return list(await asyncio.gather(*(_copy(runtime, archive, one) for one in due)))


async def _copy(runtime: Runtime, archive: RecordingStore, due: DueRecording) -> bool:
    try:
        async with asyncio.timeout(COPY_SECONDS):
            await _fetch(runtime, archive, due)
    except _GivenUp as error:
        await _note(runtime, due, error=str(error), is_hopeless=True)
    except ProviderError as error:
        is_hopeless = error.status == GONE and due.tries >= MOST_TRIES_WHERE_NONE
        await _note(runtime, due, error=error.message, is_hopeless=is_hopeless)
    except ArchiveError as error:
        log.error("recording.not_kept", reason=str(error))
        await _note(runtime, due, error=str(error))
    except TimeoutError:
        await _note(runtime, due, error="The recording took too long to arrive.")
    else:
        return True
    return False


async def _fetch(runtime: Runtime, archive: RecordingStore, due: DueRecording) -> None:
    most = runtime.settings.max_recording_bytes
    too_large = _GivenUp(f"The recording is larger than MAX_RECORDING_BYTES ({most:,} bytes).")
    async with runtime.provider.open_recording(due.provider_call_id) as recording:
        if recording.content_length is not None and recording.content_length > most:
            raise too_large
        try:
            size = await archive.keep(due.call_id, recording.chunks, most_bytes=most)
        except TooLarge:
            raise too_large from None
    if size == 0:
        raise ProviderError("The provider sent an empty recording.")
    async with runtime.database.connection(by_index=True) as conn:
        now = runtime.clock.now()
        await recordings.save_kept(conn, due.call_id, content_type=recording.content_type, size_bytes=size, now=now)


async def _note(runtime: Runtime, due: DueRecording, *, error: str, is_hopeless: bool = False) -> None:
    """Write down why it failed, and when it is tried again: at growing distances, and not for ever."""
    pause = min(FIRST_PAUSE_SECONDS * 2 ** (due.tries - 1), LONGEST_PAUSE_SECONDS)
    again_at = runtime.clock.now() + timedelta(seconds=runtime.settings.scaled(pause))
    due_at = None if is_hopeless or due.tries >= MOST_TRIES else again_at
    if due_at is None:
        log.warning("recording.given_up", call_id=str(due.call_id), reason=error)
    async with runtime.database.connection(by_index=True) as conn:
        await recordings.save_failed(conn, due.call_id, error=error, due_at=due_at)
