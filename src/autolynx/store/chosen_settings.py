"""Settings that an admin chose, by the name of their variable."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from autolynx.store.database import Connection

_PREFIX = "setting:"


async def list_all(conn: Connection) -> dict[str, Any]:
    """Return what was chosen."""
    cursor = await conn.execute(
        "SELECT key, value FROM system_config WHERE starts_with(key, %s) ORDER BY key", [_PREFIX]
    )
    return {row["key"].removeprefix(_PREFIX): row["value"] for row in await cursor.fetchall()}


async def lock(conn: Connection) -> None:
    """Let nobody else choose until the transaction ends."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('chosen settings', 0))")


async def save_all(conn: Connection, chosen: Mapping[str, Any], now: datetime) -> None:
    """Keep these choices and no other ones."""
    await conn.execute(
        "DELETE FROM system_config WHERE starts_with(key, %s) AND key <> ALL(%s)",
        [_PREFIX, [_PREFIX + variable for variable in chosen]],
    )
    for variable, value in chosen.items():
        await conn.execute(
            """INSERT INTO system_config (key, value, updated_at) VALUES (%s, %s, %s)
               ON CONFLICT ON CONSTRAINT system_config_pkey DO UPDATE SET value = excluded.value,
                   updated_at = excluded.updated_at WHERE system_config.value <> excluded.value""",
            [_PREFIX + variable, Jsonb(value), now],
        )
