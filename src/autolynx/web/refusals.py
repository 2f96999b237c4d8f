"""Counts what was refused for want of a secret: a flood costs one audit row per address and minute, then nothing."""

from dataclasses import dataclass, field
from datetime import datetime

MOST_WEBHOOKS_PER_MINUTE = 1000
MOST_TICKETS_PER_MINUTE = 30
MOST_ADDRESSES = 10_000


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """One refused request. `to_write`: how many the audit row stands for; None where one stands already.

    `is_flood`: this address was refused more often in this minute than is answered with care.
    """

    minute: datetime
    to_write: int | None
    is_flood: bool


@dataclass(kw_only=True)
class _Tally:
    minute: datetime
    count: int = 0
    unwritten: int = 0


@dataclass(kw_only=True)
class Refusals:
    """The tallies of this process, by address."""

    most_per_minute: int
    _tallies: dict[str, _Tally] = field(default_factory=dict)

    def note(self, address: str, now: datetime) -> Refusal:
        """Count one refused request. What came after a row was written is counted by the address's next row."""
        minute = now.replace(second=0, microsecond=0)
        tally = self._tallies.get(address)
        if tally is None:
            self._make_room(minute)
            tally = self._tallies[address] = _Tally(minute=minute)
        is_first = tally.count == 0 or tally.minute != minute
        if is_first:
            tally.minute, tally.count = minute, 0
        tally.count += 1
        tally.unwritten += 1
        to_write = tally.unwritten if is_first else None
        if is_first:
            tally.unwritten = 0
        return Refusal(minute=minute, to_write=to_write, is_flood=tally.count > self.most_per_minute)

    def _make_room(self, minute: datetime) -> None:
        if len(self._tallies) >= MOST_ADDRESSES:
            self._tallies = {key: tally for key, tally in self._tallies.items() if tally.minute == minute}
        if len(self._tallies) >= MOST_ADDRESSES:
            self._tallies.clear()
