"""The recording of a call: our copy, or a stream opened at the provider afresh, whose addresses live only shortly."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from autolynx.archive.port import ArchiveError
from autolynx.errors import NotFound, ProviderError
from autolynx.log import log
from autolynx.provider.port import Recording
from autolynx.runtime import Runtime
from autolynx.store import call_reports, recordings

GONE = 404


@dataclass(frozen=True, kw_only=True)
class OwnCopy:
    """A recording of which we keep a copy, as large as the copy is."""

    call_id: UUID
    content_type: str
    size: int


async def find_copy(runtime: Runtime, call_id: UUID) -> OwnCopy | None:
    """Return our copy of a call's recording; None where there is none, or none on this machine."""
    if runtime.recordings is None:
        return None
    async with runtime.database.connection() as conn:
        kept = await recordings.find_kept(conn, call_id)
    if kept is None:
        return None
    try:
        size = await runtime.recordings.size_of(call_id)
    except ArchiveError as error:
        log.error("recording.not_readable", reason=str(error))
        return None
    return OwnCopy(call_id=call_id, content_type=kept.content_type, size=size) if size else None


async def read_copy(runtime: Runtime, copy: OwnCopy, *, first: int, last: int) -> AsyncIterator[bytes]:
    """Yield the bytes of our copy from `first` to `last`, both included."""
    if runtime.recordings is not None:
        async with runtime.recordings.open(copy.call_id, first=first, last=last) as chunks:
            async for chunk in chunks:
                yield chunk


@asynccontextmanager
async def open_recording(runtime: Runtime, call_id: UUID) -> AsyncIterator[Recording]:
    """Open the recording of a call. No database connection is held while it is read.

    Raises NotFound where there is no call or no recording (any more), ProviderError where it cannot be asked for.
    """
    async with runtime.database.connection() as conn:
        call = await call_reports.get_call(conn, call_id)
    if call.provider_call_id is None or not call.has_recording:
        raise NotFound("There is no recording of this call.")
    try:
        async with runtime.provider.open_recording(call.provider_call_id) as recording:
            yield recording
    except ProviderError as error:
        if error.status == GONE:
            raise NotFound("The voice provider has no recording of this call any more.") from None
        raise
