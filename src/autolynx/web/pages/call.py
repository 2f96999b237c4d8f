"""The drawer of one call, and what the provider sent about it."""

import json
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from autolynx.domain.permission import Permission
from autolynx.errors import NotFound
from autolynx.runtime import Runtime
from autolynx.store import call_details, call_reports
from autolynx.web.api.calls import MOST_EVENTS, MOST_PAYLOADS
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep
from autolynx.web.pages.call_view import CallView, call_view
from autolynx.web.pages.rendering import NEVER_KEPT, answer, fragment
from autolynx.web.readers import read_id

MOST_CHARACTERS = 100_000

router = APIRouter(include_in_schema=False)


@router.get("/calls/{call_id}")
async def find_page(call_id: str, runtime: RuntimeDep) -> Response:
    """Lead to the call on the page of its campaign."""
    async with runtime.database.connection() as conn:
        call = await call_reports.get_call(conn, call_id_of(call_id))
    return RedirectResponse(f"/campaigns/{call.campaign_id}?call={call.id}", status_code=303, headers=NEVER_KEPT)


@router.get("/calls/{call_id}/drawer")
async def show_drawer(call_id: str, runtime: RuntimeDep, actor: CallerDep) -> Response:
    """Show a call in full, for the drawer of a page."""
    view = await _look(runtime, call_id_of(call_id))
    return answer(fragment("call_drawer.html", view=view, is_admin=actor.may(Permission.PAYLOADS_READ)))


@router.get("/calls/{call_id}/payloads")
async def show_payloads(call_id: str, runtime: RuntimeDep) -> Response:
    """Show what the provider sent about a call, as it was kept."""
    known_id = call_id_of(call_id)
    async with runtime.database.connection() as conn:
        found = await call_details.list_payloads(conn, known_id, most=MOST_PAYLOADS)
    payloads = [(one, *_written(one.body)) for one in found]
    return answer(fragment("call_payloads.html", call_id=known_id, payloads=payloads))


def call_id_of(text: str) -> UUID:
    """Return the id in an address. Raises NotFound for what is none."""
    known = read_id(text)
    if known is None:
        raise NotFound("There is no call of that id.")
    return known


async def _look(runtime: Runtime, call_id: UUID) -> CallView:
    async with runtime.database.connection() as conn:
        call = await call_reports.get_call(conn, call_id)
        events = await call_reports.list_events(conn, call_id, most=MOST_EVENTS)
        attempts = await call_details.list_attempts(conn, call.contact_id)
    return call_view(call, events, attempts, now=runtime.clock.now(), time_scale=runtime.settings.time_scale)


def _written(body: Any) -> tuple[str, bool]:
    """Return a body as text for people, and whether it was cut."""
    text = json.dumps(body, indent=2, ensure_ascii=False)
    return text[:MOST_CHARACTERS], len(text) > MOST_CHARACTERS
