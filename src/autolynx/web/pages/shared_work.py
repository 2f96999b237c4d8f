"""Work that many readers need at the same moment is done once, and all of them wait for it."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

MOST_KEPT = 500
T = TypeVar("T")


class SharedWork:
    """The results of lately. A key names exactly one result for ever: what changes has another key."""

    def __init__(self) -> None:
        self._tasks: OrderedDict[Hashable, asyncio.Task[Any]] = OrderedDict()

    async def once(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        """Return the result of `work`, done by whoever asks first. What failed is tried again by the next."""
        task = self._tasks.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = asyncio.ensure_future(work())
            self._tasks[key] = task
            while len(self._tasks) > MOST_KEPT:
                self._tasks.popitem(last=False)
        result: T = await asyncio.shield(task)
        return result
