"""From handlers to HTTP: who may ask, which troubles come first, and how refusals look."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from vapisim.orders import INVALID_KEY
from vapisim.placing import check_rate
from vapisim.refusals import Dropped, ErrorOnly, HtmlPage, Refused
from vapisim.wire import error_body
from vapisim.world import World

Handler = Callable[[World, Request], Awaitable[Response]]
CLOUD_PAGE = (
    "<!DOCTYPE html><html><head><title>api.vapi.ai | 522: Connection timed out</title></head>"
    "<body><h1>Connection timed out <span>Error code 522</span></h1></body></html>"
)


class NoAnswer(Response):
    """Says nothing at all; the connection has been cut."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Do not start a response."""


def as_json(body: Any, status: int = 200) -> Response:
    """Encode a body as the service sends it."""
    return Response(
        json.dumps(body, separators=(",", ":"), ensure_ascii=False),
        status,
        media_type="application/json; charset=utf-8",
    )


def guarded(world: World, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Guard a route of the service: bad days first, then the key, then the rate, then the work."""

    async def serve(request: Request) -> Response:
        try:
            await check_in(world, request)
            return await handler(world, request)
        except Refused as refusal:
            return await as_answer(request, refusal)

    return serve


async def check_in(world: World, request: Request) -> None:
    """Check what every request to the service has to pass, reading or placing."""
    check_up(world)
    authorise(world, request)
    world.state.tries[request.method] += 1
    subject = (request.method, world.state.tries[request.method])
    check_rate(world.rate, world, *subject)
    faults = world.state.faults()
    if request.method != "POST" and world.state.chance.happens(faults.read_error, "read-error", *subject):
        raise Refused(503, "Service Unavailable", "read_error")


def check_up(world: World) -> None:
    """503 while the whole service is down."""
    if world.state.standing_faults.outage:
        raise down()


def down() -> Refused:
    """Say that the whole service is down."""
    return Refused(503, "Service Unavailable", "outage")


def authorise(world: World, request: Request) -> None:
    """Any key will do, unless the simulator was told to know only one."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    wanted = world.state.settings.api_key
    is_known = bool(key.strip()) and (wanted is None or key.strip() == wanted)
    if scheme.lower() != "bearer" or not is_known:
        raise Refused(401, INVALID_KEY, "unauthorized")


async def as_answer(request: Request, refusal: Refused) -> Response:
    """Put a refusal into the shape that it has on the wire."""
    if isinstance(refusal, Dropped):
        await request.app.state.drop_connection(request)
        return NoAnswer()
    if isinstance(refusal, HtmlPage):
        return HTMLResponse(CLOUD_PAGE, refusal.status)
    if isinstance(refusal, ErrorOnly):
        return JSONResponse({"error": refusal.message}, refusal.status)
    return JSONResponse(error_body(refusal.status, refusal.message), refusal.status, refusal.headers)


async def read_json(request: Request) -> Any:
    """Read the body of a request, or raise a 400 like that of the service's parser."""
    raw = await request.body()
    try:
        return json.loads(raw) if raw.strip() else {}
    except ValueError as problem:
        raise Refused(400, f"Unexpected token in JSON: {problem}", "malformed-json") from problem
