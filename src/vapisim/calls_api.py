"""Routes about calls."""

import time
from collections.abc import Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vapisim import dto, wire
from vapisim.answers import as_answer, as_json, check_in, read_json
from vapisim.calls import Call
from vapisim.ledger import Refusal
from vapisim.listing import ListQuery
from vapisim.placing import answer, check_luck, place
from vapisim.refusals import Refused
from vapisim.validation import is_uuid, violations
from vapisim.world import World


async def create(world: World, request: Request) -> Response:
    """POST /call. Every refusal is written down here, and nowhere else."""
    body: Any = None
    try:
        await check_in(world, request)
        body = await read_json(request)
        subject = _subject(world, body)
        check_luck(world, subject)
        placed = place(world, body)
    except Refused as refusal:
        world.ledger.refuse(_refusal(world, body, refusal))
        return await as_answer(request, refusal)
    try:
        return as_json(await answer(world, placed, subject), 201)
    except Refused as trouble:
        return await as_answer(request, trouble)


async def index(world: World, request: Request) -> Response:
    """GET /call: a bare array, newest first."""
    query = ListQuery(request.query_params, ids=("id", "assistantId", "phoneNumberId"))
    lag = world.timers.clock.real_seconds(world.state.faults().list_lag_seconds)
    return as_json([wire.call_object(world.state, call) for call in query.cut(_matching(world, query, lag))])


async def show(world: World, request: Request) -> Response:
    """GET /call/{id}; a new call may not be visible yet."""
    call = _find(world, request)
    lag = world.timers.clock.real_seconds(world.state.faults().read_lag_seconds)
    if time.time() - call.created.wall < lag:
        raise _unknown(call.id)
    return as_json(wire.call_object(world.state, call))


async def rename(world: World, request: Request) -> Response:
    """PATCH /call/{id}: nothing but the name can be changed."""
    call, body = _find(world, request), await read_json(request)
    problems = violations(dto.CALL_PATCH, body)
    if problems:
        raise Refused(400, problems, "validation")
    call.order = call.order.renamed(body.get("name", call.order.name))
    call.updated_at = time.time()
    return as_json(wire.call_object(world.state, call))


async def erase(world: World, request: Request) -> Response:
    """DELETE /call/{id} erases the data of a call; it hangs up nothing, but cancels a scheduled call."""
    call, body = _find(world, request), await read_json(request)
    if isinstance(body, dict) and body.get("ids"):
        for call_id in body["ids"]:
            if call_id in world.state.calls:
                _erase(world, world.state.calls[call_id])
        return as_json({"ids": body["ids"]})
    _erase(world, call)
    return as_json(wire.call_object(world.state, call))


async def control(world: World, request: Request) -> Response:
    """POST /{id}/control: works only while somebody is on the line; needs no key by default."""
    call = world.state.calls.get(request.path_params["call_id"])
    body = await read_json(request)
    order = body if isinstance(body, dict) else {}
    world.ledger.controls.append(
        {"callId": request.path_params["call_id"], "type": order.get("type"), "real": time.time()}
    )
    if call is None or call.is_erased:
        raise _unknown(request.path_params["call_id"])
    _check_control(world, call, request)
    if not call.is_connected:
        raise Refused(400, f"Call {call.id} is not active.", "not-connected")
    return _obey(world, call, order)


def _obey(world: World, call: Call, order: dict[str, Any]) -> Response:
    kind = order.get("type")
    if kind == "end-call":
        world.engine.hang_up(call)
    elif kind == "transfer":
        destination = order.get("destination") or {}
        world.engine.transfer(call, str(destination.get("number", "")))
    elif kind == "say" and order.get("endCallAfterSpoken"):
        world.engine.end(call, "assistant-ended-call-after-message-spoken")
    elif kind not in {"say", "control", "add-message", "handoff"}:
        raise Refused(
            400,
            ["type must be one of the following values: say, control, add-message, transfer, end-call"],
            "validation",
        )
    return as_json({"success": True})


def _check_control(world: World, call: Call, request: Request) -> None:
    plan = wire.assistant_of(world.state, call).get("monitorPlan") or {}
    if plan.get("controlEnabled") is False:
        raise _unknown(call.id)
    if plan.get("controlAuthenticationEnabled") and not request.headers.get("authorization", "").startswith("Bearer "):
        raise Refused(401, "Unauthorized", "unauthorized")


def _matching(world: World, query: ListQuery, lag: float) -> Iterator[Call]:
    now = time.time()
    for call in reversed(world.state.calls.values()):
        facts = {
            "id": call.id,
            "assistantId": call.order.assistant_id,
            "phoneNumberId": call.order.phone_number_id,
        }
        if call.is_erased or now - call.created.wall < lag:
            continue
        if any(facts[key] != value for key, value in query.ids.items()):
            continue
        if query.admits(created_at=call.created.wall, updated_at=call.updated_at):
            yield call


def _find(world: World, request: Request) -> Call:
    call_id = request.path_params["call_id"]
    if not is_uuid(call_id):
        raise Refused(400, ["id must be a UUID"], "validation")
    call = world.state.calls.get(call_id)
    if call is None or call.is_erased:
        raise _unknown(call_id)
    return call


def _unknown(call_id: str) -> Refused:
    return Refused(404, f"Call with id {call_id} not found", "not-found")


def _erase(world: World, call: Call) -> None:
    if call.status == "scheduled":
        world.engine.end(call, "scheduled-call-deleted")
    call.is_erased = True
    world.engine.tell_of_deletion(call)


def _subject(world: World, body: Any) -> tuple[object, ...]:
    """Say what the luck of this request belongs to: its number and how often it was tried."""
    number = _number(body)
    world.state.tries[f"POST {number}"] += 1
    return number, world.state.tries[f"POST {number}"]


def _customer(body: Any) -> dict[str, Any]:
    customer = body.get("customer") if isinstance(body, dict) else None
    return customer if isinstance(customer, dict) else {}


def _number(body: Any) -> str | None:
    number = _customer(body).get("number")
    return number if isinstance(number, str) else None


def _refusal(world: World, body: Any, refused: Refused) -> Refusal:
    line = body.get("phoneNumberId") if isinstance(body, dict) else None
    external_id = _customer(body).get("externalId")
    return Refusal(
        at=world.state.clock.moment(),
        reason=refused.reason,
        status=refused.status or None,
        message=refused.wording,
        number=_number(body),
        external_id=external_id if isinstance(external_id, str) else None,
        phone_number_id=line if isinstance(line, str) else None,
    )
