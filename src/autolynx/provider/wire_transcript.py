"""What was said: the transcript of a call in one shape, whatever shape it came in."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from autolynx.provider.wire_values import Object, as_number, as_text, as_word, at, first, objects

_ROLES = {
    "assistant": "assistant",
    "bot": "assistant",
    "ai": "assistant",
    "agent": "assistant",
    "user": "user",
    "customer": "user",
    "caller": "user",
    "human": "user",
    "tool": "tool",
    "tool_calls": "tool",
    "tool_call_result": "tool",
    "function": "tool",
}
_SPEAKER = re.compile(
    r"^(?P<role>AI|Assistant|Bot|Agent|User|Customer|Caller|Human):[ \t]*", re.MULTILINE | re.IGNORECASE
)
_LABELS = {"assistant": "AI", "user": "User"}

Transcript = dict[str, Any]


def read_transcript(holders: Sequence[Object]) -> Transcript | None:
    """Return `{"text", "messages"}` from the first places with content, None if nothing was said.

    `messages` are `{"role": "assistant"|"user"|"tool", "message", "secondsFromStart"?}`. Prompts are left
    out, and of tools only the name is kept: their results hold other people's data. Where only one of text
    and messages came, the other is made from it.
    """
    text = first(text for text in map(as_text, _texts(holders)))
    messages = next((found for found in map(_messages, _lists(holders)) if _has_speech(found)), [])
    if not text and not messages:
        return None
    return {"text": text or _as_lines(messages), "messages": messages or _from_lines(text or "")}


def transcript_rank(transcript: Transcript | None) -> str:
    """Return a key whose greatest value marks the transcript to keep: the longest; '' for none."""
    if transcript is None:
        return ""
    canonical = orjson.dumps(transcript, option=orjson.OPT_SORT_KEYS)
    return f"{len(canonical.decode()):09d}:{hashlib.sha256(canonical).hexdigest()}"


def _texts(holders: Sequence[Object]) -> Iterator[Any]:
    for holder in holders:
        yield at(holder, "artifact", "transcript")
        yield holder.get("transcript")


def _lists(holders: Sequence[Object]) -> Iterator[Any]:
    for holder in holders:
        yield at(holder, "artifact", "messages")
        yield holder.get("messages")
        yield at(holder, "artifact", "transcript")
        yield holder.get("transcript")


def _messages(value: Any) -> list[dict[str, Any]]:
    return [line for item in objects(value) if (line := _line(item))]


def _has_speech(messages: Sequence[dict[str, Any]]) -> bool:
    return any(message["role"] in _LABELS for message in messages)


def _line(item: Object) -> dict[str, Any] | None:
    role = _ROLES.get((as_word(item.get("role")) or "").lower())
    if role is None:
        return None
    keys = ("name",) if role == "tool" else ("message", "content", "text")
    words = first(as_text(item[key]) for key in keys if key in item)
    if words is None and role != "tool":
        return None
    line = {"role": role, "message": words or ""}
    seconds = as_number(item.get("secondsFromStart"))
    return line if seconds is None else {**line, "secondsFromStart": seconds}


def _as_lines(messages: Sequence[dict[str, Any]]) -> str:
    return "".join(f"{_LABELS[m['role']]}: {m['message']}\n" for m in messages if m["role"] in _LABELS)


def _from_lines(text: str) -> list[dict[str, Any]]:
    """Split `AI: ... User: ...` lines; text without any label stays whole and makes no messages."""
    marks = list(_SPEAKER.finditer(text))
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    turns = [(mark["role"].lower(), text[mark.end() : end].strip()) for mark, end in zip(marks, ends, strict=False)]
    return [{"role": _ROLES[role], "message": words} for role, words in turns if words]
