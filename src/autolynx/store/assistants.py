"""Assistants: our directory of them, and what a dial needs to know."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from autolynx.errors import Conflict
from autolynx.store.database import Connection

DEFAULT_MAX_DURATION_SECONDS = 600


@dataclass(frozen=True, kw_only=True)
class DialTarget:
    """What a dial needs of an assistant."""

    provider_assistant_id: str
    max_duration_seconds: int


async def list_dial_targets(conn: Connection, ids: Collection[UUID]) -> dict[UUID, DialTarget]:
    """Return the dial target of each of these assistants."""
    cursor = await conn.execute(
        """SELECT id, provider_assistant_id, CASE WHEN config_json ->> 'maxDurationSeconds' ~ '^[0-9]{1,5}$'
               THEN (config_json ->> 'maxDurationSeconds')::int END AS longest
           FROM assistants WHERE id = ANY(%s) AND provider_assistant_id IS NOT NULL""",
        [list(ids)],
    )
    return {
        row["id"]: DialTarget(
            provider_assistant_id=row["provider_assistant_id"],
            max_duration_seconds=row["longest"] or DEFAULT_MAX_DURATION_SECONDS,
        )
        for row in await cursor.fetchall()
    }


async def get_usable_config(conn: Connection, assistant_id: UUID) -> dict[str, Any]:
    """Return the configuration of an assistant that may be used for a campaign.

    Raises Conflict for a template, an inactive or a deleted one, with the remedy.
    """
    cursor = await conn.execute(
        "SELECT config_json, active, source, deleted_at FROM assistants WHERE id = %s", [assistant_id]
    )
    row = await cursor.fetchone()
    if row is None or row["deleted_at"] is not None:
        raise Conflict("assistantId: there is no such assistant in the directory; choose another.")
    if row["source"] == "template":
        raise Conflict("assistantId: a template cannot be used for a campaign; clone it first.")
    if not row["active"]:
        raise Conflict("assistantId: this assistant is not active; activate it or choose another.")
    return dict(row["config_json"])
