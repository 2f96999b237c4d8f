"""The live page: every campaign, one campaign, and the door by which a browser gets in."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from autolynx.errors import NotFound, Unauthorized
from autolynx.flows.access import open_session
from autolynx.flows.dialing_state import get_campaign_bound
from autolynx.runtime import Runtime
from autolynx.store import live, reports
from autolynx.store.contact_pages import list_contacts
from autolynx.store.database import Connection
from autolynx.store.report_rows import ContactFilter, ReportRow
from autolynx.store.reports import CampaignFilter
from autolynx.web.api.session import set_session_cookie
from autolynx.web.auth import find_actor
from autolynx.web.context import RuntimeDep
from autolynx.web.pages.campaign_view import CampaignView, campaign_view
from autolynx.web.pages.rendering import NEVER_KEPT, notice, render, signed_out
from autolynx.web.pages.resting import resting_sentence
from autolynx.web.pages.row_view import RowView, row_view

ROWS = 50
CARDS = 25
EVERY = CampaignFilter()
MOST_PAGES = 100_000
POLL_MILLISECONDS = 2000  # beside the stream of a server, and instead of it in a function

router = APIRouter(include_in_schema=False)


async def is_reader(request: Request, runtime: RuntimeDep) -> bool:
    """Whether the browser is signed in."""
    return await find_actor(runtime, request) is not None


ReaderDep = Annotated[bool, Depends(is_reader)]


@router.get("/")
async def show_campaigns(request: Request, runtime: RuntimeDep, is_known: ReaderDep, page: str = "") -> Response:
    """Show the campaigns, newest first."""
    if not is_known:
        return signed_out(request)
    number = _page_number(page) or 1
    async with runtime.database.connection() as conn:
        found = await reports.list_campaigns(
            conn, EVERY, sort="createdAt", is_descending=True, limit=CARDS + 1, skip=(number - 1) * CARDS
        )
        lines = await live.count_lines(conn, [report.campaign.id for report in found])
    now = runtime.clock.now()
    views = [campaign_view(report, lines=lines[report.campaign.id], now=now) for report in found[:CARDS]]
    return render(request, "campaigns.html", views=views, page=number, has_more=len(found) > CARDS)


@router.get("/campaigns/{campaign_id}")
async def show_campaign(
    request: Request, runtime: RuntimeDep, is_known: ReaderDep, campaign_id: str, page: str = ""
) -> Response:
    """Show one campaign: its latest calls, or one page of all its contacts."""
    if not is_known:
        return signed_out(request)
    number = _page_number(page)
    try:
        view, rows = await _campaign(runtime, UUID(campaign_id), number)
    except (NotFound, ValueError):
        return notice(
            request,
            status=HTTPStatus.NOT_FOUND,
            heading="No such campaign",
            sentence="It may have been deleted. The list of campaigns shows those that exist.",
        )
    pages = max(1, -(-view.total // ROWS))
    return render(
        request,
        "campaign.html",
        view=view,
        rows=rows,
        page=number,
        pages=pages,
        has_stream=runtime.settings.runtime == "server",
        poll_milliseconds=POLL_MILLISECONDS,
    )


@router.get("/enter")
async def enter(request: Request, runtime: RuntimeDep, ticket: str = "", campaign: str = "") -> Response:
    """Open a browser session by a one-time ticket, which is spent by it; leads to the campaign named, if one is."""
    try:
        session = await open_session(runtime, ticket)
    except Unauthorized:
        return notice(
            request,
            status=HTTPStatus.UNAUTHORIZED,
            heading="This link does not work any more",
            sentence="A sign-in link works once, within 15 minutes. Get a new one in the terminal:",
            command="autolynx link",
        )
    response = RedirectResponse(_first_page(campaign), status_code=HTTPStatus.SEE_OTHER, headers=NEVER_KEPT)
    set_session_cookie(response, runtime, session)
    return response


async def _campaign(runtime: Runtime, campaign_id: UUID, page: int) -> tuple[CampaignView, list[RowView]]:
    now, settings = runtime.clock.now(), runtime.settings
    async with runtime.database.connection() as conn:
        report = await reports.get_campaign(conn, campaign_id)
        lines = await live.count_lines(conn, [campaign_id])
        rows = await _rows(conn, campaign_id, page)
    notice = resting_sentence(await get_campaign_bound(runtime, report.campaign), now)
    view = campaign_view(report, lines=lines[campaign_id], now=now, notice=notice)
    return view, [row_view(row, now=now, time_scale=settings.time_scale) for row in rows]


async def _rows(conn: Connection, campaign_id: UUID, page: int) -> Sequence[ReportRow]:
    if page == 0:
        return await live.list_latest(conn, campaign_id, most=ROWS)
    return await list_contacts(conn, campaign_id, ContactFilter(), limit=ROWS, skip=(page - 1) * ROWS)


def _first_page(campaign: str) -> str:
    """Return where a browser goes after signing in: never anywhere but to a page of ours."""
    try:
        return f"/campaigns/{UUID(campaign)}"
    except ValueError:
        return "/"


def _page_number(text: str) -> int:
    """Return the page a link asks for, 0 where it asks for none or for nonsense."""
    return min(int(text), MOST_PAGES) if text.isascii() and text.isdigit() else 0
