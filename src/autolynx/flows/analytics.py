"""Analytics: which days are meant, and their figures. Everything that shows them asks here."""

from dataclasses import dataclass, field
from datetime import date

from autolynx.domain.analytics import Analytics, Period, check_timezone, choose_period, unknown_timezone
from autolynx.runtime import Runtime
from autolynx.store import analytics
from autolynx.store.analytics import CallFilter
from autolynx.store.database import Connection


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be shown: days of a time zone (unless told otherwise the 30 that end today) and which calls."""

    first: date | None = None
    last: date | None = None
    timezone: str = "UTC"
    chosen: CallFilter = field(default_factory=CallFilter)


async def read_analytics(runtime: Runtime, wanted: Wanted) -> Analytics:
    """Return the figures. Raises ValidationProblem for impossible days, NotFound for who never was."""
    check_timezone(wanted.timezone)
    async with runtime.database.connection() as conn:
        period = await _period(runtime, conn, wanted)
        await analytics.check_filter(conn, wanted.chosen)
        return await analytics.get_analytics(conn, period, wanted.chosen)


async def _period(runtime: Runtime, conn: Connection, wanted: Wanted) -> Period:
    today = await analytics.find_today(conn, wanted.timezone, now=runtime.clock.now())
    if today is None:
        raise unknown_timezone()
    return choose_period(wanted.first, wanted.last, today=today, timezone=wanted.timezone)
