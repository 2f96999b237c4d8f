"""Which variables an assistant speaks of, so that a list can be compared with them before anybody is called."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from autolynx.domain.csv_headers import RESERVED

ALWAYS_THERE = ("name", "business_name", "phone")
_SPOKEN = ("firstMessage", "voicemailMessage", "endCallMessage")
# Only plain words: what has a filter or a path is the provider's own.
_VARIABLE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_ -]{0,99}?)\s*\}\}")


def spoken_variables(config: Mapping[str, Any]) -> list[str]:
    """Return the variables of an assistant's prompt and messages in the order in which they stand there."""
    found = [match for text in _texts(config) for match in _VARIABLE.findall(text)]
    return [name for name in dict.fromkeys(found) if name not in RESERVED]


def missing_variables(config: Mapping[str, Any], columns: Collection[str]) -> list[str]:
    """Return those that a list with these further columns does not fill."""
    known = {*ALWAYS_THERE, *columns}
    return [name for name in spoken_variables(config) if name not in known]


def prompt_of(config: Mapping[str, Any]) -> str:
    """Return the system prompt, empty where there is none."""
    return "\n\n".join(text for role, text in _messages(config) if role == "system")


def _texts(config: Mapping[str, Any]) -> Iterator[str]:
    for name in _SPOKEN:
        value = config.get(name)
        if isinstance(value, str):
            yield value
    for _, text in _messages(config):
        yield text


def _messages(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    model = config.get("model")
    messages = model.get("messages") if isinstance(model, Mapping) else None
    for message in messages if isinstance(messages, list) else []:
        if isinstance(message, Mapping) and isinstance(message.get("content"), str):
            yield str(message.get("role")), message["content"]
