"""The contacts of a campaign over JSON, each with its latest call."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from autolynx.domain.call import Outcome
from autolynx.store import contact_pages, reports
from autolynx.store.contact_pages import ContactSort
from autolynx.store.report_rows import ContactFilter
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep
from autolynx.web.shapes import Pagination
from autolynx.web.shapes_contacts import ContactList, ContactShape, ContactSummary

router = APIRouter(prefix="/api", tags=["campaigns"])

MOST_PAGES = 1_000_000
MOST_BATCHES = 1_000_000
CallStatusOrNone = Literal["NOT_CALLED", "QUEUED", "RINGING", "IN_PROGRESS", "ENDED", "FAILED", "CANCELED", "TIMEOUT"]


async def _contact_filter(
    *,
    status: CallStatusOrNone | None = None,
    outcome: Outcome | None = None,
    success: bool | None = None,
    search: Annotated[str, Query(max_length=200)] = "",
    batch: Annotated[int | None, Query(ge=0, le=MOST_BATCHES)] = None,
) -> ContactFilter:
    return ContactFilter(status=status, outcome=outcome, success=success, search=search.strip() or None, batch=batch)


# The filter of the contacts table and of the export: the same rows for the same words.
ContactFilterDep = Annotated[ContactFilter, Depends(_contact_filter)]


@router.get("/campaigns/{campaign_id}/contacts", summary="List the contacts of a campaign")
async def list_contacts(
    campaign_id: UUID,
    *,
    runtime: RuntimeDep,
    _actor: CallerDep,
    chosen: ContactFilterDep,
    sort: ContactSort = ContactSort.POSITION,
    order: Literal["asc", "desc"] = "asc",
    page: Annotated[int, Query(ge=1, le=MOST_PAGES)] = 1,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> ContactList:
    """Return a page of contacts in the order of the file. `search` looks in names, businesses and phone numbers.

    `sort=latest` puts those first who were called last, `outcome` sorts by the word, `duration` puts the longest talk
    first and `cost` the dearest call; who has none of it follows in the order of the file. Where counting to the end
    would be slow, `isTotalExact` is false and `pagination.total` is a lower bound.
    """
    async with runtime.database.connection() as conn:
        counters = (await reports.get_campaign(conn, campaign_id)).counters
        found = await contact_pages.get_page(
            conn,
            campaign_id,
            chosen,
            counters=counters,
            sort=sort,
            is_descending=order == "desc",
            limit=limit,
            skip=(page - 1) * limit,
        )
    return ContactList(
        contacts=[ContactShape.of(row) for row in found.rows],
        pagination=Pagination.of(page=page, limit=limit, total=found.total),
        is_total_exact=found.is_exact,
        summary=ContactSummary.of(counters, shown=len(found.rows)),
    )
