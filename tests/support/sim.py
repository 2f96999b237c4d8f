"""The simulator as a process of its own: the independent witness of what was really dialled."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx

TWILIO_MAIN = "b0000000-0000-4000-8000-000000000001"
TWILIO_SECOND = "b0000000-0000-4000-8000-000000000002"
ASSISTANT_SALES = "a0000000-0000-4000-8000-000000000001"


class Sim:
    """A running simulator. Talks only to its `/_sim` routes."""

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self.url = url
        self._client = client

    async def ledger(self) -> dict[str, Any]:
        """Return every dial and the summary."""
        return await self._get("full")

    async def summary(self) -> dict[str, Any]:
        """Return the summary alone."""
        return await self._get("summary")

    async def _get(self, form: str) -> dict[str, Any]:
        answer = await self._client.get(f"{self.url}/_sim/ledger", params={"format": form})
        return cast("dict[str, Any]", answer.raise_for_status().json())

    async def faults(self, **values: Any) -> None:
        """Change faults."""
        (await self._client.patch(f"{self.url}/_sim/faults", json=values)).raise_for_status()


@asynccontextmanager
async def running_sim(*options: str, speed: float = 100, seed: int = 7) -> AsyncIterator[Sim]:
    """Start a simulator on a free port; it dies with the test, whatever happens."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "vapisim", "--port", "0", "--speed", str(speed), "--seed", str(seed)),
        *("--exit-with-parent", *options),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), 20)).decode()
    try:
        async with httpx.AsyncClient(timeout=20) as client:
            yield Sim(line.split()[-1], client)
    finally:
        process.terminate()
        await process.wait()
