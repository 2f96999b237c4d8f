"""The processes of the application, and who starts them again when they die."""

import asyncio
import multiprocessing
import os
import signal
import socket
from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from drill import worker
from drill.plan import ANYWHERE, Doom

PAUSE_SECONDS = 0.2  # before a process that could not start is started again
PATIENCE_SECONDS = 20


class Fleet:
    """Keeps a number of processes running, each with the next doom of the plan until there are none left."""

    def __init__(self, environ: Mapping[str, str], listener: socket.socket, dooms: deque[Doom]) -> None:
        self._environ = environ
        self._listener = listener
        self._dooms = dooms
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["drill.worker"])
        self._slots: list[asyncio.Task[None]] = []
        self._running: set[Any] = set()
        self._is_stopping = False
        self.killed: Counter[str] = Counter()
        self.broke: list[str] = []
        self.frozen = 0

    def start(self, processes: int) -> None:
        """Start so many processes."""
        self._slots = [asyncio.create_task(self._keep_running()) for _ in range(processes)]

    @property
    def waiting(self) -> int:
        """How many deaths are still to come."""
        return len(self._dooms)

    async def freeze_one(self, seconds: float) -> None:
        """Let one process stand still for a while, whatever it holds, as a suspended function or machine does."""
        process = next(iter(self._running), None)
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGSTOP)
            self.frozen += 1
            await asyncio.sleep(seconds)
            os.kill(process.pid, signal.SIGCONT)

    async def stop(self) -> None:
        """End all of them, orderly."""
        self._is_stopping = True
        for process in list(self._running):
            process.terminate()
        done, late = await asyncio.wait(self._slots, timeout=PATIENCE_SECONDS)
        for process in list(self._running):
            process.kill()
        await asyncio.gather(*done, *late)

    async def _keep_running(self) -> None:
        doom = self._next_doom()
        while not self._is_stopping:
            process = self._context.Process(target=worker.run, args=(self._environ, self._listener, doom), daemon=True)
            process.start()
            self._running.add(process)
            await self._until_gone(process, doom)
            self._running.discard(process)
            if process.exitcode == -signal.SIGKILL and doom is not None:
                self.killed[doom.point] += 1
                doom = self._next_doom()
            elif not self._is_stopping:
                if process.exitcode != worker.TRY_AGAIN:
                    self.broke.append(f"exit code {process.exitcode}, {doom or 'not to be killed'}")
                await asyncio.sleep(PAUSE_SECONDS)

    def _next_doom(self) -> Doom | None:
        return self._dooms.popleft() if self._dooms else None

    async def _until_gone(self, process: Any, doom: Doom | None) -> None:
        joining = asyncio.create_task(asyncio.to_thread(process.join))
        if doom is not None and doom.point == ANYWHERE:
            await asyncio.wait({joining}, timeout=doom.seconds)
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        await joining


@asynccontextmanager
async def sailing(
    environ: Mapping[str, str], listener: socket.socket, dooms: deque[Doom], processes: int
) -> AsyncIterator[Fleet]:
    """Keep a fleet running while the block lasts."""
    fleet = Fleet(environ, listener, dooms)
    fleet.start(processes)
    try:
        yield fleet
    finally:
        await fleet.stop()
