"""Short work of a command: the runtime is opened for it, and the log says only what is wrong."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from autolynx.bootstrap import open_runtime
from autolynx.cli.configuring import configured
from autolynx.cli.loop import run_async
from autolynx.runtime import Runtime

T = TypeVar("T")


def with_runtime(work: Callable[[Runtime], Awaitable[T]], *, may_ask_provider: bool = False) -> T:
    """Return what the work returns. Raises what it raises, and what `open_runtime` does."""

    async def run() -> T:
        settings = configured(log_level="warning")
        async with open_runtime(settings, may_ask_provider=may_ask_provider) as runtime:
            return await work(runtime)

    return run_async(run())
