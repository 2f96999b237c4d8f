"""One PostgreSQL cluster: the folder that holds the data, and the server process that works on it.

Whoever calls `start` or `stop` holds the lock that makes starting and stopping take turns (see `embedded`).
"""

import os
import secrets
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg

from autolynx.errors import ConfigurationError, DatabaseUnavailable
from autolynx.store.postgres_programs import SYSTEM_DIR, Programs, find_programs, is_open_to_all
from autolynx.store.trouble import translated

SUPERUSER = "postgres"
PORT = 5432  # only part of the socket's name
LONGEST_SOCKET_DIR = 85  # bytes; a socket's whole path must stay below 104
SOCKET_DIR_PREFIX = "autolynx-socket-"
READY_SECONDS = 600  # crash recovery may take this long
ANSWER_SECONDS = 30  # between saying "ready" and answering; a backend may have crashed meanwhile
STOP_SECONDS = 60
LEFTOVER_SECONDS = 15  # for the children of a killed server to notice and go
OVERLOOKED = ("pre-existing shared memory block", "lock file")  # in the log while they are still there
SERVER_OPTIONS = {
    "listen_addresses": "",
    "port": str(PORT),
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # The log must not hold names and phone numbers: no statements, no DETAIL lines.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A cluster in `folder`; `options` are server settings beyond ours."""

    folder: Path
    programs: Programs
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        """Where the server writes its messages."""
        return self.folder / "server.log"

    def start(self, database: str) -> str:
        """Bring the server up, wait for crash recovery, create `database` if missing; return its URL.

        Raises DatabaseUnavailable with the server's own last words when it does not come up.
        """
        _until(lambda: self._status() != "stopping" or self.server_pid() is None, STOP_SECONDS)
        if self.server_pid() is None:
            self._remove_socket_dir(self._socket_dir())
            (self.folder / "postmaster.pid").unlink(missing_ok=True)  # its process died, or the id was reused
            self._launch()
        self._wait_until_ready()
        self._ensure_database(database)
        return self.url(database)

    def stop(self) -> None:
        """Stop the server, if it runs: politely, and at once when that takes longer than a minute."""
        socket_dir = self._socket_dir()
        for mode in ("fast", "immediate"):
            if self.server_pid() is not None:
                patience = ("-w", "-t", str(STOP_SECONDS))
                self.programs.run("pg_ctl", "-D", str(self.folder), "-m", mode, *patience, "stop")
        if self.server_pid() is not None:
            raise DatabaseUnavailable(f"The embedded PostgreSQL does not stop: {self._last_words()}")
        self._remove_socket_dir(socket_dir)

    def url(self, database: str) -> str:
        """Return the URL of a database on the running server. Raises DatabaseUnavailable if it does not run."""
        socket_dir = self._socket_dir()
        if socket_dir is None:
            raise DatabaseUnavailable(f"The embedded PostgreSQL does not run: {self._last_words()}")
        host = quote(str(socket_dir), safe="")
        return f"postgresql://{SUPERUSER}@/{quote(database, safe='')}?host={host}&port={PORT}"

    def server_pid(self) -> int | None:
        """Return the id of the server's process, None when it does not run."""
        lines = self._pid_file()
        pid = int(lines[0]) if lines and lines[0].isdigit() else 0
        return pid if pid and str(self.folder) in _command_of(pid) else None

    def _pid_file(self) -> list[str]:
        """Return the lines of postmaster.pid: process id, folder, start time, port, socket folder, ..."""
        try:
            return (self.folder / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _socket_dir(self) -> Path | None:
        lines = self._pid_file()
        return Path(lines[4]) if len(lines) > 4 else None

    def _status(self) -> str:
        """Return the server's own word for what it is doing: starting, ready, stopping; empty if unknown."""
        lines = self._pid_file()
        return lines[7].strip() if len(lines) > 7 else ""

    def _launch(self) -> None:
        socket_dir = self._make_socket_dir()
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.old"))
        options = SERVER_OPTIONS | {"unix_socket_directories": str(socket_dir)} | dict(self.options)
        words = " ".join(shlex.quote(f"--{name}={value}") for name, value in options.items())
        arguments = ("-D", str(self.folder), "-l", str(self.log), "-o", words, "-w", "-t", str(READY_SECONDS))
        patience = time.monotonic() + LEFTOVER_SECONDS
        while self.programs.run("pg_ctl", *arguments, "start").returncode != 0:
            words_of_server = self._last_words()
            is_passing = any(sign in words_of_server for sign in OVERLOOKED)
            if not is_passing or time.monotonic() > patience:
                self._remove_socket_dir(socket_dir)
                raise DatabaseUnavailable(f"The embedded PostgreSQL does not start: {words_of_server}")
            time.sleep(0.2)

    def _make_socket_dir(self) -> Path:
        """Return where the socket goes: the cluster's own folder, unless its path does not do for a socket.

        It may be too long, or hold a comma, at which PostgreSQL's clients divide a list of hosts.
        """
        if len(os.fsencode(self.folder)) <= LONGEST_SOCKET_DIR and "," not in str(self.folder):
            return self.folder
        folder = Path(tempfile.mkdtemp(prefix=SOCKET_DIR_PREFIX))
        self.programs.own(folder)
        return folder

    def _remove_socket_dir(self, socket_dir: Path | None) -> None:
        if socket_dir and socket_dir != self.folder and socket_dir.name.startswith(SOCKET_DIR_PREFIX):
            shutil.rmtree(socket_dir, ignore_errors=True)

    def _wait_until_ready(self) -> None:
        """Return when the server takes connections; it may be recovering after a crash."""
        _until(lambda: self._status() == "ready" or self.server_pid() is None, READY_SECONDS)
        if self.server_pid() is None or not _until(self._takes_connections, ANSWER_SECONDS):
            raise DatabaseUnavailable(f"The embedded PostgreSQL does not answer: {self._last_words()}")

    def _takes_connections(self) -> bool:
        try:
            psycopg.connect(self.url(SUPERUSER), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _ensure_database(self, database: str) -> None:
        with translated(), psycopg.connect(self.url(SUPERUSER), autocommit=True) as conn:
            found = conn.execute("SELECT FROM pg_database WHERE datname = %s", [database]).rowcount
            if not found:
                conn.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(database)))

    def _last_words(self) -> str:
        if not self.log.exists():
            return "it said nothing"
        lines = self.log.read_text(errors="replace").splitlines()
        bad = [line for line in lines if "FATAL" in line or "PANIC" in line]
        return " ".join((bad or lines)[-2:]) or "it said nothing"


def open_cluster(data_dir: Path, *, version: int, options: Mapping[str, str]) -> Cluster:
    """Return the cluster below `data_dir`, creating it with that PostgreSQL version if there is none.

    An existing cluster keeps the version that made it. Raises ConfigurationError when the folder belongs to
    another account or the version is not at hand.
    """
    programs = find_programs(version)
    folder = _place(data_dir, programs)
    if not folder.exists():
        _create(folder, programs, version)
    made_by = int((folder / "PG_VERSION").read_text())
    if made_by != version:
        programs = find_programs(made_by)
    if folder.stat().st_uid != programs.user_id():
        raise ConfigurationError(
            f"DATA_DIR: {folder} belongs to another system account; run AutoLynx as the account that made it."
        )
    return Cluster(folder=folder, programs=programs, options=options)


def _place(data_dir: Path, programs: Programs) -> Path:
    """Return where the cluster is or shall be; elsewhere, with a link, if its account cannot get there."""
    folder = data_dir / "postgres"
    if folder.is_symlink() or folder.exists():
        return folder.resolve()
    if programs.account is None or is_open_to_all(data_dir):
        return folder
    SYSTEM_DIR.mkdir(mode=0o755, parents=True, exist_ok=True)
    folder.symlink_to(SYSTEM_DIR / f"postgres-{secrets.token_hex(6)}")
    return folder.resolve()


def _create(folder: Path, programs: Programs, version: int) -> None:
    """Create a cluster that appears whole or not at all: UTF-8, C collation, open to its own account only."""
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    programs.own(unfinished)
    # From 17 on PostgreSQL knows upper and lower case of all letters, whatever locales the system has.
    builtin = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8") if version >= 17 else ()
    fixed = ("--encoding=UTF8", "--locale=C", "--auth=trust", "--username", SUPERUSER, "--no-instructions")
    done = programs.run("initdb", "-D", str(unfinished), *fixed, *builtin)
    if done.returncode != 0:
        raise DatabaseUnavailable(f"The embedded PostgreSQL cannot be set up: {done.stderr.strip()}")
    unfinished.rename(folder)


def _until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until the condition holds, at most that long; say whether it does."""
    patience = time.monotonic() + seconds
    while not (holds := condition()) and time.monotonic() < patience:
        time.sleep(0.05)
    return holds


def _command_of(pid: int) -> str:
    """Return the command line of a process, empty when there is no such process (or only its remains)."""
    if Path("/proc/self").exists():
        try:
            return os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes())
        except (FileNotFoundError, ProcessLookupError):
            return ""
    command = ["/bin/ps", "-ww", "-p", str(pid), "-o", "command="]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603 - a number
