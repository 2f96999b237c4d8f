"""From where something is done: a client's address, or one of the machine's own doors. For the audit log.

It rides in a context variable, because what is done passes through many flows that have nothing to do with it, while
every door is passed exactly once: the outer layer of the web, a command, a tick. A task that a door starts keeps it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

CONSOLE = "console"
CRON = "cron"
TICK = "tick"
_ORIGIN: ContextVar[str | None] = ContextVar("origin", default=None)


def get_origin() -> str | None:
    """Return from where what goes on was begun; None where no door was passed."""
    return _ORIGIN.get()


@contextmanager
def acting_from(origin: str) -> Iterator[None]:
    """Let everything within the block be done from there."""
    token = _ORIGIN.set(origin)
    try:
        yield
    finally:
        _ORIGIN.reset(token)
