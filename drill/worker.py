"""One process of the application: what `autolynx serve` runs, on a socket that all processes share."""

import asyncio
import logging
import multiprocessing
import signal
import socket
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from autolynx.bootstrap import build_provider, open_runtime
from autolynx.cli.listening import serving
from autolynx.cli.loop import run_async
from autolynx.errors import DatabaseUnavailable
from autolynx.flows.engine import Engine
from autolynx.flows.tick import Ticker
from autolynx.log import configure_logging
from autolynx.settings import Settings, load_settings
from autolynx.store.database import Database
from autolynx.web.app import build_web
from drill.doom import Fate, FatefulDatabase, FatefulRefiller, fateful_launch
from drill.plan import Doom

TRY_AGAIN = 75  # the exit code of a process that found no database


def run(environ: Mapping[str, str], listener: socket.socket, doom: Doom | None) -> None:
    """Serve until told to stop, until the conductor is gone, or until the doom strikes."""
    settings = load_settings(environ)
    configure_logging(settings.log_level, as_json=False)
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)  # that the database is away is what we play
    try:
        run_async(_serve(settings, listener, Fate(doom)))
    except DatabaseUnavailable:  # whoever watches over us starts us again
        raise SystemExit(TRY_AGAIN) from None


async def _serve(settings: Settings, listener: socket.socket, fate: Fate) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    conductor: Any = multiprocessing.parent_process()
    loop.add_reader(conductor.sentinel, stopped.set)
    async with open_runtime(settings) as opened:
        provider = build_provider(settings, opened.clock, launch=fateful_launch(fate))
        database = cast("Database", FatefulDatabase(opened.database, fate))
        runtime = replace(opened, database=database, provider=provider)
        refiller = FatefulRefiller(runtime, fate)
        ticker = Ticker(runtime)
        engine = Engine(runtime=runtime, refiller=refiller, ticker=ticker)
        async with serving(build_web(engine), listener):
            ticker.start()
            await stopped.wait()
        await ticker.stop()
        await refiller.drain()
        await provider.close()
