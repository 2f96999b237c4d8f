"""A PostgreSQL server of our own, from a wheel, in a folder: nothing to install but Python.

The first process that wants it starts it, later ones share it, the last one to leave stops it. Who uses it
is known by shared locks on `postgres.users`, which the kernel drops when a process dies, `kill -9` included;
`postgres.lock` makes starting and stopping take turns. The server listens on a Unix socket in a folder that
only its account can enter, never on a TCP port.

`data_dir/postgres` is the cluster. Run as root with `data_dir` below a folder that other accounts cannot
enter (a home folder, mostly), `postgres` is a link to a folder in /var/lib/autolynx instead.
"""

import asyncio
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from autolynx.errors import ConfigurationError
from autolynx.store.cluster import Cluster, open_cluster
from autolynx.store.postgres_programs import find_programs

if sys.platform != "win32":
    import fcntl

DEFAULT_VERSION = 18


class EmbeddedPostgres:
    """The server of one data folder, and our share in it: `async with EmbeddedPostgres(folder) as server`.

    `version` is used for a new folder; an existing one keeps its own. `options` are server settings, used
    when this process is the one that starts the server.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        version: int = DEFAULT_VERSION,
        database: str = "autolynx",
        options: Mapping[str, str] | None = None,
    ) -> None:
        self._data_dir = data_dir.resolve()  # one spelling, by which its server is recognised
        self._version = version
        self._database = database
        self._options = dict(options or {})
        self._share: IO[bytes] | None = None
        self._url: str | None = None

    @property
    def url(self) -> str:
        """The `postgresql://` URL (by Unix socket) of the database, once started."""
        if self._url is None:
            raise RuntimeError("start() comes first")
        return self._url

    async def start(self) -> str:
        """Take a share in the server, starting it if nobody has; return its URL. Waits for crash recovery.

        May be called again: it brings back a server that died. Raises ConfigurationError when the extra is
        missing or the folder cannot be used, DatabaseUnavailable when the server does not come up.
        """
        starting = asyncio.ensure_future(asyncio.to_thread(self._start))
        try:
            self._url = await asyncio.shield(starting)
        except asyncio.CancelledError:
            await asyncio.wait([starting])
            starting.exception()  # whatever it was, being cancelled outranks it
            await self.stop()
            raise
        return self._url

    async def stop(self) -> None:
        """Give up our share; the last one out stops the server. May be called twice."""
        await asyncio.shield(asyncio.to_thread(self._stop))

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _start(self) -> str:
        find_programs(self._version)  # says so where there are none, and where there are no such locks
        with self._turn():
            self._share = self._share or self._take_share()
            try:
                return self._cluster().start(self._database)
            except BaseException:
                self._drop_share()
                raise

    def _stop(self) -> None:
        if self._share is None:
            return
        with self._turn():
            self._drop_share()
            if self._is_unused():
                self._cluster().stop()

    def _cluster(self) -> Cluster:
        return open_cluster(self._data_dir, version=self._version, options=self._options)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Hold the lock under which the server is started and stopped."""
        with self._open("postgres.lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _open(self, name: str) -> IO[bytes]:
        try:
            self._data_dir.mkdir(parents=True, exist_ok=True)
            return (self._data_dir / name).open("ab")
        except OSError as error:
            message = f"DATA_DIR: {self._data_dir} cannot be used: {error.strerror}; choose another folder."
            raise ConfigurationError(message) from error

    def _take_share(self) -> IO[bytes]:
        users = self._open("postgres.users")
        fcntl.flock(users, fcntl.LOCK_SH)
        return users

    def _drop_share(self) -> None:
        if self._share is not None:
            self._share.close()
            self._share = None

    def _is_unused(self) -> bool:
        with self._open("postgres.users") as users:
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True
