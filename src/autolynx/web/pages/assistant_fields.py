"""The fields of an assistant's form: where each stands in the configuration, and how it is shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from autolynx.domain.assistant import value_at

OFF = "off"


class Kind(StrEnum):
    """How a field is typed."""

    WORD = "word"  # one line, spaces around it mean nothing
    TEXT = "text"
    NUMBER = "number"
    LINES = "lines"  # a list, one line each
    SWITCH = "switch"
    PROMPT = "prompt"  # the first system message of a list of messages


@dataclass(frozen=True, kw_only=True)
class Field:
    """A field of the form and where its value stands in the configuration."""

    name: str
    place: str
    kind: Kind


FIELDS = (
    Field(name="model_provider", place="model.provider", kind=Kind.WORD),
    Field(name="model_name", place="model.model", kind=Kind.WORD),
    Field(name="temperature", place="model.temperature", kind=Kind.NUMBER),
    Field(name="voice_provider", place="voice.provider", kind=Kind.WORD),
    Field(name="voice_id", place="voice.voiceId", kind=Kind.WORD),
    Field(name="first_message", place="firstMessage", kind=Kind.TEXT),
    Field(name="system_prompt", place="model.messages", kind=Kind.PROMPT),
    Field(name="voicemail_message", place="voicemailMessage", kind=Kind.TEXT),
    Field(name="end_call_message", place="endCallMessage", kind=Kind.TEXT),
    Field(name="end_call_phrases", place="endCallPhrases", kind=Kind.LINES),
    Field(name="max_duration", place="maxDurationSeconds", kind=Kind.NUMBER),
    Field(name="silence_timeout", place="silenceTimeoutSeconds", kind=Kind.NUMBER),
    Field(name="recording", place="artifactPlan.recordingEnabled", kind=Kind.SWITCH),
    Field(name="success_rubric", place="analysisPlan.successEvaluationPlan.rubric", kind=Kind.WORD),
    Field(name="success_prompt", place="analysisPlan.successEvaluationPlan.messages", kind=Kind.PROMPT),
)
# The fields as they follow each other on the page.
ORDER = (
    "name first_message system_prompt model_provider model_name temperature voice_provider voice_id "
    "voicemail_detection voicemail_message max_duration silence_timeout end_call_message end_call_phrases "
    "success_rubric success_prompt advanced"
).split()
VOICEMAIL = "voicemailDetection"  # a word, or an object whose provider is a word: a field of its own


def written(one: Field, config: Mapping[str, Any]) -> str:
    """Return a value as it stands in its field."""
    value = value_at(config, one.place)
    if one.kind is Kind.PROMPT:
        found = prompt_at(value)
        return value[found]["content"] if found is not None else ""
    if one.kind is Kind.SWITCH:
        return "" if value is False else "on"
    if not fits(one.kind, value):
        return ""
    match one.kind:
        case Kind.LINES:
            return "\n".join(value)
        case Kind.NUMBER:
            return f"{value:g}"
        case _:
            return str(value)


def fits(kind: Kind, value: Any) -> bool:
    """Whether a field of that kind can show the value; what it cannot show stays in the rest."""
    match kind:
        case Kind.LINES:
            return isinstance(value, list) and all(isinstance(one, str) for one in value)
        case Kind.SWITCH:
            return isinstance(value, bool)
        case Kind.NUMBER:
            return isinstance(value, int | float) and not isinstance(value, bool)
        case _:
            return isinstance(value, str)


def detection_of(config: Mapping[str, Any]) -> str:
    """Return how voicemail is detected: a provider, off, or nothing where it is not set."""
    value = config.get(VOICEMAIL)
    chosen = value.get("provider") if isinstance(value, Mapping) else value
    return chosen if isinstance(chosen, str) else ""


def prompt_at(messages: Any) -> int | None:
    """Return where the system prompt stands in a list of messages, None where there is none that is a text."""
    if not isinstance(messages, list):
        return None
    for index, message in enumerate(messages):
        if isinstance(message, dict) and message.get("role") == "system" and isinstance(message.get("content"), str):
            return index
    return None
