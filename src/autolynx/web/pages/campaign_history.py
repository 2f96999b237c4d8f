"""The lines of a campaign's history, for its page and for those who watch it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from autolynx.domain.event_words import SOURCE_WORDS, event_in_words
from autolynx.runtime import Runtime
from autolynx.store import call_details
from autolynx.store.call_details import CampaignEventReport, EventKind

ROWS = 50
KINDS: dict[str, str] = {
    "": "All",
    EventKind.DIALLED: "Dialled",
    EventKind.LIVE: "Live",
    EventKind.ENDED: "Ended",
    EventKind.LOOKED: "Looked up",
    EventKind.DECIDED: "Decided",
}


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


@dataclass(frozen=True, kw_only=True)
class History:
    """A page of it: its lines, newest first, and the addresses of the newest and of the next older ones."""

    events: Sequence[EventRow]
    kind: str
    is_newest: bool
    newest: str
    older: str | None


def event_kind(text: str) -> EventKind | None:
    """Return the kind that an address asks for, None for all, or for nonsense."""
    return EventKind(text) if text in set(EventKind) else None


async def look_back(
    runtime: Runtime, campaign_id: UUID, *, kind: EventKind | None, below: int | None = None
) -> History:
    """Return the history, from the newest event on or from below one."""
    async with runtime.database.connection() as conn:
        found = await call_details.list_campaign_events(conn, campaign_id, kind=kind, before=below, most=ROWS + 1)
    events = [_row(event) for event in found[:ROWS]]
    said = f"&kind={kind}" if kind else ""
    return History(
        events=events,
        kind=kind or "",
        is_newest=below is None,
        newest=f"/campaigns/{campaign_id}/events" + (f"?kind={kind}" if kind else ""),
        older=f"/campaigns/{campaign_id}/events?before={events[-1].id}{said}" if len(found) > ROWS else None,
    )


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
