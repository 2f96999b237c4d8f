"""Whom a refused call concerns.

The rule behind all rules: a refusal that might concern every contact must never be charged to one, or a
whole list is burnt within a minute.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from autolynx.domain.call import Outcome
from autolynx.provider.port import Refused, Scope
from autolynx.provider.wire_errors import Answer, is_unknown_route, messages_of, read_retry_after, readable


@dataclass(frozen=True, kw_only=True)
class Cause:
    """What a sentence of a refusal blames."""

    scope: Scope
    remedy: str
    outcome: Outcome = Outcome.REFUSED
    is_until_midnight: bool = False


_CONCURRENCY = Cause(scope=Scope.CONCURRENCY, remedy="Vapi has no free line for this account; dialling slows down.")
_RATE = Cause(scope=Scope.RATE, remedy="Vapi asks for fewer requests; dialling rests.")
_KEY = Cause(scope=Scope.ACCOUNT, remedy="Vapi does not accept the API key: check VAPI_API_KEY.")
_FORBIDDEN = Cause(scope=Scope.ACCOUNT, remedy="Vapi does not permit this to the API key or from this network.")
_CREDIT = Cause(scope=Scope.ACCOUNT, remedy="The Vapi account cannot call: check its credit and standing.")
_ADDRESS = Cause(scope=Scope.ACCOUNT, remedy="This is not Vapi's API: check VAPI_BASE_URL.")
_DAILY = Cause(
    scope=Scope.NUMBER,
    remedy="The phone number has used up its calls for today; it goes on after midnight UTC.",
    is_until_midnight=True,
)
_NUMBER = Cause(scope=Scope.NUMBER, remedy="The phone number cannot call now: check its state at Vapi.")
_CARRIER = Cause(
    scope=Scope.CAMPAIGN, remedy="The carrier behind the phone number refuses: check its account and keys."
)
_CALLER = Cause(scope=Scope.CAMPAIGN, remedy="The phone number of the campaign is not accepted: choose another.")
_ASSISTANT = Cause(scope=Scope.CAMPAIGN, remedy="The assistant of the campaign is not accepted: mend it at Vapi.")
_REQUEST = Cause(scope=Scope.CAMPAIGN, remedy="Vapi does not accept the call as this campaign asks for it.")
_BAD_NUMBER = Cause(scope=Scope.CONTACT, remedy="The contact's phone number is not valid.", outcome=Outcome.BAD_NUMBER)
_UNREACHABLE = Cause(scope=Scope.CONTACT, remedy="This phone number cannot be called from ours.")
_CONTACT = Cause(scope=Scope.CONTACT, remedy="Vapi does not accept this contact's data.")

# One sentence is read from top to bottom; the first rule that fits decides.
_RULES: tuple[tuple[str, Cause], ...] = (
    (r"concurrency", _CONCURRENCY),
    (r"too many requests|rate limit", _RATE),
    (r"daily.*limit|limit.*per day", _DAILY),
    (r"should not exist|externalid", _REQUEST),
    (r"^(assistantoverrides|serverurl|server)\b", _REQUEST),
    (r"^customer\.(number|sipuri)\b", _BAD_NUMBER),
    (r"^customer\.(name|extension|email)\b", _CONTACT),
    (r"trial account|unverified|not yet verified", _CARRIER),
    (r"\bauthenticat|twilio.*(suspended|not active|closed)", _CARRIER),
    (r"international|geo.?permission|not (authorized|allowed) to call|forbidden phone number", _UNREACHABLE),
    (r"credit|balance|wallet|frozen|fraud|payment|billing|subscription|suspended|deactivated", _CREDIT),
    (r"account.*(not active|closed)|(spend|minute|usage).*(limit|\bcap\b)", _CREDIT),
    (r"'to'|attempting to call|callee|recipient|destination", _BAD_NUMBER),
    (r"('from'|\bfrom\b|source|caller id).*number", _CALLER),
    (r"misdialed|unallocated|does not appear to be valid|cannot be reached", _BAD_NUMBER),
    (r"number.*(blocked|activating|not active|inactive|disabled)|(blocked|activating).*number", _NUMBER),
    (r"phone ?number", _CALLER),
    (r"assistant", _ASSISTANT),
)
_COMPILED = tuple((re.compile(pattern, re.IGNORECASE), cause) for pattern, cause in _RULES)

# Causes in the text that say more than these statuses do alone.
_SHARPER: dict[int, tuple[Cause, ...]] = {403: (_CREDIT, _DAILY, _NUMBER), 429: (_DAILY,)}

# Of several sentences in one answer the one that concerns the most decides.
_WIDEST_FIRST = (Scope.CONCURRENCY, Scope.RATE, Scope.ACCOUNT, Scope.NUMBER, Scope.CAMPAIGN, Scope.CONTACT)


def read_refusal(answer: Answer, *, now: datetime, private: Sequence[str] = ()) -> Refused:
    """Return what a 4xx or a redirect means; `private` values are kept out of the reason."""
    sentences = messages_of(answer.body)
    return refusal(sentences, _cause_of(answer, sentences), answer=answer, now=now, private=private)


def refusal(
    sentences: Sequence[str], cause: Cause, *, answer: Answer, now: datetime, private: Sequence[str]
) -> Refused:
    """Return a refusal for a cause, with what the provider said in readable words."""
    said = readable(sentences, private=private)
    reason = f"{cause.remedy} Vapi answered {answer.status}: {said}" if said else f"{cause.remedy} ({answer.status})"
    retry_at = _next_midnight(now) if cause.is_until_midnight else None
    if cause.scope in {Scope.RATE, Scope.CONCURRENCY}:
        retry_at = read_retry_after(answer.retry_after, now=now)
    return Refused(scope=cause.scope, reason=reason, outcome=cause.outcome, retry_at=retry_at)


def cause_of_sentences(sentences: Sequence[str]) -> Cause:
    """Return the widest cause that the sentences name; the campaign's request where they name none."""
    causes = [_cause_of_sentence(sentence) for sentence in sentences] or [_REQUEST]
    return min(causes, key=lambda cause: _WIDEST_FIRST.index(cause.scope))


def _cause_of(answer: Answer, sentences: Sequence[str]) -> Cause:
    by_status: dict[int, Cause] = {401: _KEY, 402: _CREDIT, 403: _FORBIDDEN, 429: _RATE}
    named = cause_of_sentences([s for s in sentences if not _is_phrase(s)] or sentences)
    if named.scope is Scope.CONCURRENCY and answer.status != 401:
        return named
    if answer.status in by_status:
        return named if named in _SHARPER.get(answer.status, ()) else by_status[answer.status]
    if answer.status < 400 or not answer.is_json or is_unknown_route(answer):
        return _ADDRESS
    return named


def _cause_of_sentence(sentence: str) -> Cause:
    return next((cause for pattern, cause in _COMPILED if pattern.search(sentence)), _REQUEST)


def _is_phrase(sentence: str) -> bool:
    """Return whether the sentence only repeats the HTTP status in words, which blames nobody."""
    return sentence.lower() in {"bad request", "not found", "unprocessable entity", "forbidden", "conflict"}


def _next_midnight(now: datetime) -> datetime:
    return datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), UTC)
