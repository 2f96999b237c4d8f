"""The history of a call in words: one short sentence for each of its events."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from autolynx.domain.call import CallStatus, NewsKind, Source
from autolynx.domain.ended_words import ended_in_words

SOURCE_WORDS: dict[str, str] = {
    Source.DIAL: "answer to our request",
    Source.WEBHOOK: "message of the provider",
    Source.POLL: "we asked the provider",
    Source.SWEEP: "we asked the provider",
    Source.TICK: "our own clock",
    Source.OPERATOR: "a person",
}
_SAYS: dict[str, str] = {
    CallStatus.QUEUED: "The provider says it has the call.",
    CallStatus.RINGING: "The provider says it rings.",
    CallStatus.IN_PROGRESS: "The provider says somebody is on the line.",
}
_DECISIONS: dict[str, str] = {
    NewsKind.RELEASED: "Certainly not dialled: the line went back.",
    NewsKind.LAPSED: "Never sent: the line went back.",
    NewsKind.REFUSED: "The provider refused the call.",
    NewsKind.MISSING: "We asked, and the provider knows of no such call.",
    NewsKind.UNSURE: "Nobody can say whether it was dialled: a person has to decide.",
    NewsKind.TIMED_OUT: "Silent for too long: we gave it up.",
    NewsKind.CANCEL_REQUESTED: "A person stopped it.",
}
_TERMINAL = frozenset(status for status in CallStatus if not status.is_active)


def event_in_words(status: str, source: str, payload: Mapping[str, Any]) -> str:
    """Return what an event says. Whatever an old or odd row holds, it is a sentence."""
    said, kind = _word(payload.get("said")), _word(payload.get("kind"))
    if said == "ended":
        sentence = _end(payload)
    elif said in _SAYS and kind in {"", NewsKind.PROVIDER}:
        sentence = _dialled(source) if said == CallStatus.QUEUED else _SAYS[said]
    else:
        sentence = _DECISIONS.get(kind or said, "The provider told more about the call.")
    reason = payload.get("reason")
    if isinstance(reason, str) and reason.strip() and kind != NewsKind.PROVIDER:
        sentence += f" {_ended_by_a_stop(reason.strip())}"
    return sentence + _late(said, status)


def _word(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _dialled(source: str) -> str:
    return "The provider accepted the call." if source == Source.DIAL else _SAYS[CallStatus.QUEUED]


def _end(payload: Mapping[str, Any]) -> str:
    reason = payload.get("endedReason")
    why = ended_in_words(reason) if isinstance(reason, str) else None
    cost = _cost(payload.get("costUsd"))
    sentence = f"The provider says it is over: {_lowered(why)}" if why else "The provider says it is over."
    return f"{sentence} It cost {cost}." if cost else sentence


def _lowered(sentence: str) -> str:
    """Go on in lower case, unless the sentence is a raw word of the provider."""
    return _ended_by_a_stop(sentence[:1].lower() + sentence[1:])


def _ended_by_a_stop(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


def _cost(value: Any) -> str | None:
    try:
        amount = Decimal(value) if isinstance(value, str) else None
    except InvalidOperation:
        return None
    return f"${amount:.4f}" if amount is not None and amount.is_finite() and amount > 0 else None


def _late(said: str, status: str) -> str:
    """A live word that came after the end changed nothing but facts."""
    return " We had closed the call already." if said in _SAYS and status in _TERMINAL else ""
