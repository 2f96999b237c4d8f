"""The badge of a phone line: how many calls the provider reports on it. It never gates anything."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from autolynx.errors import ProviderError
from autolynx.flows.quiet import count_active
from autolynx.log import log
from autolynx.runtime import Runtime

FRESH_SECONDS = 60.0
MOST_LINES = 500
PROVIDER = "vapi"


class LineStatus(StrEnum):
    """What the badge says."""

    HEALTHY = "healthy"  # nobody is on the line
    BUSY = "busy"
    ERROR = "error"  # the provider could not be asked, or its account has no such number


@dataclass(frozen=True, kw_only=True)
class PhoneLine:
    """A look at one line; `active_calls` is None where the provider could not tell."""

    phone_number_id: str
    active_calls: int | None
    last_checked: datetime
    status: LineStatus
    provider: str = PROVIDER


class PhoneLines:
    """Looks at lines, each at most once a minute in this process."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._seen: OrderedDict[str, PhoneLine] = OrderedDict()
        self._asking = asyncio.Lock()

    async def look(self, phone_number_id: str) -> PhoneLine:
        """Return what was seen within the last minute, or look now."""
        async with self._asking:
            seen = self._seen.get(phone_number_id)
            if seen is None or not self.is_fresh(seen):
                seen = await self._ask(phone_number_id)
                self._seen[phone_number_id] = seen
            self._seen.move_to_end(phone_number_id)
            while len(self._seen) > MOST_LINES:
                self._seen.popitem(last=False)
            return seen

    def last_look(self, phone_number_id: str) -> PhoneLine | None:
        """Return what was seen last, however long ago; None where nobody has looked yet."""
        return self._seen.get(phone_number_id)

    def is_fresh(self, seen: PhoneLine) -> bool:
        """Whether a look is young enough not to be repeated."""
        age = self._runtime.clock.now() - seen.last_checked
        return age < timedelta(seconds=self._runtime.settings.scaled(FRESH_SECONDS))

    async def _ask(self, phone_number_id: str) -> PhoneLine:
        now = self._runtime.clock.now()
        try:
            active = await self._count(phone_number_id)
        except ProviderError as error:
            log.warning("phone_line.unknown", reason=error.message)
            active = None
        return PhoneLine(
            phone_number_id=phone_number_id, active_calls=active, last_checked=now, status=_status_of(active)
        )

    async def _count(self, phone_number_id: str) -> int | None:
        """Count active calls; None for a number that the account does not have: a list of its calls is empty too."""
        known = await self._runtime.provider.list_phone_numbers()
        if phone_number_id not in {number.phone_number_id for number in known}:
            return None
        return await count_active(self._runtime, phone_number_id)


def _status_of(active: int | None) -> LineStatus:
    if active is None:
        return LineStatus.ERROR
    return LineStatus.BUSY if active else LineStatus.HEALTHY
