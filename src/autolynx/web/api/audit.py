"""The audit log over JSON and as CSV. For admins."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from autolynx.flows.audit_export import open_audit_export
from autolynx.store import audit_entries
from autolynx.store.audit_entries import AuditEntry, AuditFilter
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep
from autolynx.web.shapes import Pagination, Shape
from autolynx.web.streaming import ClosingStream

router = APIRouter(prefix="/api", tags=["audit"])

MOST_PAGES = 1_000_000
MOST_COUNTED = 1_000_000


class AuditEntryShape(Shape):
    """One entry: who did what to which subject, when and from where."""

    id: int
    at: datetime
    actor: str
    origin: str | None
    action: str
    subject: str | None
    details: Mapping[str, Any]

    @classmethod
    def of(cls, found: AuditEntry) -> "AuditEntryShape":
        """Show an entry."""
        return cls(**{name: getattr(found, name) for name in cls.model_fields})


class AuditList(Shape):
    """A page of entries, newest first."""

    entries: list[AuditEntryShape]
    pagination: Pagination


def audit_filter(*, actor: str | None, action: str | None, first: date | None, last: date | None) -> AuditFilter:
    """Return the filter of whole days in UTC, both included."""
    return AuditFilter(
        actor=actor or None,
        action=action or None,
        begins_at=_midnight(first) if first else None,
        ends_at=_midnight(last) + timedelta(days=1) if last and last < date.max else None,
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


async def _chosen(
    actor: Annotated[str | None, Query(max_length=200, description="A part of who did it.")] = None,
    action: Annotated[
        str | None, Query(max_length=100, description="One in full (campaign.started), or an area (campaign).")
    ] = None,
    first: Annotated[date | None, Query(alias="from", description="The first day, in UTC.")] = None,
    last: Annotated[date | None, Query(alias="to", description="The last day, in UTC.")] = None,
) -> AuditFilter:
    return audit_filter(actor=actor, action=action, first=first, last=last)


ChosenDep = Annotated[AuditFilter, Depends(_chosen)]


@router.get("/audit", summary="Read the audit log")
async def list_audit(
    runtime: RuntimeDep,
    _actor: CallerDep,
    chosen: ChosenDep,
    page: Annotated[int, Query(ge=1, le=MOST_PAGES)] = 1,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> AuditList:
    """Return who did what, when and from where, newest first. Only for admins."""
    async with runtime.database.connection() as conn:
        found = await audit_entries.list_entries(conn, chosen, limit=limit, skip=(page - 1) * limit)
        total = await audit_entries.count_entries(conn, chosen, most=MOST_COUNTED)
    return AuditList(
        entries=[AuditEntryShape.of(entry) for entry in found],
        pagination=Pagination.of(page=page, limit=limit, total=total),
    )


@router.get(
    "/audit.csv",
    summary="Export the audit log as CSV",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def export_audit(runtime: RuntimeDep, caller: CallerDep, chosen: ChosenDep) -> Response:
    """Return the entries that fit, oldest first. The export stands in the log itself. Only for admins."""
    return ClosingStream(
        await open_audit_export(runtime, chosen, actor=caller.name),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="audit.csv"'},
    )
