"""The history of a campaign over JSON: every event of every call, newest first."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from autolynx.store import call_details, campaigns
from autolynx.store.call_details import EventKind
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep
from autolynx.web.shapes_calls import CampaignEventShape, CampaignHistory

router = APIRouter(prefix="/api", tags=["campaigns"])

HIGHEST_ID = 2**63 - 1


@router.get("/campaigns/{campaign_id}/history", summary="Read the history of a campaign")
async def read(
    campaign_id: UUID,
    *,
    runtime: RuntimeDep,
    _actor: CallerDep,
    kind: EventKind | None = None,
    before: Annotated[int | None, Query(ge=1, le=HIGHEST_ID)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> CampaignHistory:
    """Return what became of its calls, newest first; `before` goes on below an event's id."""
    async with runtime.database.connection() as conn:
        await campaigns.get(conn, campaign_id)
        events = await call_details.list_campaign_events(conn, campaign_id, kind=kind, before=before, most=limit + 1)
    shown = [CampaignEventShape.of(event) for event in events[:limit]]
    return CampaignHistory(events=shown, next_before=shown[-1].id if len(events) > limit else None)
