"""Virtual time: the speed factor lives here and nowhere else.

All delays in the simulator are stated in virtual seconds. One heap of due times and one loop timer carry
them, so that a change of speed also moves what is already waiting.
"""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from typing import Any, NamedTuple


class Moment(NamedTuple):
    """One instant on both clocks: seconds of play since the start, and wall time since the epoch."""

    virtual: float
    wall: float


class Clock:
    """Counts virtual seconds since start; `speed` of them pass in each real second."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._real_base = time.monotonic()
        self._virtual_base = 0.0

    @property
    def speed(self) -> float:
        """Virtual seconds per real second."""
        return self._speed

    def now(self) -> float:
        """Virtual seconds since the clock was started."""
        return self._virtual_base + (time.monotonic() - self._real_base) * self._speed

    def moment(self) -> Moment:
        """Read this instant off both clocks."""
        return Moment(self.now(), time.time())

    def set_speed(self, speed: float) -> None:
        """Change the pace from this instant on; the past keeps its length."""
        self._virtual_base, self._real_base = self.now(), time.monotonic()
        self._speed = speed

    def real_seconds(self, virtual_seconds: float) -> float:
        """How long a virtual delay takes on the wall clock."""
        return virtual_seconds / self._speed


class Timer:
    """A promise to call something at a virtual moment; `cancel` takes it back."""

    __slots__ = ("_action",)

    def __init__(self, action: Callable[[], Any]) -> None:
        self._action: Callable[[], Any] | None = action

    def cancel(self) -> None:
        """Make sure that the action is never called (a fired timer does not mind)."""
        self._action = None

    def fire(self) -> None:
        """Call the action, once."""
        action, self._action = self._action, None
        if action is not None:
            action()

    @property
    def is_live(self) -> bool:
        """Whether the action is still to come."""
        return self._action is not None


class Timers:
    """The agenda of the whole simulator, in virtual time."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._agenda: list[tuple[float, int, Timer]] = []
        self._tie_breaker = itertools.count()
        self._wake: asyncio.TimerHandle | None = None
        self._sleepers: set[asyncio.Future[None]] = set()

    def after(self, virtual_seconds: float, action: Callable[[], Any]) -> Timer:
        """Call `action` when that many virtual seconds have passed."""
        timer = Timer(action)
        due = self.clock.now() + max(0.0, virtual_seconds)
        heapq.heappush(self._agenda, (due, next(self._tie_breaker), timer))
        if self._agenda[0][2] is timer:
            self._arm()
        return timer

    async def sleep(self, virtual_seconds: float) -> None:
        """Wait in virtual time (nothing at all for zero or less)."""
        if virtual_seconds <= 0:
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.add(woken)
        timer = self.after(virtual_seconds, lambda: _wake(woken))
        try:
            await woken
        finally:
            timer.cancel()
            self._sleepers.discard(woken)

    def set_speed(self, speed: float) -> None:
        """Change the pace, also of what is already waiting."""
        self.clock.set_speed(speed)
        self._arm()

    def close(self) -> None:
        """Forget everything that was going to happen, and let nobody sleep for ever because of it."""
        self._agenda.clear()
        self._arm()
        for sleeper in self._sleepers:
            _wake(sleeper)

    def _arm(self) -> None:
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        if self._agenda:
            delay = self.clock.real_seconds(self._agenda[0][0] - self.clock.now())
            self._wake = asyncio.get_running_loop().call_later(max(0.0, delay), self._ring)

    def _ring(self) -> None:
        """Fire what is due; an action that fails must not silence the ones after it."""
        self._wake = None
        now = self.clock.now()
        try:
            while self._agenda and self._agenda[0][0] <= now:
                heapq.heappop(self._agenda)[2].fire()
        finally:
            self._arm()


def _wake(sleeper: asyncio.Future[None]) -> None:
    if not sleeper.done():
        sleeper.set_result(None)
