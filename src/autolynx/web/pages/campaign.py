"""One campaign: how it goes, its lines, and its contacts."""

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from autolynx.domain.campaign import Campaign
from autolynx.runtime import Runtime
from autolynx.store import contact_pages, live
from autolynx.store.contact_pages import ContactPage
from autolynx.store.report_rows import ReportRow
from autolynx.store.reports import CampaignReport
from autolynx.web.context import RuntimeDep
from autolynx.web.pages.campaign_address import campaign_id_of
from autolynx.web.pages.campaign_frame import campaign_page, look_at
from autolynx.web.pages.contact_wish import OUTCOMES, SORTS, STATUSES, SUCCESSES, ContactWish, ContactWishDep
from autolynx.web.pages.paging import Paging
from autolynx.web.pages.row_view import RowView, row_view

ROWS = 50
LATEST = 8

router = APIRouter(include_in_schema=False)


@router.get("/campaigns/{campaign_id}")
async def show_campaign(request: Request, runtime: RuntimeDep, campaign_id: str, wish: ContactWishDep) -> Response:
    """Show one campaign with its contacts."""
    known_id = campaign_id_of(campaign_id)
    seen = await look_at(runtime, known_id)
    found = await _find(runtime, known_id, wish, seen.report)
    return await campaign_page(
        request,
        "campaign.html",
        seen,
        tab="contacts",
        stream=_stream(runtime, wish, found),
        rows=_views(runtime, found.rows),
        latest=await _latest(runtime, known_id),
        wish=wish,
        batches=_batches(seen.report.campaign),
        statuses=STATUSES,
        outcomes=OUTCOMES,
        successes=SUCCESSES,
        sorts=SORTS,
        paging=_paging(known_id, wish, found),
    )


async def _find(runtime: Runtime, campaign_id: UUID, wish: ContactWish, report: CampaignReport) -> ContactPage:
    _, sort, is_descending = SORTS[wish.sort]
    async with runtime.database.connection() as conn:
        return await contact_pages.get_page(
            conn,
            campaign_id,
            wish.chosen,
            counters=report.counters,
            sort=sort,
            is_descending=is_descending,
            limit=ROWS,
            skip=(wish.page - 1) * ROWS,
        )


def _batches(campaign: Campaign) -> int:
    """Return how many batches there are; 0 before Start, and where contacts are called one after the other."""
    return -(-campaign.total_contacts // campaign.batch_size) if campaign.batch_size else 0


def _stream(runtime: Runtime, wish: ContactWish, found: ContactPage) -> str:
    """Return what the stream is asked for: a list that calls may leave or enter also hears of who is not shown."""
    if not wish.is_moving:
        return "campaign"
    shown = ".".join(str(row.position) for row in found.rows)
    since = round(runtime.clock.now().timestamp() * 1000)
    return f"campaign&{wish.stream_query}&shown={shown}&since={since}"


async def _latest(runtime: Runtime, campaign_id: UUID) -> list[RowView]:
    async with runtime.database.connection() as conn:
        return _views(runtime, await live.list_latest(conn, campaign_id, most=LATEST))


def _views(runtime: Runtime, rows: list[ReportRow]) -> list[RowView]:
    now, scale = runtime.clock.now(), runtime.settings.time_scale
    return [row_view(row, now=now, time_scale=scale) for row in rows]


def _paging(campaign_id: UUID, wish: ContactWish, found: ContactPage) -> Paging:
    return Paging.of(
        page=wish.page,
        size=ROWS,
        total=found.total,
        is_exact=found.is_exact,
        address=lambda number: wish.address(campaign_id, page=number),
    )
