"""The directory as lists show it: assistants with what they were used for. Figures come from the counters."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from autolynx.domain.assistant import Assistant, AssistantSource
from autolynx.domain.assistant_usage import Usage
from autolynx.domain.campaign import CampaignStatus
from autolynx.errors import NotFound
from autolynx.store.assistants import ASSISTANT_COLUMNS, assistant_from_row
from autolynx.store.database import Connection, Row

_USED = tuple(field.name for field in fields(Usage))
# One row of counters a campaign, however many calls there are; found by the index on campaigns.assistant_id.
_USAGE = """CROSS JOIN LATERAL (SELECT count(*) AS campaigns,
        count(*) FILTER (WHERE c.status NOT IN ('COMPLETED', 'CANCELED')) AS open_campaigns,
        coalesce(sum(n.ended + n.failed + n.canceled + n.timeout), 0)::bigint AS calls,
        coalesce(sum(n.answered), 0)::bigint AS answered, coalesce(sum(n.success_true), 0)::bigint AS success_true,
        coalesce(sum(n.success_false), 0)::bigint AS success_false, coalesce(sum(n.cost_usd), 0) AS cost_usd
    FROM campaigns c JOIN campaign_counters n ON n.campaign_id = c.id
    WHERE c.assistant_id = a.id AND c.deleted_at IS NULL AND NOT c.is_test
        AND (%(owner)s::uuid IS NULL OR c.owner_id = %(owner)s)) u"""
_SELECT = f"SELECT a.*, {', '.join(f'u.{name} AS used_{name}' for name in _USED)}"
_FILTER = """deleted_at IS NULL AND (%(q)s::text IS NULL OR strpos(lower(name), lower(%(q)s)) > 0)
    AND (%(active)s::boolean IS NULL OR active = %(active)s)
    AND (%(source)s::assistant_source IS NULL OR source = %(source)s::assistant_source)
    AND (%(templates)s OR source <> 'template')"""


@dataclass(frozen=True, kw_only=True)
class DirectoryFilter:
    """Which assistants are wanted; `q` is a part of the name, in any case. None lets everything through.

    `has_templates`: whether templates are among them.
    """

    q: str | None = None
    active: bool | None = None
    source: AssistantSource | None = None
    has_templates: bool = True


@dataclass(frozen=True, kw_only=True)
class DirectoryRow:
    """An assistant and its use."""

    assistant: Assistant
    usage: Usage


@dataclass(frozen=True, kw_only=True)
class UsedIn:
    """A campaign with an assistant."""

    id: UUID
    name: str
    status: CampaignStatus


async def list_page(
    conn: Connection, chosen: DirectoryFilter, *, owner_id: UUID | None = None, most: int, skip: int
) -> list[DirectoryRow]:
    """Return a page of the directory by name, with its use in the campaigns of one person or (None) of all."""
    cursor = await conn.execute(
        f"""{_SELECT} FROM (SELECT {ASSISTANT_COLUMNS} FROM assistants WHERE {_FILTER}
                ORDER BY lower(name), id LIMIT %(most)s OFFSET %(skip)s) a {_USAGE} ORDER BY lower(a.name), a.id""",
        {**_parameters(chosen), "owner": owner_id, "most": most, "skip": skip},
    )
    return [_from_row(row) for row in await cursor.fetchall()]


async def count(conn: Connection, chosen: DirectoryFilter) -> int:
    """Count what `list_page` pages through."""
    cursor = await conn.execute(f"SELECT count(*) AS n FROM assistants WHERE {_FILTER}", _parameters(chosen))
    row = await cursor.fetchone()
    return int(row["n"]) if row else 0


async def get(conn: Connection, assistant_id: UUID, *, owner_id: UUID | None = None) -> DirectoryRow:
    """Return one assistant with its use in the campaigns of one person or (None) of all.

    Raises NotFound, for one that was deleted too.
    """
    cursor = await conn.execute(
        f"""{_SELECT} FROM (SELECT {ASSISTANT_COLUMNS} FROM assistants WHERE id = %(id)s AND deleted_at IS NULL) a
            {_USAGE}""",
        {"id": assistant_id, "owner": owner_id},
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("There is no assistant of that id in the directory.")
    return _from_row(row)


async def list_campaigns(
    conn: Connection, assistant_id: UUID, *, owner_id: UUID | None = None, most: int
) -> Sequence[UsedIn]:
    """Return the campaigns, of one person or of all, with this assistant: those not over first, then the latest."""
    cursor = await conn.execute(
        """SELECT id, name, status FROM campaigns
           WHERE assistant_id = %(assistant)s AND deleted_at IS NULL AND NOT is_test
               AND (%(owner)s::uuid IS NULL OR owner_id = %(owner)s)
           ORDER BY status IN ('COMPLETED', 'CANCELED'), created_at DESC, id LIMIT %(most)s""",
        {"assistant": assistant_id, "owner": owner_id, "most": most},
    )
    return [UsedIn(**{**row, "status": CampaignStatus(row["status"])}) for row in await cursor.fetchall()]


def _from_row(row: Row) -> DirectoryRow:
    used = {name: row.pop(f"used_{name}") for name in _USED}
    return DirectoryRow(assistant=assistant_from_row(row), usage=Usage(**used))


def _parameters(chosen: DirectoryFilter) -> dict[str, Any]:
    return {"q": chosen.q, "active": chosen.active, "source": chosen.source, "templates": chosen.has_templates}
