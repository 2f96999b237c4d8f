"""A real PgBouncer in transaction mode in front of a test server."""

import asyncio
import os
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from autolynx.store.postgres_programs import ACCOUNT

PROGRAM = shutil.which("pgbouncer", path=f"{os.defpath}:/usr/sbin:/usr/local/bin:/usr/local/sbin")
CONFIGURATION = """
[databases]
* = host={host} port={port} user={user}{password}
[pgbouncer]
pool_mode = transaction
default_pool_size = {server_connections}
max_client_conn = 200
auth_type = any
unix_socket_dir = {folder}
listen_port = 6432
logfile = {folder}/pgbouncer.log
"""


@asynccontextmanager
async def transaction_pooler(url: str, run_folder: Path, *, server_connections: int) -> AsyncIterator[str]:
    """Run PgBouncer before the server of `url`, with that many connections to it; give the URL through it."""
    assert PROGRAM is not None
    given = conninfo_to_dict(url)
    folder = run_folder / f"pooler-{secrets.token_hex(4)}"
    folder.mkdir()
    settings = {
        "host": given["host"],
        "port": given.get("port") or 5432,
        "user": given.get("user", "postgres"),
        "password": f" password={given['password']}" if "password" in given else "",
    }
    ini = folder / "pgbouncer.ini"
    ini.write_text(CONFIGURATION.format(folder=folder, server_connections=server_connections, **settings))
    account = ["-u", ACCOUNT] if os.geteuid() == 0 else []
    if account:
        shutil.chown(folder, ACCOUNT)
    process = await asyncio.create_subprocess_exec(PROGRAM, "-q", *account, str(ini))
    pooled = f"postgresql://{settings['user']}@/{given['dbname']}?host={folder}&port=6432"
    try:
        await _wait_until_ready(pooled)
        yield pooled
    finally:
        process.terminate()
        await process.wait()
        shutil.rmtree(folder)


async def _wait_until_ready(url: str) -> None:
    for _ in range(100):
        with suppress(psycopg.OperationalError):
            async with await psycopg.AsyncConnection.connect(url, connect_timeout=2):
                return
        await asyncio.sleep(0.05)
    raise AssertionError("PgBouncer did not come up")
