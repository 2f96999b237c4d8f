import asyncio
import sys
from pathlib import Path

import psycopg
import pytest

from autolynx.errors import AutolynxError, ConfigurationError, Conflict, DatabaseUnavailable
from autolynx.store.database import Database
from autolynx.store.migrate import migrate, migration_files, pending

pytestmark = pytest.mark.anyio

FIRST = "CREATE TABLE notes (id int PRIMARY KEY); INSERT INTO notes VALUES (1);"
SECOND = "ALTER TABLE notes ADD COLUMN text text DEFAULT 'fifty % done';"
THIRD = "INSERT INTO notes VALUES (3); INSERT INTO notes VALUES (1);"
MIGRATE = """
import asyncio, sys
from pathlib import Path
from autolynx.store.database import Database
from autolynx.store.migrate import migrate

async def main():
    database = await Database.open(sys.argv[1], max_size=1)
    print(*(migration.version for migration in await migrate(database, Path(sys.argv[2]))))
    await database.close()

asyncio.run(main())
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "20260101000000_notes.sql").write_text(FIRST)
    (tmp_path / "20260102000000_notes_text.sql").write_text(SECOND)
    (tmp_path / "README.md").write_text("Not a migration.")
    return tmp_path


async def rows(database: Database, query: str) -> list[tuple[object, ...]]:
    async with database.connection() as conn:
        return [tuple(row.values()) for row in await (await conn.execute(query.encode())).fetchall()]


@pytest.mark.every_postgres
async def test_what_came_with_this_release_applies_whole_and_only_once(empty_database: Database) -> None:
    async with empty_database.connection() as conn:
        before = await pending(conn)
    applied = await migrate(empty_database)
    async with empty_database.connection() as conn:
        after = await pending(conn)
    assert [one.version for one in before] == [one.version for one in applied]
    assert [one.version for one in applied] == [one.version for one in migration_files()]
    assert applied
    assert after == []
    assert await migrate(empty_database) == []


async def test_every_file_is_recorded_where_supabase_looks(empty_database: Database, folder: Path) -> None:
    await migrate(empty_database, folder)
    recorded = await rows(
        empty_database,
        "SELECT version, name, statements FROM supabase_migrations.schema_migrations ORDER BY version",
    )
    assert recorded == [
        ("20260101000000", "notes", [FIRST]),
        ("20260102000000", "notes_text", [SECOND]),
    ]


async def test_further_columns_of_supabases_own_table_are_left_alone(empty_database: Database, folder: Path) -> None:
    async with empty_database.connection() as conn:
        await conn.execute("CREATE SCHEMA supabase_migrations")
        await conn.execute(
            """CREATE TABLE supabase_migrations.schema_migrations (version text NOT NULL PRIMARY KEY,
               created_by text, statements text[], name text, idempotency_key text UNIQUE, rollback text[])"""
        )
        await conn.execute(
            """INSERT INTO supabase_migrations.schema_migrations (version, created_by)
               VALUES ('20260101000000', 'their tool')"""
        )
        for statement in FIRST.split("; "):
            await conn.execute(statement.encode())
    assert [one.name for one in await migrate(empty_database, folder)] == ["notes_text"]


async def test_pending_asks_without_leaving_anything_behind(empty_database: Database, folder: Path) -> None:
    async with empty_database.connection() as conn:
        assert [one.name for one in await pending(conn, folder)] == ["notes", "notes_text"]
    assert await rows(empty_database, "SELECT FROM pg_namespace WHERE nspname = 'supabase_migrations'") == []


@pytest.mark.every_postgres
async def test_ten_connections_at_once_apply_every_file_exactly_once(
    empty_database: Database, empty_database_url: str, folder: Path
) -> None:
    databases = [await Database.open(empty_database_url, max_size=1) for _ in range(10)]
    applied = await asyncio.gather(*(migrate(database, folder) for database in databases))
    for database in databases:
        await database.close()
    versions = [one.version for some in applied for one in some]
    assert sorted(versions) == ["20260101000000", "20260102000000"]
    assert await rows(empty_database, "SELECT * FROM notes") == [(1, "fifty % done")]


async def test_ten_processes_at_once_apply_every_file_exactly_once(empty_database_url: str, folder: Path) -> None:
    async def one() -> str:
        command = (sys.executable, "-c", MIGRATE, empty_database_url, str(folder))
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        output, _ = await process.communicate()
        assert process.returncode == 0
        return output.decode()

    outputs = await asyncio.gather(*(one() for _ in range(10)))
    assert sorted(" ".join(outputs).split()) == ["20260101000000", "20260102000000"]


@pytest.mark.every_postgres
async def test_a_file_that_fails_half_way_is_undone_whole_and_the_ones_before_it_stay(
    empty_database: Database, folder: Path
) -> None:
    (folder / "20260103000000_broken.sql").write_text(THIRD)
    with pytest.raises(AutolynxError, match="20260103000000_broken failed and was rolled back: duplicate key"):
        await migrate(empty_database, folder)
    assert await rows(empty_database, "SELECT id FROM notes") == [(1,)]
    async with empty_database.connection() as conn:
        assert [one.name for one in await pending(conn, folder)] == ["broken"]
    (folder / "20260103000000_broken.sql").write_text("INSERT INTO notes VALUES (3)")
    assert [one.name for one in await migrate(empty_database, folder)] == ["broken"]


async def test_a_database_ahead_of_this_release_is_refused_and_left_alone(
    empty_database: Database, folder: Path
) -> None:
    later = folder / "20270101000000_later.sql"
    later.write_text("CREATE TABLE later ()")
    await migrate(empty_database, folder)
    later.unlink()
    (folder / "20260103000000_third.sql").write_text("CREATE TABLE third ()")
    with pytest.raises(Conflict, match="20270101000000, which this release of AutoLynx does not know"):
        await migrate(empty_database, folder)
    async with empty_database.connection() as conn:
        with pytest.raises(Conflict):
            await pending(conn, folder)
    assert await rows(empty_database, "SELECT to_regclass('third') IS NULL") == [(True,)]


async def test_an_unknown_version_is_refused_even_if_it_is_older(empty_database: Database, folder: Path) -> None:
    await migrate(empty_database, folder)
    (folder / "20260101000000_notes.sql").unlink()
    with pytest.raises(Conflict, match="20260101000000"):
        await migrate(empty_database, folder)


async def test_a_file_slipped_in_behind_what_is_applied_is_refused(empty_database: Database, folder: Path) -> None:
    await migrate(empty_database, folder)
    (folder / "20260101120000_between.sql").write_text("CREATE TABLE between_them ()")
    with pytest.raises(Conflict, match="only go forward"):
        await migrate(empty_database, folder)


async def test_a_table_in_use_is_not_waited_for_forever(empty_database: Database, folder: Path) -> None:
    await migrate(empty_database, folder)
    drop = "SET LOCAL lock_timeout = '100ms'; DROP TABLE notes;"
    (folder / "20260103000000_drop.sql").write_text(drop)
    async with empty_database.transaction() as reader:
        await reader.execute("SELECT * FROM notes")
        with pytest.raises(DatabaseUnavailable, match="time limit"):
            await migrate(empty_database, folder)
    assert [one.name for one in await migrate(empty_database, folder)] == ["drop"]


async def test_migrations_wait_at_most_five_seconds_for_a_lock_and_leave_no_setting_behind(
    empty_database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "1_limits.sql").write_text("CREATE TABLE limits AS SELECT current_setting('lock_timeout')")
    database = await Database.open(empty_database_url, max_size=1)
    await migrate(database, tmp_path)
    assert await rows(database, "SELECT * FROM limits") == [("5s",)]
    async with database.connection() as conn:
        conn.beside = b""
        left = await (await conn.execute("SELECT current_setting('lock_timeout') AS value")).fetchone()
    assert left == {"value": "0"}
    await database.close()


@pytest.mark.parametrize("roles", [(), ("anon", "authenticated")])
async def test_the_schema_applies_with_and_without_the_public_roles_of_supabase(
    empty_database: Database, roles: tuple[str, ...]
) -> None:
    async with empty_database.transaction() as conn:  # roles belong to the whole server: never committed
        for role in roles:
            await conn.execute(f"CREATE ROLE {role}".encode())
        for migration in migration_files():
            await conn.execute(migration.sql.encode())
        held = await (
            await conn.execute(
                """SELECT c.relname FROM pg_class c, pg_roles r
                   WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
                       AND r.rolname IN ('anon', 'authenticated')
                       AND (has_table_privilege(r.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
                           OR r.rolname = 'anon' AND has_table_privilege(r.oid, c.oid, 'SELECT'))"""
            )
        ).fetchall()
        assert held == []
        await conn.execute("ROLLBACK")
        await conn.execute("BEGIN")


def test_files_are_taken_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("10_ten.sql", "9_nine.sql", "x_no.sql", "11.sql", "12_twelve.SQL"):
        (tmp_path / name).write_text("SELECT 1")
    assert [(one.version, one.name) for one in migration_files(tmp_path)] == [("9", "nine"), ("10", "ten")]


def test_two_files_with_one_number_are_refused(tmp_path: Path) -> None:
    for name in ("1_one.sql", "01_other.sql"):
        (tmp_path / name).write_text("SELECT 1")
    with pytest.raises(ConfigurationError, match="share the number"):
        migration_files(tmp_path)


def test_a_file_that_commits_by_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "1_one.sql").write_text("CREATE TABLE one ();\ncommit;\nCREATE TABLE two ();")
    with pytest.raises(ConfigurationError, match="1_one begins or ends a transaction"):
        migration_files(tmp_path)


def test_an_installation_without_migrations_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="incomplete"):
        migration_files(tmp_path)


async def test_the_template_that_tests_copy_is_what_migrate_makes(database_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(database_url) as conn:
        cursor = await conn.execute("SELECT version FROM supabase_migrations.schema_migrations ORDER BY 1")
        assert [row[0] for row in await cursor.fetchall()] == [one.version for one in migration_files()]
