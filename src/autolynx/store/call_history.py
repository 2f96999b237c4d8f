"""What all calls so far were like, by the counters: one row each campaign, however many calls it made."""

from uuid import UUID

from autolynx.domain.call_figures import History
from autolynx.store.database import Connection, Row

_SUMS = {
    "calls": "n.ended + n.failed + n.canceled + n.timeout",
    "missed": "n.no_answer + n.busy + n.provider_error",
    "cost_usd": "n.cost_usd",
    "talks": "n.talks",
    "talk_seconds": "n.talk_seconds",
}
_IS_OWN = "FILTER (WHERE c.assistant_id = %(id)s)"
_OWN = [f"coalesce(sum({what}) {_IS_OWN}, 0) AS own_{name}" for name, what in _SUMS.items()]
_ALL = [f"coalesce(sum({what}), 0) AS all_{name}" for name, what in _SUMS.items()]


async def get_histories(conn: Connection, assistant_id: UUID | None) -> tuple[History, History]:
    """Return the history of an assistant, and that of all of them together."""
    cursor = await conn.execute(
        f"""SELECT {", ".join([*_OWN, *_ALL])} FROM campaign_counters n JOIN campaigns c ON c.id = n.campaign_id
            WHERE NOT c.is_test""",
        {"id": assistant_id},
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - sums without a group are always one row
    return _history(row, "own"), _history(row, "all")


def _history(row: Row, whose: str) -> History:
    return History(**{name: row[f"{whose}_{name}"] for name in _SUMS})
