"""One campaign that somebody watches, and one look at it: who hears of what.

Events are numbered when they are written and seen when they are committed, so a lower number may appear after a higher
one: every look goes back a few seconds and leaves out what it has seen. What a look found counts as seen only once its
rows were read, and only for those who watched when it began.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from autolynx.flows.live_watch import MOST_ROWS, Mailbox, Update
from autolynx.store.feed import Seen
from autolynx.store.report_rows import ReportRow
from autolynx.store.reports import CampaignReport

OVERLAP = timedelta(seconds=5)
OVERLAP_IDS = 1000  # the same in numbers, for those who come back: what the last one they saw may have overtaken
MOST_EVENTS = 5000


class Watched:
    """One campaign that somebody looks at, and what was seen of it."""

    def __init__(self) -> None:
        self.mailboxes: set[Mailbox] = set()
        self.seen: set[int] = set()
        self.lines: frozenset[UUID] = frozenset()
        self.told: tuple[CampaignReport, int] | None = None
        self._marks: deque[tuple[datetime, int]] = deque()  # when a look was made, and the highest id then

    @property
    def was_seen(self) -> bool:
        """Whether there was a look before."""
        return bool(self._marks)

    def after(self) -> int | None:
        """Return the id after which to look, None for a short way back from the latest."""
        resumed = [max(0, box.after - OVERLAP_IDS) for box in self.mailboxes if box.is_new and box.after is not None]
        own = [self._marks[0][1]] if self._marks else []
        return min(resumed + own, default=None)

    def note(self, seen: Seen, *, now: datetime) -> bool:
        """Note what a look found; return whether any figure is another than before."""
        self.lines = seen.lines
        first = seen.last_event_id if self._marks else max(0, seen.last_event_id - OVERLAP_IDS)
        self._marks.append((now, first))
        while len(self._marks) > 1 and now - self._marks[1][0] > OVERLAP:
            self._marks.popleft()
        self.seen = {one for one in self.seen | seen.events.keys() if one > self._marks[0][1]}
        before, self.told = self.told, (seen.report, len(seen.lines))
        return before != self.told


class Look:
    """A look at a campaign, for those who watch it at this moment."""

    def __init__(self, watched: Watched) -> None:
        self.after = watched.after()
        self._watched = watched
        self._boxes = tuple(watched.mailboxes)
        self._wanted: Mapping[Mailbox, set[UUID]] = {}

    def calls(self, seen: Seen) -> set[UUID]:
        """Return the calls whose rows are news to somebody."""
        fresh: set[UUID] = set()
        if self._watched.was_seen:
            fresh = {one.call_id for event_id, one in seen.events.items() if event_id not in self._watched.seen}
            fresh |= seen.lines - self._watched.lines
        self._wanted = {box: _missed(box, seen) if box.is_new else fresh for box in self._boxes}
        return set().union(*self._wanted.values())

    def tell(self, seen: Seen, rows: Sequence[ReportRow], *, now: datetime) -> None:
        """Put what is new into the mailboxes; one who has just come gets the figures in any case."""
        is_changed = self._watched.note(seen, now=now)
        is_cut = len(seen.events) >= MOST_EVENTS
        for box in self._boxes:
            told = {row.contact_id: row for row in rows if row.call_id in self._wanted[box]}
            box.put(
                Update(
                    last_event_id=seen.last_event_id,
                    report=seen.report if is_changed or box.is_new else None,
                    lines=len(seen.lines),
                    rows=told if len(told) <= MOST_ROWS else {},
                    must_reload=len(told) > MOST_ROWS or (is_cut and (box.after is not None or not box.is_new)),
                )
            )
            box.is_new = False

    def tell_gone(self) -> None:
        """Say once that the campaign is deleted."""
        for box in self._boxes:
            box.put(Update(is_gone=True))


def _missed(box: Mailbox, seen: Seen) -> set[UUID]:
    """Return the calls of which somebody who has just come has not heard: since his last event, and on a line now."""
    if box.after is None:
        return set(seen.lines)
    heard_at = max((one.created_at for event_id, one in seen.events.items() if event_id <= box.after), default=None)
    since = heard_at - OVERLAP if heard_at is not None else None
    late = {
        one.call_id
        for event_id, one in seen.events.items()
        if event_id > box.after or (since is not None and one.created_at >= since)
    }
    return late | seen.lines
