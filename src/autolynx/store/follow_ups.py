"""A campaign made of contacts of another one: who of them may come along, counted and copied by one rule."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from autolynx.store.database import Connection
from autolynx.store.report_rows import LATEST_CALL, ContactFilter

COMES_ALONG = "comesAlong"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Contacts of a campaign: those that a filter lets through whose latest call went one of these ways.

    `is_stopped`: the campaign calls nobody any more, whatever a person does: who is still due in it may come along.
    `not_called_since`: numbers dialled since then by other campaigns stay; None lets them all come.
    """

    campaign_id: UUID
    chosen: ContactFilter
    outcomes: tuple[str, ...] = ()
    is_stopped: bool
    not_called_since: datetime | None

    def parameters(self) -> dict[str, Any]:
        """Return what the statements refer to."""
        return {
            **self.chosen.parameters(),
            "campaign_id": self.campaign_id,
            "outcomes": list(self.outcomes),
            "is_stopped": self.is_stopped,
            "since": self.not_called_since,
        }


# The campaign, and those that it follows: that they called somebody is why that one is called again. `others` follow
# one of them as well, or one of each other: whoever is in one that is not over will be called by that one.
_FAMILY = """WITH RECURSIVE family AS (SELECT id, options_json ->> 'followsCampaign' AS follows FROM campaigns
        WHERE id = %(campaign_id)s
    UNION SELECT c.id, c.options_json ->> 'followsCampaign' FROM campaigns c JOIN family f ON c.id = f.follows::uuid),
    others AS (SELECT c.id, c.status, c.deleted_at FROM campaigns c JOIN family f
            ON c.options_json ->> 'followsCampaign' = f.id::text WHERE c.id NOT IN (SELECT id FROM family)
        UNION SELECT c.id, c.status, c.deleted_at FROM campaigns c JOIN others o
            ON c.options_json ->> 'followsCampaign' = o.id::text)"""
_IS_IN_ANOTHER = """EXISTS (SELECT FROM contacts d WHERE d.phone = t.phone AND d.campaign_id IN (SELECT id FROM others
        WHERE deleted_at IS NULL AND status NOT IN ('COMPLETED', 'CANCELED')))"""
_FATE = f"""CASE WHEN t.state = 'unsure' THEN 'unsure'
    WHEN t.state = 'excluded' OR t.erased_at IS NOT NULL THEN 'excluded'
    WHEN t.state = 'calling' OR EXISTS (SELECT FROM calls h WHERE h.contact_id = t.id AND h.holds_line) THEN 'live'
    WHEN t.state = 'due' AND NOT %(is_stopped)s THEN 'due'
    WHEN {_IS_IN_ANOTHER} THEN 'inFollowUp'
    WHEN EXISTS (SELECT FROM contacts d JOIN calls o ON o.contact_id = d.id WHERE d.phone = t.phone
        AND o.counts_as_attempt AND o.dial_started_at >= %(since)s::timestamptz
        AND o.campaign_id NOT IN (SELECT id FROM family)) THEN 'calledElsewhere'
    ELSE '{COMES_ALONG}' END"""


def _chosen(wanted: Wanted) -> str:
    return f"""{_FAMILY}, chosen AS (SELECT t.*, {_FATE} AS fate FROM contacts t {LATEST_CALL}
        WHERE {wanted.chosen.where()}
            AND (cardinality(%(outcomes)s::text[]) = 0 OR k.outcome = ANY(%(outcomes)s::text[])))"""


async def lock_family(conn: Connection, campaign_id: UUID) -> None:
    """Let nobody else make a follow-up of a campaign, or of one of its family, until the transaction ends.

    Locked is the first of those that it follows, which all of them have in common. Dialling goes on.
    """
    await conn.execute(
        """WITH RECURSIVE line AS (SELECT id, options_json ->> 'followsCampaign' AS follows, 0 AS back FROM campaigns
               WHERE id = %s
           UNION ALL SELECT c.id, c.options_json ->> 'followsCampaign', l.back + 1
               FROM campaigns c JOIN line l ON c.id = l.follows::uuid)
           SELECT pg_advisory_xact_lock(hashtextextended('follow-up:' || f.id, 0))
           FROM (SELECT id FROM line ORDER BY back DESC LIMIT 1) f""",
        [campaign_id],
    )


async def is_called_by_others(conn: Connection, campaign_id: UUID) -> bool:
    """Whether somebody in a follow-up is in another one of its family as well that is not over."""
    cursor = await conn.execute(
        f"""{_FAMILY} SELECT EXISTS (SELECT FROM contacts t
                WHERE t.campaign_id = %(campaign_id)s AND {_IS_IN_ANOTHER}) AS is_so""",
        {"campaign_id": campaign_id},
    )
    row = await cursor.fetchone()
    return bool(row and row["is_so"])


async def count_fates(conn: Connection, wanted: Wanted) -> Mapping[str, int]:
    """Count the wanted contacts by what becomes of them: COMES_ALONG, or why they stay."""
    cursor = await conn.execute(
        f"{_chosen(wanted)} SELECT fate, count(*) AS found FROM chosen GROUP BY fate", wanted.parameters()
    )
    return {row["fate"]: int(row["found"]) for row in await cursor.fetchall()}


async def insert_contacts(conn: Connection, wanted: Wanted, *, follower_id: UUID) -> int:
    """Copy who comes along into a new campaign, in their order; return how many."""
    cursor = await conn.execute(
        f"""{_chosen(wanted)}
            INSERT INTO contacts (campaign_id, name, business_name, phone, phone_raw, extension, variables, position)
            SELECT %(follower)s, name, business_name, phone, phone_raw, extension, variables,
                row_number() OVER (ORDER BY position) - 1
            FROM chosen WHERE fate = '{COMES_ALONG}'""",
        {**wanted.parameters(), "follower": follower_id},
    )
    return cursor.rowcount


@dataclass(frozen=True, kw_only=True)
class Follower:
    """A campaign that follows another one."""

    id: UUID
    name: str
    created_at: datetime


async def list_followers(conn: Connection, campaign_id: UUID, *, owner_id: UUID | None = None) -> list[Follower]:
    """Return the campaigns, of one person or of all, that were made of contacts of this one, latest first."""
    cursor = await conn.execute(
        """SELECT id, name, created_at FROM campaigns WHERE options_json ->> 'followsCampaign' = %(campaign)s
               AND deleted_at IS NULL AND (%(owner)s::uuid IS NULL OR owner_id = %(owner)s)
           ORDER BY created_at DESC, id LIMIT 20""",
        {"campaign": str(campaign_id), "owner": owner_id},
    )
    return [Follower(**row) for row in await cursor.fetchall()]
