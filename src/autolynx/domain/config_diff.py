"""What differs between two configurations: by path, with both values, and long texts line by line."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LONG_TEXT_CHARACTERS = 80
MOST_LINES = 2_000  # comparing more of them line by line would take seconds
LINES_AROUND = 2


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of a text that differs. `sign`: "+" only after, "-" only before, " " in both, "…" some are left out."""

    sign: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Change:
    """What stands at one path before and after; None where nothing is set. `lines`: of long texts, else empty."""

    path: str
    before: Any
    after: Any
    lines: tuple[Line, ...] = ()


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return every path that differs, in the order of the paths' names. Null, {} and absent are the same: not set."""
    return tuple(_differ("", before, after))


def named(name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration with the name in it, so that both are compared in one go."""
    return {"name": name, **config}


def changed_paths(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """Return only the paths that differ."""
    return tuple(change.path for change in differences(before, after))


def changes_to(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return what has to be merged into a configuration to turn it into another; null where something is unset."""
    changes: dict[str, Any] = {}
    for key in {**before, **after}:
        ours, theirs = before.get(key), after.get(key)
        if not is_same(ours, theirs):
            if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
                changes[key] = changes_to(ours, theirs)
            else:
                changes[key] = theirs
    return changes


def _differ(path: str, before: Any, after: Any) -> Iterator[Change]:
    if is_same(before, after):
        return
    if _is_object(before) and _is_object(after):
        ours, theirs = before or {}, after or {}
        for key in sorted({*ours, *theirs}):
            yield from _differ(f"{path}.{key}" if path else str(key), ours.get(key), theirs.get(key))
    elif _holds_objects(before) and _holds_objects(after):
        for index in range(max(len(before), len(after))):
            yield from _differ(f"{path}.{index}", _item(before, index), _item(after, index))
    else:
        yield Change(path=path, before=before, after=after, lines=_line_diff(before, after))


def is_same(before: Any, after: Any) -> bool:
    """Whether two values mean the same to the provider: what is null or empty inside an object is not set."""
    return bool(_set(before) == _set(after))


def _set(value: Any) -> Any:
    """Return a value without what is not set in it; true is told from 1."""
    if isinstance(value, Mapping):
        return {key: kept for key, item in value.items() if (kept := _set(item)) is not None} or None
    if isinstance(value, list):
        return [_set(item) for item in value]
    return (bool, value) if isinstance(value, bool) else value


def _is_object(value: Any) -> bool:
    """Whether it is an object, or nothing: an object that is set as a whole is told key by key."""
    return value is None or isinstance(value, Mapping)


def _holds_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _item(values: Sequence[Any], index: int) -> Any:
    return values[index] if index < len(values) else None


def _line_diff(before: Any, after: Any) -> tuple[Line, ...]:
    if not isinstance(before, str | None) or not isinstance(after, str | None):
        return ()
    if not any("\n" in text or len(text) > LONG_TEXT_CHARACTERS for text in (before or "", after or "")):
        return ()
    ours, theirs = (before or "").splitlines(), (after or "").splitlines()
    if max(len(ours), len(theirs)) > MOST_LINES:
        return (*(Line(sign="-", text=text) for text in ours), *(Line(sign="+", text=text) for text in theirs))
    return tuple(_matched(ours, theirs))


def _matched(before: list[str], after: list[str]) -> Iterator[Line]:
    matcher = difflib.SequenceMatcher(a=before, b=after, autojunk=False)
    ending = 0
    for group in matcher.get_grouped_opcodes(LINES_AROUND):
        if group[0][1] > ending:
            yield Line(sign="…", text="")
        for tag, start, stop, first, last in group:
            if tag == "equal":
                yield from (Line(sign=" ", text=text) for text in before[start:stop])
            else:
                yield from (Line(sign="-", text=text) for text in before[start:stop])
                yield from (Line(sign="+", text=text) for text in after[first:last])
            ending = stop
    if ending < len(before):
        yield Line(sign="…", text="")
