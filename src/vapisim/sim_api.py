"""The stage door, under /_sim: faults, ledger, speed, reset. No key is needed, no fault applies."""

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vapisim import __version__
from vapisim.answers import as_answer, as_json, read_json
from vapisim.faults import UnknownFaultError, describe
from vapisim.refusals import Refused
from vapisim.scenarios import SCENARIOS
from vapisim.signing import UnknownAuthError, WebhookAuth
from vapisim.world import World


def stage_door(
    world: World, handler: Callable[[World, Request], Awaitable[Response]]
) -> Callable[[Request], Awaitable[Response]]:
    """Serve a route for whoever runs the simulation."""

    async def serve(request: Request) -> Response:
        try:
            return await handler(world, request)
        except Refused as refusal:
            return await as_answer(request, refusal)
        except (UnknownFaultError, UnknownAuthError) as problem:
            return await as_answer(request, Refused(400, str(problem), "validation"))

    return serve


async def health(world: World, _request: Request) -> Response:
    """GET /_sim/health."""
    state = world.state
    return as_json(
        {
            "status": "ok",
            "version": __version__,
            "scenario": state.scenario.name,
            "seed": state.settings.seed,
            "speed": state.clock.speed,
            "virtualNow": state.clock.now(),
            "concurrencyLimit": world.lines.limit,
            "linesHeld": len(world.lines.held),
            "calls": len(state.calls),
        }
    )


async def read_ledger(world: World, request: Request) -> Response:
    """GET /_sim/ledger?format=summary|full&number=&offset=&refusalsOffset=."""
    query = request.query_params
    body: dict[str, Any] = {"summary": world.ledger.summary()}
    if query.get("format", "full") != "summary":
        number = query.get("number", "").replace(" ", "+") or None
        body["dials"] = world.ledger.entries(number=number, offset=_whole(query.get("offset")))
        body["refusals"] = world.ledger.refusal_entries(number=number, offset=_whole(query.get("refusalsOffset")))
        body["controls"] = world.ledger.controls
    return as_json(body["summary"] if query.get("format") == "summary" else body)


async def read_faults(world: World, request: Request) -> Response:
    """GET /_sim/faults; with ?describe=1 what each of them means."""
    return as_json(describe() if request.query_params.get("describe") else world.state.standing_faults.as_json())


async def set_faults(world: World, request: Request) -> Response:
    """PUT /_sim/faults: these faults on top of those of the start; everything else as at the start."""
    world.state.standing_faults = world.state.opening_faults.changed(await _object(request))
    return as_json(world.state.standing_faults.as_json())


async def change_faults(world: World, request: Request) -> Response:
    """PATCH /_sim/faults: these faults, the others as they are."""
    world.state.standing_faults = world.state.standing_faults.changed(await _object(request))
    return as_json(world.state.standing_faults.as_json())


async def read_auth(world: World, _request: Request) -> Response:
    """GET /_sim/auth."""
    return as_json(dataclasses.asdict(world.state.webhook_auth))


async def set_auth(world: World, request: Request) -> Response:
    """PUT /_sim/auth: how webhooks are authenticated from now on."""
    world.state.webhook_auth = WebhookAuth().changed(await _object(request))
    return as_json(dataclasses.asdict(world.state.webhook_auth))


async def set_speed(world: World, request: Request) -> Response:
    """POST /_sim/speed {"speed": 50}: also moves what is already waiting."""
    speed = (await _object(request)).get("speed")
    if not isinstance(speed, int | float) or isinstance(speed, bool) or not speed > 0:
        raise Refused(400, "speed must be a number greater than 0", "validation")
    world.timers.set_speed(float(speed))
    return as_json({"speed": world.state.clock.speed})


async def set_limit(world: World, request: Request) -> Response:
    """POST /_sim/concurrency-limit {"limit": 20}: the account buys or loses lines."""
    limit = (await _object(request)).get("limit")
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0:
        raise Refused(400, "limit must be a whole number from 0 up", "validation")
    world.lines.limit = limit
    world.engine.fill_lines()
    return as_json(world.lines.hints())


async def reset(world: World, request: Request) -> Response:
    """POST /_sim/reset {"scenario"?}: everything as at the start, but with ids never given out before."""
    scenario = (await _object(request)).get("scenario")
    if scenario is not None and scenario not in SCENARIOS:
        raise Refused(400, f"scenario must be one of {', '.join(SCENARIOS)}", "validation")
    world.reset(scenario)
    return as_json({"scenario": world.state.scenario.name, "generation": world.state.generation})


async def end_call(world: World, request: Request) -> Response:
    """POST /_sim/calls/{id}/end {"reason"?}: what the service's support does about stuck calls."""
    call = world.state.calls.get(request.path_params["call_id"])
    if call is None:
        raise Refused(404, "no such call", "not-found")
    world.engine.end(call, str((await _object(request)).get("reason", "worker-shutdown")))
    return as_json({"id": call.id, "status": call.status, "endedReason": call.ended_reason})


async def _object(request: Request) -> dict[str, Any]:
    body = await read_json(request)
    if not isinstance(body, dict):
        raise Refused(400, "the body must be an object", "validation")
    return body


def _whole(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0
