"""The form of an assistant: a configuration as fields and a rest of JSON, and back again with nothing lost."""

import copy
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from autolynx.domain.assistant import config_problems, value_at
from autolynx.web.pages.assistant_fields import (
    FIELDS,
    OFF,
    ORDER,
    VOICEMAIL,
    Field,
    Kind,
    detection_of,
    fits,
    prompt_at,
    written,
)

Config = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Filled:
    """The form as it is shown: what stands in its fields, and the sentence beside each that is wrong."""

    values: Mapping[str, str]
    problems: Mapping[str, str] = field(default_factory=dict)
    suggestion: str | None = None  # a free name, where the name is taken

    def __getitem__(self, name: str) -> str:
        """Return what stands in a field."""
        return self.values.get(name, "")

    @property
    def is_refused(self) -> bool:
        """Whether something in it is wrong."""
        return bool(self.problems)

    @property
    def first_wrong(self) -> str | None:
        """The first field on the page that is wrong: where a person goes on."""
        return next((name for name in ORDER if name in self.problems), None)


@dataclass(frozen=True, kw_only=True)
class Read:
    """What was typed, understood: name and whole configuration, and the sentence beside each field that is wrong."""

    name: str
    config: Config
    problems: Mapping[str, str]


def filled_with(name: str, config: Mapping[str, Any]) -> Filled:
    """Return the form of an assistant. What has no field of its own stands in `advanced` as JSON."""
    values = {"name": name, "voicemail_detection": detection_of(config)}
    values |= {one.name: written(one, config) for one in FIELDS}
    rest = _rest(config)
    values["advanced"] = json.dumps(rest, indent=2, ensure_ascii=False) if rest else ""
    return Filled(values=values)


def read_form(values: Mapping[str, str], base: Mapping[str, Any]) -> Read:
    """Read what was typed into the form of `base`; what was not touched keeps its very value."""
    typed = {name: text.replace("\r\n", "\n") for name, text in values.items()}
    config, problem = _advanced(typed.get("advanced", ""), base)
    problems = {} if problem is None else {"advanced": problem}
    for one in FIELDS:
        if one.kind is Kind.PROMPT:
            _put_prompt(config, one, typed.get(one.name, ""), base)
        elif value_at(config, one.place) is None or not _is_untouched(one, typed.get(one.name, ""), base):
            _put(config, one.place, _understood(one, typed.get(one.name, ""), base))
    _put_detection(config, typed.get("voicemail_detection", "").strip())
    for name, sentence in _found_wrong(config):
        problems.setdefault(name, sentence)
    return Read(name=typed.get("name", ""), config=config, problems=problems)


def _is_untouched(one: Field, text: str, base: Mapping[str, Any]) -> bool:
    shown = written(one, base)
    return bool(text) is bool(shown) if one.kind is Kind.SWITCH else _same_text(one.kind, text, shown)


def _understood(one: Field, text: str, base: Mapping[str, Any]) -> Any:
    """Return the value that a text means; None where nothing is set."""
    before = value_at(base, one.place)
    if one.kind is Kind.SWITCH:
        return (before if before is None else True) if text else False
    if _same_text(one.kind, text, written(one, base)):
        return before
    match one.kind:
        case Kind.LINES:
            return [line.strip() for line in text.splitlines() if line.strip()] or None
        case Kind.NUMBER:
            return _number(text.strip())
        case Kind.WORD:
            return text.strip() or None
        case _:
            return text if text.strip() else None


def _same_text(kind: Kind, text: str, shown: str) -> bool:
    shown = shown.replace("\r\n", "\n")
    return text == shown or (kind in {Kind.WORD, Kind.NUMBER} and text.strip() == shown.strip())


def _number(text: str) -> float | str | None:
    """Return a number; what is none stays a text, which the rules then refuse in their words."""
    try:
        return int(text) if text.lstrip("-").isdecimal() else float(text)
    except ValueError:
        return text or None


def _rest(config: Mapping[str, Any]) -> Config:
    """Return what has no field of its own."""
    rest = copy.deepcopy(dict(config))
    for one in FIELDS:
        if one.kind is Kind.PROMPT:
            _remove_prompt(rest, one.place)
        elif fits(one.kind, value_at(config, one.place)):
            _remove(rest, one.place)
    if detection_of(config):
        _remove(rest, VOICEMAIL if isinstance(config[VOICEMAIL], str) else f"{VOICEMAIL}.provider")
    return rest


