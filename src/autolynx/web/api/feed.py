"""The live feed of a campaign as Server-Sent Events."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Annotated, cast
from uuid import UUID

import anyio
from fastapi import APIRouter, Header, Query, Request
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import HTTPConnection

from autolynx.flows.live_feed import LiveFeed
from autolynx.flows.live_watch import Update
from autolynx.flows.standing import Held, Standing
from autolynx.runtime import Runtime
from autolynx.store import campaigns
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep, get_runtime
from autolynx.web.shapes import Shape
from autolynx.web.shapes_campaigns import CampaignDetail
from autolynx.web.shapes_contacts import ContactShape

router = APIRouter(prefix="/api", tags=["campaigns"])

HEARTBEAT_SECONDS = 15
COME_BACK_MILLISECONDS = 2000
GRACE_SECONDS = 2.0  # for streams to end by themselves when the server shuts down
FUNCTION_SECONDS = 8.0  # a function may not answer for longer; the browser comes back by itself
MOST_ID = 2**62


class ChangedRows(Shape):
    """Contacts whose row changed."""

    contacts: list[ContactShape]


def get_live_feed(connection: HTTPConnection) -> LiveFeed:
    """Return the feed of this process, made when it is first asked for: it costs nothing while nobody watches."""
    state = connection.app.state
    if not hasattr(state, "live_feed"):
        state.live_feed = LiveFeed(get_runtime(connection))
    return cast("LiveFeed", state.live_feed)


def get_standing(connection: HTTPConnection) -> Standing:
    """Return what ends the streams of those who may not watch any more."""
    state = connection.app.state
    if not hasattr(state, "standing"):
        state.standing = Standing(get_runtime(connection))
    return cast("Standing", state.standing)


@router.get(
    "/campaigns/{campaign_id}/events",
    summary="Watch a campaign",
    response_class=EventSourceResponse,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def watch(
    campaign_id: UUID,
    request: Request,
    runtime: RuntimeDep,
    actor: CallerDep,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID", max_length=30)] = None,
    after: Annotated[int | None, Query(ge=0, le=MOST_ID, description="Instead of Last-Event-ID.")] = None,
) -> EventSourceResponse:
    """Send what changes, within a second.

    Events: `campaign` (the detail, first of all and whenever a figure changes), `rows` (contacts whose call changed),
    `reload` (more changed than is worth sending), `gone` (deleted; the stream ends),
    `out` (the caller may not watch any more; the stream ends).
    """
    async with runtime.database.connection() as conn:
        await campaigns.get(conn, campaign_id)
    resumed = int(last_event_id) if last_event_id and last_event_id.isdecimal() else after
    feed, shutdown = get_live_feed(request), anyio.Event()
    updates = feed.watch(campaign_id, after=None if resumed is None else min(resumed, MOST_ID))
    return EventSourceResponse(
        ended_by(shutdown, feed, _events(runtime, updates), held=get_standing(request).held(actor)),
        ping=HEARTBEAT_SECONDS,
        shutdown_event=shutdown,
        shutdown_grace_period=GRACE_SECONDS,
    )


async def ended_by(
    shutdown: anyio.Event,
    feed: LiveFeed,
    events: AsyncGenerator[ServerSentEvent, None],
    *,
    held: AbstractAsyncContextManager[Held],
) -> AsyncIterator[ServerSentEvent]:
    """Pass events on while the caller may hear them; when the server shuts down, every stream ends in good order."""

    async def close() -> None:
        await shutdown.wait()
        await feed.close()

    closing = asyncio.create_task(close())
    try:
        async with held as watcher, aclosing(events):
            async for event in events:
                yield event
        if watcher.is_over:
            yield ServerSentEvent(event="out", data="{}")
    finally:
        closing.cancel()


async def _events(runtime: Runtime, updates: AsyncGenerator[Update, None]) -> AsyncGenerator[ServerSentEvent, None]:
    is_function = runtime.settings.runtime == "function"
    life = runtime.settings.scaled(FUNCTION_SECONDS) if is_function else None
    yield ServerSentEvent(comment="hello", retry=COME_BACK_MILLISECONDS)
    try:
        async with aclosing(updates), asyncio.timeout(life):
            async for update in updates:
                for event in _shown(runtime, update):
                    yield event
    except TimeoutError:
        return  # the browser comes back, with the last id it has seen


def _shown(runtime: Runtime, update: Update) -> list[ServerSentEvent]:
    events: list[tuple[str, str]] = []
    if update.report is not None:
        detail = CampaignDetail.of(update.report, runtime.clock.now())
        events.append(("campaign", detail.model_dump_json(by_alias=True)))
    if update.must_reload:
        events.append(("reload", "{}"))
    if update.rows:
        rows = ChangedRows(contacts=[ContactShape.of(row) for row in update.rows.values()])
        events.append(("rows", rows.model_dump_json(by_alias=True)))
    if update.is_gone:
        events.append(("gone", "{}"))
    return [ServerSentEvent(event=name, data=data, id=str(update.last_event_id)) for name, data in events]
