"""The programs of a benchmark, each a process of its own as in production: PostgreSQL, the simulator, the server."""

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from autolynx.store.database import Database
from autolynx.store.embedded import EmbeddedPostgres
from autolynx.store.migrate import migrate
from tests.support.engine import free_port
from tests.support.postgres import at_database

WEBHOOK_SECRET = "secret-of-the-benchmark"
CRON_SECRET = "cron-secret-of-the-benchmark"
START_SECONDS = 30


@asynccontextmanager
async def running_postgres() -> AsyncIterator[str]:
    """Run a PostgreSQL of this run's own, with durable commits, and give the URL of its migrated database."""
    with tempfile.TemporaryDirectory(prefix="autolynx-bench-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        async with EmbeddedPostgres(Path(folder) / "data") as server:
            database = await Database.open(server.url, max_size=1)
            await migrate(database)
            await database.close()
            yield server.url


def copied_database(url: str, name: str, *, is_durable: bool = True) -> str:
    """Copy a database that nobody is connected to; return the URL of the copy. Commits need not be durable."""
    with psycopg.connect(at_database(url, "postgres"), autocommit=True) as conn:
        template = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
        conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        conn.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(str(template)))
        )
        if not is_durable:
            conn.execute(sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(sql.Identifier(name)))
        conn.execute("CHECKPOINT")
    return at_database(url, name)


@dataclass(frozen=True, kw_only=True)
class Served:
    """A running `autolynx serve`."""

    url: str
    pid: int


@asynccontextmanager
async def running_autolynx(database_url: str, vapi_url: str, **settings: object) -> AsyncIterator[Served]:
    """Run `autolynx serve` on a free port, with nothing from this machine's environment but the PATH."""
    port = free_port()
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "DATABASE_URL": database_url,
        "VAPI_BASE_URL": vapi_url,
        "VAPI_API_KEY": "key-of-the-benchmark",
        "WEBHOOK_SHARED_SECRET": WEBHOOK_SECRET,
        "CRON_SHARED_SECRET": CRON_SECRET,
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "LAUNCH_PER_SECOND": "0",
        "RATE_LIMIT_PER_MINUTE": "0",
        "RATE_LIMIT_PAGES_PER_MINUTE": "0",
        "RATE_LIMIT_UPLOADS_PER_MINUTE": "0",
        "RATE_LIMIT_EXPORTS_PER_MINUTE": "0",
        "LOG_LEVEL": "warning",
        **{name: str(value) for name, value in settings.items()},
    }
    command = (sys.executable, "-m", "autolynx", "serve", "--port", str(port))
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
        if b"listens" not in line:
            raise SystemExit(f"autolynx serve did not start: {line.decode()}")
        yield Served(url=f"http://127.0.0.1:{port}", pid=process.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used; 0 where the system does not say."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def database_cpu_seconds(url: str) -> float:
    """Return the processor time of every process of the database server that lives now."""
    with psycopg.connect(url, autocommit=True) as conn:
        pids = [row[0] for row in conn.execute("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()")]
    return sum(cpu_seconds(pid) for pid in pids)
