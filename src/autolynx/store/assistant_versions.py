"""Versions of assistants: appended in the transaction of the change, never rewritten."""

from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from autolynx.domain.assistant import Assistant
from autolynx.domain.assistant_version import Version, VersionAction
from autolynx.errors import NotFound
from autolynx.store.database import Connection, Row

_COLUMNS = "assistant_id, number, at, actor, action, restored_number, name, config_json AS config"


async def append(
    conn: Connection,
    assistant: Assistant,
    *,
    at: datetime,
    actor: str,
    action: VersionAction,
    restored_number: int | None = None,
) -> int:
    """Append what an assistant is now; returns the version's number. The caller holds the assistant's row."""
    cursor = await conn.execute(
        """INSERT INTO assistant_versions
               (assistant_id, number, at, actor, action, restored_number, name, config_json)
           SELECT %(id)s, coalesce(max(number), 0) + 1, %(at)s, %(actor)s, %(action)s, %(restored)s::int, %(name)s,
               %(config)s
           FROM assistant_versions WHERE assistant_id = %(id)s RETURNING number""",
        {
            "id": assistant.id,
            "at": at,
            "actor": actor,
            "action": action,
            "restored": restored_number,
            "name": assistant.name,
            "config": Jsonb(dict(assistant.config)),
        },
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - an aggregate always has a row
    return int(row["number"])


async def find_latest(conn: Connection, assistant_id: UUID) -> Version | None:
    """Return the latest version, None where none is kept yet."""
    cursor = await conn.execute(
        f"SELECT {_COLUMNS} FROM assistant_versions WHERE assistant_id = %s ORDER BY number DESC LIMIT 1",
        [assistant_id],
    )
    row = await cursor.fetchone()
    return None if row is None else _from_row(row)


async def get(conn: Connection, assistant_id: UUID, number: int) -> Version:
    """Return one version. Raises NotFound."""
    cursor = await conn.execute(
        f"SELECT {_COLUMNS} FROM assistant_versions WHERE assistant_id = %s AND number = %s", [assistant_id, number]
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFound(f"The assistant has no version {number}.")
    return _from_row(row)


async def list_page(conn: Connection, assistant_id: UUID, *, most: int, skip: int) -> list[Version]:
    """Return versions, the latest first."""
    cursor = await conn.execute(
        f"""SELECT {_COLUMNS} FROM assistant_versions WHERE assistant_id = %s
            ORDER BY number DESC LIMIT %s OFFSET %s""",
        [assistant_id, most, skip],
    )
    return [_from_row(row) for row in await cursor.fetchall()]


async def count(conn: Connection, assistant_id: UUID) -> int:
    """Count the versions of an assistant."""
    cursor = await conn.execute("SELECT count(*) AS n FROM assistant_versions WHERE assistant_id = %s", [assistant_id])
    row = await cursor.fetchone()
    return int(row["n"]) if row else 0


def _from_row(row: Row) -> Version:
    return Version(**{**row, "action": VersionAction(row["action"])})
