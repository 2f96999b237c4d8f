"""The gate: the account's one row. Whoever places calls locks it first, so caps hold across processes."""

from dataclasses import asdict, fields
from datetime import datetime

from autolynx.domain.pacing import Account
from autolynx.store.database import Connection, Row

_COLUMNS = tuple(field.name for field in fields(Account))
COLUMNS = ", ".join(f"g.{name}" for name in _COLUMNS)
_SELECT = f"SELECT {COLUMNS} FROM gate g WHERE g.id = 1"
LOCK = f"{_SELECT} FOR NO KEY UPDATE"
COUNT_LINES = "SELECT count(*) AS n FROM calls WHERE holds_line"


async def lock(conn: Connection) -> Account:
    """Return the account, locked until the transaction ends. First in the lock order: gate, campaign, call."""
    row = await (await conn.execute(LOCK)).fetchone()
    assert row is not None  # noqa: S101 - the migration put it there and nothing deletes it
    return Account(**row)


def account_from_row(row: Row) -> Account:
    """Map a row that holds COLUMNS among others."""
    return Account(**{name: row[name] for name in _COLUMNS})


async def get(conn: Connection) -> Account:
    """Return the account without a lock."""
    row = await (await conn.execute(_SELECT)).fetchone()
    assert row is not None  # noqa: S101 - the migration put it there and nothing deletes it
    return Account(**row)


async def save(conn: Connection, account: Account) -> None:
    """Write the account; the caller holds its lock."""
    assignments = ", ".join(f"{name} = %({name})s" for name in _COLUMNS)
    await conn.execute(f"UPDATE gate SET {assignments} WHERE id = 1", asdict(account))


async def note_echo(conn: Connection, now: datetime) -> None:
    """Remember that the provider was seen to echo our ids in a list."""
    await conn.execute("UPDATE gate SET echo_seen_at = %s WHERE id = 1 AND echo_seen_at IS NULL", [now])


async def note_sweep(conn: Connection, swept_until: datetime) -> None:
    """Remember until when the sweep has covered everything."""
    await conn.execute("UPDATE gate SET swept_until = greatest(swept_until, %s) WHERE id = 1", [swept_until])


async def note_tick(conn: Connection, *, last: datetime, following: datetime | None) -> None:
    """Remember when the last tick ran and when the next is expected."""
    await conn.execute("UPDATE gate SET last_tick_at = %s, next_tick_at = %s WHERE id = 1", [last, following])


async def count_lines(conn: Connection) -> int:
    """Count the calls that hold a line, over all campaigns."""
    row = await (await conn.execute(COUNT_LINES)).fetchone()
    return int(row["n"]) if row else 0


async def count_carried(conn: Connection) -> int:
    """Count the calls that the provider carries: those that hold a line and were not accepted above its limit."""
    row = await (await conn.execute(f"{COUNT_LINES} AND NOT is_blocked")).fetchone()
    return int(row["n"]) if row else 0
