"""A streamed answer that lets go of what it reads from, however it ends."""

from collections.abc import AsyncIterator, Mapping

import anyio
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send


class ClosingStream(StreamingResponse):
    """Streams an async generator and closes it at the end, also when the client has gone."""

    def __init__(
        self, chunks: AsyncIterator[bytes], *, media_type: str, headers: Mapping[str, str], status: int = 200
    ) -> None:
        super().__init__(chunks, status_code=status, media_type=media_type, headers=dict(headers))
        self._chunks = chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send everything, then close the generator."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            close = getattr(self._chunks, "aclose", None)
            if close is not None:
                with anyio.CancelScope(shield=True):
                    await close()
