"""How many: lines at once, requests per minute, dials per day."""

import time
from collections import Counter, deque
from datetime import UTC, datetime

from vapisim.calls import Call
from vapisim.clock import Clock


class Lines:
    """The account's concurrent lines. A line is held from admission to the end of the call."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held: set[str] = set()
        self.waiting: deque[Call] = deque()
        self.occupied_by_others = 0

    @property
    def free(self) -> int:
        """Lines that nobody holds; never less than none."""
        return max(0, self.limit - len(self.held) - self.occupied_by_others)

    def take(self, call_id: str) -> None:
        """Hold a line for a call."""
        self.held.add(call_id)

    def release(self, call_id: str) -> None:
        """Give a line back; doing it twice changes nothing."""
        self.held.discard(call_id)

    def next_waiting(self) -> Call | None:
        """Take the call that has waited longest, if there is now a line for it."""
        while self.waiting and self.free > 0:
            call = self.waiting.popleft()
            if not call.is_over:
                return call
        return None

    def hints(self, *, is_blocked: bool = False) -> dict[str, object]:
        """Say what the service tells about its limit: a hint for pacing, never the truth."""
        return {
            "concurrencyBlocked": is_blocked,
            "concurrencyLimit": self.limit,
            "remainingConcurrentCalls": -1 if is_blocked else self.free,
        }


class RequestRate:
    """Requests per UTC minute, all routes together; the minute shrinks with the speed of the play."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._minute = -1
        self._used = 0

    def admits(self, limit_per_minute: int) -> bool:
        """Count one request; False when the minute is used up (0 is no limit)."""
        minute = int(time.time() * self._clock.speed // 60)
        if minute != self._minute:
            self._minute, self._used = minute, 0
        self._used += 1
        return limit_per_minute == 0 or self._used <= limit_per_minute

    def seconds_to_next_minute(self) -> int:
        """Virtual seconds until the count starts anew, rounded up."""
        return 60 - int(time.time() * self._clock.speed % 60)


class DailyDials:
    """Dials per phone number and UTC day (of the wall clock)."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def today(self, phone_number_id: str) -> int:
        """How often this number has dialled today."""
        return self._counts[phone_number_id, _utc_day()]

    def count(self, phone_number_id: str) -> None:
        """One more dial from this number."""
        self._counts[phone_number_id, _utc_day()] += 1


def _utc_day() -> str:
    return datetime.now(UTC).date().isoformat()
