"""Where copies of recordings are kept, in our words. A copy is named by our id of its call and by nothing from outside.

Whatever goes wrong with the place itself (full, read-only, away) is an ArchiveError.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol
from uuid import UUID


class ArchiveError(Exception):
    """The place for recordings could not be written or read; says why in a sentence, without a path."""


class TooLarge(Exception):
    """The recording is over the limit; nothing of it was kept."""


class RecordingStore(Protocol):
    """Keeps recordings whole: a copy that broke off half-way is never found."""

    async def keep(self, call_id: UUID, chunks: AsyncIterator[bytes], *, most_bytes: int) -> int:
        """Keep a recording, in place of an earlier copy; returns its size. Raises TooLarge, ArchiveError."""

    async def size_of(self, call_id: UUID) -> int | None:
        """Return the size of a copy, None where there is none here. Raises ArchiveError."""

    def open(self, call_id: UUID, *, first: int, last: int) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Open the bytes from `first` to `last`, both included. Raises ArchiveError."""

    async def remove(self, call_id: UUID) -> None:
        """Delete a copy; one that is not there is no error. Raises ArchiveError."""

    async def close(self) -> None:
        """Let go of connections."""
