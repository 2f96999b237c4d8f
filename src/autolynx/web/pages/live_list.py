"""A list of contacts before somebody's eyes: what a filter or an order would show by now that it does not show yet.

A page keeps the rows it has, so that nothing jumps under a pointer; rows that it shows are brought up to date in place.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from autolynx.store.report_rows import ContactFilter, ReportRow
from autolynx.web.pages.contact_wish import ContactWish
from autolynx.web.pages.rendering import fragment

SKEW = timedelta(seconds=2)  # between the clocks of two servers


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A list as it was shown: where, by which filter, which places of the file are on it, and when."""

    address: str
    chosen: ContactFilter
    shown: frozenset[int]
    since: datetime

    @classmethod
    def of(cls, campaign_id: UUID, wish: ContactWish, *, shown: str, since: int) -> "Listing":
        """Read what a page says of its list."""
        places = frozenset(int(place) for place in shown.split(".") if place.isascii() and place.isdigit())
        return cls(
            address=wish.address(campaign_id, page=wish.page),
            chosen=wish.chosen,
            shown=places,
            since=datetime.fromtimestamp(since / 1000, UTC),
        )


class ListNews:
    """What has changed about a list since it was shown: who would be on it, and who would not any more."""

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self._came: set[int] = set()
        self._left: set[int] = set()
        self._is_first = True

    def part(self, rows: Iterable[ReportRow]) -> str:
        """Note rows that changed; return the line that says so, empty where it says the same as before."""
        before = (len(self._came), len(self._left))
        for row in rows:
            if not self._is_first or _changed_at(row) >= self._listing.since - SKEW:
                self._note(row)
        self._is_first = False
        now = (len(self._came), len(self._left))
        if now == before:
            return ""
        listing = self._listing
        values = {"came": now[0], "left": now[1], "address": listing.address, "is_empty": not listing.shown}
        return fragment("list_news_part.html", **values)

    def _note(self, row: ReportRow) -> None:
        is_shown, fits = row.position in self._listing.shown, self._listing.chosen.fits(row)
        for places, is_in in ((self._came, fits and not is_shown), (self._left, is_shown and not fits)):
            if is_in:
                places.add(row.position)
            else:
                places.discard(row.position)


def _changed_at(row: ReportRow) -> datetime:
    """Return when its call last changed, as far as the row says; what has just connected hears of live calls too."""
    moments = [one for one in (row.claimed_at, row.started_at, row.ended_at) if one is not None]
    return max(moments, default=datetime.min.replace(tzinfo=UTC))
