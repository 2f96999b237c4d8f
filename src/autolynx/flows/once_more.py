"""Once more after a deadlock: for work that is whole transactions and nothing else, never around HTTP."""

from collections.abc import Awaitable, Callable
from functools import partial, wraps
from typing import ParamSpec, TypeVar

from autolynx.store.database import retry_once_on_deadlock

P = ParamSpec("P")
T = TypeVar("T")


def once_more(work: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """Let `work` run again, one single time, when PostgreSQL undid it because two transactions collided.

    For a function that opens its transactions itself and asks nobody else: what was undone left nothing behind. One
    that runs inside somebody's transaction must not have it.
    """

    @wraps(work)
    async def repeating(*args: P.args, **values: P.kwargs) -> T:
        return await retry_once_on_deadlock(partial(work, *args, **values))

    return repeating
