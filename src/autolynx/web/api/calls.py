"""One call over JSON, and its recording."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from autolynx.flows.recordings import open_recording
from autolynx.provider.port import Recording
from autolynx.store import call_reports
from autolynx.store.call_reports import CallReport, EventReport
from autolynx.store.report_rows import CALLS_PATH
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep
from autolynx.web.shapes import Shape
from autolynx.web.shapes_campaigns import Number
from autolynx.web.streaming import ClosingStream

router = APIRouter(prefix="/api", tags=["calls"])

MOST_EVENTS = 1000


class EventShape(Shape):
    """One line of a call's history: what the call was after it, and who brought the news."""

    id: int
    status: str
    source: str
    details: dict[str, Any]
    at: datetime

    @classmethod
    def of(cls, event: EventReport) -> "EventShape":
        """Show an event."""
        return cls(id=event.id, status=event.status, source=event.source, details=event.payload, at=event.created_at)


class CallContact(Shape):
    """Who was called."""

    id: UUID
    name: str
    business_name: str
    phone: str


class CallDetail(Shape):
    """A call with everything we know of it. Cost in US dollars."""

    id: UUID
    campaign_id: UUID
    campaign_name: str
    contact: CallContact
    attempt: int
    counts_as_attempt: bool
    provider_call_id: str | None
    status: str
    outcome: str | None
    reason: str | None
    ended_reason: str | None
    claimed_at: datetime
    dial_started_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    cancel_requested_at: datetime | None
    duration_seconds: Number | None
    cost: Number | None
    recording_url: str | None
    transcript: Any
    summary: str | None
    success_raw: str | None
    success_evaluation: bool | None
    last_status_at: datetime | None
    version: int
    events: list[EventShape]

    @classmethod
    def of(cls, call: CallReport, events: list[EventReport]) -> "CallDetail":
        """Show a call."""
        plain = {name: getattr(call, name) for name in cls.model_fields if hasattr(call, name)}
        return cls(
            **plain,
            campaign_name=call.campaign,
            contact=CallContact(id=call.contact_id, name=call.name, business_name=call.business_name, phone=call.phone),
            cost=call.cost_usd,
            recording_url=f"{CALLS_PATH}{call.id}/recording" if call.has_recording else None,
            transcript=call.transcript_json,
            events=[EventShape.of(event) for event in events],
        )


@router.get("/calls/{call_id}", summary="Show a call")
async def show(call_id: UUID, runtime: RuntimeDep, _actor: CallerDep) -> CallDetail:
    """Return a call with its transcript and its history."""
    async with runtime.database.connection() as conn:
        call = await call_reports.get_call(conn, call_id)
        events = await call_reports.list_events(conn, call_id, most=MOST_EVENTS)
    return CallDetail.of(call, events)


@router.get(
    "/calls/{call_id}/recording",
    summary="Listen to a call",
    response_class=Response,
    responses={200: {"content": {"audio/*": {"schema": {"type": "string", "format": "binary"}}}}},
)
async def recording(call_id: UUID, runtime: RuntimeDep, _actor: CallerDep) -> Response:
    """Stream the recording; the provider is asked for a fresh address each time."""
    async with AsyncExitStack() as opening:
        opened = await opening.enter_async_context(open_recording(runtime, call_id))
        held = opening.pop_all()
    headers = {"Cache-Control": "private, max-age=300", "Accept-Ranges": "none"}
    if opened.content_length is not None:
        headers["Content-Length"] = str(opened.content_length)
    return ClosingStream(_chunks(held, opened), media_type=opened.content_type, headers=headers)


async def _chunks(held: AsyncExitStack, opened: Recording) -> AsyncIterator[bytes]:
    async with held:
        async for chunk in opened.chunks:
            yield chunk
