"""The claim: what may be dialled next, found in O(room) whatever the size of the list, and taken in one transaction.

Whoever calls these functions to claim holds the gate.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from autolynx.domain.campaign import Campaign
from autolynx.domain.contact import Contact, ContactState
from autolynx.domain.pacing import Account, Candidate, NumberPace
from autolynx.store import gate
from autolynx.store.assistants import DIAL_TARGET, DialTarget, dial_target_from_row
from autolynx.store.campaigns import CAMPAIGN_COLUMNS, campaign_from_row
from autolynx.store.database import Connection, Row

# (least() passes over a hold that is null.)
_FIRST_TURN_IS_OPEN = """c.next_position < CASE WHEN c.mode = 'batch'
    THEN least(c.total_contacts, c.hold_position, (c.open_batch + 1) * c.batch_size)
    ELSE least(c.total_contacts, c.hold_position) END"""
_BATCH_IS_CLOSED = """c.mode = 'batch' AND c.next_position < least(c.total_contacts, c.hold_position)
    AND c.next_position >= (c.open_batch + 1) * c.batch_size
    AND NOT EXISTS (SELECT FROM contacts o WHERE o.campaign_id = c.id AND o.state IN ('due', 'calling')
        AND o.position >= c.open_batch * c.batch_size AND o.position < (c.open_batch + 1) * c.batch_size)"""


@dataclass(frozen=True, kw_only=True)
class Ready:
    """A running campaign with something due.

    `opens_batch`: taking it opens the next batch. `wants_quiet`: this launch, or the batch that it begins, may only
    go out on a line that was just seen quiet. `line_is_busy`: we hold a call on its number ourselves (only said where
    that matters).
    """

    candidate: Candidate
    number: NumberPace
    opens_batch: bool
    wants_quiet: bool
    line_is_busy: bool
    quiet_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What a claim begins with: the account under lock, the lines that it holds, and who has something due."""

    account: Account
    lines_held: int
    ready: Sequence[Ready]


_PACE = tuple(field.name for field in fields(NumberPace) if field.name != "id")
_IS_GATED = "coalesce((c.options_json ->> 'lineQuiet')::boolean, false)"
READY = f"""FROM campaigns c LEFT JOIN phone_numbers p ON p.id = c.phone_number_id
    WHERE c.status IN ('QUEUED', 'DIALING', 'RUNNING') AND c.deleted_at IS NULL
        AND ({_FIRST_TURN_IS_OPEN} OR ({_BATCH_IS_CLOSED}) OR EXISTS
            (SELECT FROM contacts d WHERE d.campaign_id = c.id AND d.due_at <= %(now)s))"""
_FIND_READY = f"""SELECT c.id, c.cap, c.phone_number_id, c.last_served_at, c.quiet_at,
        {_IS_GATED} AND EXISTS (SELECT FROM calls k JOIN campaigns x ON x.id = k.campaign_id
            WHERE k.holds_line AND x.phone_number_id = c.phone_number_id) AS line_is_busy,
        {_IS_GATED} AND (c.mode = 'continuous'
            OR c.next_position = c.open_batch * c.batch_size OR ({_BATCH_IS_CLOSED})) AS wants_quiet,
        {_BATCH_IS_CLOSED} AS opens_batch,
        (SELECT count(*) FROM calls k WHERE k.campaign_id = c.id AND k.holds_line) AS lines_held,
        {", ".join(f"p.{name}" for name in _PACE)}
    {READY} AND (%(ids)s::uuid[] IS NULL OR c.id = ANY(%(ids)s))"""

NEXT_DUE = """SELECT min(d.due_at) AS at FROM campaigns c CROSS JOIN LATERAL
        (SELECT due_at FROM contacts WHERE campaign_id = c.id AND due_at > %(now)s ORDER BY due_at LIMIT 1) d
    WHERE c.status IN ('QUEUED', 'DIALING', 'RUNNING') AND c.deleted_at IS NULL"""


async def open_claim(conn: Connection, *, now: datetime, campaign_id: UUID | None = None) -> Opening:
    """Lock the gate; return what holds behind it, and the running campaigns that have a contact to dial now.

    In a pipeline the statements travel together. They stay apart because each must see what had been committed when
    the gate was won, not when it was asked for.
    """
    locking = await conn.execute(gate.LOCK)
    counting = await conn.execute(gate.COUNT_LINES)
    finding = await conn.execute(_FIND_READY, {"ids": [campaign_id] if campaign_id else None, "now": now})
    account, lines = await locking.fetchone(), await counting.fetchone()
    assert account is not None  # noqa: S101 - the migration put it there and nothing deletes it
    return Opening(
        account=Account(**account),
        lines_held=lines["n"] if lines else 0,
        ready=[_ready(row) for row in await finding.fetchall()],
    )


def _ready(row: Row) -> Ready:
    pace = {name: row[name] for name in _PACE}
    if pace["launched_today"] is None:  # a number never seen before has no limits but the launch rate
        pace = {}
    return Ready(
        number=NumberPace(id=row["phone_number_id"], **pace),
        candidate=Candidate(
            id=row["id"],
            cap=row["cap"],
            lines_held=row["lines_held"],
            phone_number_id=row["phone_number_id"],
            last_served_at=row["last_served_at"],
        ),
        opens_batch=bool(row["opens_batch"]),
        wants_quiet=row["wants_quiet"],
        line_is_busy=row["line_is_busy"],
        quiet_at=row["quiet_at"],
    )


