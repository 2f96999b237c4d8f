"""What an error answer of the provider says, in words for a person: no secrets, names or phone numbers."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from autolynx.provider.wire_values import as_object, as_text, clean

_LONGEST_TEXT = 300
_LONGEST_REST_SECONDS = 86_400  # a day: no answer may send us to sleep for longer
_PHONE = re.compile(r"(?<![\w-])\+?\(?\d[\d\s().-]{5,}\d(?![\w-])")
_EMAIL = re.compile(r"\S+@\S+\.\S+")
_TOKEN = re.compile(r"(?<![\w-])(?![0-9a-fA-F]{8}-)[\w-]{32,}(?![\w-])")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An HTTP answer after reading: `body` is its JSON, None where it had none (an error page, cut off)."""

    status: int
    body: Any
    is_json: bool
    retry_after: str | None = None

    @property
    def is_success(self) -> bool:
        """Whether the status is a 2xx."""
        return 200 <= self.status < 300


def read_answer(status: int, content: bytes, retry_after: str | None) -> Answer:
    """Return the answer with its body parsed, as far as it can be."""
    try:
        return Answer(status=status, body=json.loads(content), is_json=True, retry_after=retry_after)
    except (ValueError, RecursionError):
        return Answer(status=status, body=None, is_json=False, retry_after=retry_after)


def is_unknown_route(answer: Answer) -> bool:
    """Return whether a 404 is about the route itself: then nothing is known about what was asked for."""
    return any(re.match(r"Cannot [A-Z]+ /", text) for text in messages_of(answer.body))


def messages_of(body: Any) -> list[str]:
    """Return the sentences of an error body: those of `message` (a string or a list) and of `error`."""
    error = as_object(body)
    found = _texts(error.get("message")) or _texts(as_object(error.get("error")).get("message"))
    return found + [text for text in _texts(error.get("error")) if text not in found]


def _texts(value: Any) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return [text.strip() for item in items if (text := as_text(item))]


def readable(sentences: Iterable[str], *, private: Iterable[str] = ()) -> str:
    """Return the sentences as one text of at most 300 characters, without phone numbers and tokens.

    `private` are values that are known to be nobody's business: they are taken out wherever they stand.
    """
    text = " ".join(clean("; ".join(sentences)).split())
    for value in sorted((value for value in private if len(value) > 2), key=len, reverse=True):
        text = re.sub(re.escape(value), "[…]", text, flags=re.IGNORECASE)
    for pattern, shown in ((_EMAIL, "[address]"), (_PHONE, "[number]"), (_TOKEN, "[…]")):
        text = pattern.sub(shown, text)
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"


def read_retry_after(header: str | None, *, now: datetime) -> datetime | None:
    """Return when the provider says to come back, from seconds or an HTTP date; at most a day from now."""
    if header is None:
        return None
    moment = _after_seconds(header, now) or _at_date(header)
    if moment is None:
        return None
    return min(max(moment, now), now + timedelta(seconds=_LONGEST_REST_SECONDS))


def _after_seconds(header: str, now: datetime) -> datetime | None:
    try:
        seconds = float(header)
    except ValueError:
        return None
    if not seconds >= 0:
        return None
    return now + timedelta(seconds=min(seconds, _LONGEST_REST_SECONDS))


def _at_date(header: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
