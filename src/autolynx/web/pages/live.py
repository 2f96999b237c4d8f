"""The live stream of a page: one for each page, fed by the one poller of the process, in ready-made pieces of HTML."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, cast
from uuid import UUID

import anyio
from fastapi import APIRouter, Depends, Header, Query, Request
from sse_starlette import EventSourceResponse, ServerSentEvent

from autolynx.domain.actor import Actor
from autolynx.errors import ValidationProblem
from autolynx.runtime import Runtime
from autolynx.store.owners import list_owned_campaigns
from autolynx.web.api.feed import GRACE_SECONDS, HEARTBEAT_SECONDS, MOST_ID, ended_by, get_live_feed, get_standing
from autolynx.web.api.health import get_phone_lines
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep
from autolynx.web.pages.campaign_history import event_kind
from autolynx.web.pages.contact_wish import ContactWish, ContactWishDep
from autolynx.web.pages.live_list import Listing
from autolynx.web.pages.live_page import LivePage, Shared, Watched

MOST_CAMPAIGNS = 50
IDLE_SECONDS = 3.0  # so often a page looks again at what changes with time alone
LATEST_MOMENT = 2**42  # in milliseconds

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What a page says of itself. `kind`: which events it lists; `shown` and `since`: which contacts, and when."""

    view: str
    kind: str
    wish: ContactWish
    shown: str
    since: int
    stamp: str

    def watched(self, ids: Sequence[UUID]) -> Watched:
        """Return it as the stream needs it."""
        listing = Listing.of(ids[0], self.wish, shown=self.shown, since=self.since) if ids and self.since else None
        return Watched(view=self.view, kind=event_kind(self.kind), listing=listing, stamp=self.stamp)


async def _asked(
    wish: ContactWishDep,
    view: str = "",
    kind: str = "",
    shown: Annotated[str, Query(max_length=1000)] = "",
    since: Annotated[int, Query(ge=0, le=LATEST_MOMENT)] = 0,
    stamp: Annotated[str, Query(max_length=40)] = "",
) -> _Asked:
    return _Asked(view=view, kind=kind, wish=wish, shown=shown, since=since, stamp=stamp)


@router.get("/live")
async def stream(
    request: Request,
    runtime: RuntimeDep,
    actor: CallerDep,
    *,
    asked: Annotated[_Asked, Depends(_asked)],
    campaigns: Annotated[str, Query(max_length=2000)] = "",
    after: Annotated[int, Query(ge=0, le=MOST_ID)] = 0,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID", max_length=30)] = None,
) -> EventSourceResponse:
    """Send what changes in the campaigns and the account that a page shows, within a second.

    Messages without a name are HTML for the page; `stale` says that it has to be fetched anew, `gone` that its campaign
    was deleted, `beat` that the stream lives.
    """
    seen = int(last_event_id) if last_event_id and last_event_id.isdecimal() else after
    ids = await _seen_by(runtime, actor, _ids(campaigns))
    wanted = {campaign_id: min(seen, MOST_ID) or None for campaign_id in ids}
    feed, shutdown = get_live_feed(request), anyio.Event()
    page = LivePage(runtime, actor, _shared(request), get_phone_lines(request), asked.watched(ids))
    events = page.events(feed.watch_all(wanted, idle_seconds=IDLE_SECONDS))
    return EventSourceResponse(
        ended_by(shutdown, feed, events, held=get_standing(request).held(actor)),
        ping=HEARTBEAT_SECONDS,
        ping_message_factory=_beat,
        shutdown_event=shutdown,
        shutdown_grace_period=GRACE_SECONDS,
    )


def _beat() -> ServerSentEvent:
    """Return what is sent while nothing changes: a page that hears nothing for long knows that its stream is dead."""
    return ServerSentEvent(event="beat", data="-")


def _ids(text: str) -> list[UUID]:
    try:
        ids = [UUID(one) for one in text.split(",") if one]
    except ValueError:
        raise ValidationProblem("campaigns: name campaigns by their ids.", field="campaigns") from None
    if len(ids) > MOST_CAMPAIGNS:
        raise ValidationProblem(f"campaigns: name at most {MOST_CAMPAIGNS}.", field="campaigns")
    return ids


async def _seen_by(runtime: Runtime, actor: Actor, ids: list[UUID]) -> list[UUID]:
    """Return those of the campaigns that the caller may see; others are like those that do not exist."""
    if actor.sees_only is None or not ids:
        return ids
    async with runtime.database.connection() as conn:
        owned = await list_owned_campaigns(conn, ids, owner_id=actor.sees_only)
    return [campaign_id for campaign_id in ids if campaign_id in owned]


def _shared(request: Request) -> Shared:
    state = request.app.state
    if not hasattr(state, "live_shared"):
        state.live_shared = Shared()
    return cast("Shared", state.live_shared)
