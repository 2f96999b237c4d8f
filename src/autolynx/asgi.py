"""The one global, `app`, for uvicorn and for functions. Nothing is opened at import.

A server that speaks the lifespan protocol opens everything at start-up and closes it at the end; where a platform
does not speak it, the first request opens everything.
"""

import asyncio
from contextlib import AsyncExitStack

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autolynx.bootstrap import open_engine
from autolynx.errors import AutolynxError
from autolynx.log import configure_logging, log
from autolynx.settings import load_settings
from autolynx.web.app import build_web, close_web

NOT_STARTED = {"error": {"code": "NOT_STARTED", "message": "AutoLynx cannot start; its log says why.", "details": {}}}


class Application:
    """An ASGI application that builds itself from the environment when it is first needed."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._inner: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, or live through the lifespan of the server."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await (await self._opened_or_sorry())(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()  # lifespan.startup
        try:
            await self._opened()
        except AutolynxError as error:
            await send({"type": "lifespan.startup.failed", "message": error.message})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()  # lifespan.shutdown
        await send(await self._close())

    async def _opened_or_sorry(self) -> ASGIApp:
        """Return the application; where it cannot be built now, one that says so. The next request tries again."""
        try:
            return await self._opened()
        except AutolynxError as error:
            log.error("app.not_started", reason=error.message)
            return JSONResponse(NOT_STARTED, status_code=503, headers={"Retry-After": "5"})

    async def _opened(self) -> ASGIApp:
        async with self._opening:
            if self._inner is None:
                self._inner = await self._open()
        return self._inner

    async def _open(self) -> ASGIApp:
        settings = load_settings()
        configure_logging(settings.log_level, as_json=settings.environment == "production")
        async with AsyncExitStack() as opening:
            engine = await opening.enter_async_context(open_engine(settings))
            if engine.ticker is not None:
                engine.ticker.start()
            inner = build_web(engine)
            opening.push_async_callback(close_web, inner)
            self._stack = opening.pop_all()
        log.info("app.started", runtime=settings.runtime)
        return inner

    async def _close(self) -> Message:
        try:
            await self._stack.aclose()
        except AutolynxError as error:
            return {"type": "lifespan.shutdown.failed", "message": error.message}
        finally:
            self._inner = None
        return {"type": "lifespan.shutdown.complete"}


app = Application()
