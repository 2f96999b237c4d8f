"""The history of a campaign: what became of its calls, newest first."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from autolynx.domain.event_words import SOURCE_WORDS, event_in_words
from autolynx.store import call_details
from autolynx.store.call_details import CampaignEventReport, EventKind
from autolynx.web.api.history import HIGHEST_ID
from autolynx.web.context import RuntimeDep
from autolynx.web.pages.campaign_address import campaign_id_of
from autolynx.web.pages.campaign_frame import campaign_page, look_at

ROWS = 50
KINDS: dict[str, str] = {
    "": "All",
    EventKind.DIALLED: "Dialled",
    EventKind.LIVE: "Live",
    EventKind.ENDED: "Ended",
    EventKind.LOOKED: "Looked up",
    EventKind.DECIDED: "Decided",
}

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, kw_only=True)
class EventRow:
    """One line of the history."""

    id: int
    call_id: UUID
    name: str = field(repr=False)
    business_name: str = field(repr=False)
    attempt: int
    status: str
    text: str
    source: str
    at: datetime


@router.get("/campaigns/{campaign_id}/events")
async def show_events(
    request: Request,
    runtime: RuntimeDep,
    campaign_id: str,
    kind: str = "",
    before: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """Show the history, from the newest event on or from below one."""
    known_id = campaign_id_of(campaign_id)
    seen = await look_at(runtime, known_id)
    chosen = EventKind(kind) if kind in set(EventKind) else None
    below = _event_id(before)
    async with runtime.database.connection() as conn:
        found = await call_details.list_campaign_events(conn, known_id, kind=chosen, before=below, most=ROWS + 1)
    events = [_row(event) for event in found[:ROWS]]
    said = f"&kind={chosen}" if chosen else ""
    return await campaign_page(
        request,
        "campaign_events.html",
        seen,
        tab="events",
        stream="events",
        events=events,
        kinds=KINDS,
        kind=chosen or "",
        is_newest=below is None,
        newest=f"/campaigns/{known_id}/events" + (f"?kind={chosen}" if chosen else ""),
        older=f"/campaigns/{known_id}/events?before={events[-1].id}{said}" if len(found) > ROWS else None,
    )


def _event_id(text: str) -> int | None:
    number = int(text) if text.isascii() and text.isdigit() else 0
    return min(number, HIGHEST_ID) or None


def _row(event: CampaignEventReport) -> EventRow:
    return EventRow(
        id=event.id,
        call_id=event.call_id,
        name=event.name,
        business_name=event.business_name,
        attempt=event.attempt,
        status=event.status,
        text=event_in_words(event.status, event.source, event.payload),
        source=SOURCE_WORDS.get(event.source, event.source),
        at=event.created_at,
    )
