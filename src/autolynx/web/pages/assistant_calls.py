"""Test calls of an assistant: the form, and the call as it goes."""

from collections.abc import Mapping, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from autolynx.domain.actor import Actor
from autolynx.domain.campaign import CampaignStatus
from autolynx.domain.contact import ContactState
from autolynx.errors import AutolynxError, Conflict, NotFound, ProviderError, ValidationProblem, kind_of
from autolynx.flows.phone_numbers import list_phone_numbers
from autolynx.flows.test_call import TestCall, place_test_call
from autolynx.runtime import Runtime
from autolynx.store import reports, test_calls
from autolynx.store.contact_pages import list_contacts
from autolynx.store.report_rows import ContactFilter
from autolynx.web.auth import CallerDep
from autolynx.web.context import LaunchingDep, RuntimeDep
from autolynx.web.pages.assistant_typed import beside, typed_values
from autolynx.web.pages.assistants import assistant_id_of, look_at
from autolynx.web.pages.campaign_address import campaign_id_of
from autolynx.web.pages.rendering import answer, fragment, page
from autolynx.web.pages.row_view import row_view

FIELDS = {"phone": "phone", "region": "region", "name": "person", "businessName": "business", "phoneNumberId": "number"}
MOST_EARLIER = 8
_OVER = {CampaignStatus.COMPLETED, CampaignStatus.CANCELED, CampaignStatus.FAILED}

router = APIRouter(include_in_schema=False)


@router.get("/assistants/{assistant_id}/test-call")
async def ask_for_test_call(
    request: Request, assistant_id: str, runtime: RuntimeDep, actor: CallerDep, campaign: Annotated[str, Query()] = ""
) -> Response:
    """Show the form, and the call that was placed last."""
    view = await look_at(runtime, assistant_id_of(assistant_id), actor)
    async with runtime.database.connection() as conn:
        earlier = await test_calls.list_latest(conn, view.id, owner_id=actor.sees_only, most=MOST_EARLIER)
    typed = {"region": runtime.settings.default_region, "number": runtime.settings.vapi_phone_number_id or ""}
    return await page(
        request,
        "assistant_test_call.html",
        section="assistants",
        view=view,
        tab="test-call",
        typed=typed,
        problems={},
        alarm=None,
        earlier=earlier,
        call=await _call(runtime, campaign_id_of(campaign)) if campaign else await _live_call(runtime, earlier),
    )


@router.post("/assistants/{assistant_id}/test-call")
async def call(
    request: Request, assistant_id: str, runtime: RuntimeDep, actor: CallerDep, launching: LaunchingDep
) -> Response:
    """Call one number; refused, everything typed is still there."""
    known_id, typed = assistant_id_of(assistant_id), await typed_values(request)
    wanted = TestCall(
        phone=typed.get("phone", ""),
        region=typed.get("region", "").strip() or None,
        phone_number_id=typed.get("number") or None,
        **_person(typed),
    )
    try:
        placed = await place_test_call(runtime, known_id, wanted, by=actor.maker)
    except (ValidationProblem, Conflict, ProviderError) as error:
        return await _refused(runtime, known_id, typed, error, actor)
    await launching.work_added()
    view = await look_at(runtime, known_id, actor)
    shown = await _call(runtime, placed.id)
    return answer(
        fragment("assistant_test_form.html", view=view, typed=typed, problems={}, alarm=None),
        fragment("assistant_test_call_part.html", view=view, call=shown),
    )


@router.get("/assistants/{assistant_id}/test-call/numbers")
async def show_numbers(assistant_id: str, runtime: RuntimeDep, chosen: Annotated[str, Query()] = "") -> Response:
    """Show the numbers that can be called from."""
    assistant_id_of(assistant_id)
    try:
        numbers = [remote for remote, _ in await list_phone_numbers(runtime)]
    except ProviderError as error:
        return answer(fragment("assistant_numbers.html", numbers=(), chosen=chosen, alarm=error.message))
    return answer(fragment("assistant_numbers.html", numbers=numbers, chosen=chosen, alarm=None))


@router.get("/assistants/{assistant_id}/test-call/{campaign_id}")
async def show_call(assistant_id: str, campaign_id: str, runtime: RuntimeDep, actor: CallerDep) -> Response:
    """Show how a test call goes."""
    view = await look_at(runtime, assistant_id_of(assistant_id), actor)
    shown = await _call(runtime, campaign_id_of(campaign_id))
    return answer(fragment("assistant_test_result.html", view=view, call=shown))


def _person(typed: Mapping[str, str]) -> dict[str, str]:
    """Return what was said of the person; what was left out keeps its ordinary words."""
    said = {"name": typed.get("person", "").strip(), "business_name": typed.get("business", "").strip()}
    return {key: text for key, text in said.items() if text}


async def _refused(
    runtime: Runtime, assistant_id: UUID, typed: Mapping[str, str], error: AutolynxError, actor: Actor
) -> Response:
    name = FIELDS.get(str(error.details.get("field")))
    values = {
        "view": await look_at(runtime, assistant_id, actor),
        "typed": typed,
        "problems": {name: beside(error)} if name else {},
        "alarm": None if name else error.message,
    }
    return answer(fragment("assistant_test_form.html", **values), status=kind_of(error).http_status)


async def _live_call(runtime: Runtime, earlier: Sequence[test_calls.Placed]) -> dict[str, object] | None:
    """Return the latest call if it is still going on: whoever comes back to the page sees it."""
    return await _call(runtime, earlier[0].id) if earlier and earlier[0].status not in _OVER else None


async def _call(runtime: Runtime, campaign_id: UUID) -> dict[str, object]:
    """Return a test call as it is now. Raises NotFound for a campaign that is none."""
    async with runtime.database.connection() as conn:
        report = await reports.get_campaign(conn, campaign_id)
        rows = await list_contacts(conn, campaign_id, ContactFilter(), limit=1, skip=0)
    if not report.campaign.options.is_test or not rows:
        raise NotFound("There is no test call of that id.")
    row, status = rows[0], report.campaign.status
    view = row_view(row, now=runtime.clock.now(), time_scale=runtime.settings.time_scale)
    return {
        "id": campaign_id,
        "state": view.state if view.state != ContactState.DUE and status is not CampaignStatus.FAILED else status,
        "reason": report.campaign.status_reason or row.ended_reason,
        "is_over": status in _OVER,
        "row": view,
        "summary": row.transcript_summary,
        "success": row.success_evaluation,
        "recording": row.recording_url,
        "placed_at": report.campaign.created_at,
    }
