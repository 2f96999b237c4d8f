"""The database of a drill: durable, and crashed now and then."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from autolynx.store.cluster import open_cluster
from autolynx.store.embedded import DEFAULT_VERSION, EmbeddedPostgres

OPTIONS = {"max_connections": "100"}


class CrashingPostgres:
    """A server of this drill's own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = EmbeddedPostgres(folder, options=OPTIONS)
        self.url = ""
        self.crashes = 0

    async def start(self) -> None:
        """Start the server, or bring it back; returns after crash recovery."""
        self.url = await self._server.start()

    async def crash(self, away_seconds: float) -> None:
        """End the server without a checkpoint or a farewell, and bring it back after a while."""
        await asyncio.to_thread(self._stop_immediately)
        self.crashes += 1
        await asyncio.sleep(away_seconds)
        await self.start()

    async def stop(self) -> None:
        """Stop the server orderly."""
        await self._server.stop()

    def _stop_immediately(self) -> None:
        cluster = open_cluster(self._folder.resolve(), version=DEFAULT_VERSION, options=OPTIONS)
        done = cluster.programs.run("pg_ctl", "-D", str(cluster.folder), "-m", "immediate", "-w", "stop")
        if done.returncode != 0:
            raise SystemExit(f"PostgreSQL did not stop: {done.stderr}")


@asynccontextmanager
async def running_postgres() -> AsyncIterator[CrashingPostgres]:
    """Run a server while the block lasts, in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="autolynx-drill-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # run by root, the server has an account of its own
        server = CrashingPostgres(folder / "data")
        await server.start()
        try:
            yield server
        finally:
            await server.stop()