def _remove_prompt(config: Config, place: str) -> None:
    messages = value_at(config, place)
    found = prompt_at(messages)
    if found is not None:
        del messages[found]
        if not messages:
            _remove(config, place)


def _remove(config: Config, place: str) -> None:
    """Take out what stands at `a.b`, and the objects around it that are empty then."""
    *parents, last = place.split(".")
    trail: list[Config] = [config]
    for key in parents:
        inner = trail[-1].get(key)
        if not isinstance(inner, dict):
            return
        trail.append(inner)
    if last not in trail[-1]:
        return
    del trail[-1][last]
    for key, outer in reversed(list(zip(parents, trail[:-1], strict=True))):
        if not outer[key]:
            del outer[key]


class _Endless(ValueError):
    """A number that is not finite."""


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _Endless
    return number


def _advanced(text: str, base: Mapping[str, Any]) -> tuple[Config, str | None]:
    """Return the rest as it was typed, and what is wrong with it."""
    try:
        read = json.loads(text, parse_float=_finite, parse_constant=_finite) if text.strip() else {}
    except _Endless:
        return {}, "A number in it is not finite (NaN, Infinity, or too large); give one that is."
    except (ValueError, RecursionError) as error:
        where = f" at line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        return {}, f"This is not valid JSON{where}; correct it, or empty the field."
    if not isinstance(read, dict):
        return {}, "Give an object in braces: {...}."
    shown = _doubled(_rest(base))
    doubled = [place for place in _doubled(read) if place not in shown]
    if doubled:
        return read, f"{', '.join(doubled)}: has a field of its own above; write it there."
    return read, None


def _doubled(rest: Config) -> list[str]:
    """Return what stands in the rest although it has a field: its field cannot show it, or somebody wrote it there."""
    doubled = [one.place for one in FIELDS if _is_doubled(one, value_at(rest, one.place))]
    doubled += [f"{VOICEMAIL}.provider"] if value_at(rest, f"{VOICEMAIL}.provider") is not None else []
    doubled += [VOICEMAIL] if isinstance(rest.get(VOICEMAIL), str) else []
    return doubled + (["name"] if "name" in rest else [])


def _is_doubled(one: Field, value: Any) -> bool:
    return prompt_at(value) is not None if one.kind is Kind.PROMPT else value is not None


def _put_detection(config: Config, chosen: str) -> None:
    if chosen == OFF:
        config[VOICEMAIL] = OFF
    elif chosen:
        details = config.get(VOICEMAIL)
        config[VOICEMAIL] = {"provider": chosen, **(details if isinstance(details, dict) else {})}


def _put_prompt(config: Config, one: Field, text: str, base: Mapping[str, Any]) -> None:
    """Put the prompt back where it stood, first where it is new."""
    rest = value_at(config, one.place)
    if not text.strip() or not isinstance(rest, list | None):
        return
    before = value_at(base, one.place)
    found = prompt_at(before)
    message = dict(before[found]) if found is not None else {"role": "system", "content": ""}
    if not _same_text(one.kind, text, message["content"]):
        message["content"] = text
    messages = list(rest or [])
    messages.insert(found or 0, message)
    _put(config, one.place, messages)


def _put(config: Config, place: str, value: Any) -> None:
    """Set what stands at `a.b`; None changes nothing, and a value that is no object stays and is refused."""
    *parents, last = place.split(".")
    if value is None:
        return
    inner: Any = config
    for key in parents:
        inner = inner.setdefault(key, {}) if isinstance(inner, dict) else None
    if isinstance(inner, dict):
        inner[last] = value


def _found_wrong(config: Config) -> Iterator[tuple[str, str]]:
    """Yield what the rules refuse: the field of the form, and the sentence in the words of the API."""
    for problem in config_problems(config):
        place = (problem.field or "").removeprefix("config").removeprefix(".")
        name = _field_at(place)
        sentence = problem.message
        if name != "advanced":
            sentence = sentence.partition(": ")[2]
        yield name, sentence[:1].upper() + sentence[1:]


def _field_at(place: str) -> str:
    if place == VOICEMAIL:
        return "voicemail_detection"
    for one in FIELDS:
        if place == one.place and one.kind is not Kind.PROMPT:
            return one.name
    return "advanced"
