"""Running asynchronous work from a command."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

from autolynx.origin import CONSOLE, acting_from

if sys.platform != "win32":
    import uvloop

T = TypeVar("T")


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run the coroutine to its end on the fastest event loop at hand. What it does is done from the console."""
    factory = None if sys.platform == "win32" else uvloop.new_event_loop
    with acting_from(CONSOLE), asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work)
