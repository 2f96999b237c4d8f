"""Which address leads where. Whatever is not listed here does not exist, as in the real service."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from vapisim import account_api, calls_api, sim_api, storage_api
from vapisim.answers import Handler, NoAnswer, as_answer, check_up, down, guarded
from vapisim.refusals import Refused
from vapisim.world import World

DropConnection = Callable[[Request], Awaitable[None]]


def build_app(world: World, drop_connection: DropConnection) -> Starlette:
    """Build the service and its stage door. `drop_connection` cuts the line that a request came in on."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        world.close()

    async def missing(request: Request, _problem: Exception) -> Response:
        return await _missing(world, request)

    app = Starlette(
        routes=[*_calls(world), *_storage(world), *_account(world), *_stage_door(world)],
        lifespan=lifespan,
        exception_handlers={404: missing, 405: missing, HTTPException: missing, ClientDisconnect: _gone},
    )
    # An address with a slash at its end does not exist either.
    app.router.redirect_slashes = False
    app.state.drop_connection = drop_connection
    app.state.world = world
    return app


async def _gone(_request: Request, _problem: Exception) -> Response:
    """Answer nothing: the client left before it had said everything."""
    return NoAnswer()


async def _missing(world: World, request: Request) -> Response:
    """No such route, or no such method on it: the service says the same for both."""
    path = request.url.path
    if world.state.standing_faults.outage and not path.startswith("/_sim"):
        return await as_answer(request, down())
    return await as_answer(request, Refused(404, f"Cannot {request.method} {path}", "no-route"))


def _calls(world: World) -> list[Route]:
    async def create(request: Request) -> Response:
        return await calls_api.create(world, request)

    def route(path: str, method: str, handler: Handler) -> Route:
        return Route(path, guarded(world, handler), methods=[method])

    return [
        Route("/call", create, methods=["POST"]),
        Route("/call/phone", create, methods=["POST"]),
        route("/call", "GET", calls_api.index),
        route("/call/{call_id}", "GET", calls_api.show),
        route("/call/{call_id}", "PATCH", calls_api.rename),
        route("/call/{call_id}", "DELETE", calls_api.erase),
        Route("/{call_id}/control", _unlocked(world, calls_api.control), methods=["POST"]),
    ]


def _storage(world: World) -> list[Route]:
    routes = [Route(f"/call/{{call_id}}/{kind}", _artifact(world, kind), methods=["GET"]) for kind in storage_api.KINDS]
    signed = _unlocked(world, storage_api.download)
    return [
        *routes,
        Route("/storage/signed/{call_id}/{kind}", signed, methods=["GET"]),
        Route("/storage/{name}", _unlocked(world, storage_api.identify), methods=["GET"]),
    ]


def _account(world: World) -> list[Route]:
    def route(path: str, method: str, handler: Handler) -> Route:
        return Route(path, guarded(world, handler), methods=[method])

    return [
        route("/assistant", "POST", account_api.create_assistant),
        route("/assistant", "GET", account_api.list_assistants),
        route("/assistant/{assistant_id}", "GET", account_api.show_assistant),
        route("/assistant/{assistant_id}", "PATCH", account_api.change_assistant),
        route("/assistant/{assistant_id}", "DELETE", account_api.delete_assistant),
        route("/phone-number", "GET", account_api.list_numbers),
        route("/phone-number/{number_id}", "GET", account_api.show_number),
        route("/v2/phone-number", "GET", account_api.page_numbers),
    ]


def _stage_door(world: World) -> list[Route]:
    def route(path: str, method: str, handler: Handler) -> Route:
        return Route(f"/_sim{path}", sim_api.stage_door(world, handler), methods=[method])

    return [
        route("/health", "GET", sim_api.health),
        route("/ledger", "GET", sim_api.read_ledger),
        route("/faults", "GET", sim_api.read_faults),
        route("/faults", "PUT", sim_api.set_faults),
        route("/faults", "PATCH", sim_api.change_faults),
        route("/auth", "GET", sim_api.read_auth),
        route("/auth", "PUT", sim_api.set_auth),
        route("/speed", "POST", sim_api.set_speed),
        route("/concurrency-limit", "POST", sim_api.set_limit),
        route("/reset", "POST", sim_api.reset),
        route("/calls/{call_id}/end", "POST", sim_api.end_call),
    ]


def _artifact(world: World, kind: str) -> Callable[[Request], Awaitable[Response]]:
    async def redirect(world: World, request: Request) -> Response:
        request.path_params["kind"] = kind
        return await storage_api.redirect(world, request)

    return guarded(world, redirect)


def _unlocked(world: World, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Serve a route that asks for no key, but is down when the service is."""

    async def serve(request: Request) -> Response:
        try:
            check_up(world)
            return await handler(world, request)
        except Refused as refusal:
            return await as_answer(request, refusal)

    return serve
