import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from autolynx.errors import DatabaseCollision, DatabaseUnavailable
from autolynx.store.database import Database, Timeouts, retry_once_on_deadlock
from autolynx.store.migrate import migrate
from tests.support.pooler import PROGRAM, transaction_pooler

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.pgbouncer,
    pytest.mark.skipif(PROGRAM is None, reason="PgBouncer is not installed: apt-get install pgbouncer"),
]


@pytest.fixture
async def pooled_url(empty_database_url: str, run_folder: Path) -> AsyncIterator[str]:
    """The URL of an empty database through a pooler that has two connections to the server."""
    async with transaction_pooler(empty_database_url, run_folder, server_connections=2) as url:
        yield url


@pytest.fixture
async def pooled(pooled_url: str) -> AsyncIterator[Database]:
    """Eight connections to the pooler, and a small table."""
    database = await Database.open(pooled_url, min_size=8, max_size=8, timeouts=Timeouts(acquire_seconds=10))
    async with database.connection() as conn:
        await conn.execute("CREATE TABLE notes (id int PRIMARY KEY, text text)")
        await conn.execute("INSERT INTO notes VALUES (1, 'one'), (2, 'two')")
    yield database
    await database.close()


async def texts(database: Database) -> list[str]:
    async with database.connection() as conn:
        rows = await (await conn.execute("SELECT text FROM notes ORDER BY id")).fetchall()
    return [row["text"] for row in rows]


@pytest.mark.every_postgres
async def test_many_clients_share_two_connections_without_hearing_of_each_other(pooled: Database) -> None:
    async def work(number: int) -> tuple[int, str, int]:
        async with pooled.transaction(timeouts=Timeouts(lock_seconds=number)) as conn:
            first = await (await conn.execute("SELECT pg_backend_pid() AS pid")).fetchone()
            await asyncio.sleep(0.002)
            row = await (
                await conn.execute(
                    """SELECT %s::int AS number, current_setting('lock_timeout') AS limit,
                           pg_backend_pid() AS pid""",
                    [number],
                )
            ).fetchone()
        assert first is not None
        assert row is not None
        assert first["pid"] == row["pid"]
        return row["number"], row["limit"], row["pid"]

    results = await asyncio.gather(*(work(number) for number in range(1, 51)))
    assert [(number, limit) for number, limit, _ in results] == [(n, f"{n}s") for n in range(1, 51)]
    assert len({pid for _, _, pid in results}) == 2


async def test_no_setting_outlives_its_transaction(pooled: Database) -> None:
    async def limit() -> str:
        async with pooled.connection() as conn:
            conn.beside = b""
            row = await (await conn.execute("SELECT current_setting('lock_timeout') AS limit")).fetchone()
        assert row is not None
        return str(row["limit"])

    async with pooled.transaction() as conn:
        await conn.execute("SELECT 1")
    async with pooled.connection() as conn:
        await conn.execute("SELECT 1")
    assert set(await asyncio.gather(*(limit() for _ in range(20)))) == {"0"}


@pytest.mark.every_postgres
async def test_statements_with_parameters_in_a_pipeline_inside_a_transaction(pooled: Database) -> None:
    async def work(number: int) -> int:
        async with pooled.transaction() as conn:
            async with conn.pipeline():
                one = await conn.execute("SELECT %s::int AS n", [number])
                await conn.execute("INSERT INTO notes VALUES (%s, %s)", [number, f"note {number}"])
                two = await conn.execute("SELECT count(*) AS n FROM notes WHERE id = %s", [number])
            first, second = await one.fetchone(), await two.fetchone()
        assert first is not None
        assert second is not None
        assert second["n"] == 1
        return int(first["n"])

    assert await asyncio.gather(*(work(n) for n in range(10, 50))) == list(range(10, 50))
    assert len(await texts(pooled)) == 42


async def test_a_whole_transaction_may_be_one_pipeline(pooled: Database) -> None:
    async def work(number: int) -> None:
        async with pooled.connection() as conn, conn.pipeline():
            await conn.execute("BEGIN")
            await conn.execute("SET LOCAL lock_timeout = 5000")
            await conn.execute("INSERT INTO notes VALUES (%s, %s)", [number, "piped"])
            await conn.execute("COMMIT")

    await asyncio.gather(*(work(number) for number in range(10, 50)))
    assert (await texts(pooled)).count("piped") == 40


