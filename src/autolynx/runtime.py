"""The frozen bundle that every flow receives: settings, database, provider and clock."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from autolynx.errors import DatabaseUnavailable
from autolynx.provider.port import Provider
from autolynx.settings import Settings
from autolynx.store.database import Database

WEBHOOKS_AT_ONCE = 4
WEBHOOKS_WAITING = 500


class Intake:
    """Where webhooks wait for each other rather than for a connection: a storm of them must not starve the dials.

    Beyond a queue that could be served in time, a further one is turned away at once, to be repeated by its sender.
    """

    def __init__(self, *, at_once: int = WEBHOOKS_AT_ONCE, waiting: int = WEBHOOKS_WAITING) -> None:
        self._turn = asyncio.Semaphore(at_once)
        self._inside = 0
        self._most = at_once + waiting

    async def __aenter__(self) -> None:
        if self._inside >= self._most:
            raise DatabaseUnavailable("Too many webhooks are waiting; send it again.")
        self._inside += 1
        try:
            await self._turn.acquire()
        except BaseException:
            self._inside -= 1
            raise

    async def __aexit__(self, *_: object) -> None:
        self._inside -= 1
        self._turn.release()


class Clock(Protocol):
    """The only source of time. Tests pass one that is moved by hand."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""

    async def sleep(self, seconds: float) -> None:
        """Wait; `seconds` are real seconds (timers are scaled where they are read, in Settings)."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait that many real seconds."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """Everything a flow may touch. Built once in bootstrap; flows never build their own."""

    settings: Settings
    database: Database
    provider: Provider
    clock: Clock
    intake: Intake = field(default_factory=Intake)
