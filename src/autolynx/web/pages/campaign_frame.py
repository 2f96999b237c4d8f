"""What the pages of one campaign have in common: its head, its phone line, and who waits for a decision."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import Request
from starlette.responses import Response

from autolynx.flows.dialing_state import get_campaign_bound
from autolynx.runtime import Runtime
from autolynx.store import call_reports, feed, live, reports
from autolynx.store.call_reports import UnsureReport
from autolynx.store.reports import CampaignReport
from autolynx.web.api.health import get_phone_lines
from autolynx.web.context import get_runtime
from autolynx.web.pages.campaign_view import CampaignView, campaign_view
from autolynx.web.pages.phone_line import seen_line
from autolynx.web.pages.rendering import page
from autolynx.web.pages.resting import resting

MOST_UNSURE = 10


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A campaign as it is now, what is shown of it, and the last event that this has seen."""

    report: CampaignReport
    view: CampaignView
    last_event_id: int


async def look_at(runtime: Runtime, campaign_id: UUID) -> Seen:
    """Look at a campaign. Raises NotFound."""
    async with runtime.database.connection() as conn:
        last_event_id = await feed.get_last_event_id(conn, campaign_id)
        report = await reports.get_campaign(conn, campaign_id)
        lines = await live.count_lines(conn, [campaign_id])
    now = runtime.clock.now()
    why = resting(await get_campaign_bound(runtime, report.campaign), now)
    view = campaign_view(report, lines=lines[campaign_id], now=now, resting=why)
    return Seen(report=report, view=view, last_event_id=last_event_id)


async def list_unsure(runtime: Runtime, report: CampaignReport) -> list[UnsureReport]:
    """Return the first contacts of a campaign that wait for a person's decision."""
    if not report.counters.unsure:
        return []
    async with runtime.database.connection() as conn:
        return await call_reports.list_unsure(conn, campaign_id=report.campaign.id, limit=MOST_UNSURE, skip=0)


async def campaign_page(
    request: Request, template: str, seen: Seen, *, tab: str, stream: str, **values: Any
) -> Response:
    """Return a page of a campaign. `tab` is the one that is open, `stream` what the stream is asked for."""
    runtime, campaign_id = get_runtime(request), seen.view.id
    return await page(
        request,
        template,
        section="campaigns",
        live=f"/live?view={stream}&campaigns={campaign_id}&after={seen.last_event_id}",
        tab=tab,
        view=seen.view,
        unsure=await list_unsure(runtime, seen.report),
        line=await seen_line(runtime, get_phone_lines(request), seen.report.campaign.phone_number_id),
        **values,
    )
