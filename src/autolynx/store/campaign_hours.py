"""When a campaign called: its calls that are over, hour by hour or day by day, from the figures kept by quarters."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from autolynx.store.database import Connection

STRIDES = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=6), timedelta(days=1), timedelta(days=7))
MOST_BARS = 48
GROUPS: Mapping[str, str] = {
    "answered": "answered",
    "voicemail": "voicemail",
    "missed": "no_answer + busy + silence",
    "failed": "bad_number + refused + provider_error + config_error + canceled_outcome + unsure_outcome"
    " + unknown_outcome",
}
_SUMS = ", ".join(f"sum({column})::bigint AS {name}" for name, column in GROUPS.items())


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A stretch of time and how many calls of it went how; released claims and live calls are left out."""

    begins_at: datetime
    answered: int
    voicemail: int
    missed: int
    failed: int

    @property
    def calls(self) -> int:
        """All of them."""
        return self.answered + self.voicemail + self.missed + self.failed


async def list_stretches(conn: Connection, campaign_id: UUID) -> tuple[timedelta, list[Stretch]]:
    """Return how long a stretch is, and those with calls, in their order: few enough to be drawn side by side."""
    span = await (
        await conn.execute(
            "SELECT min(begins_at) AS first, max(begins_at) AS last FROM call_figures WHERE campaign_id = %s",
            [campaign_id],
        )
    ).fetchone()
    if span is None or span["first"] is None:
        return STRIDES[0], []
    whole = span["last"] - span["first"]
    stride = next((one for one in STRIDES if whole < MOST_BARS * one), STRIDES[-1])
    cursor = await conn.execute(
        f"""SELECT date_bin(%(stride)s, begins_at, '2024-01-01T00:00:00Z') AS begins_at, {_SUMS}
            FROM call_figures WHERE campaign_id = %(id)s GROUP BY 1 ORDER BY 1 DESC LIMIT %(most)s""",
        {"stride": stride, "id": campaign_id, "most": 2 * MOST_BARS},
    )
    return stride, [Stretch(**row) for row in reversed(await cursor.fetchall())]
