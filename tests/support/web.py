"""The whole application inside a test: real database, real provider client, requests straight into the ASGI app."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from autolynx.archive.port import RecordingStore
from autolynx.flows.access import create_token
from autolynx.flows.refill import Refiller
from autolynx.identity.mail import Mailer
from autolynx.runtime import Clock, Runtime
from autolynx.store.database import Database
from autolynx.web.app import build_app, close_web
from tests.support.engine import MovedClock, make_runtime, settings_for_test

NOWHERE = "http://127.0.0.1:9"  # nobody listens there
CRON_SECRET = "cron-secret-of-the-test"
HOOK_SECRET = "hook-secret-of-the-test"
START = datetime(2026, 3, 2, 10, 0, 0, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Web:
    """A running application: `client` bears a token, `stranger` does not."""

    runtime: Runtime
    app: FastAPI
    refiller: Refiller | None
    client: httpx.AsyncClient
    stranger: httpx.AsyncClient


def http_client(app: Any, **headers: str) -> httpx.AsyncClient:
    """Return a client that speaks to the application in this process."""
    transport = httpx.ASGITransport(app=app, client=("203.0.113.7", 1234))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers, timeout=30)


@asynccontextmanager
async def running_web(
    database: Database,
    sim_url: str = NOWHERE,
    *,
    clock: Clock | None = None,
    is_function: bool = False,
    recordings: RecordingStore | None = None,
    mailer: Mailer | None = None,
    **settings: Any,
) -> AsyncIterator[Web]:
    """Build the application as bootstrap does, with a token for its client."""
    values = {"CRON_SHARED_SECRET": CRON_SECRET, "WEBHOOK_SHARED_SECRET": HOOK_SECRET, "PUBLIC_URL": NOWHERE}
    values |= {"RUNTIME": "function"} if is_function else {}
    chosen = settings_for_test(**{**values, **settings})
    runtime = make_runtime(database, sim_url, settings=chosen, clock=clock, recordings=recordings, mailer=mailer)
    refiller = None if is_function else Refiller(runtime)
    app = build_app(runtime, refiller=refiller)
    made = await create_token(runtime, "test")
    async with http_client(app, Authorization=f"Bearer {made.secret}") as client, http_client(app) as stranger:
        try:
            yield Web(runtime=runtime, app=app, refiller=refiller, client=client, stranger=stranger)
        finally:
            if refiller is not None:
                await refiller.drain()
            await runtime.provider.close()
            await close_web(app)


@asynccontextmanager
async def listening(app: Any, listener: socket.socket) -> AsyncIterator[None]:
    """Serve the application on a socket that is bound already."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    serving = asyncio.create_task(server.serve([listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await serving


def moved_clock() -> MovedClock:
    """Return a clock that stands still."""
    return MovedClock(START)


async def rows(database: Database, query: str, *values: Any) -> list[dict[str, Any]]:
    """Look into the database."""
    async with database.connection() as conn:
        return await (await conn.execute(query, list(values))).fetchall()


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Check an error's envelope and return its inside."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "details", "timestamp"}
    assert body["error"]["code"] == code
    assert body["error"]["timestamp"].endswith("Z")
    inside: dict[str, Any] = body["error"]
    return inside
