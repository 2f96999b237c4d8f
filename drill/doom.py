"""Witnesses at the seams of a process: they end it, as `kill -9` does, at the very point that was planned.

The engine is the one that is shipped: it gets its database, its HTTP client and its refiller from outside, and here
they count what passes.
"""

import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx

from autolynx.flows.refill import Refiller
from autolynx.runtime import Runtime
from autolynx.store.database import Database
from drill.plan import Doom

CLAIM, MARK, INBOX = "INSERT INTO calls ", "SET dial_started_at =", "INSERT INTO webhook_inbox "
SENT, ANSWERED = "http11.send_request_body.complete", "http11.receive_response_headers.complete"


class Fate:
    """Counts the passings of the one point at which this process dies."""

    def __init__(self, doom: Doom | None) -> None:
        self._point = doom.point if doom else ""
        self._left = doom.passings if doom else 0

    def strikes(self, point: str) -> bool:
        """Whether the process dies at this passing of the point."""
        if point != self._point:
            return False
        self._left -= 1
        return self._left == 0

    def passes(self, point: str) -> None:
        """Pass a point; it may be the end."""
        if self.strikes(point):
            die()


def die() -> None:
    """End this process at once: no handler, no clean-up."""
    os.kill(os.getpid(), signal.SIGKILL)


class FatefulConnection:
    """Sees every statement; hands everything on."""

    def __init__(self, conn: Any, fate: Fate) -> None:
        self._conn = conn
        self._fate = fate
        self.has_claimed = False

    async def execute(self, statement: Any, *values: Any, **options: Any) -> Any:
        """Run a statement."""
        result = await self._conn.execute(statement, *values, **options)
        text = statement if isinstance(statement, str) else ""
        self.has_claimed = self.has_claimed or CLAIM in text
        if MARK in text:
            self._fate.passes("marked")
        if INBOX in text and self._fate.strikes("inbox"):
            await (await self._conn.execute("SELECT 1")).fetchone()  # the row stands in the open transaction by now
            die()
        return result

    def __getattr__(self, name: str) -> Any:
        """Everything else is the connection's own."""
        return getattr(self._conn, name)


class FatefulDatabase:
    """A database whose claims and webhooks may be the last thing that this process did."""

    def __init__(self, inner: Database, fate: Fate) -> None:
        self._inner = inner
        self._fate = fate

    def connection(self, **options: Any) -> AbstractAsyncContextManager[Any]:
        """Lend a connection outside any transaction."""
        return self._watched(self._inner.connection(**options))

    def transaction(self, **options: Any) -> AbstractAsyncContextManager[Any]:
        """Lend a connection inside a transaction."""
        return self._watched(self._inner.transaction(**options))

    def pipelined(self, **options: Any) -> AbstractAsyncContextManager[Any]:
        """Lend a connection inside a transaction whose statements travel together."""
        return self._watched(self._inner.pipelined(**options))

    @asynccontextmanager
    async def _watched(self, lending: AbstractAsyncContextManager[Any]) -> AsyncIterator[FatefulConnection]:
        async with lending as conn:
            watched = FatefulConnection(conn, self._fate)
            yield watched
        if watched.has_claimed:
            self._fate.passes("claimed")

    def __getattr__(self, name: str) -> Any:
        """Everything else is the database's own."""
        return getattr(self._inner, name)


class FatefulTransport(httpx.AsyncBaseTransport):
    """Carries requests; the one that dials may be the last."""

    def __init__(self, inner: httpx.AsyncBaseTransport, fate: Fate) -> None:
        self._inner = inner
        self._fate = fate

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request."""
        if request.method == "POST" and request.url.path == "/call":
            request.extensions = {**request.extensions, "trace": self._trace}
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._inner.aclose()

    async def _trace(self, name: str, _info: Any) -> None:
        if name == SENT:
            self._fate.passes("sent")
        elif name == ANSWERED:
            self._fate.passes("answered")


class FatefulRefiller(Refiller):
    """Refills, unless the process dies just before."""

    def __init__(self, runtime: Runtime, fate: Fate) -> None:
        super().__init__(runtime)
        self._fate = fate

    def request(self) -> None:
        """Ask for a refill."""
        self._fate.passes("settled")
        super().request()


def fateful_launch(fate: Fate) -> Callable[[httpx.Timeout, httpx.Limits], httpx.AsyncClient]:
    """Return what starts the HTTP client."""

    def launch(timeout: httpx.Timeout, limits: httpx.Limits) -> httpx.AsyncClient:
        transport = FatefulTransport(httpx.AsyncHTTPTransport(limits=limits), fate)
        return httpx.AsyncClient(transport=transport, timeout=timeout, follow_redirects=False)

    return launch
