"""Ctrl-C and SIGTERM as values that a command can wait for."""

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class Interrupts:
    """How often the person at the terminal has asked to stop."""

    def __init__(self) -> None:
        self.count = 0
        self._told = asyncio.Event()

    @property
    def has_come(self) -> bool:
        """Whether there was one that nobody has taken note of yet."""
        return self._told.is_set()

    def tell(self) -> None:
        """Note one more."""
        self.count += 1
        self._told.set()

    def heed(self) -> int:
        """Take note; returns how many there were so far."""
        self._told.clear()
        return self.count

    async def wait(self, seconds: float | None = None) -> bool:
        """Wait for one, at most so long; True when there is one."""
        try:
            async with asyncio.timeout(seconds):
                await self._told.wait()
        except TimeoutError:
            return False
        return True


@contextmanager
def catching_interrupts() -> Iterator[Interrupts]:
    """Count Ctrl-C and SIGTERM while the block lasts, instead of dying of them."""
    interrupts = Interrupts()
    loop = asyncio.get_running_loop()
    if sys.platform == "win32":
        yield interrupts  # there Ctrl-C ends the program; the next start goes on where it stood
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupts.tell)
    try:
        yield interrupts
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
