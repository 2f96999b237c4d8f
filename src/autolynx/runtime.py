"""The frozen bundle that every flow receives: what is set, where things are remembered, who is called, what time it is."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from autolynx.provider.port import Provider
from autolynx.settings import Settings
from autolynx.store.database import Database


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
