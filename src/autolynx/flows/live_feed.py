"""The live feed: what changes in the campaigns that somebody is looking at, within a second.

One poller per process asks for all of them together, only while somebody watches, and holds no connection in between.
Events are numbered when they are written and seen when they are committed, so a lower number may appear after a higher
one: every look goes back a few seconds and leaves out what it has seen. What is sent are states, not steps: a row that
comes twice does no harm, and a slow watcher gets the latest state instead of a queue.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from autolynx.errors import AutolynxError
from autolynx.log import log
from autolynx.runtime import Runtime
from autolynx.store import feed
from autolynx.store.feed import Seen
from autolynx.store.report_rows import ReportRow, list_of_calls
from autolynx.store.reports import CampaignReport

LOOK_SECONDS = 0.4
OVERLAP_SECONDS = 5.0
OVERLAP_IDS = 1000  # the same for those who come back: what the last one they saw may have overtaken
MOST_EVENTS = 5000
MOST_ROWS = 500


@dataclass(frozen=True, kw_only=True)
class Update:
    """What changed since the last one. `report` is None where no figure did.

    `must_reload`: more changed than is worth sending row by row. `is_gone`: the campaign was deleted; nothing follows.
    """

    last_event_id: int = 0
    report: CampaignReport | None = None
    rows: Mapping[UUID, ReportRow] = field(default_factory=dict)  # by contact
    must_reload: bool = False
    is_gone: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell."""
        return self.report is None and not self.rows and not self.must_reload and not self.is_gone

    def followed_by(self, later: "Update") -> "Update":
        """Return both as one."""
        rows = {**self.rows, **later.rows}
        return Update(
            last_event_id=max(self.last_event_id, later.last_event_id),
            report=later.report or self.report,
            rows=rows if len(rows) <= MOST_ROWS else {},
            must_reload=self.must_reload or later.must_reload or len(rows) > MOST_ROWS,
            is_gone=later.is_gone,
        )


class Mailbox:
    """What one watcher has not taken yet: never more than one update, however slow he is."""

    def __init__(self, after: int | None) -> None:
        self.after = after
        self.is_new = True
        self._waiting = Update()
        self._changed = asyncio.Event()
        self._is_closed = False

    def put(self, update: Update) -> None:
        """Add to what is waiting."""
        self._waiting = self._waiting.followed_by(update)
        if not self._waiting.is_empty:
            self._changed.set()

    def close(self) -> None:
        """Tell the watcher that nothing follows."""
        self._is_closed = True
        self._changed.set()

    async def take(self) -> Update | None:
        """Wait for news and take it all; None at the end."""
        await self._changed.wait()
        if self._is_closed:
            return None
        self._changed.clear()
        taken, self._waiting = self._waiting, Update()
        return taken


