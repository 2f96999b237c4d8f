"""The claim: what may be dialled next, found in O(room) whatever the size of the list, and taken in one transaction.

Whoever calls these functions holds the gate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from autolynx.domain.campaign import Campaign, CampaignMode
from autolynx.domain.contact import Contact, ContactState
from autolynx.domain.pacing import Candidate
from autolynx.store.campaigns import CAMPAIGN_COLUMNS, campaign_from_row
from autolynx.store.database import Connection, Row

_FIRST_TURN_IS_OPEN = """c.next_position < CASE WHEN c.mode = 'batch'
    THEN least(c.total_contacts, (c.open_batch + 1) * c.batch_size) ELSE c.total_contacts END"""
_BATCH_IS_CLOSED = """c.mode = 'batch' AND c.next_position < c.total_contacts
    AND c.next_position >= (c.open_batch + 1) * c.batch_size
    AND NOT EXISTS (SELECT FROM contacts o WHERE o.campaign_id = c.id AND o.state IN ('due', 'calling')
        AND o.position >= c.open_batch * c.batch_size AND o.position < (c.open_batch + 1) * c.batch_size)"""


@dataclass(frozen=True, kw_only=True)
class Ready:
    """A running campaign with something due.

    `opens_batch`: taking it opens the next batch. `wants_quiet`: this launch, or the batch that it begins, may only
    go out on a line that was just seen quiet.
    """

    candidate: Candidate
    opens_batch: bool
    wants_quiet: bool
    quiet_at: datetime | None


async def list_ready(conn: Connection, *, now: datetime, campaign_id: UUID | None = None) -> list[Ready]:
    """Return the running campaigns that have a contact to dial now."""
    cursor = await conn.execute(
        f"""SELECT c.id, c.cap, c.phone_number_id, c.last_served_at, c.quiet_at,
                coalesce((c.options_json ->> 'lineQuiet')::boolean, false) AND (c.mode = 'continuous'
                    OR c.next_position = c.open_batch * c.batch_size OR ({_BATCH_IS_CLOSED})) AS wants_quiet,
                {_BATCH_IS_CLOSED} AS opens_batch,
                (SELECT count(*) FROM calls k WHERE k.campaign_id = c.id AND k.holds_line) AS lines_held
            FROM campaigns c
            WHERE c.status IN ('QUEUED', 'DIALING', 'RUNNING') AND c.deleted_at IS NULL
                AND (%(id)s::uuid IS NULL OR c.id = %(id)s)
                AND ({_FIRST_TURN_IS_OPEN} OR ({_BATCH_IS_CLOSED}) OR EXISTS
                    (SELECT FROM contacts d WHERE d.campaign_id = c.id AND d.due_at <= %(now)s))""",
        {"id": campaign_id, "now": now},
    )
    return [_ready(row) for row in await cursor.fetchall()]


def _ready(row: Row) -> Ready:
    return Ready(
        candidate=Candidate(
            id=row["id"],
            cap=row["cap"],
            lines_held=row["lines_held"],
            phone_number_id=row["phone_number_id"],
            last_served_at=row["last_served_at"],
        ),
        opens_batch=bool(row["opens_batch"]),
        wants_quiet=row["wants_quiet"],
        quiet_at=row["quiet_at"],
    )


async def next_due_at(conn: Connection, *, now: datetime) -> datetime | None:
    """Return when the next contact that waits for its time comes due after `now`, over all running campaigns."""
    row = await (
        await conn.execute(
            """SELECT min(d.due_at) AS at FROM campaigns c
               CROSS JOIN LATERAL (SELECT due_at FROM contacts WHERE campaign_id = c.id AND due_at > %s
                   ORDER BY due_at LIMIT 1) d
               WHERE c.status IN ('QUEUED', 'DIALING', 'RUNNING') AND c.deleted_at IS NULL""",
            [now],
        )
    ).fetchone()
    return row["at"] if row else None


async def lock_campaigns(conn: Connection, ids: Sequence[UUID]) -> list[Campaign]:
    """Lock campaigns in the order of their ids and return those that are still running."""
    cursor = await conn.execute(
        f"""SELECT {CAMPAIGN_COLUMNS} FROM campaigns c WHERE c.id = ANY(%s) AND c.deleted_at IS NULL
            ORDER BY c.id FOR NO KEY UPDATE""",
        [list(ids)],
    )
    campaigns = [campaign_from_row(row) for row in await cursor.fetchall()]
    return [campaign for campaign in campaigns if campaign.status.is_running]


async def list_next(
    conn: Connection, campaign: Campaign, *, open_batch: int, most: int, now: datetime
) -> list[Contact]:
    """Return the next contacts in turn: first those due again, then by position; at most `most` of each.

    Contacts that are not due stand between them, so that the cursor can pass over them.
    """
    end = campaign.total_contacts
    if campaign.mode is CampaignMode.BATCH and campaign.batch_size:
        end = min(end, (open_batch + 1) * campaign.batch_size)
    cursor = await conn.execute(
        """WITH again AS (SELECT * FROM contacts WHERE campaign_id = %(id)s AND due_at <= %(now)s
                ORDER BY due_at LIMIT %(most)s FOR NO KEY UPDATE),
            first AS (SELECT * FROM contacts WHERE campaign_id = %(id)s AND position >= %(from)s AND position < %(end)s
                ORDER BY position LIMIT %(most)s FOR NO KEY UPDATE)
            SELECT p.id, p.campaign_id, p.position, p.phone, p.name, p.business_name, p.extension, p.variables,
                p.batch_index, p.due_at, p.state, p.extra_attempts, n.attempts, n.claims
            FROM (SELECT * FROM again UNION ALL SELECT * FROM first WHERE due_at IS NULL) p
            CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE counts_as_attempt) AS attempts, count(*) AS claims
                FROM calls k WHERE k.contact_id = p.id) n
            ORDER BY p.due_at NULLS LAST, p.position""",
        {"id": campaign.id, "now": now, "from": campaign.next_position, "end": end, "most": most},
    )
    return [Contact(**{**row, "state": ContactState(row["state"])}) for row in await cursor.fetchall()]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A contact whose line was just taken."""

    call_id: UUID
    contact: Contact
    campaign: Campaign


