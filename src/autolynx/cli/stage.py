"""Where a campaign is run from a command: engine, web server, and the simulator where there is no account."""

import asyncio
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pydantic import SecretStr

from autolynx.bootstrap import open_engine
from autolynx.cli.interrupts import Interrupts, catching_interrupts
from autolynx.cli.listening import port_of, serving
from autolynx.cli.simulator import Play, simulator
from autolynx.errors import ConfigurationError
from autolynx.flows.engine import Engine
from autolynx.runtime import Runtime
from autolynx.settings import Settings
from autolynx.web.app import build_web, count_watchers

if sys.platform != "win32":
    import fcntl

SECRET_BYTES = 24
LAST_LOOK_SECONDS = 1.5  # for those who watch the live page to see how it ended
LOCK = "simulated.lock"
SIMULATED = "simulated"  # the folder below DATA_DIR: simulated calls never mix with real ones


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A running engine that serves its own webhooks at `base_url`."""

    engine: Engine
    base_url: str
    interrupts: Interrupts

    @property
    def runtime(self) -> Runtime:
        """What flows work with."""
        return self.engine.runtime

    def go(self) -> None:
        """Use lines for what was just started or resumed, at once."""
        if self.engine.refiller is not None:
            self.engine.refiller.request()
        if self.engine.ticker is not None:
            self.engine.ticker.wake()


@asynccontextmanager
async def open_stage(settings: Settings, listener: socket.socket, play: Play | None = None) -> AsyncIterator[Stage]:
    """Open everything a campaign needs. With a `play` the simulator takes the provider's place.

    Closes in the opposite order: no more requests, no more ticks, dials under way to their end, database, simulator.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(listener)
        interrupts = stack.enter_context(catching_interrupts())
        base_url = f"http://127.0.0.1:{port_of(listener)}"
        if play is None:
            settings = with_own_address(settings, base_url)
        else:
            stack.enter_context(alone(settings.data_dir))
            settings = simulated(settings, await stack.enter_async_context(simulator(play)), base_url, play)
        engine = await stack.enter_async_context(open_engine(settings))
        web = build_web(engine)
        await stack.enter_async_context(serving(web, listener))
        if engine.ticker is not None:
            engine.ticker.start()
        yield Stage(engine=engine, base_url=base_url, interrupts=interrupts)
        if count_watchers(web):
            await asyncio.sleep(LAST_LOOK_SECONDS)


def simulated(settings: Settings, simulator_url: str, base_url: str, play: Play) -> Settings:
    """Return settings under which everything is real but the provider; secrets are made for this run."""
    return settings.model_copy(
        update={
            "environment": "development",
            "runtime": "server",
            "vapi_base_url": simulator_url,
            "vapi_api_key": _new_secret(),
            "vapi_phone_number_id": None,
            "vapi_webhook_credential_id": None,
            "public_url": base_url,
            "webhook_shared_secret": _new_secret(),
            "webhook_schemes": ("secret",),
            "cron_shared_secret": _new_secret(),
            "time_scale": max(1.0, play.speed),
            "launch_per_second": 0.0,
        }
    )


def with_own_address(settings: Settings, base_url: str) -> Settings:
    """Return real settings for a run: our own address unless PUBLIC_URL is set, a webhook secret if there is none."""
    update: dict[str, object] = {"runtime": "server"}
    if "public_url" not in settings.model_fields_set:
        update["public_url"] = base_url
    if settings.webhook_shared_secret is None and settings.vapi_webhook_credential_id is None:
        update["webhook_shared_secret"] = _new_secret()
    return settings.model_copy(update=update)


@contextmanager
def alone(data_dir: Path) -> Iterator[None]:
    """Keep out a second simulated run on the same data: each simulator knows only its own calls.

    Raises ConfigurationError while another one is under way.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / LOCK).open("ab") as lock:
        if not _is_taken(lock):
            raise ConfigurationError(
                f"Another simulated run is under way in {data_dir}: wait for its end, or set another DATA_DIR."
            )
        yield


def is_in_use(data_dir: Path) -> bool:
    """Whether a simulated run is under way on that data."""
    if not (data_dir / LOCK).exists():
        return False
    with (data_dir / LOCK).open("ab") as lock:
        return not _is_taken(lock)


def _is_taken(lock: IO[bytes]) -> bool:
    """Take the lock, which the file's end or ours gives back; False where somebody else has it."""
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _new_secret() -> SecretStr:
    return SecretStr(secrets.token_urlsafe(SECRET_BYTES))
