"""The HTTP server around the app: its socket, its signals, and how to cut a connection for real."""

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.requests import Request
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from vapisim.app import build_app
from vapisim.world import World

GRACE_SECONDS = 1


class Connections:
    """Open connections by the address of the client, so that one of them can be cut."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], asyncio.Transport] = {}

    def protocol(self) -> type[asyncio.Protocol]:
        """Derive the server's HTTP protocol so that it keeps this register."""
        register = self._open
        base: Any = AutoHTTPProtocol

        class Registered(base):  # type: ignore[misc]
            def connection_made(self, transport: asyncio.Transport) -> None:
                self.peer = tuple(transport.get_extra_info("peername")[:2])
                register[self.peer] = transport
                super().connection_made(transport)

            def connection_lost(self, problem: Exception | None) -> None:
                register.pop(self.peer, None)
                super().connection_lost(problem)

        return Registered

    async def drop(self, request: Request) -> None:
        """Cut the connection of a request without a byte of an answer."""
        client = request.client
        transport = self._open.get((client.host, client.port)) if client else None
        if transport is not None:
            transport.abort()
        # The server must notice the loss before the handler returns without an answer.
        await asyncio.sleep(0.01)


class Server(uvicorn.Server):
    """A uvicorn that says when it is ready and leaves quietly and fast when told to."""

    def __init__(self, world: World, listener: socket.socket, *, says_ready: bool = True) -> None:
        connections = Connections()
        config = uvicorn.Config(
            build_app(world, connections.drop),
            http=connections.protocol(),
            loop="auto",
            ws="none",
            lifespan="on",
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=GRACE_SECONDS,
            backlog=2048,
        )
        super().__init__(config)
        self._world = world
        self._listener = listener
        self._says_ready = says_ready
        host, port = listener.getsockname()[:2]
        self.base_url = f"http://{host}:{port}"
        world.state.base_url = self.base_url

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the doors, then say so in one line."""
        await super().startup(sockets)
        if self._says_ready and self.started:
            sys.stdout.write(f"vapisim listening on {self.base_url}\n")
            sys.stdout.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the doors; whoever still waits for an answer gets it now."""
        self._world.close()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Stop at SIGTERM or SIGINT with exit code 0, instead of dying of the signal after a clean stop."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def run_until_told(self, *, exits_with_parent: bool = False) -> None:
        """Serve until a signal comes, or until the parent's end of our standard input closes."""
        if exits_with_parent:
            loop = asyncio.get_running_loop()
            threading.Thread(target=_watch_stdin, args=(self, loop), daemon=True).start()
        await self.serve(sockets=[self._listener])

    def leave(self) -> None:
        """Begin to stop."""
        self.should_exit = True


def listen(host: str, port: int) -> socket.socket:
    """Open a listening socket; port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Only for sockets of this very protocol does asyncio switch off the delay of small packets (40 ms).
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    return listener


def _watch_stdin(server: Server, loop: asyncio.AbstractEventLoop) -> None:
    """Wait for the end of standard input, on the bare descriptor: a buffered one would hinder our own end."""
    try:
        while os.read(0, 4096):
            pass
    except OSError:
        pass
    loop.call_soon_threadsafe(server.leave)
