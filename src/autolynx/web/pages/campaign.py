"""One campaign: how it goes, its lines, and its contacts."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from autolynx.errors import NotFound
from autolynx.flows.dialing_state import get_campaign_bound
from autolynx.runtime import Runtime
from autolynx.store import feed, live, reports
from autolynx.store.contact_pages import list_contacts
from autolynx.store.report_rows import ContactFilter
from autolynx.web.context import RuntimeDep
from autolynx.web.pages.campaign_view import CampaignView, campaign_view
from autolynx.web.pages.paging import Paging, page_number
from autolynx.web.pages.rendering import page
from autolynx.web.pages.resting import resting_sentence
from autolynx.web.pages.row_view import RowView, row_view

ROWS = 50
LATEST = 8

router = APIRouter(include_in_schema=False)


@router.get("/campaigns/{campaign_id}")
async def show_campaign(
    request: Request, runtime: RuntimeDep, campaign_id: str, number: Annotated[str, Query(alias="page")] = ""
) -> Response:
    """Show one campaign."""
    known_id = campaign_id_of(campaign_id)
    view, last_event_id = await look_at(runtime, known_id)
    rows, latest = await _rows(runtime, known_id, page_number(number))
    path = f"/campaigns/{known_id}"
    return await page(
        request,
        "campaign.html",
        section="campaigns",
        live=f"/live?view=campaign&campaigns={known_id}&after={last_event_id}",
        view=view,
        rows=rows,
        latest=latest,
        paging=Paging.of(
            page=page_number(number), size=ROWS, total=view.total, address=lambda number: f"{path}?page={number}"
        ),
    )


def campaign_id_of(text: str) -> UUID:
    """Return the id in an address. Raises NotFound for what is none."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("There is no campaign of that id. It may have been deleted.") from None


async def look_at(runtime: Runtime, campaign_id: UUID) -> tuple[CampaignView, int]:
    """Return a campaign as it is now, and the last event that the view has seen."""
    async with runtime.database.connection() as conn:
        last_event_id = await feed.get_last_event_id(conn, campaign_id)
        report = await reports.get_campaign(conn, campaign_id)
        lines = await live.count_lines(conn, [campaign_id])
    now = runtime.clock.now()
    resting = resting_sentence(await get_campaign_bound(runtime, report.campaign), now)
    return campaign_view(report, lines=lines[campaign_id], now=now, notice=resting), last_event_id


async def _rows(runtime: Runtime, campaign_id: UUID, number: int) -> tuple[list[RowView], list[RowView]]:
    async with runtime.database.connection() as conn:
        found = await list_contacts(conn, campaign_id, ContactFilter(), limit=ROWS, skip=(number - 1) * ROWS)
        latest = await live.list_latest(conn, campaign_id, most=LATEST)
    now, scale = runtime.clock.now(), runtime.settings.time_scale
    rows = [row_view(row, now=now, time_scale=scale) for row in found]
    return rows, [row_view(row, now=now, time_scale=scale) for row in latest]
