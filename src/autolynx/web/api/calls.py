"""One call over JSON, and its recording."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from autolynx.flows.recordings import OwnCopy, find_copy, open_recording, read_copy
from autolynx.provider.port import Recording
from autolynx.runtime import Runtime
from autolynx.store import call_details, call_reports
from autolynx.web.auth import CallerDep
from autolynx.web.byte_range import Part, wanted_part
from autolynx.web.context import RuntimeDep
from autolynx.web.shapes_calls import CallDetail, PayloadList, PayloadShape
from autolynx.web.streaming import ClosingStream

router = APIRouter(prefix="/api", tags=["calls"])

MOST_EVENTS = 1000
MOST_PAYLOADS = 100


@router.get("/calls/{call_id}", summary="Show a call")
async def show(call_id: UUID, runtime: RuntimeDep, _actor: CallerDep) -> CallDetail:
    """Return a call with its transcript, its bill, its history and the other attempts of its contact."""
    async with runtime.database.connection() as conn:
        call = await call_reports.get_call(conn, call_id)
        events = await call_reports.list_events(conn, call_id, most=MOST_EVENTS)
        attempts = await call_details.list_attempts(conn, call.contact_id)
    return CallDetail.of(call, events, attempts)


@router.get("/calls/{call_id}/payloads", summary="Show what the provider sent about a call")
async def payloads(call_id: UUID, runtime: RuntimeDep, _actor: CallerDep) -> PayloadList:
    """Return the bodies as they were kept, without secrets; only for admins, because whatever else was in them is."""
    async with runtime.database.connection() as conn:
        await call_reports.get_call(conn, call_id)
        found = await call_details.list_payloads(conn, call_id, most=MOST_PAYLOADS)
    return PayloadList(payloads=[PayloadShape.of(one) for one in found])


@router.get(
    "/calls/{call_id}/recording",
    summary="Listen to a call",
    response_class=Response,
    responses={200: {"content": {"audio/*": {"schema": {"type": "string", "format": "binary"}}}}},
)
async def recording(call_id: UUID, request: Request, runtime: RuntimeDep, _actor: CallerDep) -> Response:
    """Send our copy, or the part of it that a Range header asks for; before there is one, stream the provider's."""
    copy = await find_copy(runtime, call_id)
    if copy is not None:
        return _of_copy(runtime, copy, wanted_part(request.headers.get("range"), size=copy.size))
    async with AsyncExitStack() as opening:
        opened = await opening.enter_async_context(open_recording(runtime, call_id))
        held = opening.pop_all()
    headers = {"Cache-Control": "private, max-age=300", "Accept-Ranges": "none"}
    if opened.content_length is not None:
        headers["Content-Length"] = str(opened.content_length)
    return ClosingStream(_chunks(held, opened), media_type=opened.content_type, headers=headers)


def _of_copy(runtime: Runtime, copy: OwnCopy, part: Part | None) -> Response:
    headers = {"Cache-Control": "private, max-age=3600", "Accept-Ranges": "bytes"}
    if part is not None and part.size <= 0:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{copy.size}"})
    sent = part or Part(first=0, last=copy.size - 1)
    headers["Content-Length"] = str(sent.size)
    if part is not None:
        headers["Content-Range"] = f"bytes {part.first}-{part.last}/{copy.size}"
    return ClosingStream(
        read_copy(runtime, copy, first=sent.first, last=sent.last),
        media_type=copy.content_type,
        headers=headers,
        status=206 if part is not None else 200,
    )


async def _chunks(held: AsyncExitStack, opened: Recording) -> AsyncIterator[bytes]:
    async with held:
        async for chunk in opened.chunks:
            yield chunk
