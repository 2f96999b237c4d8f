"""POST /call, step by step: is today a bad day, is it well formed, is there a line, what to answer."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vapisim import letters, wire
from vapisim.calls import Call, Order
from vapisim.casting import PAPER_FATE, next_call_id
from vapisim.faults import Faults
from vapisim.limits import RequestRate
from vapisim.orders import check_number, read_orders
from vapisim.refusals import Dropped, ErrorOnly, HtmlPage, Refused
from vapisim.validation import parse_iso
from vapisim.world import World

OVER_CONCURRENCY = "Over Concurrency Limit"
SERVER_ERRORS = (500, 502, 503)
BLOCKED_CALL_SECONDS = 10.0
ENDED_CALL_SECONDS = 0.5
INTERNAL = "Internal server error"


@dataclass(frozen=True, kw_only=True)
class Placed:
    """What came of a request: the calls, those of them that have a line, and the body about them."""

    calls: Sequence[Call]
    admitted: Sequence[Call]
    body: dict[str, Any]


def _placed(calls: list[Call], body: dict[str, Any]) -> Placed:
    return Placed(calls=calls, admitted=[call for call in calls if call.is_dialled], body=body)


def check_rate(rate: RequestRate, world: World, *subject: object) -> None:
    """429 when the minute is used up, or by bad luck."""
    faults = world.state.faults()
    is_unlucky = world.state.chance.happens(faults.http_429, "http-429", *subject)
    if rate.admits(faults.rate_limit_per_minute) and not is_unlucky:
        return
    headers = {"Retry-After": str(rate.seconds_to_next_minute())} if faults.retry_after else {}
    raise Refused(429, "Rate limit exceeded", "http-429" if is_unlucky else "rate-limit", headers=headers)


def check_luck(world: World, subject: tuple[object, ...]) -> None:
    """Bring on the troubles that come before anything is accepted."""
    faults, chance = world.state.faults(), world.state.chance
    if chance.happens(faults.drop_before_accept, "drop-before", *subject):
        raise Dropped(0, "connection dropped", "drop_before_accept")
    if chance.happens(faults.html_522, "html-522", *subject):
        raise HtmlPage(522, "Connection timed out", "html_522")
    if chance.happens(faults.error_before_accept, "error-before", *subject):
        raise Refused(_server_error(world, subject), INTERNAL, "error_before_accept")


def place(world: World, body: Any) -> Placed:
    """Accept or refuse a request; all admissions happen here, in one step without a pause."""
    orders = read_orders(world.state, body)
    if body.get("customers") is None:
        call, is_blocked = _place_one(world, orders[0])
        hints = world.lines.hints(is_blocked=is_blocked)
        return _placed([call], wire.call_snapshot(world.state, call) | {"subscriptionLimits": hints})
    return _place_batch(world, orders)


async def answer(world: World, placed: Placed, subject: tuple[object, ...]) -> dict[str, Any]:
    """Wait as long as the provider takes, let the calls begin, and answer, truthfully or not."""
    faults = world.state.faults()
    await world.timers.sleep(world.state.settings.latency_seconds)
    told = [world.engine.begin(call) for call in placed.admitted]
    if faults.webhook_before_response:
        await asyncio.gather(*(errand for errand in told if errand is not None), return_exceptions=True)
    try:
        await _hide_acceptance(world, faults, subject)
    except Refused as trouble:
        _note_answer(world, placed, trouble.reason)
        raise
    return placed.body


async def _hide_acceptance(world: World, faults: Faults, subject: tuple[object, ...]) -> None:
    """Bring on the troubles after acceptance: the call goes on, whatever the client is told."""
    chance = world.state.chance
    if chance.happens(faults.drop_after_accept, "drop-after", *subject):
        raise Dropped(0, "connection dropped", "drop_after_accept")
    if chance.happens(faults.error_after_accept, "error-after", *subject):
        raise Refused(_server_error(world, subject), INTERNAL, "error_after_accept")
    if chance.happens(faults.html_522_after_accept, "html-522-after", *subject):
        raise HtmlPage(522, "Connection timed out", "html_522_after_accept")
    if chance.happens(faults.slow_answer, "slow-answer", *subject):
        await world.timers.sleep(faults.slow_answer_seconds)


def _note_answer(world: World, placed: Placed, answered: str) -> None:
    for call in placed.calls:
        world.ledger.answered(call, answered)


def _place_batch(world: World, orders: list[Order]) -> Placed:
    """Take customers one by one: an undialable one is an error entry, one too many waits."""
    results, errors = [], []
    for order in orders:
        try:
            results.append(_place_one(world, order, is_batch=True)[0])
        except Refused as refusal:
            errors.append({"customer": order.customer, "error": refusal.wording})
            world.ledger.refuse_order(order, reason=refusal.reason, status=201, message=refusal.wording)
    bodies = [wire.call_snapshot(world.state, call) for call in results]
    return _placed(results, {"results": bodies, "errors": errors, "subscriptionLimits": world.lines.hints()})


def _place_one(world: World, order: Order, *, is_batch: bool = False) -> tuple[Call, bool]:
    """One order: a call, and whether it is blocked at the limit."""
    check_number(world.state, world.daily, order)
    faults = world.state.faults()
    world.lines.occupied_by_others = faults.occupied_lines
    if order.schedule_plan is not None:
        return _schedule(world, order), False
    if world.lines.free > 0:
        call = new_call(world, order)
        world.engine.admit(call)
        return call, False
    return _over_limit(world, order, "queue" if is_batch else faults.over_limit_mode)


def _over_limit(world: World, order: Order, mode: str) -> tuple[Call, bool]:
    """All lines are taken: the four shapes that have been reported."""
    if mode == "http400":
        raise Refused(400, OVER_CONCURRENCY, "over-concurrency-limit")
    if mode == "http400-error":
        raise ErrorOnly(400, OVER_CONCURRENCY, "over-concurrency-limit")
    call = new_call(world, order)
    if mode == "queue":
        call.status = call.first_status = "scheduled"
        world.engine.wait_for_line(call, after=0)
        return call, False
    is_blocked = mode == "blocked201"
    reason = "concurrency-blocked" if is_blocked else "concurrency-ended"
    world.ledger.refuse_order(order, reason=reason, status=201, message=OVER_CONCURRENCY, call_id=call.id)
    world.engine.end_on_paper(call, after=BLOCKED_CALL_SECONDS if is_blocked else ENDED_CALL_SECONDS)
    return call, is_blocked


def _schedule(world: World, order: Order) -> Call:
    """Make a call for later; at its time it takes its turn for a line."""
    call = new_call(world, order)
    call.status = call.first_status = "scheduled"
    earliest = parse_iso((order.schedule_plan or {})["earliestAt"]) or 0.0
    world.engine.wait_for_line(call, after=max(0.0, earliest - time.time()))
    return call


def new_call(world: World, order: Order) -> Call:
    """Make a call object; it is only on paper until the engine admits it."""
    state = world.state
    assistant = wire.effective_assistant(state, order.assistant_id, order.assistant, order.overrides)
    now = state.clock.moment()
    call = Call(
        id=next_call_id(state, order.number),
        order=order,
        fate=PAPER_FATE,
        server=_server(world, order, assistant),
        server_messages=frozenset(assistant.get("serverMessages") or letters.DEFAULT_SERVER_MESSAGES),
        created=now,
        updated_at=now.wall,
    )
    state.remember(call)
    return call


def _server(world: World, order: Order, assistant: dict[str, Any]) -> dict[str, Any]:
    """Say where webhooks go: assistant's server with the call's overrides, else the number's; legacy last."""
    row = world.state.phone_number(order.phone_number_id) or {}
    server: dict[str, Any] = dict(assistant.get("server") or row.get("server") or {})
    if assistant.get("serverUrl"):
        server.setdefault("url", assistant["serverUrl"])
        server.setdefault("secret", assistant.get("serverUrlSecret"))
    return server


def _server_error(world: World, subject: tuple[object, ...]) -> int:
    return world.state.chance.dice("server-error", *subject).choice(SERVER_ERRORS)
