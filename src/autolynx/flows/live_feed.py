"""The live feed: what changes in the campaigns that somebody is looking at, within a second.

One poller per process asks for all of them together, only while somebody watches, and holds no connection in between.
What is sent are states, not steps: a row that comes twice does no harm, and a slow watcher gets the latest state
instead of a queue.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from uuid import UUID

from autolynx.errors import AutolynxError
from autolynx.flows.live_campaign import MOST_EVENTS, Look, Watched
from autolynx.flows.live_watch import AccountBox, Bell, Mailbox, News, Update
from autolynx.log import log
from autolynx.runtime import Runtime
from autolynx.store import feed
from autolynx.store.database import Connection
from autolynx.store.report_rows import list_of_calls

LOOK_SECONDS = 0.4
MOST_FAILURES = 5  # looks in a row that the database did not answer


class LiveFeed:
    """The feed of one process."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._watched: dict[UUID, Watched] = {}
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

    async def watch_all(
        self, after: Mapping[UUID, int | None], *, idle_seconds: float | None = None
    ) -> AsyncGenerator[News, None]:
        """Yield what changes in several campaigns and in the account: all as it is first, then news.

        Where nothing changes for `idle_seconds`, empty news say that time has passed.
        """
        bell = Bell()
        watching = self._watch(after, account=AccountBox(bell), bell=bell, idle_seconds=idle_seconds)
        async with aclosing(watching) as stream:
            async for news in stream:
                yield news

    async def _watch(
        self,
        after: Mapping[UUID, int | None],
        *,
        account: AccountBox | None,
        bell: Bell,
        idle_seconds: float | None = None,
    ) -> AsyncGenerator[News, None]:
        boxes = {campaign_id: Mailbox(bell, event_id) for campaign_id, event_id in after.items()}
        self._join(boxes, account, bell)
        try:
            while await bell.wait(idle_seconds):
                taken = {campaign_id: box.take() for campaign_id, box in boxes.items()}
                updates = {campaign_id: update for campaign_id, update in taken.items() if not update.is_empty}
                seen = account.take() if account else None
                if updates or seen or idle_seconds is not None:
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
            self._watched.setdefault(campaign_id, Watched()).mailboxes.add(box)
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
            watched = self._watched.get(campaign_id)
            if watched is None:
                continue  # the campaign is deleted
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
        """Look while somebody watches. What we cannot explain, or mend, ends the watches; their browsers come back."""
        failures = 0
        try:
            while self._watched or self._accounts:
                self._hurry.clear()
                failures = 0 if await self._look() else failures + 1
                if failures >= MOST_FAILURES:
                    self._dismiss()
                    return
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

    async def _look(self) -> bool:
        """Look at everything that is watched; return whether the database answered."""
        looks = {key: Look(watched) for key, watched in self._watched.items()}
        try:
            async with self._runtime.database.connection() as conn:
                await self._look_at_account(conn)
                after = {key: look.after for key, look in looks.items()}
                found = await feed.look(conn, after, most=MOST_EVENTS) if after else {}
                calls = set().union(*(looks[key].calls(seen) for key, seen in found.items()))
                rows = await list_of_calls(conn, calls) if calls else []
        except AutolynxError as error:
            log.warning("feed.failed", reason=error.message)
            return False
        now = self._runtime.clock.now()
        for key, look in looks.items():
            if key in found:
                look.tell(found[key], [row for owner, row in rows if owner == key], now=now)
            else:
                look.tell_gone()
                self._watched.pop(key, None)
        return True

    async def _look_at_account(self, conn: Connection) -> None:
        if not self._accounts:
            return
        seen = await feed.look_at_account(conn)
        for box in self._accounts:
            box.put(seen)
