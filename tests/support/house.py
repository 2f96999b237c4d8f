"""A whole installation, as an operator has it: database, simulator, server with refiller and ticker, in one test."""

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from autolynx.bootstrap import open_engine
from autolynx.cli.listening import listen, port_of, serving
from autolynx.cli.signing_in import sign_in_link
from autolynx.flows.engine import Engine
from autolynx.runtime import Runtime
from autolynx.store.database import Database
from autolynx.web.app import build_web
from tests.support.engine import settings_for_test
from tests.support.signed_in import a_person
from tests.support.sim import Sim, running_sim

SPEED = 40.0  # a call lasts about a second and a half: long enough to be seen, short enough to be waited for
HOST = "127.0.0.1"
SECRETS = {
    "VAPI_API_KEY": "test-key",
    "WEBHOOK_SHARED_SECRET": "hook-secret-of-the-test",
    "CRON_SHARED_SECRET": "cron-secret-of-the-test",
}


class Door:
    """The server at one port. Shut and opened again it is like one that was restarted."""

    def __init__(self, engine: Engine, listener: socket.socket) -> None:
        self._engine = engine
        self._port = port_of(listener)
        self._listener: socket.socket | None = listener
        self._open = AsyncExitStack()

    async def open(self) -> None:
        """Serve."""
        listener = self._open.enter_context(self._listener or listen(HOST, self._port))
        self._listener = None
        await self._open.enter_async_context(serving(build_web(self._engine), listener))

    async def shut(self) -> None:
        """Serve nobody any more."""
        await self._open.aclose()


@dataclass(frozen=True, kw_only=True)
class House:
    """A running installation at `url`, and what a test needs to look behind its pages."""

    url: str
    runtime: Runtime
    sim: Sim
    door: Door

    @property
    def database(self) -> Database:
        """What is remembered."""
        return self.runtime.database

    async def link(self, campaign_id: UUID | None = None) -> str:
        """Return a one-time link, as the command line prints it."""
        person = await a_person(self.runtime)
        return await sign_in_link(self.runtime, person, base_url=self.url, campaign_id=campaign_id)


@asynccontextmanager
async def running_house(database_url: str, *, speed: float = SPEED, **settings: Any) -> AsyncIterator[House]:
    """Run everything while the block lasts; nothing is left running."""
    listener = listen(HOST, 0)
    url = f"http://{HOST}:{port_of(listener)}"
    with listener, TemporaryDirectory(prefix="autolynx-house-") as folder:
        async with running_sim(speed=speed) as sim:
            values: dict[str, Any] = {"DATABASE_URL": database_url, "DATA_DIR": folder, "PUBLIC_URL": url}
            values |= {"VAPI_BASE_URL": sim.url, "TIME_SCALE": speed, "WEBHOOK_REREAD": "auto"}
            chosen = settings_for_test(**{**SECRETS, **values, **settings})
            async with open_engine(chosen) as engine:
                door = Door(engine, listener)
                await door.open()
                if engine.ticker is not None:  # a function has none: cron ticks
                    engine.ticker.start()
                try:
                    yield House(url=url, runtime=engine.runtime, sim=sim, door=door)
                finally:
                    await door.shut()
