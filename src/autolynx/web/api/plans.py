"""The plan before the button, over JSON."""

from fastapi import APIRouter

from autolynx.flows.planning import plan_campaign
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep
from autolynx.web.shapes_plans import PlanInput, PlanShape

router = APIRouter(prefix="/api", tags=["campaigns"])


@router.post("/campaigns/plan", summary="Plan a campaign")
async def plan(body: PlanInput, runtime: RuntimeDep, actor: CallerDep) -> PlanShape:
    """Say what a campaign of an upload would do: who is called, over how many lines, how long and what it may cost."""
    planned = await plan_campaign(
        runtime,
        body.upload_id,
        body.choices(),
        includes_recently_called=body.include_recently_called,
        is_repeat_allowed=body.again,
        owner_id=actor.sees_only,
    )
    return PlanShape.of(planned)
