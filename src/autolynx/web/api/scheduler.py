"""The tick, as cron calls it and as a person may."""

import json
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from autolynx.domain.campaign import CampaignStatus
from autolynx.errors import ValidationProblem
from autolynx.flows.choosing_settings import refresh_settings
from autolynx.flows.tick import run_once
from autolynx.origin import CRON, acting_from
from autolynx.runtime import Runtime
from autolynx.store import campaigns
from autolynx.store.progress import list_progress
from autolynx.web.auth import CallerDep, require_cron
from autolynx.web.context import RuntimeDep
from autolynx.web.shapes import Shape

router = APIRouter(prefix="/api", tags=["scheduler"])
cron_router = APIRouter(prefix="/api", tags=["scheduler"])

MOST_DETAILS = 1000


class Processed(Shape):
    """What a tick found and did, over all campaigns."""

    campaigns: int
    calls_launched: int
    calls_active: int
    calls_queued: int


class Detail(Shape):
    """One campaign after the tick."""

    campaign_id: UUID
    launched: int
    active: int
    cap: int
    status: CampaignStatus


class TickAnswer(Shape):
    """The answer of a tick; `details` are cut at 1,000 campaigns."""

    processed: Processed
    details: list[Detail]


_TICK_BODY: dict[str, Any] = {
    "requestBody": {
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {"campaignId": {"type": ["string", "null"], "format": "uuid"}},
                }
            }
        }
    }
}


@cron_router.post("/scheduler/tick", summary="Tick, with a campaign in the body", openapi_extra=_TICK_BODY)
async def tick(request: Request, runtime: RuntimeDep, _who: Annotated[str, Depends(require_cron)]) -> TickAnswer:
    """Repair, reconcile and launch within seconds. The body may be empty or `{"campaignId": ...}`."""
    campaign_id = _campaign_id(await request.body())
    with acting_from(CRON):
        return await _tick(runtime, campaign_id)


@cron_router.get("/scheduler/tick", summary="Tick, as a cron job that can only GET")
async def tick_by_get(
    runtime: RuntimeDep,
    _who: Annotated[str, Depends(require_cron)],
    campaignId: UUID | None = None,  # noqa: N803 - the API's word
) -> TickAnswer:
    """Repair, reconcile and launch within seconds."""
    with acting_from(CRON):
        return await _tick(runtime, campaignId)


@router.post("/scheduler/run", summary="Tick now")
async def run(runtime: RuntimeDep, _actor: CallerDep) -> TickAnswer:
    """Tick at once, for a person who does not want to wait."""
    return await _tick(runtime, None)


async def _tick(runtime: Runtime, campaign_id: UUID | None) -> TickAnswer:
    if campaign_id is not None:
        async with runtime.database.connection() as conn:
            await campaigns.get(conn, campaign_id)
    await refresh_settings(runtime)
    ticked = await run_once(runtime, campaign_id=campaign_id)
    async with runtime.database.connection() as conn:
        found = await list_progress(conn, also=ticked.launched.keys(), only=campaign_id, most=MOST_DETAILS)
    details = [
        Detail(
            campaign_id=one.campaign_id,
            launched=ticked.launched.get(one.campaign_id, 0),
            active=one.active,
            cap=one.cap,
            status=one.status,
        )
        for one in found
    ]
    processed = Processed(
        campaigns=len(found),
        calls_launched=sum(ticked.launched.values()),
        calls_active=sum(one.active for one in found),
        calls_queued=sum(one.queued for one in found),
    )
    return TickAnswer(processed=processed, details=details)


def _campaign_id(raw: bytes) -> UUID | None:
    """Read the body of a cron job: many send none at all."""
    if not raw.strip():
        return None
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise ValidationProblem("The body is not valid JSON.", field="body") from None
    if not isinstance(body, dict):
        raise ValidationProblem("The body must be an object, for example {}.", field="body")
    value = body.get("campaignId")
    try:
        return None if value is None else UUID(str(value))
    except ValueError:
        raise ValidationProblem("campaignId: must be a UUID.", field="campaignId") from None