async def test_a_pipeline_in_autocommit_works_as_well(pooled: Database) -> None:
    async def work(number: int) -> int:
        async with pooled.connection() as conn:
            async with conn.pipeline():
                cursors = [await conn.execute("SELECT %s::int AS n", [number + step]) for step in range(5)]
            rows = [await cursor.fetchone() for cursor in cursors]
        return sum(row["n"] for row in rows if row)

    assert await asyncio.gather(*(work(n) for n in range(40))) == [5 * n + 10 for n in range(40)]


async def test_a_pipeline_that_fails_undoes_the_transaction_and_spares_the_connections(
    pooled: Database,
) -> None:
    async def work(number: int) -> None:
        async with pooled.transaction() as conn, conn.pipeline():
            await conn.execute("UPDATE notes SET text = %s WHERE id = 1", [f"changed {number}"])
            await conn.execute("INSERT INTO notes VALUES (%s, 'again')", [2])
            await conn.execute("UPDATE notes SET text = %s WHERE id = 2", [f"changed {number}"])

    outcomes = await asyncio.gather(*(work(number) for number in range(20)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {psycopg.errors.UniqueViolation}
    assert await asyncio.gather(*(texts(pooled) for _ in range(20))) == [["one", "two"]] * 20


async def test_rows_can_be_copied_in(pooled: Database) -> None:
    async with (
        pooled.transaction() as conn,
        conn.cursor() as cursor,
        cursor.copy("COPY notes FROM STDIN") as copy,
    ):
        for number in range(10, 1010):
            await copy.write_row((number, "copied"))
    assert (await texts(pooled)).count("copied") == 1000


async def test_a_server_side_cursor_streams_inside_a_transaction(pooled: Database) -> None:
    async with pooled.transaction() as conn, conn.cursor(name="stream") as cursor:
        await cursor.execute("SELECT generate_series(1, 5000) AS n")
        assert sum([row["n"] async for row in cursor]) == 5000 * 5001 // 2


async def test_a_deadlock_through_the_pooler_is_repeated_once(pooled: Database) -> None:
    async def change(first: int, second: int) -> None:
        async with pooled.transaction() as conn:
            await conn.execute("UPDATE notes SET text = text || '+' WHERE id = %s", [first])
            await asyncio.sleep(0.1)
            await conn.execute("UPDATE notes SET text = text || '+' WHERE id = %s", [second])

    outcomes = await asyncio.gather(change(1, 2), change(2, 1), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes if outcome] == [DatabaseCollision]
    await asyncio.gather(retry_once_on_deadlock(lambda: change(1, 2)), retry_once_on_deadlock(lambda: change(2, 1)))
    assert await texts(pooled) == ["one+++", "two+++"]


async def test_a_cancelled_statement_frees_its_connection_to_the_server(pooled: Database) -> None:
    async def work() -> None:
        async with pooled.transaction() as conn:
            await conn.execute("SELECT pg_sleep(30)")

    tasks = [asyncio.create_task(work()) for _ in range(2)]
    await asyncio.sleep(0.2)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(10):
        assert await asyncio.gather(*(texts(pooled) for _ in range(8))) == [["one", "two"]] * 8


async def test_servers_closed_behind_the_pooler_are_at_most_our_error_once(
    pooled: Database, empty_database_url: str
) -> None:
    async with await psycopg.AsyncConnection.connect(empty_database_url, autocommit=True) as direct:
        await direct.execute(
            """SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()"""
        )
    outcomes = await asyncio.gather(*(texts(pooled) for _ in range(8)), return_exceptions=True)
    assert all(isinstance(outcome, list | DatabaseUnavailable) for outcome in outcomes)
    assert await asyncio.gather(*(texts(pooled) for _ in range(8))) == [["one", "two"]] * 8


@pytest.mark.every_postgres
async def test_migrations_apply_through_the_pooler_from_several_clients_at_once(pooled_url: str) -> None:
    databases = [await Database.open(pooled_url, max_size=1) for _ in range(5)]
    applied = await asyncio.gather(*(migrate(database) for database in databases))
    versions = [one.version for some in applied for one in some]
    assert versions
    assert len(versions) == len(set(versions))
    for database in databases:
        await database.close()
