"""A real Redis of a test's own, behind a socket that nobody else knows."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest

PROGRAM = shutil.which("redis-server", path=f"{os.environ.get('PATH', os.defpath)}:/usr/local/bin:/usr/bin")
MISSING = "Redis is not installed: apt-get install redis-server"


class RedisServer:
    """One server. Stopped and started again it is like one that was restarted: what it knew is gone."""

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "redis.sock"
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """What REDIS_URL has to say."""
        return f"unix://{self._socket}"

    async def start(self) -> None:
        """Start, and wait until it listens."""
        options = ("--port", "0", "--unixsocket", str(self._socket), "--dir", str(self._folder), "--save", "")
        assert PROGRAM is not None
        self._process = await asyncio.create_subprocess_exec(
            PROGRAM, *options, "--appendonly", "no", stdout=asyncio.subprocess.DEVNULL
        )
        async with asyncio.timeout(20):
            while not self._socket.exists():
                await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """Stop, if it runs."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()
        self._socket.unlink(missing_ok=True)


def require_redis() -> None:
    """Skip the test where there is no Redis; in CI it fails."""
    if PROGRAM is None and os.environ.get("CI") == "true":
        pytest.fail(MISSING, pytrace=False)
    if PROGRAM is None:
        pytest.skip(MISSING)
