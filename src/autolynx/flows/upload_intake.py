"""The bytes of a file, as they come in, become blocks in the database; then its header row is understood."""

from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

from autolynx.domain.csv_intake import Examiner, Inflater, TextFile, too_large
from autolynx.domain.csv_opening import HEADER_BYTES, open_csv
from autolynx.store import upload_bytes, uploads
from autolynx.store.database import Connection
from autolynx.store.upload_bytes import BLOCK_BYTES

SaveBlock = Callable[[int, bytes], Awaitable[None]]
MARK_BYTES = 4


async def take_in(chunks: AsyncIterator[bytes], *, limit_bytes: int, save: SaveBlock) -> TextFile:
    """Inflate what comes in, hand it on in blocks of one size, and return what is known of the whole.

    Memory stays flat. Raises PayloadTooLarge at the limit, of sent or inflated bytes, and ValidationProblem.
    """
    inflater, examiner, blocks = Inflater(limit_bytes=limit_bytes), Examiner(), _Blocks(save)
    received_bytes = 0
    async for chunk in chunks:
        received_bytes += len(chunk)
        if received_bytes > limit_bytes:
            raise too_large(limit_bytes)
        for piece in inflater.feed(chunk):
            examiner.feed(piece)
            await blocks.add(piece)
    last = inflater.finish()
    examiner.feed(last)
    await blocks.add(last)
    await blocks.flush()
    return examiner.finish()


async def open_upload(conn: Connection, upload_id: UUID, file: TextFile) -> None:
    """Understand the header row and make the upload ready for judging. Raises ValidationProblem."""
    head = await upload_bytes.get_bytes(conn, upload_id, offset=0, size_bytes=HEADER_BYTES + MARK_BYTES)
    await uploads.save_opening(conn, upload_id, file=file, opening=open_csv(head, file=file))


class _Blocks:
    """Collects pieces of any size into blocks of BLOCK_BYTES."""

    def __init__(self, save: SaveBlock) -> None:
        self._save = save
        self._number = 0
        self._pending = bytearray()

    async def add(self, piece: bytes) -> None:
        self._pending += piece
        while len(self._pending) >= BLOCK_BYTES:
            await self._save(self._number, bytes(self._pending[:BLOCK_BYTES]))
            del self._pending[:BLOCK_BYTES]
            self._number += 1

    async def flush(self) -> None:
        if self._pending:
            await self._save(self._number, bytes(self._pending))
            self._pending.clear()
