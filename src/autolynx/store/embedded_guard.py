"""Stops the embedded server after the process that used it was killed.

A shell waits at the end of a pipe that we hold open: it costs a megabyte, and only a pipe closes by `kill -9` too.
When the pipe closes, the shell becomes a Python that takes a share in the server and gives it up again: the last one
out stops the server, as always. Processes that still use it are not disturbed.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autolynx.store.embedded import EmbeddedPostgres

WAIT_THEN_BECOME = 'read _; exec "$@"'


@contextmanager
def guarding(data_dir: Path) -> Iterator[None]:
    """Have the server of that folder stopped if this process dies while the block lasts."""
    if sys.platform == "win32":
        yield  # no shell to wait: the next start takes the server over
        return
    command = [sys.executable, "-m", "autolynx.store.embedded_guard", str(data_dir.absolute())]
    guard = subprocess.Popen(  # noqa: S603 - our own interpreter and folder
        ["/bin/sh", "-c", WAIT_THEN_BECOME, "autolynx-guard", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C in the terminal is not for it
    )
    try:
        yield
    finally:
        guard.kill()
        guard.communicate()


async def leave(data_dir: Path) -> None:
    """Take a share in the server of that folder and give it up again; where there is none, do nothing."""
    if not (data_dir / "postgres").exists():
        return
    server = EmbeddedPostgres(data_dir)
    await server.start()
    await server.stop()


if __name__ == "__main__":
    asyncio.run(leave(Path(sys.argv[1])))
