"""`autolynx serve` as a process of its own, as an operator runs it."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.engine import NO_LIMITS

CRON_SECRET = "cron-secret-of-the-test"
HOOK_SECRET = "hook-secret-of-the-test"


def environment(database_url: str, sim_url: str, **values: object) -> dict[str, str]:
    """Return the whole environment of a server against a simulator: nothing of the machine's settings leaks in."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    chosen = {
        "DATABASE_URL": database_url,
        "VAPI_BASE_URL": sim_url,
        "VAPI_API_KEY": "test-key",
        "WEBHOOK_SHARED_SECRET": HOOK_SECRET,
        "CRON_SHARED_SECRET": CRON_SECRET,
        "LAUNCH_PER_SECOND": "0",
        **NO_LIMITS,
        "LOG_LEVEL": "warning",
        **values,
    }
    return kept | {name: str(value) for name, value in chosen.items()}


async def start_serve(environ: dict[str, str], *, port: int) -> asyncio.subprocess.Process:
    """Start a server and wait until it listens. The caller ends it, orderly or not."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from autolynx.cli import main; main()", "serve", "--port", str(port)),
        env=environ | {"PUBLIC_URL": f"http://127.0.0.1:{port}"},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), 60)
    assert b"listens on" in line, line
    return process


@asynccontextmanager
async def running_serve(environ: dict[str, str], *, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start a server and stop it orderly at the end."""
    process = await start_serve(environ, port=port)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
