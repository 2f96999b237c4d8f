"""Schema migrations: plain SQL files, forward only, recorded where the Supabase CLI records them.

Each file is applied in a transaction of its own under one advisory lock, so that any number of processes may
start at once. Files carry no BEGIN or COMMIT.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import psycopg

from autolynx.errors import AutolynxError, ConfigurationError, Conflict
from autolynx.store.database import Connection, Database, Timeouts

FILE_NAME = re.compile(r"^([0-9]+)_(.*)\.sql$")
OWN_TRANSACTION = re.compile(r"^\s*(BEGIN|START TRANSACTION|COMMIT|ROLLBACK)\s*;", re.IGNORECASE | re.MULTILINE)
ADVISORY_LOCK = 4_206_110_315_020_263  # any constant, the same in every process
LOCK_TIMEOUT = "5s"  # a migration that waits for a table makes everybody behind it wait too
TIMEOUTS = Timeouts(statement_seconds=900, lock_seconds=900, idle_seconds=60)  # the turn itself may take longer


@dataclass(frozen=True, kw_only=True)
class Migration:
    """One file: `version` are the digits its name begins with, `name` the words after them."""

    version: str
    name: str
    sql: str


def migration_files(folder: Traversable | None = None) -> list[Migration]:
    """Return the migrations in `folder`, oldest first; by default those that came with this release.

    Raises ConfigurationError when there are none, two share a version, or one manages its own transaction.
    """
    source = folder or _packaged_folder()
    matches = [(FILE_NAME.match(entry.name), entry) for entry in source.iterdir()]
    found = [
        Migration(version=match[1], name=match[2], sql=entry.read_text("utf-8")) for match, entry in matches if match
    ]
    found.sort(key=_order)
    _check(found, source)
    return found


async def pending(conn: Connection, folder: Traversable | None = None) -> list[Migration]:
    """Return the migrations this database still lacks, oldest first. Reads only.

    Raises Conflict when the database holds a version this release does not know.
    """
    table = await (await conn.execute("SELECT to_regclass('supabase_migrations.schema_migrations') AS name")).fetchone()
    known = migration_files(folder)
    return _lacking(known, await _recorded(conn) if table and table["name"] else set())


async def migrate(database: Database, folder: Traversable | None = None) -> list[Migration]:
    """Apply what the database lacks, each file in its own transaction; return what this call applied.

    Raises Conflict when the database is ahead of this release (nothing is changed then), AutolynxError naming
    the file when one fails (it is rolled back whole, the ones before it stay), DatabaseUnavailable as usual.
    """
    known = migration_files(folder)
    applied: list[Migration] = []
    while migration := await _apply_next(database, known):
        applied.append(migration)
    return applied


async def _apply_next(database: Database, known: list[Migration]) -> Migration | None:
    async with database.transaction(timeouts=TIMEOUTS) as conn:
        await conn.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])
        await conn.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        await _ensure_record(conn)
        lacking = _lacking(known, await _recorded(conn))
        if not lacking:
            return None
        await _apply(conn, lacking[0])
        return lacking[0]


async def _apply(conn: Connection, migration: Migration) -> None:
    try:
        await conn.execute(migration.sql.encode())
    except psycopg.OperationalError:
        raise  # not the file's fault: a lost connection, a lock that did not come free
    except psycopg.Error as error:
        raise AutolynxError(
            f"Migration {migration.version}_{migration.name} failed and was rolled back: "
            f"{error.diag.message_primary or error}"
        ) from error
    await conn.execute(
        "INSERT INTO supabase_migrations.schema_migrations (version, name, statements) VALUES (%s, %s, %s)",
        [migration.version, migration.name, [migration.sql]],
    )


async def _ensure_record(conn: Connection) -> None:
    await conn.execute(
        """CREATE SCHEMA IF NOT EXISTS supabase_migrations;
           CREATE TABLE IF NOT EXISTS supabase_migrations.schema_migrations
               (version text PRIMARY KEY, statements text[], name text)"""
    )


async def _recorded(conn: Connection) -> set[str]:
    rows = await (await conn.execute("SELECT version FROM supabase_migrations.schema_migrations")).fetchall()
    return {row["version"] for row in rows}


def _lacking(known: list[Migration], recorded: Collection[str]) -> list[Migration]:
    """Return what is not recorded yet. Raises Conflict unless all of it comes after all that is recorded."""
    unknown = sorted(set(recorded) - {migration.version for migration in known})
    if unknown:
        raise Conflict(
            f"The database holds migration {unknown[-1]}, which this release of AutoLynx does not know: "
            "install the release that made it, or use another database.",
            details={"unknownVersions": unknown},
        )
    lacking = [migration for migration in known if migration.version not in recorded]
    newest = max((int(version) for version in recorded), default=0)
    if lacking and int(lacking[0].version) < newest:
        raise Conflict(
            f"Migration {lacking[0].version}_{lacking[0].name} is older than {newest}, which the database "
            "already has: migrations only go forward; give the file a newer number."
        )
    return lacking


def _check(found: list[Migration], source: Traversable) -> None:
    if not found:
        raise ConfigurationError(f"No migrations in {source}: this installation of AutoLynx is incomplete.")
    versions = [int(migration.version) for migration in found]
    for migration in found:
        if versions.count(int(migration.version)) > 1:
            raise ConfigurationError(f"Two migrations share the number {migration.version}: renumber one.")
        if OWN_TRANSACTION.search(migration.sql):
            raise ConfigurationError(
                f"Migration {migration.version}_{migration.name} begins or ends a transaction: take that out."
            )


def _order(migration: Migration) -> int:
    return int(migration.version)


def _packaged_folder() -> Traversable:
    """Return the folder in the installed package; in a source tree, the repository's."""
    packaged = files("autolynx") / "migrations"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "supabase" / "migrations"
