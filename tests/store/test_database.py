import asyncio
from collections.abc import AsyncIterator

import anyio
import psycopg
import pytest

from autolynx.errors import ConfigurationError, DatabaseCollision, DatabaseUnavailable
from autolynx.store.database import Connection, Database, Timeouts, retry_once_on_deadlock
from tests.support.round_trips import counting_round_trips

pytestmark = pytest.mark.anyio

HASTY = Timeouts(statement_seconds=0.3, lock_seconds=0.2, idle_seconds=0.3, acquire_seconds=1)


@pytest.fixture
async def notes(empty_database: Database) -> Database:
    """A database with one small table, rows 1 and 2 in it."""
    async with empty_database.connection() as conn:
        await conn.execute("CREATE TABLE notes (id int PRIMARY KEY, text text)")
        await conn.execute("INSERT INTO notes VALUES (1, 'one'), (2, 'two')")
    return empty_database


@pytest.fixture
async def narrow(notes: Database, empty_database_url: str) -> AsyncIterator[Database]:
    """The same database through a pool of a single connection and short time limits."""
    database = await Database.open(empty_database_url, max_size=1, timeouts=HASTY)
    yield database
    await database.close()


async def texts(database: Database) -> list[str]:
    async with database.connection() as conn:
        rows = await (await conn.execute("SELECT text FROM notes ORDER BY id")).fetchall()
    return [row["text"] for row in rows]


async def setting(conn: Connection, name: str) -> str:
    row = await (await conn.execute("SELECT current_setting(%s) AS value", [name])).fetchone()
    assert row is not None
    return str(row["value"])


async def lasting(database: Database, name: str) -> str:
    """Return what a setting is outside every transaction, on a connection of the pool."""
    async with database.connection() as conn:
        conn.beside = b""
        return await setting(conn, name)


