"""The end of a campaign from its page: deleted, after a question, and taken back."""

from fastapi import APIRouter
from starlette.responses import Response

from autolynx.flows.campaign_edit import delete_campaign
from autolynx.flows.campaign_restoring import restore_campaign
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep
from autolynx.web.pages.campaign_address import campaign_id_of
from autolynx.web.pages.campaign_frame import look_at
from autolynx.web.pages.rendering import answer, fragment, toast

router = APIRouter(include_in_schema=False)


@router.get("/campaigns/{campaign_id}/delete")
async def ask_to_delete(campaign_id: str, runtime: RuntimeDep) -> Response:
    """Show what deleting means, before it is done."""
    view = (await look_at(runtime, campaign_id_of(campaign_id))).view
    return answer(fragment("delete_dialog.html", view=view))


@router.post("/campaigns/{campaign_id}/delete")
async def delete(campaign_id: str, runtime: RuntimeDep, actor: CallerDep) -> Response:
    """Delete a campaign that has no live call."""
    known_id = campaign_id_of(campaign_id)
    name = (await look_at(runtime, known_id)).view.name
    await delete_campaign(runtime, known_id, actor=actor.name)
    return answer(toast(f"{name} is deleted.", undo=f"/campaigns/{known_id}/restore"), HX_Trigger="gone")


@router.post("/campaigns/{campaign_id}/restore")
async def restore(campaign_id: str, runtime: RuntimeDep, actor: CallerDep) -> Response:
    """Take a deletion back."""
    campaign = await restore_campaign(runtime, campaign_id_of(campaign_id), actor=actor.name)
    return answer(toast(f"{campaign.name} is back."), HX_Trigger="stale")
