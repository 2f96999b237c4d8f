"""A connection must not be held by silence: the head of a request, and what is left of it, have to come in time.

Bodies that somebody waits for have deadlines of their own (`web.bodies`).
"""

from asyncio import TimerHandle, Transport

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 10.0  # from the first byte, or the connection, to the end of the headers
REST_SECONDS = 10.0  # for a body that nobody needs any more, after its answer


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's protocol with an end to its patience."""

    head_seconds = HEAD_SECONDS
    rest_seconds = REST_SECONDS
    _deadline: TimerHandle | None = None
    _is_whole = True

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Wait for a first request, but not for ever."""
        super().connection_made(transport)
        self._expect(self.head_seconds)

    def data_received(self, data: bytes) -> None:
        """Take a piece; blank lines between requests do not hold the connection either."""
        super().data_received(data)
        is_idle = self._is_whole and (self.cycle is None or self.cycle.response_complete)
        if is_idle and self._deadline is None and self.timeout_keep_alive_task is None:
            self._expect(self.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing any more."""
        self._expect(None)
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Expect the headers."""
        self._is_whole = False
        self._expect(self.head_seconds)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Let the application wait for the body."""
        self._expect(None)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._is_whole = True
        self._expect(None)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The answer is sent: what is left of the request has to come soon."""
        super().on_response_complete()
        if not self._is_whole:
            self._expect(self.rest_seconds)

    def _expect(self, seconds: float | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self._give_up)

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
