"""An assistant of the directory, and what its configuration may hold: the provider's limits, in our sentences."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from autolynx.errors import Conflict, ValidationProblem

MOST_NAME_CHARACTERS = 40
MOST_CONFIG_CHARACTERS = 256 * 1024
MAX_DURATION_SECONDS = (10, 43_200)
SILENCE_TIMEOUT_SECONDS = (10, 3_600)
PHRASE_CHARACTERS = (2, 140)

# Where a number may stand, what it may be, and what is counted.
_NUMBERS: dict[str, tuple[float, float, str]] = {
    "maxDurationSeconds": (*MAX_DURATION_SECONDS, "seconds"),
    "silenceTimeoutSeconds": (*SILENCE_TIMEOUT_SECONDS, "seconds"),
    "model.temperature": (0, 2, ""),
    "model.maxTokens": (50, 10_000, "tokens"),
    "voicemailDetection.beepMaxAwaitSeconds": (0, 30, "seconds"),
    "startSpeakingPlan.waitSeconds": (0, 5, "seconds"),
    "stopSpeakingPlan.numWords": (0, 10, "words"),
    "stopSpeakingPlan.voiceSeconds": (0, 0.5, "seconds"),
    "stopSpeakingPlan.backoffSeconds": (0, 10, "seconds"),
}
_WHOLE = frozenset({"maxDurationSeconds", "model.maxTokens", "stopSpeakingPlan.numWords"})
_TEXTS: dict[str, int | None] = {
    "firstMessage": None,
    "voicemailMessage": 1000,
    "endCallMessage": 1000,
    "backgroundSound": None,
    "model.provider": None,
    "model.model": None,
    "voice.provider": None,
    "voice.voiceId": None,
    "transcriber.provider": None,
}
_SWITCHES = ("artifactPlan.recordingEnabled", "firstMessageInterruptionsEnabled")
_OBJECTS = (
    "model voice transcriber analysisPlan artifactPlan monitorPlan compliancePlan startSpeakingPlan stopSpeakingPlan "
    "metadata server"
).split()
_NEEDS = {"model": ("provider", "model"), "voice": ("provider",), "transcriber": ("provider",)}
_FIRST_MESSAGE_MODES = (
    "assistant-speaks-first",
    "assistant-speaks-first-with-model-generated-message",
    "assistant-waits-for-user",
)
_ROLES = frozenset({"system", "user", "assistant", "developer", "function", "tool"})


class AssistantSource(StrEnum):
    """Where an assistant of the directory comes from."""

    LOCAL = "local"  # made here, and at the provider by us
    IMPORTED = "imported"
    TEMPLATE = "template"  # exists only here; a clone of it exists at the provider


@dataclass(frozen=True, kw_only=True)
class Assistant:
    """A row of `assistants`. `config` is the provider's object without ids, dates, name and secrets."""

    id: UUID
    name: str
    source: AssistantSource
    provider_assistant_id: str | None
    config: Mapping[str, Any] = field(repr=False)
    created_at: datetime
    updated_at: datetime
    active: bool = True
    ephemeral: bool = False
    deleted_at: datetime | None = None
    provider: str = "vapi"

    @property
    def is_template(self) -> bool:
        """Whether it can only be cloned."""
        return self.source is AssistantSource.TEMPLATE


def provider_id_of(assistant: Assistant, *, verb: str) -> str:
    """Return the id at the provider of an assistant that is to be edited or deleted. Raises Conflict for a template."""
    if assistant.provider_assistant_id is None:
        raise Conflict(f"A template cannot be {verb}; clone it and change the clone.")
    return assistant.provider_assistant_id


