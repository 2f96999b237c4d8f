"""A real HTTP server on loopback that answers, stalls and breaks off as a test tells it to."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

_PHRASE = "As Told"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case
    body: Any
    raw: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer. `wait` is in seconds before it, `is_cut` closes the connection before its end."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    wait: float = 0
    is_cut: bool = False


class Drop:
    """Read the request, then close the connection without a word."""


class Drip:
    """Begin an answer and send a byte of it now and then, without end."""


Answering = Reply | Drop | Drip
Rule = Callable[[Seen], Answering]


def as_json(body: Any, status: int = 200, **headers: str) -> Reply:
    """A JSON answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, body=json.dumps(body).encode(), headers={"Content-Type": "application/json", **named})


def page(status: int, html: str = "<html><body>error</body></html>") -> Reply:
    """An error page, such as proxies send."""
    return Reply(status=status, body=html.encode(), headers={"Content-Type": "text/html"})


def in_turn(*answers: Answering) -> Rule:
    """Answer with one after the other; the last one stays."""
    left = list(answers)
    return lambda _seen: left.pop(0) if len(left) > 1 else left[0]


@dataclass(kw_only=True)
class StubVapi:
    """The running server: where it is, what it was asked, how it answers."""

    url: str
    rule: Rule
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0

    def paths(self) -> Sequence[str]:
        """What was asked for, in order."""
        return [f"{request.method} {request.path}" for request in self.seen]


@asynccontextmanager
async def run_stub(rule: Rule | Answering) -> AsyncIterator[StubVapi]:
    """Run a server that answers by the rule until the block ends."""
    stub = StubVapi(url="", rule=rule if callable(rule) else in_turn(rule))
    tasks: set[asyncio.Task[None]] = set()
    server = await asyncio.start_server(_tracked(stub, tasks), "127.0.0.1", 0)
    stub.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield stub
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _tracked(stub: StubVapi, tasks: set[asyncio.Task[None]]) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        stub.connections += 1
        try:
            while (seen := await _read_request(reader)) is not None:
                stub.seen.append(seen)
                if not await _answer(stub.rule(seen), writer):
                    break
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    return handle


async def _read_request(reader: asyncio.StreamReader) -> Seen | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.strip().split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    parts = urlsplit(target)
    return Seen(
        method=method,
        path=parts.path,
        query={key: values[-1] for key, values in parse_qs(parts.query).items()},
        headers=headers,
        body=_json_of(body),
        raw=body,
    )


def _json_of(body: bytes) -> Any:
    """Return what a body says, None where it is none or no JSON."""
    try:
        return json.loads(body)
    except ValueError:
        return None


async def _answer(answer: Answering, writer: asyncio.StreamWriter) -> bool:
    """Send an answer; False where the connection is to be closed after it."""
    if isinstance(answer, Drop):
        return False
    if isinstance(answer, Drip):
        return await _drip(writer)
    await asyncio.sleep(answer.wait)
    headers = {"Content-Length": str(len(answer.body)), **answer.headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    body = answer.body[: len(answer.body) // 2] if answer.is_cut else answer.body
    writer.write(f"HTTP/1.1 {answer.status} {_PHRASE}\r\n{lines}\r\n".encode("latin-1") + body)
    await writer.drain()
    return not answer.is_cut


async def _drip(writer: asyncio.StreamWriter) -> bool:
    writer.write(b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)