async def killed_by_name(url: str, application_name: str) -> int:
    """Terminate every backend of that name and return how many there were."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
        cursor = await conn.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = %s",
            [application_name],
        )
        return cursor.rowcount


async def test_a_transaction_is_committed_at_its_end(notes: Database) -> None:
    async with notes.transaction() as conn:
        await conn.execute("UPDATE notes SET text = 'changed' WHERE id = 1")
    assert await texts(notes) == ["changed", "two"]


async def test_a_transaction_is_rolled_back_on_an_exception(notes: Database) -> None:
    async def work() -> None:
        async with notes.transaction() as conn:
            await conn.execute("UPDATE notes SET text = 'changed' WHERE id = 1")
            raise LookupError("of the caller")

    with pytest.raises(LookupError):
        await work()
    assert await texts(notes) == ["one", "two"]


async def test_an_error_that_the_caller_swallowed_does_not_pass_for_a_commit(notes: Database) -> None:
    async def work() -> None:
        async with notes.transaction() as conn:
            await conn.execute("UPDATE notes SET text = 'changed' WHERE id = 1")
            with pytest.raises(psycopg.errors.UniqueViolation):
                await conn.execute("INSERT INTO notes VALUES (2, 'again')")

    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        await work()
    assert await texts(notes) == ["one", "two"]


async def test_a_savepoint_inside_a_transaction_may_fail_alone(notes: Database) -> None:
    async with notes.transaction() as conn:
        await conn.execute("UPDATE notes SET text = 'changed' WHERE id = 1")
        with pytest.raises(psycopg.errors.UniqueViolation):
            async with conn.transaction():
                await conn.execute("INSERT INTO notes VALUES (2, 'again')")
    assert await texts(notes) == ["changed", "two"]


@pytest.mark.every_postgres
async def test_limits_hold_inside_the_transaction_and_leave_no_trace_after_it(narrow: Database) -> None:
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    async with narrow.transaction() as conn:
        inside = [await setting(conn, name) for name in (*names, "transaction_isolation")]
    assert inside == ["300ms", "200ms", "300ms", "read committed"]
    assert [await lasting(narrow, name) for name in names] == ["0", "0", "0"]


@pytest.mark.every_postgres
async def test_limits_hold_for_a_statement_alone_and_leave_no_trace_after_it(narrow: Database) -> None:
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    async with narrow.connection() as conn:
        alone = [await setting(conn, name) for name in names]
    assert alone == ["300ms", "200ms", "300ms"]
    assert [await lasting(narrow, name) for name in names] == ["0", "0", "0"]


async def test_a_statement_alone_runs_no_longer_than_its_limit(narrow: Database) -> None:
    with pytest.raises(DatabaseUnavailable, match="time limit"):
        async with narrow.connection() as conn:
            await conn.execute("SELECT pg_sleep(60)")
    assert await texts(narrow) == ["one", "two"]


async def test_a_statement_alone_waits_for_a_lock_no_longer_than_its_limit(notes: Database, narrow: Database) -> None:
    async with notes.transaction() as conn:
        await conn.execute("UPDATE notes SET text = 'held' WHERE id = 1")
        with pytest.raises(DatabaseUnavailable, match="time limit"):
            async with narrow.connection() as other:
                await other.execute("UPDATE notes SET text = 'waits' WHERE id = 1")
    assert await texts(narrow) == ["held", "two"]


async def test_a_statement_alone_costs_one_round_trip_and_its_error_is_its_own(notes: Database) -> None:
    async with notes.connection() as conn:
        url = f"postgresql://{conn.info.user}@/{conn.info.dbname}?host={conn.info.host}&port={conn.info.port}"
    async with counting_round_trips(url) as trips:
        database = await Database.open(trips.url, max_size=1)
        async with database.connection() as conn:
            trips.count = 0
            changed = await conn.execute("UPDATE notes SET text = %s WHERE id = %s", ["new", 1])
            assert (changed.rowcount, trips.count) == (1, 1)
            with pytest.raises(psycopg.errors.UniqueViolation):
                await conn.execute("INSERT INTO notes VALUES (1, 'again')")
            assert (await (await conn.execute("SELECT text FROM notes WHERE id = 1")).fetchone()) == {"text": "new"}
        await database.close()


@pytest.mark.parametrize("is_alone", [True, False])
async def test_what_looks_by_index_only_says_so_for_its_own_transaction(narrow: Database, *, is_alone: bool) -> None:
    names = ("enable_seqscan", "enable_bitmapscan")
    lent = narrow.connection(by_index=True) if is_alone else narrow.transaction(by_index=True)
    async with lent as conn:
        assert [await setting(conn, name) for name in names] == ["off", "off"]
    async with narrow.pipelined() as conn:
        assert [await setting(conn, name) for name in names] == ["off", "off"]
    assert [await lasting(narrow, name) for name in names] == ["on", "on"]


async def test_one_transaction_may_have_limits_of_its_own(narrow: Database) -> None:
    async with narrow.transaction(timeouts=Timeouts(statement_seconds=90)) as conn:
        assert await setting(conn, "statement_timeout") == "90s"


async def test_nothing_is_ever_prepared_on_the_server(narrow: Database) -> None:
    async with narrow.transaction() as conn:
        for number in range(20):
            await conn.execute("SELECT %s::int", [number])
        row = await (await conn.execute("SELECT count(*) AS many FROM pg_prepared_statements")).fetchone()
    assert row == {"many": 0}


async def test_a_transaction_costs_two_round_trips_beside_its_own_statements(notes: Database) -> None:
    async with notes.connection() as conn:
        url = f"postgresql://{conn.info.user}@/{conn.info.dbname}?host={conn.info.host}&port={conn.info.port}"
    async with counting_round_trips(url) as trips:
        database = await Database.open(trips.url, max_size=1)
        trips.count = 0
        async with database.transaction() as conn:
            await conn.execute("SELECT %s", [1])
        assert trips.count == 3
        trips.count = 0
        async with database.connection() as conn:
            await conn.execute("SELECT %s", [1])
        assert trips.count == 1
        trips.count = 0
        async with database.transaction() as conn, conn.pipeline():
            for number in range(5):
                await conn.execute("SELECT %s", [number])
        assert trips.count == 3
        await database.close()


async def test_a_failed_statement_in_a_pipeline_undoes_the_transaction_and_spares_the_connection(
    narrow: Database,
) -> None:
    async def work() -> None:
        async with narrow.transaction() as conn, conn.pipeline():
            await conn.execute("UPDATE notes SET text = %s WHERE id = 1", ["changed"])
            await conn.execute("INSERT INTO notes VALUES (%s, 'again')", [2])
            await conn.execute("UPDATE notes SET text = %s WHERE id = 2", ["changed"])

    with pytest.raises(psycopg.errors.UniqueViolation):
        await work()
    assert await texts(narrow) == ["one", "two"]


async def test_a_transaction_left_open_on_a_lent_connection_is_rolled_back(narrow: Database) -> None:
    async with narrow.connection() as conn:
        await conn.execute("BEGIN")
        await conn.execute("DELETE FROM notes")
    assert await texts(narrow) == ["one", "two"]


@pytest.mark.every_postgres
async def test_connections_that_the_server_closed_are_replaced_unnoticed(
    notes: Database, empty_database_url: str
) -> None:
    database = await Database.open(empty_database_url, min_size=5, max_size=5, application_name="victim")
    assert await killed_by_name(empty_database_url, "victim") == 5
    results = await asyncio.gather(*(texts(database) for _ in range(20)))
    await database.close()
    assert results == [["one", "two"]] * 20


async def test_a_connection_lost_in_a_transaction_is_our_error_and_the_next_one_works(
    notes: Database, empty_database_url: str
) -> None:
    database = await Database.open(empty_database_url, max_size=1, application_name="victim")

    async def work() -> None:
        async with database.transaction() as conn:
            await conn.execute("UPDATE notes SET text = 'changed'")
            await killed_by_name(empty_database_url, "victim")
            await conn.execute("SELECT 1")

    with pytest.raises(DatabaseUnavailable, match="connection to PostgreSQL was lost"):
        await work()
    assert await texts(database) == ["one", "two"]
    await database.close()


async def test_a_server_that_is_not_there_is_reported_with_the_reason(empty_database_url: str) -> None:
    url = empty_database_url.replace("host=", "host=/nowhere")
    with pytest.raises(DatabaseUnavailable, match=r"PostgreSQL cannot be reached: .*nowhere.*No such file"):
        await Database.open(url, timeouts=HASTY)


async def test_a_database_that_is_not_there_is_reported_by_name(empty_database_url: str) -> None:
    url = empty_database_url.replace("test_", "no_such_")
    with pytest.raises(DatabaseUnavailable, match=r'database "no_such_.*" does not exist'):
        await Database.open(url, timeouts=HASTY)


async def test_a_malformed_url_is_refused_without_repeating_the_password() -> None:
    with pytest.raises(ConfigurationError) as refused:
        await Database.open("postgresql://autolynx:hunter2%zz@db/autolynx")
    assert "DATABASE_URL" in refused.value.message
    assert "hunter2" not in refused.value.message
    assert refused.value.__cause__ is None


async def test_when_every_connection_is_lent_the_wait_ends_with_our_error(narrow: Database) -> None:
    async with narrow.connection():
        with pytest.raises(DatabaseUnavailable, match="became free within 1 s"):
            await texts(narrow)
    assert await texts(narrow) == ["one", "two"]


async def test_after_close_the_database_says_so(notes: Database) -> None:
    await notes.close()
    await notes.close()
    with pytest.raises(DatabaseUnavailable, match="closed"):
        await texts(notes)


async def test_waiting_too_long_for_a_lock_is_our_error(notes: Database, narrow: Database) -> None:
    async with notes.transaction() as holder:
        await holder.execute("UPDATE notes SET text = 'held' WHERE id = 1")
        with pytest.raises(DatabaseUnavailable, match="time limit"):
            async with narrow.transaction() as waiter:
                await waiter.execute("UPDATE notes SET text = 'wanted' WHERE id = 1")
    assert await texts(narrow) == ["held", "two"]


async def test_a_statement_that_takes_too_long_is_our_error(narrow: Database) -> None:
    with pytest.raises(DatabaseUnavailable, match="time limit"):
        async with narrow.transaction() as conn:
            await conn.execute("SELECT pg_sleep(5)")
    assert await texts(narrow) == ["one", "two"]


async def test_a_transaction_that_froze_is_ended_by_the_server(narrow: Database) -> None:
    async def work() -> None:
        async with narrow.transaction() as conn:
            await conn.execute("UPDATE notes SET text = 'changed' WHERE id = 1")
            await asyncio.sleep(0.6)
            await conn.execute("SELECT 1")

    with pytest.raises(DatabaseUnavailable):
        await work()
    assert await texts(narrow) == ["one", "two"]


async def test_a_cancelled_transaction_is_rolled_back_and_its_connection_used_again(narrow: Database) -> None:
    async def work() -> None:
        async with narrow.transaction(timeouts=Timeouts()) as conn:
            await conn.execute("UPDATE notes SET text = 'changed' WHERE id = 1")
            await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await texts(narrow) == ["one", "two"]


@pytest.mark.parametrize("milliseconds", [0, 1, 2, 3, 5, 8, 13, 21])
async def test_a_request_cancelled_at_any_moment_loses_no_connection(narrow: Database, milliseconds: int) -> None:
    async def work() -> None:
        async with narrow.transaction() as conn:
            await conn.execute("UPDATE notes SET text = 'changed' WHERE id = 1")
            await conn.execute("SELECT pg_sleep(0.01)")
            raise LookupError("never committed")

    with anyio.move_on_after(milliseconds / 1000), pytest.raises((LookupError, DatabaseUnavailable)):
        await work()
    assert await texts(narrow) == ["one", "two"]


async def test_a_deadlock_is_a_collision_and_repeating_the_whole_transaction_succeeds(
    notes: Database,
) -> None:
    tries: list[str] = []

    async def change(first: int, second: int) -> None:
        tries.append("try")
        async with notes.transaction() as conn:
            await conn.execute("UPDATE notes SET text = text || '+' WHERE id = %s", [first])
            await asyncio.sleep(0.1)
            await conn.execute("UPDATE notes SET text = text || '+' WHERE id = %s", [second])

    outcomes = await asyncio.gather(change(1, 2), change(2, 1), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes if outcome] == [DatabaseCollision]
    tries.clear()
    await asyncio.gather(retry_once_on_deadlock(lambda: change(1, 2)), retry_once_on_deadlock(lambda: change(2, 1)))
    assert len(tries) == 3
    assert await texts(notes) == ["one+++", "two+++"]


async def test_work_that_collides_twice_gives_up(notes: Database) -> None:
    tries: list[str] = []

    async def work() -> None:
        tries.append("try")
        raise DatabaseCollision("always")

    with pytest.raises(DatabaseCollision):
        await retry_once_on_deadlock(work)
    assert len(tries) == 2


@pytest.mark.parametrize("state", ["57P01", "57P02", "57P03", "53300", "08006"])
async def test_a_server_that_is_going_down_or_full_is_our_error(notes: Database, state: str) -> None:
    with pytest.raises(DatabaseUnavailable):
        async with notes.transaction() as conn:
            await conn.execute(f"DO $$ BEGIN RAISE EXCEPTION 'going' USING ERRCODE = '{state}'; END $$".encode())


async def test_what_is_wrong_with_a_statement_is_not_called_unavailable(notes: Database) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        async with notes.transaction() as conn:
            await conn.execute("SELECT * FROM no_such_table")
