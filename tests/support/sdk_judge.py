"""Holds JSON against the types of the official SDK, stricter than the SDK itself, which takes anything.

Its enumerations are open (a literal or anything) and its models never check: here a word that is not named, a key
that is not declared, a missing key and a value of the wrong type are differences, each one sentence.
"""

import datetime as dt
import inspect
import typing
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import pydantic
from typing_extensions import TypeAliasType

_LISTS = {list, Sequence, set}
Fields = Mapping[str, tuple[Any, bool]]  # by the name on the wire: the type, and whether it must be there


def differences(annotation: Any, value: Any, path: str = "") -> list[str]:
    """Return where a JSON value is not what the SDK's type says; nothing where it is."""
    return list(_judge(annotation, value, path))


def fields_of(model: type[pydantic.BaseModel]) -> Fields:
    """Return a model's fields as they are called on the wire."""
    return _fields_of(model)


def words_of(annotation: Any) -> set[str]:
    """Return the words of an enumeration, in any of the ways in which the SDK writes one; nothing for other types."""
    kind = bare(annotation)
    if get_origin(kind) is Literal:
        return set(get_args(kind))
    if is_union(kind):
        return set().union(*(words_of(part) for part in get_args(kind)))
    return set()


def models_of(annotation: Any) -> list[type[pydantic.BaseModel]]:
    """Return the models that a type may stand for."""
    kind = bare(annotation)
    if is_model(kind):
        return [kind]
    return [model for part in get_args(kind) for model in models_of(part)] if is_union(kind) else []


@cache
def _fields_of(model: type[pydantic.BaseModel]) -> Fields:
    names = typing.get_type_hints(model, vars(inspect.getmodule(model)), include_extras=False)
    return {field.alias or name: (names[name], field.is_required()) for name, field in model.model_fields.items()}


def _judge(annotation: Any, value: Any, path: str) -> Iterator[str]:
    kind = bare(annotation)
    origin = get_origin(kind)
    if is_union(kind):
        yield from _of_union(get_args(kind), value, path)
    elif is_model(kind):
        yield from _of_model(kind, value, path)
    elif origin in _LISTS and isinstance(value, list):
        for each in value:
            yield from _judge(get_args(kind)[0], each, f"{path}[]")
    elif origin is Literal and value not in get_args(kind):
        yield f"{path}: {value!r} is none of its words"
    elif kind is not Any and not _is_plain(origin or kind, value):
        yield f"{path}: {_named(value)} is no {getattr(origin or kind, '__name__', kind)}"


def _of_union(parts: Sequence[Any], value: Any, path: str) -> Iterator[str]:
    """Take the part that fits best; that an enumeration or a union is open as well counts for nothing."""
    if value is None and type(None) in parts:
        return
    chosen = [part for part in parts if part is not type(None) and bare(part) is not Any]
    if not chosen:
        return
    tries = [differences(part, value, path) for part in chosen]
    # Of several models the one that knows the keys is meant, even where another one, which asks for less, has fewer.
    yield from min(
        tries, key=lambda found: (any("is no" in one for one in found if one.startswith(f"{path}:")), len(found))
    )


def _of_model(model: type[pydantic.BaseModel], value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: {_named(value)} is no object"
        return
    fields = _fields_of(model)
    for name, each in value.items():
        where = f"{path}.{name}" if path else name
        if name not in fields:
            yield f"{where} is unknown"
        elif each is not None or fields[name][1]:
            yield from _judge(fields[name][0], each, where)
    for name, (_, is_required) in fields.items():
        if is_required and name not in value:
            yield f"{path}.{name} is missing" if path else f"{name} is missing"


def bare(annotation: Any) -> Any:
    """Return the type without what is only said about it."""
    while True:
        if get_origin(annotation) is typing.Annotated or isinstance(annotation, TypeAliasType):
            annotation = annotation.__value__ if isinstance(annotation, TypeAliasType) else get_args(annotation)[0]
        else:
            return annotation


def is_union(kind: Any) -> bool:
    """Whether a bare type is a union."""
    return get_origin(kind) in {Union, UnionType}


def is_model(kind: Any) -> bool:
    """Whether a bare type is a model."""
    return isinstance(kind, type) and issubclass(kind, pydantic.BaseModel)


def _is_plain(kind: Any, value: Any) -> bool:
    """Whether a value has the type, as far as types are told apart in JSON."""
    if kind in {float, int}:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is dt.datetime:
        return isinstance(value, str) and _is_moment(value)
    if kind in _LISTS:
        return isinstance(value, list)
    if kind in {dict, Mapping}:
        return isinstance(value, dict)
    return not isinstance(kind, type) or isinstance(value, kind)


def _is_moment(text: str) -> bool:
    try:
        return dt.datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _named(value: Any) -> str:
    return f"{type(value).__name__} {str(value)[:40]!r}"