async def list_ready(conn: Connection, campaign_ids: Sequence[UUID], *, now: datetime) -> dict[UUID, Ready]:
    """Return those of these campaigns of which something may be dialled now, as a claim would see them, unlocked."""
    cursor = await conn.execute(_FIND_READY, {"ids": list(campaign_ids), "now": now})
    return {row["id"]: _ready(row) for row in await cursor.fetchall()}


async def list_next_due(conn: Connection, campaign_ids: Sequence[UUID], *, now: datetime) -> dict[UUID, datetime]:
    """Return when the next contact that waits for its time comes due after `now`, in each campaign that has one."""
    cursor = await conn.execute(
        """SELECT c.id, d.due_at FROM unnest(%(ids)s::uuid[]) AS c (id) CROSS JOIN LATERAL
               (SELECT due_at FROM contacts WHERE campaign_id = c.id AND due_at > %(now)s ORDER BY due_at LIMIT 1) d""",
        {"ids": list(campaign_ids), "now": now},
    )
    return {row["id"]: row["due_at"] for row in await cursor.fetchall()}


async def next_due_at(conn: Connection, *, now: datetime) -> datetime | None:
    """Return when the next contact that waits for its time comes due after `now`, over all running campaigns."""
    row = await (await conn.execute(NEXT_DUE, {"now": now})).fetchone()
    return row["at"] if row else None


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A campaign under lock whose turn it is, and its next contacts.

    First those due again, then by position; contacts that are not due stand between them, so that the cursor can pass
    over them.
    """

    campaign: Campaign
    target: DialTarget
    contacts: Sequence[Contact]


_LOCK_CAMPAIGNS = f"""SELECT {CAMPAIGN_COLUMNS}, {DIAL_TARGET} FROM campaigns c
    JOIN assistants a ON a.id = c.assistant_id AND a.provider_assistant_id IS NOT NULL
    WHERE c.id = ANY(%s) AND c.deleted_at IS NULL ORDER BY c.id FOR NO KEY UPDATE OF c"""
_NEXT = """WITH c AS (SELECT next_position, CASE WHEN mode = 'batch' AND batch_size IS NOT NULL
            THEN least(total_contacts, hold_position, (open_batch + %(opened)s + 1) * batch_size)
            ELSE least(total_contacts, hold_position) END AS ending
        FROM campaigns WHERE id = %(id)s),
    again AS (SELECT * FROM contacts WHERE campaign_id = %(id)s AND due_at <= %(now)s
        ORDER BY due_at LIMIT %(most)s FOR NO KEY UPDATE),
    first AS (SELECT * FROM contacts WHERE campaign_id = %(id)s AND position >= (SELECT next_position FROM c)
        AND position < (SELECT ending FROM c) ORDER BY position LIMIT %(most)s FOR NO KEY UPDATE)
    SELECT p.id, p.campaign_id, p.position, p.phone, p.name, p.business_name, p.extension, p.variables,
        p.batch_index, p.due_at, p.state, p.extra_attempts, n.attempts, n.claims
    FROM (SELECT * FROM again UNION ALL SELECT * FROM first WHERE due_at IS NULL) p
    CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE counts_as_attempt) AS attempts, count(*) AS claims
        FROM calls k WHERE k.contact_id = p.id) n
    ORDER BY p.due_at NULLS LAST, p.position"""


async def lock_turns(
    conn: Connection, lines: Mapping[UUID, int], *, opening: Collection[UUID], now: datetime
) -> list[Turn]:
    """Lock these campaigns in the order of their ids; return those still running, each with its next contacts.

    `lines` is how many contacts to return at most, of those due again and of those by position; `opening` are the
    campaigns whose next batch is opened. In a pipeline the statements travel together.
    """
    locking = await conn.execute(_LOCK_CAMPAIGNS, [sorted(lines)])
    following = {
        key: await conn.execute(_NEXT, {"id": key, "now": now, "most": lines[key], "opened": int(key in opening)})
        for key in sorted(lines)
    }
    rows = await locking.fetchall()
    contacts = {key: [_contact(row) for row in await cursor.fetchall()] for key, cursor in following.items()}
    turns = [
        Turn(campaign=campaign_from_row(row), target=dial_target_from_row(row), contacts=contacts[row["id"]])
        for row in rows
    ]
    return [turn for turn in turns if turn.campaign.status.is_running]


def _contact(row: Row) -> Contact:
    return Contact(**{**row, "state": ContactState(row["state"])})


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A contact whose line was just taken."""

    call_id: UUID
    contact: Contact
    campaign: Campaign
    target: DialTarget


async def insert_claims(conn: Connection, claims: Sequence[Claim], *, now: datetime, lease_until: datetime) -> None:
    """Insert a call for each claim and turn its contact to *calling*."""
    await conn.execute(
        """INSERT INTO calls (id, campaign_id, contact_id, attempt, claimed_at, lease_until, max_duration_seconds)
           SELECT c.id, c.campaign_id, c.contact_id, c.attempt, %(now)s, %(lease)s, c.longest
           FROM unnest(%(ids)s::uuid[], %(campaigns)s::uuid[], %(contacts)s::uuid[], %(attempts)s::int[],
               %(longest)s::int[]) AS c (id, campaign_id, contact_id, attempt, longest)""",
        {
            "now": now,
            "lease": lease_until,
            "longest": [claim.target.max_duration_seconds for claim in claims],
            "ids": [claim.call_id for claim in claims],
            "campaigns": [claim.campaign.id for claim in claims],
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
