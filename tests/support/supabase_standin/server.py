"""A stateful stand-in for Supabase Auth, served over HTTP on loopback.

Written from the description that Supabase publishes of its API, and from how the server behaves. `facts` holds what is
published; every answer is compared with it when the server stops.
"""

import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from autolynx.runtime import Clock
from tests.support.supabase_standin.facts import differences
from tests.support.supabase_standin.routes import ROUTES, world_of
from tests.support.supabase_standin.world import ANON_KEY, Exchange, Refusal, World
from tests.support.web import listening

PREFIX = "/auth/v1"
BROWSERS_COME = {("GET", "/verify"), ("GET", "/authorize"), ("GET", "/callback"), ("GET", "/.well-known/jwks.json")}
VERSION_HEADER = "x-supabase-api-version"


@dataclass(frozen=True, kw_only=True)
class Standin:
    """A running server, which one project after the other may have."""

    url: str
    app: Starlette

    @contextmanager
    def project(self, clock: Clock, *, site_url: str = "http://127.0.0.1:8000") -> Iterator[World]:
        """Be a new project until the block ends; then every answer that it gave must be one that is published."""
        world = self.app.state.world = World(clock=clock, site_url=site_url, url=self.url)
        yield world
        assert differences(world.exchanges) == []


@asynccontextmanager
async def running_standin() -> AsyncIterator[Standin]:
    """Run a server until the block ends."""
    app = Starlette(
        routes=ROUTES,
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=_watch), Middleware(BaseHTTPMiddleware, dispatch=_gate)],
        exception_handlers={Refusal: _refuse, HTTPException: _unknown},  # type: ignore[dict-item]
    )
    listener = socket.create_server(("127.0.0.1", 0))
    async with listening(app, listener):
        yield Standin(url=f"http://127.0.0.1:{listener.getsockname()[1]}", app=app)


async def _watch(request: Request, call_next: RequestResponseEndpoint) -> Response:
    """Keep every exchange, and answer wrongly where a test wants that."""
    world, path = world_of(request), request.url.path.removeprefix(PREFIX)
    world.asks[path] += 1
    if world.faults[path]:
        fault = world.faults[path].pop(0)
        return Response(fault.content, fault.status, headers=fault.headers)
    response = await call_next(request)
    content = b"".join([chunk async for chunk in response.body_iterator])  # type: ignore[attr-defined]
    world.exchanges.append(
        Exchange(
            method=request.method,
            path=path,
            query=dict(request.query_params),
            headers=dict(request.headers),
            status=response.status_code,
            body=json.loads(content) if content else None,
        )
    )
    return Response(content, response.status_code, headers=dict(response.headers))


async def _gate(request: Request, call_next: RequestResponseEndpoint) -> Response:
    """Demand the key of the project, as the gateway before the server does, but not where browsers come themselves."""
    path = request.url.path.removeprefix(PREFIX)
    sent = request.headers.get("apikey")
    if sent == ANON_KEY or path == request.url.path or (request.method, path) in BROWSERS_COME:
        return await call_next(request)
    return JSONResponse({"message": "the key is wrong" if sent else "a key is needed", "hint": "apikey"}, 401)


def _refuse(request: Request, refusal: Refusal) -> Response:
    """Say an error in the form that the caller's version of the API has."""
    headers = {"x-sb-error-code": refusal.code}
    version = request.headers.get(VERSION_HEADER, "")
    if version >= "2024-01-01":
        newer = {"code": refusal.code, "message": refusal.message}
        return JSONResponse(newer, refusal.status, headers={**headers, VERSION_HEADER: "2024-01-01"})
    older = {"code": refusal.status, "error_code": refusal.code, "msg": refusal.message}
    return JSONResponse(older, refusal.status, headers=headers)


def _unknown(_request: Request, problem: HTTPException) -> Response:
    return Response("no such page", problem.status_code)
