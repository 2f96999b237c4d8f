"""Connections that are held open by sending slowly, before a real server on a real socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress

import pytest

from autolynx.cli.deadlines import PatientProtocol
from autolynx.cli.listening import listen, port_of, serving
from autolynx.store.database import Database
from tests.support.web import running_web

pytestmark = pytest.mark.anyio

SHORT_SECONDS = 0.3
LONG_SECONDS = 20


class Impatient(PatientProtocol):
    """Waits a short time; everything else is as it is."""

    head_seconds = SHORT_SECONDS
    rest_seconds = SHORT_SECONDS


@asynccontextmanager
async def connection(
    database: Database, **settings: object
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter, str]]:
    """Serve, connect, and give the headers of a known caller."""
    async with running_web(database, **settings) as web:
        with listen("127.0.0.1", 0) as listener:
            port = port_of(listener)
            async with serving(web.app, listener, protocol=Impatient):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                known = f"Host: 127.0.0.1:{port}\r\nAuthorization: {web.client.headers['authorization']}\r\n"
                with closing(writer):
                    yield reader, writer, known


async def is_ended(reader: asyncio.StreamReader) -> bytes:
    """Wait for the other side to close, or to hang up on us while we still send; what came until then."""
    came = b""
    async with asyncio.timeout(LONG_SECONDS):
        with suppress(ConnectionResetError):
            while part := await reader.read(65_536):
                came += part
    return came


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: "])
async def test_a_head_that_does_not_come_to_an_end_is_hung_up_on(database: Database, sent: bytes) -> None:
    async with connection(database) as (reader, writer, _):
        writer.write(sent)
        assert await is_ended(reader) == b""


async def test_a_head_that_trickles_is_hung_up_on_all_the_same(database: Database) -> None:
    async with connection(database) as (reader, writer, _):
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
        ended = asyncio.create_task(is_ended(reader))
        for number in range(100):
            if ended.done():
                break
            writer.write(f"X-{number}: a\r\n".encode())
            await asyncio.sleep(0.02)
        assert ended.done()


async def test_blank_lines_between_requests_do_not_hold_a_connection(database: Database) -> None:
    async with connection(database) as (reader, writer, _):
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        ended = asyncio.create_task(is_ended(reader))
        for _ in range(100):
            if ended.done():
                break
            writer.write(b"\r\n")
            await asyncio.sleep(0.02)
        assert ended.done()


@pytest.mark.parametrize("path", ["/api/assistants", "/api/uploads", "/api/campaigns"])
async def test_a_body_that_trickles_is_a_408(database: Database, path: str) -> None:
    async with connection(database, BODY_TIMEOUT_SECONDS=SHORT_SECONDS) as (reader, writer, known):
        head = f"POST {path} HTTP/1.1\r\n{known}Content-Type: application/json\r\nContent-Length: 500000\r\n\r\n"
        writer.write(head.encode())
        ended = asyncio.create_task(is_ended(reader))
        for _ in range(200):
            if ended.done():
                break
            writer.write(b" ")
            await asyncio.sleep(0.02)
        answer = await ended
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b'"REQUEST_TIMEOUT"' in answer


async def test_a_webhook_that_trickles_is_a_408_before_its_secret_is_looked_at(database: Database) -> None:
    async with connection(database, BODY_TIMEOUT_SECONDS=SHORT_SECONDS) as (reader, writer, known):
        writer.write(f"POST /api/webhooks/vapi HTTP/1.1\r\n{known}Content-Length: 9000\r\n\r\n{{".encode())
        assert (await is_ended(reader)).startswith(b"HTTP/1.1 408 ")


async def test_whoever_is_refused_cannot_go_on_sending_for_ever(database: Database) -> None:
    async with connection(database) as (reader, writer, known):
        host = known.partition("Authorization")[0]
        writer.write(f"POST /api/uploads HTTP/1.1\r\n{host}Content-Length: 500000\r\n\r\n ".encode())
        assert (await is_ended(reader)).startswith(b"HTTP/1.1 401 ")


async def test_a_large_body_has_longer_than_a_small_one(database: Database) -> None:
    async with connection(database, BODY_TIMEOUT_SECONDS=SHORT_SECONDS) as (reader, writer, known):
        raw = b"name,business_name,phone\n" + b"Ada,Acme,+12025550143\n" * 2000
        writer.write(f"POST /api/uploads HTTP/1.1\r\n{known}Content-Length: {len(raw)}\r\n\r\n".encode())
        for start in range(0, len(raw), 11_000):  # about 25 KB a second, for more than a second
            writer.write(raw[start : start + 11_000])
            await asyncio.sleep(0.4)
        assert (await reader.readline()).startswith(b"HTTP/1.1 201 ")


async def test_several_requests_of_one_connection_are_answered(database: Database) -> None:
    async with connection(database) as (reader, writer, known):
        for _ in range(3):
            writer.write(f"GET /api/dialing HTTP/1.1\r\n{known}\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
            length = next(int(line.split(b":")[1]) for line in head.splitlines() if line.startswith(b"content-length"))
            await reader.readexactly(length)
            await asyncio.sleep(0.1)
