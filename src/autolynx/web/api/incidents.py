"""Incidents over JSON: what must not happen, and did."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query

from autolynx.store import call_reports
from autolynx.store.call_reports import IncidentReport
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep
from autolynx.web.shapes import Pagination, Shape

router = APIRouter(prefix="/api", tags=["incidents"])

MOST_PAGES = 1_000_000
IncidentKind = Literal["double_dial", "cap_overrun", "second_provider_id", "unsure", "illegal_events", "dead_letter"]


class IncidentShape(Shape):
    """One incident, in a sentence."""

    id: int
    kind: str
    campaign_id: UUID | None
    campaign_name: str | None
    call_id: UUID | None
    sentence: str
    created_at: datetime

    @classmethod
    def of(cls, found: IncidentReport) -> "IncidentShape":
        """Show an incident."""
        plain = {name: getattr(found, name) for name in cls.model_fields if hasattr(found, name)}
        return cls(**plain, campaign_name=found.campaign)


class IncidentList(Shape):
    """A page of incidents, newest first."""

    incidents: list[IncidentShape]
    pagination: Pagination


@router.get("/incidents", summary="List incidents")
async def list_incidents(
    runtime: RuntimeDep,
    actor: CallerDep,
    kind: Annotated[list[IncidentKind] | None, Query()] = None,
    page: Annotated[int, Query(ge=1, le=MOST_PAGES)] = 1,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> IncidentList:
    """Return incidents, newest first."""
    async with runtime.database.connection() as conn:
        found, total = await call_reports.list_incidents(
            conn, kinds=kind or (), owner_id=actor.sees_only, limit=limit, skip=(page - 1) * limit
        )
    return IncidentList(
        incidents=[IncidentShape.of(one) for one in found],
        pagination=Pagination.of(page=page, limit=limit, total=total),
    )
