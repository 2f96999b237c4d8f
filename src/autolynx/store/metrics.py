"""The figures that monitoring reads, all from one statement."""

from dataclasses import dataclass
from datetime import datetime

from autolynx.store.database import Connection


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """A snapshot of the installation."""

    lines_held: int
    unsure: int
    campaigns: dict[str, int]  # by status
    incidents: dict[str, int]  # by kind, ever since
    inbox: dict[str, int]  # bodies that wait or were given up, by state
    provider_failures: int  # in a row
    is_held: bool
    is_in_trouble: bool
    last_tick_at: datetime | None


async def get(conn: Connection) -> Metrics:
    """Return the figures as they are now."""
    cursor = await conn.execute(
        """SELECT
               (SELECT count(*) FROM calls WHERE holds_line) AS lines_held,
               (SELECT coalesce(sum(unsure), 0) FROM campaign_counters) AS unsure,
               (SELECT coalesce(jsonb_object_agg(status, n), '{}') FROM
                   (SELECT status, count(*) AS n FROM campaigns WHERE deleted_at IS NULL GROUP BY status) s
               ) AS campaigns,
               (SELECT coalesce(jsonb_object_agg(kind, n), '{}') FROM
                   (SELECT kind, count(*) AS n FROM incidents GROUP BY kind) i) AS incidents,
               (SELECT coalesce(jsonb_object_agg(state, n), '{}') FROM
                   (SELECT state, count(*) AS n FROM webhook_inbox WHERE state IN ('received', 'parked', 'dead')
                    GROUP BY state) w) AS inbox,
               failures AS provider_failures, held_at IS NOT NULL AS is_held, trouble IS NOT NULL AS is_in_trouble,
               last_tick_at
           FROM gate WHERE id = 1"""
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - the gate's row is always there
    return Metrics(**row)
