"""What a tick has to do, and when the next one has something to do: asked in one statement, however much runs."""

from dataclasses import dataclass
from datetime import datetime

from autolynx.store.campaigns import FINISHED
from autolynx.store.claims import NEXT_DUE, READY
from autolynx.store.database import Connection
from autolynx.store.retiring import RETIRING


@dataclass(frozen=True, kw_only=True)
class Agenda:
    """Moments may have passed already: then it is time. None: there is nothing of the kind."""

    swept_until: datetime | None  # the sweep has covered everything up to then
    oldest_line_at: datetime | None  # when the oldest call that holds a line was claimed
    lapses_at: datetime | None  # the lease of a claim that nobody has marked ends
    retries_at: datetime | None  # a body in the inbox is tried again
    checks_at: datetime | None  # a silent call is looked at
    comes_due_at: datetime | None  # a waiting contact comes due; never in the past
    upload_expires_at: datetime | None
    recordings_at: datetime | None  # a recording is copied
    removals_at: datetime | None  # something outside of the database is deleted
    retention_at: datetime | None  # somebody looks whether anything is old enough to go
    has_retiring: bool  # an ephemeral assistant is to be deleted at the provider
    has_finished: bool  # a running campaign has nothing left to do
    has_ready: bool  # a running campaign has a contact to dial now


async def get_agenda(conn: Connection, *, now: datetime) -> Agenda:
    """Return the agenda as it is now."""
    cursor = await conn.execute(
        f"""SELECT (SELECT swept_until FROM gate WHERE id = 1) AS swept_until,
                (SELECT min(claimed_at) FROM calls WHERE holds_line) AS oldest_line_at,
                (SELECT min(lease_until) FROM calls WHERE holds_line AND status = 'QUEUED'
                    AND dial_started_at IS NULL AND provider_call_id IS NULL) AS lapses_at,
                (SELECT min(retry_at) FROM webhook_inbox WHERE state IN ('received', 'parked')) AS retries_at,
                (SELECT min(next_check_at) FROM calls WHERE next_check_at IS NOT NULL) AS checks_at,
                ({NEXT_DUE}) AS comes_due_at,
                (SELECT min(expires_at) FROM uploads) AS upload_expires_at,
                (SELECT min(due_at) FROM call_recordings WHERE state = 'due') AS recordings_at,
                (SELECT min(due_at) FROM removals WHERE due_at IS NOT NULL) AS removals_at,
                (SELECT due_at FROM retention WHERE id = 1) AS retention_at,
                EXISTS (SELECT {RETIRING}) AS has_retiring,
                EXISTS (SELECT {FINISHED}) AS has_finished,
                EXISTS (SELECT {READY}) AS has_ready""",
        {"now": now},
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - a list of subqueries is always one row
    return Agenda(**row)
