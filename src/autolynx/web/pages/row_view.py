"""What is shown of a contact and its latest call."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from autolynx.domain.call import CallStatus, Outcome
from autolynx.store.report_rows import NOT_CALLED, ReportRow
from autolynx.web.pages.words import ago, grouped, money, span


@dataclass(frozen=True, kw_only=True)
class RowView:
    """A contact as a table shows it. `state` is its call's status, or its own before the first call."""

    id: UUID
    name: str
    business_name: str
    phone: str
    state: str
    outcome: str | None
    talk: str
    cost: str
    changed: str
    changed_at: datetime | None
    call_id: UUID | None
    version: int | None
    position: int


def row_view(row: ReportRow, *, now: datetime, time_scale: float) -> RowView:
    """Return what is shown. Talk is in the simulator's seconds where time runs faster."""
    talk = _talk_seconds(row, now=now, time_scale=time_scale)
    changed_at = row.ended_at or row.started_at or row.claimed_at
    return RowView(
        id=row.contact_id,
        name=row.name,
        business_name=row.business_name,
        phone=grouped(row.phone),
        state=row.state if row.call_status == NOT_CALLED else row.call_status,
        outcome=row.outcome,
        talk=span(talk) if talk is not None else "",
        cost=money(row.cost_usd),
        changed=ago((now - changed_at).total_seconds()) if changed_at else "",
        changed_at=changed_at,
        call_id=row.call_id,
        version=row.version,
        position=row.position,
    )


def _talk_seconds(row: ReportRow, *, now: datetime, time_scale: float) -> float | None:
    """Return how long somebody was, or is being, talked to; None where nobody was.

    Of a call that is over the provider says so itself; of a live one our clock does, and that is scaled.
    """
    if row.call_status == CallStatus.IN_PROGRESS and row.started_at is not None:
        return (now - row.started_at).total_seconds() * time_scale
    if row.outcome == Outcome.ANSWERED and row.duration_seconds is not None:
        return float(row.duration_seconds)
    return None
