"""The order of the whole suite: what takes long begins first, so that nothing is left to wait for at the end."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import pytest

T = TypeVar("T")


def sort_suite(items: list[pytest.Item], workers: int) -> None:
    """Put the tests marked e2e and slow at the head of what each worker is given. A module marked slow stays whole."""
    rank = {id(item): _rank(item) for item in items}
    long = sorted((item for item in items if rank[id(item)] < QUICK), key=lambda item: rank[id(item)])
    quick = [item for item in items if rank[id(item)] == QUICK]
    items[:] = dealt(long, quick, workers=workers, hand_of=lambda item: item.path if rank[id(item)] == 0 else id(item))


QUICK = 2


def _rank(item: pytest.Item) -> int:
    marks = ("slow", "e2e")
    return next((rank for rank, mark in enumerate(marks) if item.get_closest_marker(mark)), QUICK)


def dealt(long: Sequence[T], quick: Sequence[T], *, workers: int, hand_of: Callable[[T], object]) -> list[T]:
    """Return all of them in stretches, one for each worker, with the long ones at the heads, dealt by turns.

    xdist gives worker after worker an equal stretch of what is left, and who has done takes from the tails of others.
    Long ones of one hand go to one worker.
    """
    heads: list[list[T]] = [[] for _ in range(workers)]
    hands: dict[object, list[T]] = {}
    for one in long:
        key = hand_of(one)
        if key not in hands:
            hands[key] = heads[len(hands) % workers]
        hands[key].append(one)
    left, rest = len(long) + len(quick), list(quick)
    ordered: list[T] = []
    for number, head in enumerate(heads):
        size = left // (workers - number)
        room = max(0, size - len(head))
        ordered += head + rest[:room]
        del rest[:room]
        left -= size
    return ordered + rest
