"""The dashboard: every campaign with its progress, searched, filtered, sorted, 25 to a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from autolynx.domain.campaign import CampaignStatus
from autolynx.flows.dialing_state import get_campaign_bounds
from autolynx.runtime import Runtime
from autolynx.store import live, reports
from autolynx.store.reports import CampaignFilter, CampaignReport
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep
from autolynx.web.pages.campaign_view import CampaignView, campaign_view
from autolynx.web.pages.paging import Paging, page_number
from autolynx.web.pages.rendering import page
from autolynx.web.pages.resting import Resting, resting

ROWS = 25
MOST_SEARCH_CHARACTERS = 200
_S = CampaignStatus
# What an operator filters by, in the order of the buttons: key, word, states.
STATES: dict[str, tuple[str, Sequence[CampaignStatus]]] = {
    "": ("All", ()),
    "running": ("Running", (_S.QUEUED, _S.DIALING, _S.RUNNING)),
    "ready": ("Ready", (_S.CREATED,)),
    "paused": ("Paused", (_S.PAUSED,)),
    "failed": ("Failed", (_S.FAILED,)),
    "over": ("Over", (_S.COMPLETED, _S.CANCELED)),
}
# What a list may be sorted by: key, word, column of the read model, whether the greatest comes first.
SORTS: dict[str, tuple[str, str, bool]] = {
    "newest": ("Newest first", "createdAt", True),
    "oldest": ("Oldest first", "createdAt", False),
    "name": ("Name", "name", False),
    "status": ("Status", "status", False),
    "largest": ("Most contacts", "totalContacts", True),
    "cost": ("Highest cost", "totalCost", True),
    "finished": ("Last finished", "completedAt", True),
}
ORDINARY = {"q": "", "state": "", "sort": "newest", "page": 1}

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody wants to see; nonsense in the address falls back to the ordinary list."""

    search: str
    state: str
    sort: str
    page: int
    owner_id: UUID | None

    @classmethod
    def of(cls, *, q: str, state: str, sort: str, page: str, owner_id: UUID | None) -> "Wish":
        """Read the address."""
        return cls(
            search=q.strip()[:MOST_SEARCH_CHARACTERS],
            state=state if state in STATES else "",
            sort=sort if sort in SORTS else "newest",
            page=page_number(page),
            owner_id=owner_id,
        )

    @property
    def chosen(self) -> CampaignFilter:
        """What the read model is asked for."""
        return CampaignFilter(statuses=STATES[self.state][1], search=self.search, owner_id=self.owner_id)

    def address(self, **changed: Any) -> str:
        """Return the address of this list with something changed; what is ordinary is left out."""
        values = {"q": self.search, "state": self.state, "sort": self.sort, "page": 1, **changed}
        said = {key: value for key, value in values.items() if value != ORDINARY[key]}
        return "/?" + urlencode(said) if said else "/"


@router.get("/")
async def show_campaigns(
    request: Request,
    runtime: RuntimeDep,
    actor: CallerDep,
    q: str = "",
    state: str = "",
    sort: str = "",
    number: Annotated[str, Query(alias="page")] = "",
) -> Response:
    """Show the campaigns."""
    wish = Wish.of(q=q, state=state, sort=sort, page=number, owner_id=actor.sees_only)
    views, total = await _views(runtime, wish)
    watched = ",".join(str(view.id) for view in views)
    return await page(
        request,
        "campaigns.html",
        section="campaigns",
        live=f"/live?view=list&campaigns={watched}" if watched else None,
        views=views,
        wish=wish,
        states=STATES,
        sorts=SORTS,
        paging=Paging.of(page=wish.page, size=ROWS, total=total, address=lambda number: wish.address(page=number)),
    )


async def _views(runtime: Runtime, wish: Wish) -> tuple[list[CampaignView], int]:
    _, column, is_descending = SORTS[wish.sort]
    async with runtime.database.connection() as conn:
        total = await reports.count_campaigns(conn, wish.chosen)
        found = await reports.list_campaigns(
            conn, wish.chosen, sort=column, is_descending=is_descending, limit=ROWS, skip=(wish.page - 1) * ROWS
        )
        lines = await live.count_lines(conn, [report.campaign.id for report in found])
    now, why = runtime.clock.now(), await _why_resting(runtime, found)
    return [
        campaign_view(report, lines=lines[report.campaign.id], now=now, resting=why.get(report.campaign.id))
        for report in found
    ], total


async def _why_resting(runtime: Runtime, found: Sequence[CampaignReport]) -> dict[UUID, Resting | None]:
    running = [report.campaign for report in found if report.campaign.status.is_running]
    bounds = await get_campaign_bounds(runtime, running) if running else {}
    return {campaign_id: resting(bound, runtime.clock.now()) for campaign_id, bound in bounds.items()}
