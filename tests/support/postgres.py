"""Real PostgreSQL for tests: one server per version and test run, shared by all workers.

The process that runs pytest owns a folder; the workers of xdist start servers in it when a test first asks,
and share them. Every test has a database of its own: a copy of a template that holds the migrated schema.
"""

import asyncio
import fcntl
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from autolynx.store.database import Database
from autolynx.store.embedded import EmbeddedPostgres
from autolynx.store.migrate import migrate

EMBEDDED_VERSIONS = ("16", "18")
QUIET = "quiet"  # a server apart, where no other test holds a transaction open; of the first version
TEMPLATE = "autolynx_template"
PREFIX = "autolynx-tests-"
GRACE_SECONDS = 60
MEMORY = Path("/dev/shm")  # noqa: S108 - folders in it get random names
ROOM_BYTES = 2 * 1024**3
# Data of tests may vanish with the machine; what matters is that a commit costs nothing.
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "autovacuum": "off",
    "max_wal_size": "1GB",
}


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running server: `url` is a database on it from which others can be created."""

    name: str
    url: str
    folder: Path

    def create_database(self, *, is_migrated: bool = True) -> str:
        """Create a database and return its URL."""
        return self._copy(self._template() if is_migrated else "template0")

    def create_filled(self, kind: str, fill: Callable[[str], object]) -> str:
        """Create a migrated database that `fill` filled, once per test run, and return its URL."""
        filled, done = f"filled_{kind}_{self._run_name}", self.folder / f"filled-{self.name}-{kind}.done"
        if not done.exists():
            with locked(self.folder / f"filled-{self.name}-{kind}.lock"):
                if not done.exists():
                    self._run("CREATE DATABASE {} TEMPLATE {}", filled, self._template())
                    fill(at_database(self.url, filled))
                    done.touch()
        return self._copy(filled)

    @property
    def _run_name(self) -> str:
        return self.folder.name.rpartition("-")[2]

    def _copy(self, template: str) -> str:
        name = f"test_{secrets.token_hex(6)}"
        # Copying files beats copying through the log by half, where flushing them to a disk costs nothing.
        strategy = "WAL_LOG" if self.name == "external" else "FILE_COPY"
        self._run(f"CREATE DATABASE {{}} TEMPLATE {{}} STRATEGY {strategy}", name, template)
        return at_database(self.url, name)

    def drop_database(self, url: str) -> None:
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", str(conninfo_to_dict(url)["dbname"]))

    def _template(self) -> str:
        """Return the template's name, building it if no worker has yet."""
        template = f"{TEMPLATE}_{self._run_name}"
        done = self.folder / f"template-{self.name}.done"
        if not done.exists():
            with locked(self.folder / f"template-{self.name}.lock"):
                if not done.exists():
                    self._run("CREATE DATABASE {} TEMPLATE template0", template)
                    asyncio.run(_migrate(at_database(self.url, template)))
                    done.write_text(template)
        return template

    def _run(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as conn:
            conn.execute(sql.SQL(statement).format(*(sql.Identifier(name) for name in names)))


class Servers:
    """The servers that this process has a share in, by name."""

    def __init__(self, folder: Path, external_url: str | None) -> None:
        self._folder = folder
        self._external_url = external_url
        self._embedded: dict[str, EmbeddedPostgres] = {}

    def get(self, name: str) -> Server:
        """Return the server of that name ("16", "18", "quiet" or "external"), starting it if need be."""
        if name == "external":
            assert self._external_url is not None
            return Server(name=name, url=self._external_url, folder=self._folder)
        if name not in self._embedded:
            version = int(EMBEDDED_VERSIONS[0] if name == QUIET else name)
            server = EmbeddedPostgres(self._folder / name, version=version, options=FAST)
            asyncio.run(server.start())
            self._embedded[name] = server
        return Server(name=name, url=self._embedded[name].url, folder=self._folder)

    def leave(self) -> None:
        for server in self._embedded.values():
            asyncio.run(server.stop())


def read_statistics(url: str, query: str) -> tuple[int, ...]:
    """Return one row of the server's statistics, once all who worked in the database are gone: then they count."""
    others = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with psycopg.connect(url, autocommit=True) as conn:
        patience = time.monotonic() + GRACE_SECONDS
        while conn.execute(others).rowcount:
            assert time.monotonic() < patience, "somebody is still connected"
            time.sleep(0.01)
        row = conn.execute(query.encode()).fetchone()
    assert row is not None
    return tuple(row)


def make_folder() -> Path:
    """Make the folder of a test run: in memory if there is room, and open to the account of the server.

    A database is 300 files; on a disk their creation alone may take 100 to 300 ms, in memory 15.
    """
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_base()))
    folder.chmod(0o755)
    return folder


def own_folder() -> tuple[Path, IO[bytes]]:
    """Make the folder of a test run, and hold its owner's lock. Tidies up after runs that were killed."""
    for old in _base().glob(f"{PREFIX}*/owner.lock"):
        with _ownerless(old) as is_ours:
            if is_ours:
                tidy(old.parent, None)
    folder = make_folder()
    owner = (folder / "owner.lock").open("ab")
    fcntl.flock(owner, fcntl.LOCK_EX)
    return folder, owner


def tidy(folder: Path, external_url: str | None) -> None:
    """Stop what still runs in the folder of a finished test run, and remove it."""
    for name in (*EMBEDDED_VERSIONS, QUIET):
        if (folder / name).exists():
            asyncio.run(_stop_if_unused(folder / name))
    if external_url and (done := folder / "template-external.done").exists():
        Server(name="external", url=external_url, folder=folder).drop_database(
            at_database(external_url, done.read_text())
        )
    shutil.rmtree(folder)


def at_database(url: str, name: str) -> str:
    """Return the URL of another database on the same server."""
    if "://" not in url:
        return make_conninfo(url, dbname=name)
    head, _, query = url.partition("?")
    scheme, _, rest = head.partition("://")
    authority = rest.partition("/")[0]
    return f"{scheme}://{authority}/{name}{'?' if query else ''}{query}"


def _base() -> Path:
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM_BYTES
    return MEMORY if has_room else Path(tempfile.gettempdir())


@contextmanager
def _ownerless(lock: Path) -> Iterator[bool]:
    """Take over a folder that nobody owns any more while the block lasts: of several who tidy up, one does it."""
    try:
        is_old = time.time() - lock.stat().st_mtime > GRACE_SECONDS
        owner = lock.open("r+b") if is_old and os.access(lock, os.W_OK) else None  # another account's is left to it
    except FileNotFoundError:
        owner = None  # somebody has just tidied up
    if owner is None:
        yield False
        return
    with owner:
        try:
            fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield lock.exists()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with path.open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


async def _migrate(url: str) -> None:
    database = await Database.open(url, max_size=1)
    try:
        await migrate(database)
    finally:
        await database.close()


async def _stop_if_unused(data_dir: Path) -> None:
    """Join and leave: a server whose users are all gone stops. (A killed worker left it running.)"""
    server = EmbeddedPostgres(data_dir, options=FAST)
    await server.start()
    await server.stop()
