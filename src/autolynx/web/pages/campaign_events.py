"""The history of a campaign: what became of its calls, newest first."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from autolynx.web.api.history import HIGHEST_ID
from autolynx.web.context import RuntimeDep
from autolynx.web.pages.campaign_address import campaign_id_of
from autolynx.web.pages.campaign_frame import campaign_page, look_at
from autolynx.web.pages.campaign_history import KINDS, event_kind, look_back

router = APIRouter(include_in_schema=False)


@router.get("/campaigns/{campaign_id}/events")
async def show_events(
    request: Request,
    runtime: RuntimeDep,
    campaign_id: str,
    kind: str = "",
    before: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """Show the history, from the newest event on or from below one. Only the newest ones follow what happens."""
    known_id = campaign_id_of(campaign_id)
    seen = await look_at(runtime, known_id)
    history = await look_back(runtime, known_id, kind=event_kind(kind), below=_event_id(before))
    return await campaign_page(
        request,
        "campaign_events.html",
        seen,
        tab="events",
        stream=f"events&kind={history.kind}" if history.is_newest else "history",
        history=history,
        kinds=KINDS,
    )


def _event_id(text: str) -> int | None:
    number = int(text) if text.isascii() and text.isdigit() else 0
    return min(number, HIGHEST_ID) or None