def merge_config(config: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration with the changes in it: objects key by key, everything else as a whole."""
    merged = dict(config)
    for key, value in changes.items():
        before = merged.get(key)
        is_deeper = isinstance(before, Mapping) and isinstance(value, Mapping)
        merged[key] = merge_config(before, value) if is_deeper and before is not None else value
    return merged


def check_config(config: Mapping[str, Any]) -> None:
    """Raise ValidationProblem, naming the field and the remedy, unless the provider would take it.

    Only what the provider documents is checked; further keys are kept as they are. Null means not set.
    """
    for problem in config_problems(config):
        raise problem


def config_problems(config: Mapping[str, Any]) -> Iterator[ValidationProblem]:
    """Yield everything that `check_config` would refuse, in the order in which it would."""
    if len(json.dumps(config, ensure_ascii=False, default=str)) > MOST_CONFIG_CHARACTERS:
        yield _problem("", "is larger than 256 KB; shorten the prompt")
    if "name" in config:
        yield _problem("name", "give the name beside the configuration, not in it")
    for key in _OBJECTS:
        yield from _check_object(config, key)
    yield from _check_voicemail_detection(config.get("voicemailDetection"))
    for place, (least, most, unit) in _NUMBERS.items():
        yield from _check_number(place, value_at(config, place), least=least, most=most, unit=unit)
    for place, longest in _TEXTS.items():
        yield from _check_text(place, value_at(config, place), longest=longest)
    for place in _SWITCHES:
        if not isinstance(value_at(config, place), bool | None):
            yield _problem(place, "must be true or false")
    yield from _check_words(config)
    yield from _check_messages(value_at(config, "model.messages"))


def _check_object(config: Mapping[str, Any], key: str) -> Iterator[ValidationProblem]:
    value = config.get(key)
    if value is None:
        return
    if not isinstance(value, Mapping):
        yield _problem(key, 'must be an object, for example {"provider": ...}')
        return
    for needed in _NEEDS.get(key, ()):
        if not value.get(needed):
            yield _problem(f"{key}.{needed}", f"is required in {key}")


def _check_voicemail_detection(value: Any) -> Iterator[ValidationProblem]:
    if value is None or value == "off":
        return
    if not isinstance(value, Mapping) or not isinstance(value.get("provider"), str):
        yield _problem("voicemailDetection", 'must be "off", or an object with a provider, for example google')


def _check_number(place: str, value: Any, *, least: float, most: float, unit: str) -> Iterator[ValidationProblem]:
    if value is None:
        return
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not least <= value <= most or (place in _WHOLE and value != int(value)):
        kind = "a whole number" if place in _WHOLE else "a number"
        yield _problem(place, f"use {kind} from {least:g} to {most:g}{' ' + unit if unit else ''}")


def _check_text(place: str, value: Any, *, longest: int | None) -> Iterator[ValidationProblem]:
    if value is None:
        return
    if not isinstance(value, str):
        yield _problem(place, "must be a text")
    elif longest is not None and len(value) > longest:
        yield _problem(place, f"has {len(value)} characters; use at most {longest}")


def _check_words(config: Mapping[str, Any]) -> Iterator[ValidationProblem]:
    mode = config.get("firstMessageMode")
    if mode is not None and mode not in _FIRST_MESSAGE_MODES:
        yield _problem("firstMessageMode", f"use one of {', '.join(_FIRST_MESSAGE_MODES)}")
    phrases = config.get("endCallPhrases")
    if phrases is None:
        return
    shortest, longest = PHRASE_CHARACTERS
    if not isinstance(phrases, list) or not all(isinstance(one, str) for one in phrases):
        yield _problem("endCallPhrases", "must be a list of texts")
    elif any(not shortest <= len(one) <= longest for one in phrases):
        yield _problem("endCallPhrases", f"each phrase must have {shortest} to {longest} characters")


def _check_messages(messages: Any) -> Iterator[ValidationProblem]:
    if messages is None:
        return
    if not isinstance(messages, list) or not all(isinstance(one, Mapping) for one in messages):
        yield _problem("model.messages", 'must be a list of {"role": ..., "content": ...}')
        return
    for index, message in enumerate(messages):
        role = message.get("role")
        if not isinstance(role, str) or role not in _ROLES:
            yield _problem(f"model.messages.{index}.role", "use system, user or assistant")
        if not isinstance(message.get("content"), str | None):
            yield _problem(f"model.messages.{index}.content", "must be a text")


def value_at(config: Mapping[str, Any], place: str) -> Any:
    """Return what stands at `a.b`; None where a is no object (that is judged elsewhere)."""
    value: Any = config
    for key in place.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _problem(place: str, sentence: str) -> ValidationProblem:
    name = f"config.{place}" if place else "config"
    return ValidationProblem(f"{name}: {sentence}.", field=name)
