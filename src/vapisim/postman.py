"""A small HTTP/1.1 client for webhooks: POST, keep-alive, nothing else.

General clients spend several times more processor time on a webhook than the receiver does; on a small
machine shared with the application under test that would falsify every measurement.
"""

import asyncio
import contextlib
from collections import defaultdict
from urllib.parse import SplitResult, urlsplit

MOST_IDLE = 32
LONGEST_HEAD = 64 * 1024

Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class NoAnswerError(Exception):
    """The receiver could not be reached or did not answer properly; the text is one word for why."""


class Postman:
    """Posts bodies and tells the status of the answer; keeps connections open between visits."""

    def __init__(self) -> None:
        self._idle: dict[tuple[str, int], list[Wire]] = defaultdict(list)

    async def post(self, url: str, body: bytes, headers: dict[str, str], *, timeout_seconds: float) -> int:
        """Deliver a body; the time limit covers everything from connecting to the last byte of the answer."""
        parts = urlsplit(url)
        letter = _request(parts, body, headers)
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._exchange(parts, letter)
        except TimeoutError as problem:
            raise NoAnswerError("timeout") from problem
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as problem:
            raise NoAnswerError(
                "refused" if isinstance(problem, ConnectionRefusedError) else "disconnected"
            ) from problem

    def close(self) -> None:
        """Hang up everywhere."""
        for wires in self._idle.values():
            for _, writer in wires:
                writer.close()
        self._idle.clear()

    async def _exchange(self, parts: SplitResult, letter: bytes) -> int:
        """Talk over an idle connection if one still lives, else over a fresh one."""
        idle = self._idle[_place(parts)]
        while idle:
            wire = idle.pop()
            with contextlib.suppress(_StaleError):
                return await self._talk(parts, wire, letter)
        host, port = _place(parts)
        fresh = await asyncio.open_connection(host, port, ssl=parts.scheme == "https" or None, limit=LONGEST_HEAD)
        try:
            return await self._talk(parts, fresh, letter)
        except _StaleError as problem:
            raise ConnectionResetError from problem

    async def _talk(self, parts: SplitResult, wire: Wire, letter: bytes) -> int:
        reader, writer = wire
        is_reusable = False
        try:
            head = await _ask(reader, writer, letter)
            status, is_reusable = await _rest(reader, head)
        finally:
            idle = self._idle[_place(parts)]
            if is_reusable and len(idle) < MOST_IDLE:
                idle.append(wire)
            else:
                writer.close()
        return status


class _StaleError(Exception):
    """The connection was closed before a single byte of the answer came."""


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, letter: bytes) -> bytes:
    try:
        writer.write(letter)
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as problem:
        if not problem.partial:
            raise _StaleError from problem
        raise
    except ConnectionError as problem:
        raise _StaleError from problem


async def _rest(reader: asyncio.StreamReader, head: bytes) -> tuple[int, bool]:
    """Read the answer to its end; returns its status and whether the connection can be used again."""
    lines = head.decode("latin-1").split("\r\n")
    status = int(lines[0].split(" ", 2)[1])
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
    if headers.get("transfer-encoding", "").lower() == "chunked":
        await _skip_chunks(reader)
    elif "content-length" in headers:
        await reader.readexactly(int(headers["content-length"]))
    elif status not in {204, 304}:
        await reader.read()
        return status, False
    return status, headers.get("connection", "").lower() != "close"


async def _skip_chunks(reader: asyncio.StreamReader) -> None:
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        await reader.readexactly(size + 2)
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass


def _place(parts: SplitResult) -> tuple[str, int]:
    return parts.hostname or "localhost", parts.port or (443 if parts.scheme == "https" else 80)


def _request(parts: SplitResult, body: bytes, headers: dict[str, str]) -> bytes:
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {parts.netloc.rpartition('@')[2]}",
        f"Content-Length: {len(body)}",
    ]
    lines += [f"{name}: {_one_line(value)}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body


def _one_line(value: str) -> str:
    return value.replace("\r", " ").replace("\n", " ")
