"""The simulator as a process of its own: it takes the provider's place and dies with us, whatever ends us."""

import asyncio
import secrets
import sys
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from autolynx.errors import AutolynxError

READY_SECONDS = 30
STOP_SECONDS = 5
PROGRAM = "vapisim"  # the module that stands in for the provider; nothing of it is imported here


@dataclass(frozen=True, kw_only=True)
class Play:
    """How the simulated town behaves: `speed` virtual seconds per real second, `lines` at once."""

    speed: float = 20.0
    seed: int = 7
    scenario: str = "busy-town"
    lines: int = 10


@asynccontextmanager
async def simulator(play: Play) -> AsyncIterator[str]:
    """Run a simulator while the block lasts; gives its address. Raises AutolynxError when it does not come up.

    It watches its standard input, which closes when this process ends, by `kill -9` as well. It has a session of its
    own, so that Ctrl-C in the terminal reaches only us. Its ids are salted: the database outlives it.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", PROGRAM, "--port", "0", "--exit-with-parent", "--id-salt", secrets.token_hex(8)),
        *("--speed", f"{play.speed:g}", "--seed", str(play.seed), "--scenario", play.scenario),
        *("--concurrency-limit", str(play.lines)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        async with _last_words(process) as words:
            yield await _address(process, words)
    finally:
        await _stop(process)


async def _address(process: asyncio.subprocess.Process, words: deque[str]) -> str:
    assert process.stdout is not None  # noqa: S101 - asked for above
    try:
        async with asyncio.timeout(READY_SECONDS):
            line = (await process.stdout.readline()).decode()
    except TimeoutError:
        raise AutolynxError(f"The simulator did not come up within {READY_SECONDS} s.") from None
    if not line:
        await process.wait()
        raise AutolynxError(f"The simulator did not come up: {' '.join(words) or 'it said nothing'}")
    return line.split()[-1]


@asynccontextmanager
async def _last_words(process: asyncio.subprocess.Process) -> AsyncIterator[deque[str]]:
    """Keep what the simulator says on standard error, so that its pipe never fills."""
    words: deque[str] = deque(maxlen=3)

    async def listen() -> None:
        assert process.stderr is not None  # noqa: S101 - asked for above
        async for line in process.stderr:
            words.append(line.decode(errors="replace").strip())

    listening = asyncio.create_task(listen())
    try:
        yield words
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
