"""What the live page and the terminal show of campaigns: figures from the counters, the latest calls, one page of a list.

Every query costs the same for a list of ten and of a million: counters, a few rows by index, nothing counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from autolynx.domain.campaign import CampaignMode, CampaignStatus
from autolynx.errors import NotFound
from autolynx.store.database import Connection, Row

OUTCOMES = (
    "answered voicemail no_answer busy silence bad_number refused provider_error config_error canceled unsure unknown"
).split()
_COUNTED_AS = {"canceled": "canceled_outcome", "unsure": "unsure_outcome", "unknown": "unknown_outcome"}
_PLAIN = (
    "due calling done unsure excluded queued ringing in_progress success_true success_false cost_usd talk_seconds talks"
).split()
_COUNTERS = ", ".join(
    [f"n.{name}" for name in _PLAIN] + [f"n.{_COUNTED_AS.get(name, name)} AS outcome_{name}" for name in OUTCOMES]
)
_FIGURES = f"""SELECT c.id, c.name, c.status, c.status_reason, c.mode, c.cap, c.total_contacts, c.phone_number_id,
        c.created_at, c.queued_at, c.started_at, c.completed_at, a.name AS assistant, {_COUNTERS},
        (SELECT count(*) FROM calls k WHERE k.campaign_id = c.id AND k.holds_line) AS lines
    FROM campaigns c JOIN campaign_counters n ON n.campaign_id = c.id JOIN assistants a ON a.id = c.assistant_id
    WHERE c.deleted_at IS NULL"""
_CONTACT = """t.id, t.name, t.business_name, t.phone, t.state, t.reason, t.position,
    k.status, k.outcome, k.attempt, k.claimed_at, k.dial_started_at, k.started_at, k.ended_at, k.last_status_at, k.cost_usd"""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One campaign in figures. `lines` are held now, by calls that were claimed, ring or are talked on."""

    id: UUID
    name: str
    status: CampaignStatus
    status_reason: str | None
    mode: CampaignMode
    cap: int
    total_contacts: int
    phone_number_id: str
    created_at: datetime
    queued_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    assistant: str
    due: int
    calling: int
    done: int
    unsure: int
    excluded: int
    queued: int
    ringing: int
    in_progress: int
    success_true: int
    success_false: int
    cost_usd: Decimal
    talk_seconds: Decimal
    talks: int
    lines: int
    outcomes: Mapping[str, int]

    @property
    def handled(self) -> int:
        """Contacts that nothing more will happen to without a person."""
        return self.done + self.unsure + self.excluded


@dataclass(frozen=True, kw_only=True)
class ContactLine:
    """A contact with its latest call; `status` is None where there was none yet."""

    id: UUID
    name: str
    business_name: str
    phone: str
    state: str
    reason: str | None
    position: int
    status: str | None
    outcome: str | None
    attempt: int | None
    claimed_at: datetime | None
    dial_started_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    last_status_at: datetime | None
    cost_usd: Decimal | None

    @property
    def changed_at(self) -> datetime | None:
        """When we last heard of it."""
        return self.last_status_at or self.claimed_at


async def get_figures(conn: Connection, campaign_id: UUID) -> Figures:
    """Return one campaign in figures. Raises NotFound."""
    row = await (await conn.execute(f"{_FIGURES} AND c.id = %s", [campaign_id])).fetchone()
    if row is None:
        raise NotFound("There is no campaign of that id.")
    return _figures(row)


async def list_figures(conn: Connection, *, most: int, skip: int = 0) -> list[Figures]:
    """Return campaigns in figures, newest first."""
    cursor = await conn.execute(f"{_FIGURES} ORDER BY c.created_at DESC, c.id LIMIT %s OFFSET %s", [most, skip])
    return [_figures(row) for row in await cursor.fetchall()]


async def list_by_name_or_id(conn: Connection, wanted: str) -> list[Figures]:
    """Return the campaigns that bear that name (in any case), that id, or an id that begins so."""
    cursor = await conn.execute(
        f"{_FIGURES} AND (lower(c.name) = lower(%(wanted)s) OR starts_with(c.id::text, lower(%(wanted)s)))"
        " ORDER BY c.created_at DESC LIMIT 20",
        {"wanted": wanted},
    )
    return [_figures(row) for row in await cursor.fetchall()]


async def list_latest_calls(conn: Connection, campaign_id: UUID, *, most: int) -> list[ContactLine]:
    """Return the contacts of the latest calls, the latest first; claims that were given back are left out."""
    cursor = await conn.execute(
        f"""SELECT {_CONTACT} FROM calls k JOIN contacts t ON t.id = k.contact_id
            WHERE k.campaign_id = %s AND k.outcome IS DISTINCT FROM 'not_dialled'
            ORDER BY k.claimed_at DESC, t.position DESC LIMIT %s""",
        [campaign_id, most],
    )
    return [ContactLine(**row) for row in await cursor.fetchall()]


async def list_contacts_from(conn: Connection, campaign_id: UUID, *, position: int, most: int) -> list[ContactLine]:
    """Return contacts in the order of the file from a position on, each with its latest counted call."""
    cursor = await conn.execute(
        f"""SELECT {_CONTACT} FROM contacts t
            LEFT JOIN LATERAL (SELECT * FROM calls k WHERE k.contact_id = t.id
                AND k.outcome IS DISTINCT FROM 'not_dialled' ORDER BY k.attempt DESC LIMIT 1) k ON true
            WHERE t.campaign_id = %s AND t.position >= %s ORDER BY t.position LIMIT %s""",
        [campaign_id, position, most],
    )
    return [ContactLine(**row) for row in await cursor.fetchall()]


def _figures(row: Row) -> Figures:
    outcomes = {name: int(row[f"outcome_{name}"]) for name in OUTCOMES}
    values: dict[str, Any] = {name: value for name, value in row.items() if not name.startswith("outcome_")}
    values["status"], values["mode"] = CampaignStatus(values["status"]), CampaignMode(values["mode"])
    return Figures(**values, outcomes=outcomes)
