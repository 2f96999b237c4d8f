"""Recordings in a folder of this machine: one file each, in sub-folders so that no folder grows without end."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import UUID, uuid4

from autolynx.archive.port import ArchiveError, TooLarge

_AT_ONCE = 64 * 1024


class RecordingFolder:
    """A folder that is made when the first recording comes. A copy appears under its name when it is whole."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def keep(self, call_id: UUID, chunks: AsyncIterator[bytes], *, most_bytes: int) -> int:
        """Write beside, then rename."""
        target = self._file(call_id)
        part = target.with_name(f"{call_id.hex}.{uuid4().hex}.part")
        try:
            file = await _created(part, call_id)
            try:
                size = await _write(file, chunks, most_bytes=most_bytes)
            finally:
                file.close()  # at once: waiting could be cancelled, and a thread that has not begun with it
            await asyncio.to_thread(os.replace, part, target)
        except OSError as error:
            raise ArchiveError(_why(error)) from None
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)
        return size

    async def size_of(self, call_id: UUID) -> int | None:
        """Look at the file."""
        try:
            return (await asyncio.to_thread(self._file(call_id).stat)).st_size
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ArchiveError(_why(error)) from None

    @asynccontextmanager
    async def open(self, call_id: UUID, *, first: int, last: int) -> AsyncIterator[AsyncIterator[bytes]]:
        """Read the file from `first` to `last`."""
        try:
            file = await asyncio.to_thread(self._file(call_id).open, "rb")
        except OSError as error:
            raise ArchiveError(_why(error)) from None
        try:
            yield _read(file, first=first, count=last - first + 1)
        finally:
            file.close()

    async def remove(self, call_id: UUID) -> None:
        """Delete the file, and what a try to write it left behind."""
        target = self._file(call_id)
        try:
            await asyncio.to_thread(_remove, target)
        except OSError as error:
            raise ArchiveError(_why(error)) from None

    async def close(self) -> None:
        """Nothing is held between two uses."""

    def _file(self, call_id: UUID) -> Path:
        return self._path / call_id.hex[:2] / call_id.hex


async def _created(part: Path, call_id: UUID) -> BinaryIO:
    """Open a file to write to. A thread cannot be stopped: what it opens for somebody who gave up is closed again."""
    opening = asyncio.ensure_future(asyncio.to_thread(_create, part, call_id))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        with suppress(OSError):
            (await opening).close()
        raise


def _create(part: Path, call_id: UUID) -> BinaryIO:
    """Open a file to write to; what an earlier try left behind is cleared away."""
    part.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for leftover in part.parent.glob(f"{call_id.hex}.*.part"):
        leftover.unlink(missing_ok=True)
    return os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _remove(target: Path) -> None:
    for path in (target, *target.parent.glob(f"{target.name}.*.part")):
        path.unlink(missing_ok=True)


async def _write(file: BinaryIO, chunks: AsyncIterator[bytes], *, most_bytes: int) -> int:
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > most_bytes:
            raise TooLarge
        await asyncio.to_thread(file.write, chunk)
    await asyncio.to_thread(_flush, file)
    return size


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


async def _read(file: BinaryIO, *, first: int, count: int) -> AsyncIterator[bytes]:
    try:
        await asyncio.to_thread(file.seek, first)
        while count > 0 and (chunk := await asyncio.to_thread(file.read, min(_AT_ONCE, count))):
            count -= len(chunk)
            yield chunk
    except OSError as error:
        raise ArchiveError(_why(error)) from None


def _why(error: OSError) -> str:
    return f"The folder for recordings cannot be used ({error.strerror or type(error).__name__})."
