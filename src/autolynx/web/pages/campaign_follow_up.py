"""Calling once more whom a list shows, or whom a campaign did not reach: a follow-up campaign, from a dialog."""

from typing import Annotated

from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from autolynx.domain.actor import Maker
from autolynx.domain.retry import WORTH_ANOTHER_TRY
from autolynx.errors import Conflict, ValidationProblem
from autolynx.flows.follow_up_campaign import FollowUp, create_follow_up, plan_follow_up
from autolynx.runtime import Runtime
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep
from autolynx.web.pages.campaign_address import campaign_id_of
from autolynx.web.pages.campaign_frame import look_at
from autolynx.web.pages.contact_wish import ContactWishDep
from autolynx.web.pages.new_campaign_view import plan_view
from autolynx.web.pages.refused import NOTHING_REFUSED, Refusal, refusal_of
from autolynx.web.pages.rendering import answer, fragment

MISSED = sorted(WORTH_ANOTHER_TRY)
_FIELDS = {"name": "name"}

router = APIRouter(include_in_schema=False)


@router.get("/campaigns/{campaign_id}/follow-up")
async def ask(
    campaign_id: str,
    runtime: RuntimeDep,
    actor: CallerDep,
    wish: ContactWishDep,
    missed: str = "",
    called_elsewhere: Annotated[str, Query(alias="calledElsewhere")] = "",
) -> Response:
    """Show whom a follow-up would call, who stays behind and why, how long it takes and what it may cost."""
    wanted = FollowUp(
        campaign_id=campaign_id_of(campaign_id),
        chosen=wish.chosen,
        outcomes=MISSED if missed else (),
        includes_called_elsewhere=bool(called_elsewhere),
    )
    return await _dialog(runtime, wanted, actor.maker, query=_query(wish.page_query, missed))


@router.post("/campaigns/{campaign_id}/follow-up")
async def create(
    campaign_id: str,
    runtime: RuntimeDep,
    actor: CallerDep,
    wish: ContactWishDep,
    missed: str = "",
    name: Annotated[str, Form()] = "",
    called_elsewhere: Annotated[str, Form(alias="calledElsewhere")] = "",
) -> Response:
    """Create it and lead to it; what is refused stays in the dialog."""
    wanted = FollowUp(
        campaign_id=campaign_id_of(campaign_id),
        chosen=wish.chosen,
        outcomes=MISSED if missed else (),
        name=name,
        includes_called_elsewhere=bool(called_elsewhere),
    )
    try:
        made = await create_follow_up(runtime, wanted, by=actor.maker)
    except (ValidationProblem, Conflict) as problem:
        status = 400 if isinstance(problem, ValidationProblem) else 409
        query = _query(wish.page_query, missed)
        refused = refusal_of(problem, _FIELDS, otherwise="form")
        return await _dialog(runtime, wanted, actor.maker, query=query, name=name, refused=refused, status=status)
    return answer(HX_Redirect=f"/campaigns/{made.campaign.id}")


async def _dialog(
    runtime: Runtime,
    wanted: FollowUp,
    by: Maker,
    *,
    query: str,
    name: str | None = None,
    refused: Refusal = NOTHING_REFUSED,
    status: int = 200,
) -> Response:
    planned = await plan_follow_up(runtime, wanted, by=by)
    seen = await look_at(runtime, wanted.campaign_id)
    html = fragment(
        "follow_up_dialog.html",
        view=seen.view,
        planned=planned,
        plan=plan_view(planned.plan, first_calls=None),
        query=query,
        name=planned.suggested_name if name is None else name,
        includes_called_elsewhere=wanted.includes_called_elsewhere,
        recent_days=runtime.settings.recent_call_days,
        problems=refused.problems,
        suggestion=refused.suggestion,
    )
    return answer(html, status=status)


def _query(query: str, missed: str) -> str:
    parts = [part for part in (query.removeprefix("?"), "missed=yes" if missed else "") if part]
    return f"?{'&'.join(parts)}" if parts else ""
