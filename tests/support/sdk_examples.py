"""Example values of the SDK's types: what somebody who uses the SDK can send."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

from tests.support.sdk_judge import bare, fields_of, is_model, is_union, words_of

# The SDK states no lengths and no ranges: of these values one will do.
TEXTS = ("ab", "b0000000-0000-4000-8000-000000000001", "2026-03-02T10:00:00Z", "+12025550111")
NUMBERS = (1, 0, 0.2, 10, 60, 600)
DEEPEST = 4


def examples_of(annotation: Any, depth: int = 0) -> Iterator[tuple[str, Sequence[Any]]]:
    """Return the sorts of values that a type has, each with values of which one has to be taken."""
    kind = bare(annotation)
    origin = get_origin(kind)
    if is_union(kind):
        for part in get_args(kind):
            if part is not type(None) and bare(part) is not Any:
                yield from examples_of(part, depth)
    elif origin is Literal:
        for word in get_args(kind):
            yield str(word), [word]
    elif is_model(kind):
        yield from _of_model(kind, depth)
    elif origin in {list, Sequence}:
        for sort, values in examples_of(get_args(kind)[0], depth):
            yield f"list of {sort}", [[value] for value in values]
    else:
        yield getattr(kind, "__name__", str(kind)), _plain(origin or kind)


def _of_model(model: Any, depth: int) -> Iterator[tuple[str, Sequence[Any]]]:
    """Return the smallest object of a model, with each word that its first enumeration may have."""
    needed = {
        name: annotation
        for name, (annotation, is_required) in fields_of(model).items()
        if is_required or len(words_of(annotation)) == 1  # the word by which models of a union are told apart
    }
    if depth == DEEPEST:
        yield model.__name__, [{}]
        return
    smallest = {name: next(examples_of(each, depth + 1), ("", [None]))[1][0] for name, each in needed.items()}
    told: list[str] = [name for name in ("provider", "type") if name in needed]
    for name in told[:1] or [""]:
        for word in _words(needed.get(name)):
            yield f"{model.__name__} {word}".strip(), [{**smallest, **({name: word} if word else {})}]


def _words(annotation: Any) -> Sequence[str]:
    if annotation is None:
        return ("",)
    return [values[0] for _, values in examples_of(annotation) if isinstance(values[0], str)] or ("",)


def _plain(kind: Any) -> Sequence[Any]:
    if kind is bool:
        return (True,)
    if kind in {float, int}:
        return NUMBERS
    if kind is dt.datetime:
        return ("2026-03-02T10:00:00Z",)
    if kind in {dict, Mapping}:
        return ({},)
    return TEXTS
