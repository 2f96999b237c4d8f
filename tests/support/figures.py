"""The figures of analytics counted anew from the calls, one by one and in plain Python."""

from collections import defaultdict
from collections.abc import Callable, Hashable
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from autolynx.domain.analytics import Analytics, Figures, Period
from autolynx.store.database import Database
from tests.support.checks import query

ACTIVE = {"QUEUED", "RINGING", "IN_PROGRESS"}
DURATIONS = ((10, "to_10"), (30, "to_30"), (60, "to_60"), (120, "to_120"), (300, "to_300"), (600, "to_600"))
CALLS = """SELECT k.*, k.status::text AS status, c.assistant_id FROM calls k JOIN campaigns c ON c.id = k.campaign_id
    WHERE coalesce(c.options_json ->> 'testCall', '') <> 'true' AND k.outcome IS DISTINCT FROM 'not_dialled'"""


async def assert_analytics_are_a_recount(database: Database, found: Analytics, **of: Any) -> None:
    """The analytics say of each part what the calls say; `of` are columns that the counted calls have."""
    calls = await query(database, CALLS)
    calls = [call for call in calls if is_within(found.period, call) and all(call[key] == of[key] for key in of)]
    zone = ZoneInfo(found.period.timezone)

    def local(call: dict[str, Any]) -> datetime:
        claimed_at: datetime = call["claimed_at"]
        return claimed_at.astimezone(zone)

    assert found.total == recount(calls)
    assert with_calls(found.days) == by(calls, lambda call: local(call).date())
    assert with_calls(found.hours) == by(calls, lambda call: (local(call).isoweekday(), local(call).hour))
    assert {one.id: one.figures for one in found.assistants} == by(calls, lambda call: call["assistant_id"])


def is_within(period: Period, call: dict[str, Any]) -> bool:
    day = call["claimed_at"].astimezone(ZoneInfo(period.timezone)).date()
    return bool(period.first <= day <= period.last)


def with_calls(parts: Any) -> dict[Any, Figures]:
    return {key: figures for key, figures in parts.items() if figures.calls}


def by(calls: list[dict[str, Any]], key: Callable[[dict[str, Any]], Hashable]) -> dict[Hashable, Figures]:
    parts: dict[Hashable, list[dict[str, Any]]] = defaultdict(list)
    for call in calls:
        parts[key(call)].append(call)
    return {key: recount(part) for key, part in parts.items()}


def recount(calls: list[dict[str, Any]]) -> Figures:
    sums: dict[str, Any] = defaultdict(int)
    for call in calls:
        for name, value in counted(call).items():
            sums[name] += value
    return Figures(**sums)


def counted(call: dict[str, Any]) -> dict[str, Any]:
    if call["status"] in ACTIVE:
        return {"active": 1}
    outcome = call["outcome"]
    own = f"{outcome}_outcome" if outcome in {"canceled", "unsure", "unknown"} else outcome
    found = {"completed": 1, own: 1, "cost_usd": call["cost_usd"] or Decimal(0)}
    if call["success_evaluation"] is not None:
        found["success_true" if call["success_evaluation"] else "success_false"] = 1
    started_at, ended_at = call["started_at"], call["ended_at"]
    if outcome == "answered" and started_at and ended_at and ended_at >= started_at:
        seconds = round(Decimal(str((ended_at - started_at).total_seconds())), 3)
        length = next((name for most, name in DURATIONS if seconds < most), "beyond")
        found |= {"talks": 1, "talk_seconds": seconds, f"talks_{length}": 1}
    return found
