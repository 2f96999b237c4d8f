"""Refill: the moment a line becomes free, the next contact is dialled. Ticks are only the safety net."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from autolynx.domain.pacing import Account
from autolynx.errors import AutolynxError
from autolynx.flows.claim import Claimed, claim
from autolynx.flows.dial import Dialled, dial
from autolynx.flows.quiet import look_for_quiet
from autolynx.log import log
from autolynx.origin import TICK, acting_from
from autolynx.provider.port import CallOrder
from autolynx.runtime import Runtime

SHORTEST_WAIT_SECONDS = 0.01
AGAIN_AFTER_SECONDS = 1.0  # after a claim that failed: the lines are still free


@dataclass(kw_only=True)
class Refilled:
    """What one refill did, and when asking again makes sense."""

    launched: dict[UUID, int] = field(default_factory=dict)
    changes_at: datetime | None = None

    def add(self, orders: list[CallOrder], dialled: list[Dialled]) -> None:
        """Count the calls that the provider accepted."""
        accepted = {one.call_id for one in dialled if one.is_accepted}
        for order in orders:
            if order.call_id in accepted:
                self.launched[order.campaign_id] = self.launched.get(order.campaign_id, 0) + 1


async def refill(
    runtime: Runtime, *, campaign_id: UUID | None = None, most: int | None = None, rounds: int = 100
) -> Refilled:
    """Claim and dial until nothing more may be dialled now. Calls go out side by side.

    A line that a refusal freed at once is used for the next contact in the next round. `rounds` bounds the work.
    """
    result = Refilled()
    for _ in range(rounds):
        claimed = await claim(runtime, campaign_id=campaign_id, most=most)
        result.changes_at = claimed.changes_at
        if claimed.orders:
            dialled = await _dial_all(runtime, claimed)
            result.add(list(claimed.orders), dialled)
            if most is not None or not any(one.freed_line for one in dialled):
                break
        elif not claimed.made_progress and not await _became_quiet(runtime, claimed):
            break
    return result


async def _became_quiet(runtime: Runtime, claimed: Claimed) -> bool:
    if not claimed.wants_quiet_look:
        return False
    return await look_for_quiet(runtime, claimed.wants_quiet_look)


async def _dial_all(runtime: Runtime, claimed: Claimed) -> list[Dialled]:
    """Dial every claim of one transaction at once; one that fails leaves its row to reconciling."""
    results = await asyncio.gather(
        *(dial(runtime, order, account=claimed.account) for order in claimed.orders), return_exceptions=True
    )
    for result in results:
        if isinstance(result, AutolynxError):
            log.error("dial.interrupted", reason=result.message)
        elif isinstance(result, BaseException):
            raise result
    return [result for result in results if isinstance(result, Dialled)]


class Refiller:
    """Refills in the background of a server: requests that come while one is claiming share the next claim.

    Claims follow one another; the dials that they lead to run side by side. Where only time makes room (a number's
    launch rate, the end of a rest, a contact that comes due) it asks again at that moment. `drain` waits for all of it.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._wanted = False
        self._claimer: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._reminder: asyncio.TimerHandle | None = None
        self._is_closing = False

    def request(self) -> None:
        """Ask for a refill as soon as possible. Returns at once."""
        if self._is_closing:
            return
        self._wanted = True
        if self._claimer is None or self._claimer.done():
            self._claimer = self._track(self._claim_while_wanted())

    async def drain(self) -> None:
        """Take no more requests and wait for what is under way."""
        self._is_closing = True
        self._remind_at(None)
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _track(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _claim_while_wanted(self) -> None:
        while self._wanted:
            self._wanted = False
            try:
                with acting_from(TICK):  # the clockwork goes on, whoever set it off
                    await self._claim()
            except AutolynxError as error:
                log.error("refill.failed", reason=error.message)
                self._remind_at(self._runtime.clock.now() + timedelta(seconds=AGAIN_AFTER_SECONDS))
                return

    async def _claim(self) -> None:
        """Claim once and let the dials go, before anybody is asked whether a line is quiet."""
        claimed = await claim(self._runtime)
        self._remind_at(claimed.changes_at)
        for order in claimed.orders:
            self._track(self._dial(order, claimed.account))
        if claimed.made_progress or await _became_quiet(self._runtime, claimed):
            self._wanted = True

    def _remind_at(self, moment: datetime | None) -> None:
        """Ask again at that moment, and at no other that was noted before: the latest claim knows best."""
        if self._reminder is not None:
            self._reminder.cancel()
        self._reminder = None
        if moment is not None and not self._is_closing:
            seconds = max(SHORTEST_WAIT_SECONDS, (moment - self._runtime.clock.now()).total_seconds())
            self._reminder = asyncio.get_running_loop().call_later(seconds, self.request)

    async def _dial(self, order: CallOrder, account: Account) -> None:
        try:
            dialled = await dial(self._runtime, order, account=account)
        except AutolynxError as error:
            log.error("dial.interrupted", call_id=str(order.call_id), reason=error.message)
            return
        if dialled.freed_line:
            self.request()
