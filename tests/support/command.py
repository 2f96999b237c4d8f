"""The command line as a process of its own, in an environment of its own, that leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

MARK = "AUTOLYNX_TEST_MARK"
PATIENCE = 150.0


@dataclass(frozen=True, kw_only=True)
class Console:
    """A folder and an environment in which commands run; every process that comes of them bears a mark."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    def environment(self) -> dict[str, str]:
        """Return what the commands see: nothing of the machine's settings."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return {**kept, "DATA_DIR": str(self.folder / "data"), MARK: self.mark, **self.variables}

    def run(
        self, *arguments: str, seconds: float = PATIENCE, typed: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; `typed` is what it reads, from a pipe and never from a terminal."""
        return subprocess.run(
            [sys.executable, "-m", "autolynx", *arguments],
            cwd=self.folder,
            env=self.environment(),
            input=typed or "",
            start_new_session=typed is not None,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    @contextmanager
    def running(self, *arguments: str, module: str = "autolynx") -> Iterator["Running"]:
        """Run a command while the block lasts; it is killed if it is still there at the end."""
        log = self.folder / f"output-{uuid.uuid4().hex[:8]}.txt"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=self.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            yield Running(process=process, log=log)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()

    def processes(self) -> list[str]:
        """Return the command lines of the processes that come of our commands and still run.

        They bear our mark; the database server, which forgets its environment, names our folder.
        """
        mark = f"{MARK}={self.mark}".encode()
        data = self.environment()["DATA_DIR"].encode()
        found: list[str] = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                line = (entry / "cmdline").read_bytes()
                if line and (data in line or mark in (entry / "environ").read_bytes()):
                    found.append(line.replace(b"\0", b" ").decode())
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
        return found


@dataclass(frozen=True, kw_only=True)
class Running:
    """A command under way; its output goes to a file."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def output(self) -> str:
        """What it has said so far."""
        return self.log.read_text()

    def wait_for(self, text: str) -> str:
        """Wait until it has said that, and return the line."""
        wait_until(lambda: text in self.output or self.process.poll() is not None)
        assert text in self.output, self.output
        return next(line for line in self.output.splitlines() if text in line)

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """Do what nobody can prepare for."""
        self.process.kill()
        self.process.wait()


def wait_until(is_so: Callable[[], bool], *, seconds: float = PATIENCE) -> None:
    """Wait until something is so; fails when it takes too long."""
    patience = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < patience, f"it did not come about within {seconds:g} s"
        time.sleep(0.05)


def write_contacts(path: Path, count: int, *, first: int = 0) -> Path:
    """Write a CSV of that many fictional contacts."""
    areas = (202, 212, 213, 303, 305, 312, 404, 415, 503, 512, 602, 617, 702, 713, 801)
    numbers = [(number, f"+1 {areas[number // 100]} 555 01{number % 100:02}") for number in range(first, first + count)]
    rows = [f"Ada {number},Acme {number},{phone}\n" for number, phone in numbers]
    path.write_text("name,business_name,phone\n" + "".join(rows))
    return path
