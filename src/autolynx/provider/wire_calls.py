"""Reading call objects: the answer to a dial, to a look by id and to a list."""

from typing import Any

from autolynx.domain.call import CallNews, CallStatus, NewsKind, Source
from autolynx.domain.ended_reason import normalise_reason
from autolynx.provider.port import SeenCall
from autolynx.provider.wire_facts import read_facts, read_our_call_id
from autolynx.provider.wire_values import Object, as_moment, as_object, as_word, at

_LIVE = {
    "scheduled": CallStatus.QUEUED,
    "queued": CallStatus.QUEUED,
    "ringing": CallStatus.RINGING,
    "in-progress": CallStatus.IN_PROGRESS,
    "forwarding": CallStatus.IN_PROGRESS,
}
_OVER = "ended"
_GONE = frozenset({"not-found", "deletion-failed"})  # the record, not the call: they hold no line, and say no more


def live_status(word: str | None) -> CallStatus | None:
    """Return our status for the provider's live word; None for its terminal word and any other."""
    return _LIVE.get(normalise_reason(word or ""))


def is_terminal(word: str | None) -> bool:
    """Return whether this is the provider's word for a call that is over."""
    return normalise_reason(word or "") == _OVER


def read_call(value: Any, source: Source) -> SeenCall | None:
    """Return a call object as a call that was seen; None where it bears no id."""
    call = as_object(value)
    provider_call_id = as_word(call.get("id"))
    if provider_call_id is None:
        return None
    word = as_word(call.get("status"))
    is_over = is_terminal(word) or (live_status(word) is None and _bears_an_end(call))
    return SeenCall(
        provider_call_id=provider_call_id,
        our_call_id=read_our_call_id([call]),
        is_active=not is_over and normalise_reason(word or "") not in _GONE,
        created_at=as_moment(call.get("createdAt")),
        updated_at=as_moment(call.get("updatedAt")),
        phone_number_id=as_word(call.get("phoneNumberId")),
        news=CallNews(
            kind=NewsKind.PROVIDER,
            source=source,
            provider_call_id=provider_call_id,
            status=None if is_over else live_status(word),
            is_over=is_over,
            is_blocked=at(call, "subscriptionLimits", "concurrencyBlocked") is True,
            facts=read_facts([call], is_over=is_over),
        ),
    )


def _bears_an_end(call: Object) -> bool:
    """Return whether a call of no known status tells that it ended."""
    return as_word(call.get("endedReason")) is not None or as_moment(call.get("endedAt")) is not None