async def insert_claims(
    conn: Connection, claims: Sequence[Claim], *, now: datetime, lease_until: datetime, max_duration_seconds: int
) -> None:
    """Insert a call for each claim and turn its contact to *calling*."""
    await conn.execute(
        """INSERT INTO calls (id, campaign_id, contact_id, attempt, claimed_at, lease_until, max_duration_seconds)
           SELECT c.id, %(campaign)s, c.contact_id, c.attempt, %(now)s, %(lease)s, %(longest)s
           FROM unnest(%(ids)s::uuid[], %(contacts)s::uuid[], %(attempts)s::int[]) AS c (id, contact_id, attempt)""",
        {
            "campaign": claims[0].campaign.id,
            "now": now,
            "lease": lease_until,
            "longest": max_duration_seconds,
            "ids": [claim.call_id for claim in claims],
            "contacts": [claim.contact.id for claim in claims],
            "attempts": [claim.contact.claims + 1 for claim in claims],
        },
    )
    await conn.execute(
        "UPDATE contacts SET state = 'calling', due_at = NULL, reason = NULL WHERE id = ANY(%s)",
        [[claim.contact.id for claim in claims]],
    )


async def save_turn(
    conn: Connection, campaign: Campaign, *, next_position: int, open_batch: int, served_at: datetime | None
) -> None:
    """Move a campaign's cursor; `served_at` when it got lines."""
    await conn.execute(
        """UPDATE campaigns SET next_position = %(next)s, open_batch = %(batch)s,
               last_served_at = coalesce(%(served)s, last_served_at),
               quiet_at = CASE WHEN %(served)s::timestamptz IS NULL THEN quiet_at END
           WHERE id = %(id)s""",
        {"next": next_position, "batch": open_batch, "served": served_at, "id": campaign.id},
    )
