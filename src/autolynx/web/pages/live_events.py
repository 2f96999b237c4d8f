"""The newest events of a campaign before somebody's eyes: new lines are put on top, the others stay as they are."""

from collections.abc import Sequence
from uuid import UUID

from autolynx.flows.live_watch import Update
from autolynx.runtime import Runtime
from autolynx.store.call_details import EventKind
from autolynx.web.pages.campaign_history import ROWS, History, look_back
from autolynx.web.pages.rendering import fragment
from autolynx.web.pages.shared_work import SharedWork

MOST_LINES = 4 * ROWS  # beyond, the list is begun anew


class EventNews:
    """What one page has been told of; it begins with the whole list, as nobody knows what it missed before."""

    def __init__(self, runtime: Runtime, work: SharedWork, kind: EventKind | None) -> None:
        self._runtime = runtime
        self._work = work
        self._kind = kind
        self._told: set[int] = set()

    async def part(self, campaign_id: UUID, update: Update) -> str:
        """Return the new lines, or the whole list; asked and rendered once for all who watch."""
        if not update.rows and self._told:
            return ""
        versions = frozenset((row.contact_id, row.version) for row in update.rows.values())
        seen = (campaign_id, self._kind, update.last_event_id, versions)
        history = await self._work.once(
            ("events", *seen), lambda: look_back(self._runtime, campaign_id, kind=self._kind)
        )
        fresh = [event.id for event in history.events if event.id not in self._told]
        is_on_top = bool(self._told) and min(fresh, default=0) > max(self._told, default=0)
        is_whole = not is_on_top or len(fresh) == len(history.events) or len(self._told) + len(fresh) > MOST_LINES
        if self._told and not fresh:
            return ""
        self._told = {event.id for event in history.events} if is_whole else self._told | set(fresh)
        rest = () if is_whole else tuple(fresh)
        return await self._work.once(("lines", *seen, rest), lambda: _render(history, campaign_id, rest))


async def _render(history: History, campaign_id: UUID, fresh: Sequence[int]) -> str:
    if not fresh:
        return fragment("campaign_history_part.html", history=history, campaign_id=campaign_id)
    return fragment("event_rows_part.html", events=[event for event in history.events if event.id in fresh])
