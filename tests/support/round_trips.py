"""A witness between a client and PostgreSQL that counts round trips."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict


class Frames:
    """Cuts what a client sends into messages, and names their types; the first message has none."""

    def __init__(self) -> None:
        self._rest = b""
        self._head = 0

    def feed(self, data: bytes) -> str:
        self._rest += data
        types = ""
        while len(self._rest) >= self._head + 4:
            length = self._head + int.from_bytes(self._rest[self._head : self._head + 4])
            if len(self._rest) < length:
                break
            types += self._rest[: self._head].decode()
            self._rest = self._rest[length:]
            self._head = 1
        return types


class RoundTrips:
    """How often a client, having heard from the server, spoke to it again; logging in counts as well.

    `statements` is how many it sent: several of them may travel together.
    """

    def __init__(self, url: str, seen_url: str) -> None:
        self.url = seen_url
        self.count = 0
        self.statements = 0
        given = conninfo_to_dict(url)
        self._host, self._port = str(given["host"]), int(given.get("port") or 5432)
        self._visits: set[asyncio.Task[None]] = set()

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._visits.add(asyncio.create_task(self._serve(reader, writer)))

    async def see_off(self) -> None:
        """Wait until every client has gone; one that a failed test left behind is cut off."""
        _, staying = await asyncio.wait(self._visits, timeout=5) if self._visits else (set(), set())
        for visit in staying:
            visit.cancel()
        await asyncio.gather(*staying, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._host.startswith("/"):
            up_reader, up_writer = await asyncio.open_unix_connection(f"{self._host}/.s.PGSQL.{self._port}")
        else:
            up_reader, up_writer = await asyncio.open_connection(self._host, self._port)
        is_clients_turn = [True]
        await asyncio.gather(
            self._forward(reader, up_writer, is_clients_turn, is_client=True),
            self._forward(up_reader, writer, is_clients_turn, is_client=False),
        )

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, turn: list[bool], *, is_client: bool
    ) -> None:
        frames = Frames()
        while data := await reader.read(65536):
            if is_client:
                self.statements += sum(kind in "QE" for kind in frames.feed(data))  # a simple query, or an execution
            if is_client and turn[0] and data[:1] != b"X":  # X says goodbye
                self.count += 1
            turn[0] = not is_client
            writer.write(data)
            await writer.drain()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def counting_round_trips(url: str) -> AsyncIterator[RoundTrips]:
    """Give a witness; connect to its `url` in place of the one given, and read or reset its `count`."""
    given = conninfo_to_dict(url)
    with tempfile.TemporaryDirectory(prefix="autolynx-") as folder:
        user, database = given.get("user", "postgres"), given["dbname"]
        trips = RoundTrips(url, f"postgresql://{user}@/{database}?host={folder}&port=5432")
        server = await asyncio.start_unix_server(trips.serve, Path(folder) / ".s.PGSQL.5432")
        try:
            yield trips
        finally:
            server.close()
            await server.wait_closed()
            await trips.see_off()
