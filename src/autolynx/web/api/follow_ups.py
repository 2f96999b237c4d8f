"""Follow-up campaigns over JSON."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import JSONResponse

from autolynx.flows.follow_up_campaign import create_follow_up, plan_follow_up
from autolynx.store import reports
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep
from autolynx.web.idempotency import OnceDep
from autolynx.web.shapes_campaigns import CampaignDetail
from autolynx.web.shapes_follow_ups import FollowedUpAnswer, FollowUpInput, FollowUpPlanShape
from autolynx.web.shapes_plans import SkippedShape

router = APIRouter(prefix="/api", tags=["campaigns"])


@router.post("/campaigns/{campaign_id}/follow-up/plan", summary="Plan a follow-up campaign")
async def plan(
    campaign_id: UUID, runtime: RuntimeDep, actor: CallerDep, body: FollowUpInput | None = None
) -> FollowUpPlanShape:
    """Count whom a follow-up would call and who stays behind, and say what it would do. Changes nothing."""
    wanted = (body or FollowUpInput()).follow_up(campaign_id)
    return FollowUpPlanShape.of(await plan_follow_up(runtime, wanted, by=actor.maker))


@router.post(
    "/campaigns/{campaign_id}/follow-up",
    status_code=201,
    response_model=FollowedUpAnswer,
    summary="Create a follow-up campaign",
)
async def create(
    campaign_id: UUID,
    *,
    runtime: RuntimeDep,
    actor: CallerDep,
    once: OnceDep,
    body: FollowUpInput | None = None,
) -> JSONResponse:
    """Create a campaign of the contacts of another one that a filter finds. What is left out is as in that one."""
    asked = body or FollowUpInput()

    async def work() -> FollowedUpAnswer:
        made = await create_follow_up(runtime, asked.follow_up(campaign_id), by=actor.maker)
        async with runtime.database.connection() as conn:
            report = await reports.get_campaign(conn, made.campaign.id)
        return FollowedUpAnswer(
            campaign_id=made.campaign.id,
            skipped=[SkippedShape.of(one) for one in made.skipped],
            campaign=CampaignDetail.of(report, runtime.clock.now()),
        )

    return await once.answer({"follows": str(campaign_id), **asked.model_dump(mode="json")}, work, status=201)
