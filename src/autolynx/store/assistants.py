"""Assistants: our directory of them, and what a dial needs to know."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.errors import UniqueViolation
from psycopg.types.json import Jsonb

from autolynx.domain.assistant import Assistant, AssistantSource
from autolynx.domain.campaign import CampaignStatus
from autolynx.errors import Conflict, NotFound
from autolynx.store.database import Connection, Row

DEFAULT_MAX_DURATION_SECONDS = 600


@dataclass(frozen=True, kw_only=True)
class DialTarget:
    """What a dial needs of an assistant."""

    provider_assistant_id: str
    max_duration_seconds: int


DIAL_TARGET = """a.provider_assistant_id, CASE WHEN a.config_json ->> 'maxDurationSeconds' ~ '^[0-9]{1,5}$'
    THEN (a.config_json ->> 'maxDurationSeconds')::int END AS longest_seconds"""


def dial_target_from_row(row: Row) -> DialTarget:
    """Map a row that holds DIAL_TARGET."""
    return DialTarget(
        provider_assistant_id=row["provider_assistant_id"],
        max_duration_seconds=row["longest_seconds"] or DEFAULT_MAX_DURATION_SECONDS,
    )


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


ASSISTANT_COLUMNS = """id, name, source, provider, provider_assistant_id, config_json AS config, active, ephemeral,
    created_at, updated_at, deleted_at"""


@dataclass(frozen=True, kw_only=True)
class OpenCampaign:
    """A campaign that still needs its assistant."""

    id: UUID
    name: str
    status: CampaignStatus


class NameTaken(Conflict):
    """Another assistant of the directory bears that name."""


def assistant_from_row(row: Row) -> Assistant:
    """Map a row that holds ASSISTANT_COLUMNS."""
    return Assistant(**{**row, "source": AssistantSource(row["source"])})


def _unknown() -> NotFound:
    return NotFound("There is no assistant of that id in the directory.")


def _taken() -> NameTaken:
    return NameTaken("name: an assistant of that name exists already; choose another name.")


async def insert(conn: Connection, assistant: Assistant) -> None:
    """Insert an assistant. Raises NameTaken, or Conflict where the directory has the provider's id."""
    try:
        await conn.execute(
            """INSERT INTO assistants (id, name, source, provider, provider_assistant_id, config_json, active,
                   ephemeral, created_at, updated_at)
               VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
            [
                assistant.id,
                assistant.name,
                assistant.source,
                assistant.provider,
                assistant.provider_assistant_id,
                Jsonb(dict(assistant.config)),
                assistant.active,
                assistant.ephemeral,
                assistant.created_at,
                assistant.updated_at,
            ],
        )
    except UniqueViolation as error:
        if error.diag.constraint_name == "assistants_name_key":
            raise _taken() from None
        if error.diag.constraint_name == "assistants_provider_assistant_id_key":
            raise Conflict("providerAssistantId: this assistant is being imported already; look again.") from None
        raise


async def insert_template(
    conn: Connection, assistant_id: UUID, *, name: str, config: Mapping[str, Any], now: datetime
) -> bool:
    """Insert a template, or bring an older wording of it up to date; False where nothing had to change.

    A name that a person took before stays theirs: the template is then left out. Processes that start together take
    turns, for a name that the other one has just inserted is seen by no `NOT EXISTS`.
    """
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('assistant templates', 0))")
    cursor = await conn.execute(
        """INSERT INTO assistants AS a (id, name, source, config_json, created_at, updated_at)
           SELECT %(id)s, %(name)s, 'template', %(config)s, %(now)s, %(now)s
           WHERE NOT EXISTS (SELECT 1 FROM assistants o
               WHERE lower(o.name) = lower(%(name)s) AND o.deleted_at IS NULL AND o.id <> %(id)s)
           ON CONFLICT ON CONSTRAINT assistants_pkey DO UPDATE SET name = excluded.name,
               config_json = excluded.config_json, updated_at = excluded.updated_at
               WHERE (a.name, a.config_json) IS DISTINCT FROM (excluded.name, excluded.config_json)""",
        {"id": assistant_id, "name": name, "config": Jsonb(dict(config)), "now": now},
    )
    return cursor.rowcount == 1


async def get(conn: Connection, assistant_id: UUID) -> Assistant:
    """Return an assistant of the directory. Raises NotFound for one that was deleted, too."""
    return await _one(conn, assistant_id, "")


async def lock(conn: Connection, assistant_id: UUID) -> Assistant:
    """Return an assistant as `get` does; nobody else changes it until the transaction ends."""
    return await _one(conn, assistant_id, " FOR NO KEY UPDATE")


async def lock_any(conn: Connection, assistant_id: UUID) -> Assistant:
    """Return an assistant as `lock` does, deleted from our directory or not. Raises NotFound."""
    cursor = await conn.execute(
        f"SELECT {ASSISTANT_COLUMNS} FROM assistants WHERE id = %s FOR NO KEY UPDATE", [assistant_id]
    )
    row = await cursor.fetchone()
    if row is None:
        raise _unknown()
    return assistant_from_row(row)


async def _one(conn: Connection, assistant_id: UUID, locking: str) -> Assistant:
    cursor = await conn.execute(
        f"SELECT {ASSISTANT_COLUMNS} FROM assistants WHERE id = %s AND deleted_at IS NULL{locking}", [assistant_id]
    )
    row = await cursor.fetchone()
    if row is None:
        raise _unknown()
    return assistant_from_row(row)


async def find_by_provider_id(conn: Connection, provider_assistant_id: str) -> Assistant | None:
    """Return the assistant of that id at the provider, deleted from our directory or not."""
    cursor = await conn.execute(
        f"SELECT {ASSISTANT_COLUMNS} FROM assistants WHERE provider_assistant_id = %s", [provider_assistant_id]
    )
    row = await cursor.fetchone()
    return None if row is None else assistant_from_row(row)


async def save(conn: Connection, assistant: Assistant) -> None:
    """Write what may change: name, config, active, ephemeral, deleted_at. Raises NameTaken."""
    try:
        await conn.execute(
            """UPDATE assistants SET name = %s, config_json = %s, active = %s, ephemeral = %s, updated_at = %s,
                   deleted_at = %s WHERE id = %s""",
            [
                assistant.name,
                Jsonb(dict(assistant.config)),
                assistant.active,
                assistant.ephemeral,
                assistant.updated_at,
                assistant.deleted_at,
                assistant.id,
            ],
        )
    except UniqueViolation as error:
        if error.diag.constraint_name == "assistants_name_key":
            raise _taken() from None
        raise


async def list_taken_names(conn: Connection, names: Sequence[str], *, except_id: UUID | None = None) -> set[str]:
    """Return those of the names, in lower case, that an assistant bears; `except_id` does not count."""
    cursor = await conn.execute(
        """SELECT lower(name) AS name FROM assistants
           WHERE deleted_at IS NULL AND lower(name) = ANY(SELECT lower(n) FROM unnest(%s::text[]) AS n)
               AND id IS DISTINCT FROM %s::uuid""",
        [list(names), except_id],
    )
    return {row["name"] for row in await cursor.fetchall()}


async def list_ids_by_provider_id(conn: Connection) -> dict[str, UUID]:
    """Return our id of every assistant in the directory, by its id at the provider."""
    cursor = await conn.execute(
        """SELECT id, provider_assistant_id FROM assistants
           WHERE deleted_at IS NULL AND provider_assistant_id IS NOT NULL"""
    )
    return {row["provider_assistant_id"]: row["id"] for row in await cursor.fetchall()}


async def list_open_campaigns(conn: Connection, assistant_id: UUID) -> list[OpenCampaign]:
    """Return the campaigns with this assistant that are not over; a test call that failed is."""
    cursor = await conn.execute(
        """SELECT id, name, status FROM campaigns WHERE assistant_id = %s AND deleted_at IS NULL
               AND status NOT IN ('COMPLETED', 'CANCELED') AND NOT (is_test AND status = 'FAILED')
           ORDER BY created_at, id""",
        [assistant_id],
    )
    return [OpenCampaign(**{**row, "status": CampaignStatus(row["status"])}) for row in await cursor.fetchall()]
