"""What the history of a call has to tell: a line for whatever changed, and nothing secret."""

from dataclasses import fields
from operator import attrgetter
from typing import Any

from autolynx.domain.advance import Advance
from autolynx.domain.call import Call, CallNews
from autolynx.store.inbox import Delivery
from autolynx.store.settling import Event

_TIMERS = {"next_check_at", "checks", "last_status_at", "missing_since"}
_without_timers = attrgetter(*(field.name for field in fields(Call) if field.name not in _TIMERS))


def event_of(before: Call, step: Advance, news: CallNews, *, delivery: Delivery | None) -> Event | None:
    """Return what to tell of the news that made `step` of a call; None where nothing is worth telling."""
    if not _is_worth_an_event(before, step, news):
        return None
    return Event(
        campaign_id=before.campaign_id,
        call_id=before.id,
        status=step.call.status,
        source=news.source,
        payload=_payload(news, step.call),
        delivery=delivery,
    )


def _is_worth_an_event(before: Call, step: Advance, news: CallNews) -> bool:
    """Keep history for what changed, for a second id, and for a reason that contradicts the one we kept."""
    is_changed = _without_timers(before) != _without_timers(step.call)
    reason = news.facts.ended_reason
    return is_changed or step.is_second_id or (reason is not None and reason != step.call.facts.ended_reason)


def _payload(news: CallNews, after: Call) -> dict[str, Any]:
    """Return the event's own words: no name, no phone number, nothing secret."""
    said = "ended" if news.is_over else (news.status or news.kind)
    values = {
        "said": said,
        "kind": news.kind,
        "outcome": after.outcome,
        "endedReason": news.facts.ended_reason,
        "costUsd": str(news.facts.cost_usd) if news.facts.cost_usd is not None else None,
        "providerCallId": news.provider_call_id,
        "reason": news.reason,
    }
    return {name: value for name, value in values.items() if value is not None}
