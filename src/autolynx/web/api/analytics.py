"""Analytics over JSON and as CSV: the same figures."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from autolynx.flows.analytics import Wanted, read_analytics
from autolynx.flows.audit_trail import note
from autolynx.store.analytics import CallFilter
from autolynx.web.analytics_csv import csv_of
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep
from autolynx.web.shapes_analytics import AnalyticsShown

router = APIRouter(prefix="/api", tags=["analytics"])


async def _wanted(
    actor: CallerDep,
    first: Annotated[
        date | None, Query(alias="from", description="The first day; 30 days in all unless given.")
    ] = None,
    last: Annotated[date | None, Query(alias="to", description="The last day; today unless given.")] = None,
    timezone: Annotated[
        str, Query(max_length=100, description="Whose days and hours: UTC, or a name such as Europe/Berlin.")
    ] = "UTC",
    assistant_id: Annotated[UUID | None, Query(alias="assistantId")] = None,
    campaign_id: Annotated[UUID | None, Query(alias="campaignId")] = None,
) -> Wanted:
    chosen = CallFilter(assistant_id=assistant_id, campaign_id=campaign_id, owner_id=actor.sees_only)
    return Wanted(first=first, last=last, timezone=timezone, chosen=chosen)


WantedDep = Annotated[Wanted, Depends(_wanted)]


@router.get("/analytics", summary="Show analytics")
async def show(runtime: RuntimeDep, _actor: CallerDep, wanted: WantedDep) -> AnalyticsShown:
    """Return the figures of up to 366 days: in total, by day, by hour of the week, by assistant. No test calls."""
    return AnalyticsShown.of(await read_analytics(runtime, wanted), wanted.chosen)


@router.get(
    "/analytics.csv",
    summary="Export analytics as CSV",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def export(runtime: RuntimeDep, actor: CallerDep, wanted: WantedDep) -> Response:
    """Return the same figures as one table; `part` says what a line is about: total, day, hour or assistant."""
    found = await read_analytics(runtime, wanted)
    await note(runtime, "analytics.exported", actor=actor.name)
    name = f"analytics-{found.period.first}-to-{found.period.last}.csv"
    return Response(
        csv_of(found),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
