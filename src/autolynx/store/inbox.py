"""The webhook inbox: every authentic body is kept once before anything is made of it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from autolynx.store.database import Connection

MAX_FAILURES = 5
LONGEST_PARKED = timedelta(days=7)  # how long a body about a call that is not ours (yet) is kept open
_THE_DELIVERY = "(provider_call_id, type, status) = (%(provider_call_id)s, %(type)s, %(status)s)"


class InboxState(StrEnum):
    """What became of a body."""

    RECEIVED = "received"  # to be tried (again) from `retry_at` on
    SETTLED = "settled"
    PARKED = "parked"  # about no call of ours yet
    IGNORED = "ignored"
    DEAD = "dead"


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What a body is recognised by when it comes again; '' for what it does not say."""

    provider_call_id: str
    type: str
    status: str


@dataclass(frozen=True, kw_only=True)
class InboxRow:
    """A body that waits to be settled."""

    delivery: Delivery
    body: Any
    failures: int


@dataclass(frozen=True, kw_only=True)
class Body:
    """A body without its secrets, and the id of ours that it bears."""

    delivery: Delivery
    our_call_id: UUID | None
    content: Any


async def put(
    conn: Connection,
    bodies: Sequence[Body],
    state: InboxState,
    *,
    now: datetime,
    retry_at: datetime | None = None,
) -> None:
    """Keep bodies, with what became of them. A repeat counts as a further delivery of the body that is kept already."""
    await conn.execute(
        """INSERT INTO webhook_inbox (provider_call_id, type, status, our_call_id, body, received_at, state, retry_at,
               settled_at)
           SELECT b.provider_call_id, b.type, b.status, b.our_call_id, coalesce(b.content, 'null'), %(now)s, %(state)s,
               %(retry)s, %(settled)s
           FROM jsonb_to_recordset(%(bodies)s) AS b
               (provider_call_id text, type text, status text, our_call_id uuid, content jsonb)
           ON CONFLICT ON CONSTRAINT webhook_inbox_delivery_key DO UPDATE SET
               deliveries = webhook_inbox.deliveries + 1, state = excluded.state, retry_at = excluded.retry_at,
               settled_at = coalesce(excluded.settled_at, webhook_inbox.settled_at)""",
        {
            "now": now,
            "state": state,
            "retry": retry_at,
            "settled": now if state is InboxState.SETTLED else None,
            "bodies": Jsonb([_as_record(body) for body in bodies]),
        },
    )


def _as_record(body: Body) -> dict[str, Any]:
    key = body.delivery
    return {
        "provider_call_id": key.provider_call_id,
        "type": key.type,
        "status": key.status,
        "our_call_id": body.our_call_id,
        "content": body.content,
    }


async def save_state(
    conn: Connection, delivery: Delivery, state: InboxState, *, now: datetime, retry_at: datetime | None = None
) -> None:
    """Say what became of a body that was kept before; a parked one is tried again at `retry_at`, or when it expires."""
    await conn.execute(
        f"""UPDATE webhook_inbox SET state = %(state)s,
                retry_at = CASE WHEN %(state)s = 'parked' THEN least(%(retry)s, received_at + %(longest)s)
                    ELSE %(retry)s END,
                settled_at = CASE WHEN %(state)s = 'settled' THEN %(now)s ELSE settled_at END
            WHERE {_THE_DELIVERY}""",
        {"state": state, "retry": retry_at, "longest": LONGEST_PARKED, "now": now, **asdict(delivery)},
    )


async def save_failure(conn: Connection, delivery: Delivery, *, error: str, retry_at: datetime) -> bool:
    """Count a failure; True when the body has become a dead letter by it."""
    cursor = await conn.execute(
        f"""UPDATE webhook_inbox SET failures = failures + 1, last_error = %(error)s, retry_at = %(retry)s,
                state = CASE WHEN failures + 1 >= %(most)s THEN 'dead' ELSE 'received' END
            WHERE {_THE_DELIVERY} RETURNING state""",
        {"error": error, "retry": retry_at, "most": MAX_FAILURES, **asdict(delivery)},
    )
    row = await cursor.fetchone()
    return row is not None and row["state"] == "dead"


async def claim_open(conn: Connection, *, now: datetime, again_at: datetime, most: int) -> list[InboxRow]:
    """Take bodies whose next try is due, and push it on, so that two ticks do not try the same."""
    cursor = await conn.execute(
        """WITH due AS (SELECT id FROM webhook_inbox WHERE state IN ('received', 'parked') AND retry_at <= %(now)s
               ORDER BY retry_at LIMIT %(most)s FOR NO KEY UPDATE SKIP LOCKED)
           UPDATE webhook_inbox i SET retry_at = %(again)s FROM due WHERE i.id = due.id
           RETURNING i.provider_call_id, i.type, i.status, i.body, i.failures""",
        {"now": now, "again": again_at, "most": most},
    )
    return [_inbox_row(**row) for row in await cursor.fetchall()]


def _inbox_row(*, body: Any, failures: int, **key: str) -> InboxRow:
    return InboxRow(delivery=Delivery(**key), body=body, failures=failures)


async def expire_parked(conn: Connection, *, now: datetime) -> int:
    """Stop waiting for calls that never became ours; returns how many bodies were put aside."""
    cursor = await conn.execute(
        """WITH old AS (SELECT id FROM webhook_inbox WHERE state = 'parked' AND received_at <= %s
               FOR NO KEY UPDATE SKIP LOCKED)
           UPDATE webhook_inbox i SET state = 'ignored', retry_at = NULL FROM old WHERE i.id = old.id""",
        [now - LONGEST_PARKED],
    )
    return cursor.rowcount


async def unpark(conn: Connection, *, provider_call_id: str, now: datetime) -> int:
    """Let parked bodies about a call that has just become known be tried at once."""
    cursor = await conn.execute(
        "UPDATE webhook_inbox SET retry_at = %s WHERE state = 'parked' AND provider_call_id = %s AND retry_at > %s",
        [now, provider_call_id, now],
    )
    return cursor.rowcount


async def count_overdue(conn: Connection, *, due_before: datetime) -> int:
    """Count bodies that were to be settled before that moment and still wait."""
    cursor = await conn.execute(
        "SELECT count(*) AS n FROM webhook_inbox WHERE state = 'received' AND retry_at < %s", [due_before]
    )
    row = await cursor.fetchone()
    return int(row["n"]) if row else 0
