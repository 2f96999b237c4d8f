"""The live feed: what changes in the campaigns that somebody is looking at, within a second.

One poller per process asks for all of them together, only while somebody watches, and holds no connection in between.
Events are numbered when they are written and seen when they are committed, so a lower number may appear after a higher
one: every look goes back a few seconds and leaves out what it has seen. What is sent are states, not steps: a row that
comes twice does no harm, and a slow watcher gets the latest state instead of a queue.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from uuid import UUID

from autolynx.errors import AutolynxError
from autolynx.flows.live_watch import AccountBox, Bell, Mailbox, News, Update
from autolynx.log import log
from autolynx.runtime import Runtime
from autolynx.store import feed
from autolynx.store.database import Connection
from autolynx.store.feed import Seen
from autolynx.store.report_rows import ReportRow, list_of_calls
from autolynx.store.reports import CampaignReport

LOOK_SECONDS = 0.4
OVERLAP_SECONDS = 5.0
OVERLAP_IDS = 1000  # the same for those who come back: what the last one they saw may have overtaken
MOST_EVENTS = 5000


class _Watched:
    """One campaign that somebody looks at."""

    def __init__(self) -> None:
        self.mailboxes: set[Mailbox] = set()
        self._seen: set[int] = set()
        self._marks: deque[tuple[datetime, int]] = deque()  # when a look was made, and the highest id then
        self._told: tuple[CampaignReport, int] | None = None
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
        is_changed = (seen.report, len(seen.lines)) != self._told
        self._told = seen.report, len(seen.lines)
        is_cut = len(seen.events) >= MOST_EVENTS
        for box in self.mailboxes:
            box.put(
                Update(
                    last_event_id=seen.last_event_id,
                    report=seen.report if is_changed or box.is_new else None,
                    lines=len(seen.lines),
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
        self._accounts: set[AccountBox] = set()
        self._poller: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        self._is_closed = False

    async def watch(self, campaign_id: UUID, *, after: int | None = None) -> AsyncGenerator[Update, None]:
        """Yield what changes in a campaign: the figures as they are first, then news, until it is deleted.

        `after`: the last event that the watcher has heard of; rows changed since then come first.
        """
        async with aclosing(self._watch({campaign_id: after}, account=None, bell=Bell())) as stream:
            async for news in stream:
                update = news.updates[campaign_id]
                yield update
                if update.is_gone:
                    return

    async def watch_all(self, after: Mapping[UUID, int | None]) -> AsyncGenerator[News, None]:
        """Yield what changes in several campaigns and in the account: all as it is first, then news."""
        bell = Bell()
        async with aclosing(self._watch(after, account=AccountBox(bell), bell=bell)) as stream:
            async for news in stream:
                yield news

    async def _watch(
        self, after: Mapping[UUID, int | None], *, account: AccountBox | None, bell: Bell
    ) -> AsyncGenerator[News, None]:
        boxes = {campaign_id: Mailbox(bell, event_id) for campaign_id, event_id in after.items()}
        self._join(boxes, account, bell)
        try:
            while await bell.wait():
                taken = {campaign_id: box.take() for campaign_id, box in boxes.items()}
                updates = {campaign_id: update for campaign_id, update in taken.items() if not update.is_empty}
                seen = account.take() if account else None
                if updates or seen:
                    yield News(updates=updates, account=seen)
        finally:
            self._leave(boxes, account)

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

    def _join(self, boxes: Mapping[UUID, Mailbox], account: AccountBox | None, bell: Bell) -> None:
        for campaign_id, box in boxes.items():
            self._watched.setdefault(campaign_id, _Watched()).mailboxes.add(box)
        if account is not None:
            self._accounts.add(account)
        if self._is_closed:
            bell.close()
            return
        self._hurry.set()
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll())

    def _leave(self, boxes: Mapping[UUID, Mailbox], account: AccountBox | None) -> None:
        for campaign_id, box in boxes.items():
            watched = self._watched[campaign_id]
            watched.mailboxes.discard(box)
            if not watched.mailboxes:
                del self._watched[campaign_id]
        if account is not None:
            self._accounts.discard(account)

    def _dismiss(self) -> None:
        boxes: list[Mailbox | AccountBox] = [*self._accounts]
        boxes += [box for watched in self._watched.values() for box in watched.mailboxes]
        for box in boxes:
            box.close()

    async def _poll(self) -> None:
        """Look while somebody watches. What we cannot explain ends the watches; their browsers come back."""
        try:
            while self._watched or self._accounts:
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
                await self._look_at_account(conn)
                after = {key: one.after() for key, one in asked.items()}
                found = await feed.look(conn, after, most=MOST_EVENTS) if after else {}
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

    async def _look_at_account(self, conn: Connection) -> None:
        if not self._accounts:
            return
        seen = await feed.look_at_account(conn)
        for box in self._accounts:
            box.put(seen)