class _Watched:
    """One campaign that somebody looks at."""

    def __init__(self) -> None:
        self.mailboxes: set[Mailbox] = set()
        self._seen: set[int] = set()
        self._marks: deque[tuple[datetime, int]] = deque()  # when a look was made, and the highest id then
        self._report: CampaignReport | None = None
        self._lines: frozenset[UUID] = frozenset()

    def after(self) -> int | None:
        """Return the id after which to look, None for a short way back from the latest."""
        resumed = [max(0, box.after - OVERLAP_IDS) for box in self.mailboxes if box.is_new and box.after is not None]
        own = [self._marks[0][1]] if self._marks else []
        return min(resumed + own, default=None)

    def take_in(self, seen: Seen, *, now: datetime) -> set[UUID]:
        """Note a look; return the calls whose rows are news to somebody."""
        wanted = {call_id for event_id, call_id in seen.events.items() if self._is_news(event_id)}
        wanted |= seen.lines - self._lines
        self._lines = seen.lines
        first = seen.last_event_id if self._marks else max(0, seen.last_event_id - OVERLAP_IDS)
        self._marks.append((now, first))
        while len(self._marks) > 1 and now - self._marks[1][0] > timedelta(seconds=OVERLAP_SECONDS):
            self._marks.popleft()
        self._seen = {one for one in self._seen | seen.events.keys() if one > self._marks[0][1]}
        return wanted

    def tell(self, seen: Seen, rows: Sequence[ReportRow]) -> None:
        """Put what is new into every mailbox; one who has just come gets the figures in any case."""
        is_changed = seen.report != self._report
        self._report = seen.report
        is_cut = len(seen.events) >= MOST_EVENTS
        for box in self.mailboxes:
            box.put(
                Update(
                    last_event_id=seen.last_event_id,
                    report=seen.report if is_changed or box.is_new else None,
                    rows={row.contact_id: row for row in rows},
                    must_reload=is_cut and (box.after is not None or not box.is_new),
                )
            )
            box.is_new = False

    def _is_news(self, event_id: int) -> bool:
        if self._marks and event_id not in self._seen:
            return True
        new = [box.after for box in self.mailboxes if box.is_new and box.after is not None]
        return any(event_id > after - OVERLAP_IDS for after in new)


class LiveFeed:
    """The feed of one process."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._watched: dict[UUID, _Watched] = {}
        self._poller: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        self._is_closed = False

    async def watch(self, campaign_id: UUID, *, after: int | None = None) -> AsyncGenerator[Update, None]:
        """Yield what changes in a campaign: the figures as they are first, then news, until it is deleted.

        `after`: the last event that the watcher has heard of; rows changed since then come first.
        """
        mailbox = Mailbox(after)
        self._join(campaign_id, mailbox)
        try:
            while (update := await mailbox.take()) is not None:
                yield update
                if update.is_gone:
                    return
        finally:
            self._leave(campaign_id, mailbox)

    async def close(self) -> None:
        """End every watch, now and later."""
        self._is_closed = True
        self._dismiss()
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.gather(self._poller, return_exceptions=True)

    @property
    def watchers(self) -> int:
        """How many are watching."""
        return sum(len(one.mailboxes) for one in self._watched.values())

    def _join(self, campaign_id: UUID, mailbox: Mailbox) -> None:
        self._watched.setdefault(campaign_id, _Watched()).mailboxes.add(mailbox)
        if self._is_closed:
            mailbox.close()
            return
        self._hurry.set()
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll())

    def _leave(self, campaign_id: UUID, mailbox: Mailbox) -> None:
        watched = self._watched[campaign_id]
        watched.mailboxes.discard(mailbox)
        if not watched.mailboxes:
            del self._watched[campaign_id]

    def _dismiss(self) -> None:
        for watched in self._watched.values():
            for mailbox in watched.mailboxes:
                mailbox.close()

    async def _poll(self) -> None:
        """Look while somebody watches. What we cannot explain ends the watches; their browsers come back."""
        try:
            while self._watched:
                self._hurry.clear()
                await self._look()
                await self._pause()
        except Exception:
            self._dismiss()
            raise

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._hurry.wait()
        except TimeoutError:
            return  # nobody came meanwhile

    async def _look(self) -> None:
        asked = dict(self._watched)
        try:
            async with self._runtime.database.connection() as conn:
                found = await feed.look(conn, {key: one.after() for key, one in asked.items()}, most=MOST_EVENTS)
                now = self._runtime.clock.now()
                wanted = {key: asked[key].take_in(seen, now=now) for key, seen in found.items()}
                calls = set().union(*wanted.values())
                rows = await list_of_calls(conn, calls) if calls else []
        except AutolynxError as error:
            log.warning("feed.failed", reason=error.message)
            return
        for key, watched in asked.items():
            if key in found:
                watched.tell(found[key], [row for owner, row in rows if owner == key])
            else:
                for mailbox in watched.mailboxes:
                    mailbox.put(Update(is_gone=True))
