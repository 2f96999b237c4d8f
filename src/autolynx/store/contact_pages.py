"""Pages of a campaign's contacts, filtered and sorted, that cost about the same for a list of a hundred and of 250,000.

Two ways lead to a page. Where many contacts fit, they are walked in order until the page is full. Where the counters
say that few can, those few are found by an index first. Counting stops where it would become slow.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from uuid import UUID

from autolynx.domain.call import ACTIVE_ORDER, CallStatus, Outcome
from autolynx.domain.metrics import Counters
from autolynx.store.database import Connection
from autolynx.store.report_rows import (
    LATEST_CALL,
    NOT_CALLED,
    PARAMETERS,
    SELECT_ROW,
    SOURCES,
    ContactFilter,
    ReportRow,
)

COUNTED_TO = 1000  # beyond, "1,000+" is said
FEW = 5000
FAR = 1000  # so many contacts are not walked past to a later page


class ContactSort(StrEnum):
    """What contacts may be sorted by."""

    POSITION = "position"  # as in the file
    LATEST = "latest"  # who was called last comes first, then who was not called yet
    OUTCOME = "outcome"  # by the word, in each the latest call first; then who has none yet
    DURATION = "duration"  # the longest talk first, then who was not talked to
    COST = "cost"  # the dearest call first, then what cost nothing that is known


@dataclass(frozen=True, kw_only=True)
class ContactPage:
    """Contacts, and how many there are; where that is not exact, at least so many."""

    rows: list[ReportRow]
    total: int
    is_exact: bool


async def get_page(
    conn: Connection,
    campaign_id: UUID,
    chosen: ContactFilter,
    *,
    counters: Counters,
    sort: ContactSort = ContactSort.POSITION,
    is_descending: bool = False,
    limit: int,
    skip: int,
) -> ContactPage:
    """Return a page and its total. A page that is not full is the last: then nothing needs to be counted."""
    bound = _most(chosen, counters)
    if bound == 0:
        return ContactPage(rows=[], total=0, is_exact=True)
    is_few = bound <= FEW
    rows = await list_contacts(
        conn, campaign_id, chosen, sort=sort, is_descending=is_descending, is_few=is_few, limit=limit, skip=skip
    )
    if len(rows) < limit and (rows or not skip):
        return ContactPage(rows=rows, total=skip + len(rows), is_exact=True)
    total, is_exact = await count_contacts(conn, campaign_id, chosen, counters=counters, least=skip + len(rows))
    return ContactPage(rows=rows, total=total, is_exact=is_exact)


async def list_contacts(
    conn: Connection,
    campaign_id: UUID,
    chosen: ContactFilter,
    *,
    sort: ContactSort = ContactSort.POSITION,
    is_descending: bool = False,
    is_few: bool = False,
    limit: int,
    skip: int,
) -> list[ReportRow]:
    """Return contacts in order. The page is cut before anything but its order is looked up."""
    values = {**chosen.parameters(), "campaign_id": campaign_id, "limit": limit, "skip": skip}
    if sort is not ContactSort.POSITION and not _is_without(chosen, sort):
        return await _by_call(conn, chosen, values, _ORDERS[sort], is_few=is_few)
    way = "DESC" if is_descending else "ASC"
    found = f"SELECT t.id {_from(chosen, is_few=is_few)}"
    if chosen.is_empty and skip >= FAR and (size := await _find_size(conn, campaign_id)):
        found += " AND t.position <= %(bound)s" if is_descending else " AND t.position >= %(bound)s"
        values |= {"skip": 0, "bound": size - 1 - skip if is_descending else skip}
    return await _rows(conn, f"{found} ORDER BY t.position {way}", values)


async def count_contacts(
    conn: Connection, campaign_id: UUID, chosen: ContactFilter, *, counters: Counters, least: int = 0
) -> tuple[int, bool]:
    """Count the contacts that a filter lets through; the flag says whether that is exact or only at least so many.

    The counters know where they can: without a filter, and for one that asks about the call alone, as long as
    nobody was called twice. Otherwise it is counted up to COUNTED_TO, and a little beyond `least`.
    """
    if chosen.is_empty:
        return counters.contacts, True
    bound = _most(chosen, counters)
    if bound == 0 or (_is_plain(chosen) and _was_nobody_called_twice(counters)):
        return bound, True
    most = max(COUNTED_TO, least)
    found = await _count(
        conn,
        f"SELECT {_from(chosen, is_few=bound <= FEW)} LIMIT %(most)s",
        {**chosen.parameters(), "campaign_id": campaign_id, "most": most + 1},
    )
    return min(found, most), found <= most


async def _find_size(conn: Connection, campaign_id: UUID) -> int | None:
    """Return how many contacts there are, if their positions have no gaps: then a position says what goes before."""
    cursor = await conn.execute(
        """SELECT n.due + n.calling + n.done + n.unsure + n.excluded AS size,
               (SELECT max(t.position) + 1 FROM contacts t WHERE t.campaign_id = n.campaign_id) AS beyond
           FROM campaign_counters n WHERE n.campaign_id = %s""",
        [campaign_id],
    )
    row = await cursor.fetchone()
    return int(row["size"]) if row and row["size"] == row["beyond"] else None


@dataclass(frozen=True, kw_only=True)
class _Order:
    """An order of calls `k` that an index has, and the condition by which a call is in it."""

    order: str
    has_it: str


_LATEST = _Order(order="k.claimed_at DESC, k.id", has_it="k.id IS NOT NULL")
_ORDERS = {
    ContactSort.LATEST: _LATEST,
    ContactSort.OUTCOME: _Order(order="k.outcome, k.claimed_at DESC", has_it="k.outcome IS NOT NULL"),
    ContactSort.DURATION: _Order(
        order="k.ended_at - k.started_at DESC, k.claimed_at DESC",
        has_it="k.outcome = 'answered' AND k.ended_at >= k.started_at",
    ),
    ContactSort.COST: _Order(order="k.cost_usd DESC, k.claimed_at DESC", has_it="k.cost_usd IS NOT NULL"),
}


async def _by_call(
    conn: Connection, chosen: ContactFilter, values: dict[str, Any], by: _Order, *, is_few: bool
) -> list[ReportRow]:
    """Return those whose latest call has what is sorted by, in its order; then the others, in the order of the file."""
    if is_few and chosen.about_the_call():
        order = f"({by.has_it}) IS NOT TRUE, {by.order}, t.position"
        return await _rows(conn, f"SELECT t.id {_from(chosen, is_few=True)} ORDER BY {order}", values)
    if chosen.search and len(found := await _search(conn, chosen, values)) <= FEW:
        by_id = f"SELECT t.id FROM contacts t {LATEST_CALL} WHERE t.id = ANY(%(found)s) AND {chosen.where_latest()}"
        order = f"({by.has_it}) IS NOT TRUE, {by.order}, t.position"
        return await _rows(conn, f"{by_id} ORDER BY {order}", {**values, "found": found}) if found else []
    called = _called(chosen, by)
    rows = await _rows(conn, f"SELECT k.contact_id AS id {called} ORDER BY {by.order}", values)
    room = values["limit"] - len(rows)
    if room == 0 or (by is _LATEST and chosen.about_the_call()):
        return rows
    skip = 0 if rows or not values["skip"] else values["skip"] - await _count(conn, f"SELECT {called}", values)
    others = f"SELECT t.id {_others(chosen, by)} ORDER BY t.position"
    return rows + await _rows(conn, others, {**values, "limit": room, "skip": skip})


def _called(chosen: ContactFilter, by: _Order) -> str:
    """Return where the calls in an order are found; contacts are looked at only where something is wanted of them."""
    is_by_call = replace(chosen, status=None, outcome=None, success=None).is_empty
    wanted = [by.has_it, *chosen.about_the_call()] if is_by_call else [by.has_it, chosen.where_latest()]
    return f"""FROM calls k {"" if is_by_call else "JOIN contacts t ON t.id = k.contact_id"}
        WHERE k.campaign_id = %(campaign_id)s AND k.outcome IS DISTINCT FROM 'not_dialled' AND {" AND ".join(wanted)}
            AND NOT EXISTS (SELECT FROM calls l WHERE l.contact_id = k.contact_id AND l.attempt > k.attempt
                AND l.outcome IS DISTINCT FROM 'not_dialled')"""


def _is_without(chosen: ContactFilter, sort: ContactSort) -> bool:
    """Whether nobody who is wanted has what is sorted by: then the order of the file is left."""
    is_nobody_talked_to = sort is ContactSort.DURATION and chosen.outcome not in {None, Outcome.ANSWERED}
    return chosen.status == NOT_CALLED or is_nobody_talked_to


def _others(chosen: ContactFilter, by: _Order) -> str:
    """Return where those are found whose latest call is not in an order, or who have none."""
    if by is _LATEST:
        return _from(replace(chosen, status=NOT_CALLED), is_few=False)
    return f"FROM contacts t {LATEST_CALL} WHERE {chosen.where_latest()} AND ({by.has_it}) IS NOT TRUE"


async def _search(conn: Connection, chosen: ContactFilter, values: dict[str, Any]) -> list[UUID]:
    """Return the contacts that a search finds, whatever their calls; a few more than FEW where there are many."""
    where = replace(chosen, status=None, outcome=None, success=None).where_latest()
    cursor = await conn.execute(
        f"SELECT array(SELECT t.id FROM contacts t WHERE {where} LIMIT %(most_found)s) AS ids",
        {**values, "most_found": FEW + 1},
    )
    row = await cursor.fetchone()
    return row["ids"] if row else []


async def _rows(conn: Connection, page: str, values: dict[str, Any]) -> list[ReportRow]:
    cursor = await conn.execute(
        f"""WITH page AS MATERIALIZED (SELECT p.id, row_number() OVER () AS place
                FROM ({page} LIMIT %(limit)s OFFSET %(skip)s) p)
            {SELECT_ROW} FROM page p JOIN {_OF_A_PAGE} ORDER BY p.place""",
        {**PARAMETERS, **values},
    )
    return [ReportRow.of(row) for row in await cursor.fetchall()]


async def _count(conn: Connection, found: str, values: dict[str, Any]) -> int:
    row = await (await conn.execute(f"SELECT count(*) AS n FROM ({found}) f", values)).fetchone()
    return int(row["n"]) if row else 0


def _from(chosen: ContactFilter, *, is_few: bool) -> str:
    """Return where contacts that fit are found: among all, or among those whose calls an index names."""
    contacts = "contacts t"
    if is_few and (conditions := chosen.about_the_call()):
        by_index = _index_of(chosen.status)
        contacts = f"""(SELECT DISTINCT k.contact_id FROM calls k WHERE k.campaign_id = %(campaign_id)s
            AND {by_index} AND {" AND ".join(conditions)}) few JOIN contacts t ON t.id = few.contact_id"""
    has_call = chosen.about_the_call() or chosen.status == NOT_CALLED
    return f"FROM {contacts} {LATEST_CALL if has_call else ''} WHERE {chosen.where_latest()}"


def _index_of(status: str | None) -> str:
    """Return the words by which PostgreSQL recognises the index that names calls of a status."""
    if status in ACTIVE_ORDER:
        return "k.holds_line"
    if status is None or status == CallStatus.ENDED:
        return "k.outcome IS NOT NULL"
    return "k.status IN ('FAILED', 'CANCELED', 'TIMEOUT')"


def _most(chosen: ContactFilter, counters: Counters) -> int:
    """Return how many contacts can fit at most, by what the counters say."""
    bounds = [counters.contacts]
    if chosen.status == NOT_CALLED:
        bounds.append(counters.due + counters.excluded)
    elif chosen.status is not None:
        bounds.append(counters.calls_by_status[chosen.status])
    if chosen.outcome is not None:
        bounds.append(counters.calls_by_outcome.get(chosen.outcome, 0))
    if chosen.success is not None:
        bounds.append(counters.success_true if chosen.success else counters.success_false)
    return min(bounds)


def _is_plain(chosen: ContactFilter) -> bool:
    """Whether it asks for one thing about the call, which has a counter, and for nothing else."""
    asked = [one for one in (chosen.status, chosen.outcome, chosen.success) if one is not None]
    return len(asked) == 1 and replace(chosen, status=None, outcome=None, success=None).is_empty


def _was_nobody_called_twice(counters: Counters) -> bool:
    """Whether each contact that was called has one counted call: each of these states needs one.

    Then nobody who is due or excluded has any.
    """
    return counters.active_calls + counters.completed_calls == counters.calling + counters.done + counters.unsure


_OF_A_PAGE = SOURCES.replace("contacts t JOIN", "contacts t ON t.id = p.id JOIN", 1)
