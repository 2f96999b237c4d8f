"""What every route receives: the runtime, and what launches calls after something has changed."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Annotated, Any, cast

from fastapi import Depends
from starlette.requests import HTTPConnection

from autolynx.errors import AutolynxError
from autolynx.flows.choosing_settings import refresh_settings
from autolynx.flows.refill import Refiller, refill
from autolynx.flows.tick import Ticker
from autolynx.log import log
from autolynx.runtime import Runtime

# A function answers within seconds; what it cannot place by then waits for the next event or tick.
REFILL_BUDGET_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class Launching:
    """Puts lines to use after a change. On a server in the background; in a function before the answer, once."""

    runtime: Runtime
    refiller: Refiller | None = None
    ticker: Ticker | None = None
    _late: set[asyncio.Task[None]] = field(default_factory=set)

    async def line_freed(self) -> None:
        """Use a line that has just become free."""
        if self.refiller is not None:
            self.refiller.request()
        else:
            await self._bounded(self._refill_one())

    async def work_added(self) -> None:
        """Begin on what was just started, resumed, released or given more room."""
        await self.line_freed()
        if self.ticker is not None:
            self.ticker.wake()

    async def _bounded(self, work: Coroutine[Any, Any, None]) -> None:
        """Wait for the work within the budget. What takes longer goes on: a request under way is never given up."""
        task = asyncio.create_task(work)
        self._late.add(task)
        task.add_done_callback(self._late.discard)
        await asyncio.wait({task}, timeout=REFILL_BUDGET_SECONDS)

    async def _refill_one(self) -> None:
        await refresh_settings(self.runtime)
        try:
            await refill(self.runtime, most=1)
        except AutolynxError as error:
            log.error("refill.failed", reason=error.message)


def get_runtime(connection: HTTPConnection) -> Runtime:
    """Return the runtime that the application was built with."""
    return cast("Runtime", connection.app.state.runtime)


def get_refiller(connection: HTTPConnection) -> Refiller | None:
    """Return the refiller of a server; None in a function."""
    return get_launching(connection).refiller


def get_ticker(connection: HTTPConnection) -> Ticker | None:
    """Return the built-in ticker, None where cron ticks."""
    return get_launching(connection).ticker


def get_launching(connection: HTTPConnection) -> Launching:
    """Return what launches calls after a change."""
    return cast("Launching", connection.app.state.launching)


# Asynchronous although nothing is awaited: FastAPI runs a plain function in a thread, at every request.
async def _runtime(connection: HTTPConnection) -> Runtime:
    return get_runtime(connection)


async def _refiller(connection: HTTPConnection) -> Refiller | None:
    return get_refiller(connection)


async def _ticker(connection: HTTPConnection) -> Ticker | None:
    return get_ticker(connection)


async def _launching(connection: HTTPConnection) -> Launching:
    return get_launching(connection)


RuntimeDep = Annotated[Runtime, Depends(_runtime)]
RefillerDep = Annotated[Refiller | None, Depends(_refiller)]
TickerDep = Annotated[Ticker | None, Depends(_ticker)]
LaunchingDep = Annotated[Launching, Depends(_launching)]
