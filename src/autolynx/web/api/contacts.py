"""The contacts of a campaign over JSON, each with its latest call."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query

from autolynx.domain.call import Outcome
from autolynx.store import report_rows, reports
from autolynx.store.report_rows import ContactFilter
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep
from autolynx.web.shapes import Pagination
from autolynx.web.shapes_contacts import ContactList, ContactShape, ContactSummary

router = APIRouter(prefix="/api", tags=["campaigns"])

MOST_PAGES = 1_000_000
MOST_BATCHES = 1_000_000
CallStatusOrNone = Literal["NOT_CALLED", "QUEUED", "RINGING", "IN_PROGRESS", "ENDED", "FAILED", "CANCELED", "TIMEOUT"]


@router.get("/campaigns/{campaign_id}/contacts", summary="List the contacts of a campaign")
async def list_contacts(
    campaign_id: UUID,
    *,
    runtime: RuntimeDep,
    _actor: CallerDep,
    status: CallStatusOrNone | None = None,
    outcome: Outcome | None = None,
    search: Annotated[str, Query(max_length=200)] = "",
    batch: Annotated[int | None, Query(ge=0, le=MOST_BATCHES)] = None,
    page: Annotated[int, Query(ge=1, le=MOST_PAGES)] = 1,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> ContactList:
    """Return a page of contacts in the order of the file. `search` looks in names, businesses and phone numbers."""
    chosen = ContactFilter(status=status, outcome=outcome, search=search.strip() or None, batch=batch)
    async with runtime.database.connection() as conn:
        counters = (await reports.get_campaign(conn, campaign_id)).counters
        is_whole = chosen.is_empty
        total = counters.contacts if is_whole else await report_rows.count_contacts(conn, campaign_id, chosen)
        rows = await report_rows.list_contacts(conn, campaign_id, chosen, limit=limit, skip=(page - 1) * limit)
    return ContactList(
        contacts=[ContactShape.of(row) for row in rows],
        pagination=Pagination.of(page=page, limit=limit, total=total),
        summary=ContactSummary.of(counters, shown=len(rows)),
    )
