"""The web server inside a command: its socket, and its life around the work of the command."""

import asyncio
import errno
import gc
import socket
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from fastapi import FastAPI

from autolynx.cli.deadlines import PatientProtocol
from autolynx.errors import ConfigurationError
from autolynx.web.app import close_web

MOST_PORTS_TRIED = 100
GRACE_SECONDS = 3  # for requests under way at shutdown; live pages reconnect by themselves
BACKLOG = 2048


class Server(uvicorn.Server):
    """A uvicorn that leaves signals to the command."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Install nothing."""
        yield


def listen(host: str, port: int, *, may_move: bool = False) -> socket.socket:
    """Open a listening socket; port 0 takes a free one. With `may_move` the next free port is taken instead.

    Raises ConfigurationError when the address cannot be had.
    """
    last = min(port + MOST_PORTS_TRIED, 65536) if may_move and port else port + 1
    for candidate in range(port, last):
        listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
            listener.listen(BACKLOG)
        except OSError as error:
            listener.close()
            if error.errno != errno.EADDRINUSE or candidate == last - 1:
                raise ConfigurationError(
                    f"Cannot listen on {host}:{candidate} ({error.strerror}); choose another address by --port."
                ) from error
        else:
            return listener
    raise ConfigurationError(f"Cannot listen on {host}:{port}; choose another address by --port.")


def port_of(listener: socket.socket) -> int:
    """Return the port that a socket listens on."""
    return int(listener.getsockname()[1])


@asynccontextmanager
async def serving(
    app: FastAPI, listener: socket.socket, *, protocol: type[PatientProtocol] = PatientProtocol
) -> AsyncIterator[None]:
    """Serve the application while the block lasts; then stop accepting and finish what is under way."""
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,  # its lines go where ours go, see log
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # TRUSTED_PROXIES says whom we believe
        http=protocol,
        timeout_graceful_shutdown=GRACE_SECONDS,
        backlog=BACKLOG,
    )
    server = Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn offers no event
        await asyncio.sleep(0.005)
    try:
        if task.done():
            await task
        with _start_uncollected():
            yield
    finally:
        server.should_exit = True
        await close_web(app)
        await task


@contextmanager
def _start_uncollected() -> Iterator[None]:
    """Leave what was loaded so far out of garbage collection: it stays, and looking through it stops all else.

    Bodies of webhooks bring thousands of short-lived objects; a full collection among modules and routes that they
    set off takes longer than settling them.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
