"""Where the provider posts its webhooks. Authenticate, keep, settle, answer; then use the line that became free."""

import json
from typing import Any, cast

import orjson
from fastapi import APIRouter, FastAPI, Request, Response

from autolynx.errors import DatabaseUnavailable, PayloadTooLarge, RateLimited, Unauthorized, ValidationProblem
from autolynx.flows.ingest import receive_webhook
from autolynx.flows.refused_webhooks import note_refused_webhook
from autolynx.log import log
from autolynx.provider.webhook_auth import WebhookAuth, verify
from autolynx.runtime import Runtime
from autolynx.settings import WEBHOOK_PATH
from autolynx.web.bodies import MOST_WEBHOOK_BYTES
from autolynx.web.context import get_launching, get_runtime
from autolynx.web.outer import client_address
from autolynx.web.refusals import Refusals
from autolynx.web.shapes import Shape
from autolynx.web.webhook_proof import webhook_auth

router = APIRouter(tags=["webhooks"])


class WebhookAnswer(Shape):
    """What became of a delivery: `status` is that of our call, null where it is none of ours (yet)."""

    received: bool = True
    call_id: str | None
    status: str | None


def get_refusals(request: Request) -> Refusals:
    """Return the tallies of refused deliveries."""
    return cast("Refusals", request.app.state.refused_webhooks)


@router.post(
    WEBHOOK_PATH,
    summary="Receive a webhook of the voice provider",
    response_model=WebhookAnswer,
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": {}}}}},
)
async def receive(request: Request) -> Response:
    """Keep an authentic delivery, settle what it says, and put a freed line to use.

    The delivery proves its origin as the settings demand: X-Vapi-Secret, Authorization: Bearer, or a signature. That a
    call is over is believed of a delivery with a plain secret when the provider, asked for the call, says so too.
    """
    runtime, raw = get_runtime(request), await _read(request)
    if not _is_authentic(request, raw, runtime):
        await _refuse(request, runtime, get_refusals(request))
    received = await receive_webhook(runtime, _parse(raw))
    if received.freed_line:
        await get_launching(request).line_freed()
    answer = WebhookAnswer(call_id=received.provider_call_id or None, status=received.status)
    return Response(answer.model_dump_json(by_alias=True), media_type="application/json")


def install_receiver(app: FastAPI) -> None:
    """Let webhooks reach `receive` on the shortest way; the router's own route, which comes later, describes it.

    For one of these requests FastAPI's way of calling a route would work as long as the database does.
    """
    app.state.webhook_auth = webhook_auth(cast("Runtime", app.state.runtime).settings)
    app.add_route(WEBHOOK_PATH, receive, methods=["POST"], include_in_schema=False)


async def _read(request: Request) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_WEBHOOK_BYTES:
            raise PayloadTooLarge("A webhook body may be at most 5 MB.", details={"limitBytes": MOST_WEBHOOK_BYTES})
        parts.append(part)
    return b"".join(parts)


def _is_authentic(request: Request, raw: bytes, runtime: Runtime) -> bool:
    return verify(
        request.headers,
        raw,
        config=cast("WebhookAuth", request.app.state.webhook_auth),
        now=runtime.clock.now(),
        method=request.method,
        url=runtime.settings.webhook_url,
    )


async def _refuse(request: Request, runtime: Runtime, refusals: Refusals) -> None:
    """Raise Unauthorized (RateLimited for a flood), with one audit row per address and minute."""
    now = runtime.clock.now()
    address = client_address(request)
    refusal = refusals.note(address, now)
    if refusal.is_flood:
        raise RateLimited("Too many webhooks without valid proof of origin.", retry_after_seconds=60 - now.second)
    if refusal.to_write is not None:
        try:
            await note_refused_webhook(runtime, address=address, count=refusal.to_write, minute=refusal.minute)
        except DatabaseUnavailable as error:
            log.error("webhook.refusal_unnoted", reason=error.message)
    raise Unauthorized("The webhook's secret or signature is missing or wrong.")


def _parse(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except ValueError:  # stricter than the standard about NaN, lone surrogates and encodings
        return _parse_leniently(raw)


def _parse_leniently(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise ValidationProblem("The webhook body is not valid JSON.", field="body") from None
