"""Who still may watch. A stream lasts for hours: it ends when its session does, or when its person's role changes.

One query for all streams of a process, every few seconds, only while there are any.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from autolynx.domain.actor import Actor
from autolynx.errors import AutolynxError
from autolynx.flows.vouching import is_within_grace
from autolynx.log import log
from autolynx.runtime import Runtime
from autolynx.store import tokens

LOOK_SECONDS = 5.0


@dataclass
class Held:
    """A stream as long as it is open; `is_over` once its watcher may not watch any more."""

    is_over: bool = False


class Standing:
    """The streams of one process, by the token or session that opened them."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._open: defaultdict[UUID, dict[asyncio.Timeout, Actor]] = defaultdict(dict)
        self._looking: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def held(self, actor: Actor) -> AsyncIterator[Held]:
        """Let the block run while the caller may watch; it is left as soon as that has ended."""
        held = Held()
        try:
            async with asyncio.timeout(self._seconds(actor)) as limit:
                self._open[actor.id][limit] = actor
                self._begin()
                try:
                    yield held
                finally:
                    self._forget(actor.id, limit)
        except TimeoutError:
            held.is_over = True
            log.info("stream.ended", reason="signed out", id=str(actor.id))

    def _seconds(self, actor: Actor) -> float | None:
        """Return how long the caller may watch in any case."""
        return None if actor.until is None else (actor.until - self._runtime.clock.now()).total_seconds()

    def _begin(self) -> None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_again())

    def _forget(self, token_id: UUID, limit: asyncio.Timeout) -> None:
        self._open[token_id].pop(limit, None)
        if not self._open[token_id]:
            del self._open[token_id]
        if not self._open and self._looking is not None:
            self._looking.cancel()

    async def _look_again(self) -> None:
        while self._open:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except AutolynxError as error:  # nobody is let in anew meanwhile; the next look is soon
                log.warning("standing.failed", reason=error.message)

    async def look(self) -> None:
        """End the streams of everybody whose right has ended or changed."""
        asked = list(self._open)
        async with self._runtime.database.connection() as conn:
            standing = await tokens.list_standing(conn, asked, self._runtime.clock.now())
        now = self._runtime.clock.now()
        roles = {one.id: one.role for one in standing if is_within_grace(one.identity_grant, now)}
        at_once = asyncio.get_running_loop().time()
        for token_id in asked:
            for limit, actor in list(self._open.get(token_id, {}).items()):
                if roles.get(token_id) is not actor.role:
                    limit.reschedule(at_once)
