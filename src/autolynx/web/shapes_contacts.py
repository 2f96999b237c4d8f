"""How a contact with its latest call looks outside: the same row as in the CSV."""

from datetime import datetime
from uuid import UUID

from autolynx.domain.metrics import Counters
from autolynx.store.report_rows import ReportRow
from autolynx.web.shapes import Pagination, Shape
from autolynx.web.shapes_campaigns import Number


class LatestCall(Shape):
    """The latest counted call of a contact. `recordingUrl` is our own, guarded address."""

    id: UUID
    attempt: int
    status: str
    outcome: str | None
    ended_reason: str | None
    cost: Number | None
    duration_seconds: Number | None
    claimed_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    recording_url: str | None
    success_evaluation: bool | None
    success_raw: str | None
    summary: str | None
    version: int


class ContactShape(Shape):
    """A contact; `call` is null before the first one. `reason` says why it stands where it does, if we know."""

    id: UUID
    name: str
    business_name: str
    phone: str
    extension: str | None
    variables: dict[str, str]
    position: int
    batch_index: int | None
    state: str
    due_at: datetime | None
    reason: str | None
    call: LatestCall | None

    @classmethod
    def of(cls, row: ReportRow) -> "ContactShape":
        """Show a row."""
        return cls(
            id=row.contact_id,
            name=row.name,
            business_name=row.business_name,
            phone=row.phone,
            extension=row.extension,
            variables=row.variables,
            position=row.position,
            batch_index=row.batch_index,
            state=row.state,
            due_at=row.due_at,
            reason=row.reason,
            call=_call(row),
        )


def _call(row: ReportRow) -> LatestCall | None:
    if row.call_id is None or row.attempt is None or row.claimed_at is None or row.version is None:
        return None
    return LatestCall(
        id=row.call_id,
        attempt=row.attempt,
        status=row.call_status,
        outcome=row.outcome,
        ended_reason=row.ended_reason,
        cost=row.cost_usd,
        duration_seconds=row.duration_seconds,
        claimed_at=row.claimed_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        recording_url=row.recording_url,
        success_evaluation=row.success_evaluation,
        success_raw=row.success_raw,
        summary=row.transcript_summary,
        version=row.version,
    )


class ContactSummary(Shape):
    """`contactsShown` are on this page; the others count the whole campaign."""

    contacts_shown: int
    calls_completed: int
    calls_active: int
    calls_pending: int

    @classmethod
    def of(cls, counters: Counters, *, shown: int) -> "ContactSummary":
        """Show counters."""
        return cls(
            contacts_shown=shown,
            calls_completed=counters.completed_calls,
            calls_active=counters.active_calls,
            calls_pending=counters.due,
        )


class ContactList(Shape):
    """A page of contacts. Where `isTotalExact` is false, there are at least as many as the total says."""

    contacts: list[ContactShape]
    pagination: Pagination
    is_total_exact: bool
    summary: ContactSummary
