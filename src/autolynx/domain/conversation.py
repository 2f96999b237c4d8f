"""What was said in a call, turn by turn, from a kept transcript of any shape.

Transcripts were kept as they came over the years: one text with labels, a list of messages under several names, an
object that holds either. Nothing here raises, whatever JSON it is given: what cannot be read is left out.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Speaker(StrEnum):
    """Who speaks. `TOOL` is a program that the assistant used; `NOTE` is text without a speaker."""

    ASSISTANT = "assistant"
    CONTACT = "contact"
    TOOL = "tool"
    NOTE = "note"


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One utterance; `seconds` from the start of the call, where that is known."""

    speaker: Speaker
    text: str = field(repr=False)
    seconds: float | None = None


MOST_TURNS = 2000
_DEEPEST = 4
_SPEAKERS = {
    **dict.fromkeys(("assistant", "bot", "ai", "agent", "model"), Speaker.ASSISTANT),
    **dict.fromkeys(("user", "customer", "caller", "human", "contact", "callee"), Speaker.CONTACT),
    **dict.fromkeys(("tool", "tool_calls", "tool-calls", "tool_call_result", "function"), Speaker.TOOL),
}
_PROMPTS = frozenset({"system", "developer"})
_WORDS = ("message", "content", "text", "transcript")
_LISTS = ("messages", "turns", "transcript", "transcripts", "conversation", "utterances", "entries", "segments")
_SECONDS = ("secondsFromStart", "seconds", "start", "startTime", "start_time", "offset")
_LABEL = re.compile(
    r"^[ \t]*(?P<who>AI|Assistant|Bot|Agent|User|Customer|Caller|Human)[ \t]*:[ \t]*", re.MULTILINE | re.IGNORECASE
)


def turns_of(transcript: Any) -> list[Turn]:
    """Return the turns of a kept transcript, in its order; nothing where nothing was said."""
    turns: list[Turn] = []
    for turn in _turns(transcript, 0):
        if len(turns) == MOST_TURNS:
            break
        turns.append(turn)
    return turns


def _turns(value: Any, depth: int) -> Iterator[Turn]:
    if depth > _DEEPEST:
        return
    if isinstance(value, str):
        yield from _of_text(value)
    elif isinstance(value, list):
        for item in value:
            yield from _of_item(item, depth)
    elif isinstance(value, dict):
        yield from _of_object(value, depth)


def _of_object(value: dict[Any, Any], depth: int) -> Iterator[Turn]:
    """An object is an utterance, or holds a list of them, or one text; the first that tells anything counts."""
    if _speaker(value) is not None:
        yield from _of_item(value, depth)
        return
    lists = [value[key] for key in _LISTS if isinstance(value.get(key), list | dict)]
    texts = [value[key] for key in ("text", "transcript", "content", "message") if isinstance(value.get(key), str)]
    for inner in (*lists, *texts):
        found = list(_turns(inner, depth + 1))
        if found:
            yield from found
            return


def _of_item(item: Any, depth: int) -> Iterator[Turn]:
    if isinstance(item, str):
        yield from _of_text(item)
        return
    if not isinstance(item, dict) or _role(item) in _PROMPTS:
        return
    speaker = _speaker(item) or Speaker.NOTE
    words = next((text for key in _WORDS if (text := _text(item.get(key), depth))), "")
    if speaker is Speaker.TOOL:
        words = _text(item.get("name"), depth) or words
    if words or speaker is Speaker.TOOL:
        yield Turn(speaker=speaker, text=words, seconds=_seconds(item))


def _role(item: dict[Any, Any]) -> str:
    told = next((item[key] for key in ("role", "speaker", "sender") if isinstance(item.get(key), str)), "")
    return told.strip().lower()


def _speaker(item: dict[Any, Any]) -> Speaker | None:
    return _SPEAKERS.get(_role(item))


def _text(value: Any, depth: int) -> str:
    """Return words; a language model's message may hold them in a list of parts."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list) and depth <= _DEEPEST:
        parts = [part.get("text") if isinstance(part, dict) else part for part in value]
        return " ".join(part.strip() for part in parts if isinstance(part, str) and part.strip())
    return ""


def _seconds(item: dict[Any, Any]) -> float | None:
    for key in _SECONDS:
        value = item.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e6 and math.isfinite(value):
            return round(float(value), 3)
    return None


def _of_text(text: str) -> Iterator[Turn]:
    """Split lines such as `AI: ...` and `User: ...`; text in front of the first label is a note."""
    marks = list(_LABEL.finditer(text))
    if opening := text[: marks[0].start() if marks else len(text)].strip():
        yield Turn(speaker=Speaker.NOTE, text=opening)
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    for mark, end in zip(marks, ends, strict=False):
        if words := text[mark.end() : end].strip():
            yield Turn(speaker=_SPEAKERS[mark["who"].lower()], text=words)
