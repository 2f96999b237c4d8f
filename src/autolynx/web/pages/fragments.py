"""The pieces of pages that a live stream sends. Nothing of a session is in them: one rendering serves all who watch."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial

from autolynx.flows.live_watch import News, Update
from autolynx.store.report_rows import ReportRow
from autolynx.store.reports import CampaignReport
from autolynx.web.pages.account_view import AccountView
from autolynx.web.pages.campaign_view import CampaignView, campaign_view
from autolynx.web.pages.rendering import fragment
from autolynx.web.pages.resting import Resting
from autolynx.web.pages.row_view import row_view

MOST_KEPT = 2000


class Renderings:
    """What was rendered lately, by the report it shows: two hundred who watch one campaign cost one rendering."""

    def __init__(self) -> None:
        # By the object that is shown, which is kept as well: its id is nobody else's meanwhile.
        self._kept: OrderedDict[tuple[str, int, Resting | None], tuple[CampaignReport | ReportRow, str]] = OrderedDict()

    def of_campaign(self, shown_as: str, update: Update, *, now: datetime, resting: Resting | None = None) -> str:
        """Return a campaign as a row of the list or as the head of its page; empty where no figure changed."""
        if update.report is None:
            return ""
        report, lines = update.report, update.lines

        def render() -> str:
            return campaign_part(shown_as, campaign_view(report, lines=lines, now=now, resting=resting))

        return self._once((f"{shown_as} {lines}", id(report), resting), report, render)

    def of_rows(self, rows: Iterable[ReportRow], *, now: datetime, time_scale: float) -> str:
        """Return contacts whose row changed; those that the table does not show are passed over."""
        parts = []
        for row in rows:
            render = partial(_row_part, row, now=now, time_scale=time_scale)
            parts.append(self._once(("row", id(row), None), row, render))
        return "".join(parts)

    def _once(
        self, key: tuple[str, int, Resting | None], shown: CampaignReport | ReportRow, render: Callable[[], str]
    ) -> str:
        if key not in self._kept:
            self._kept[key] = (shown, render())
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return self._kept[key][1]


def campaign_part(shown_as: str, view: CampaignView) -> str:
    """Return a campaign as `list` (its row) or `campaign` (the head of its page)."""
    template = "campaign_row_part.html" if shown_as == "list" else "campaign_head_part.html"
    return fragment(template, view=view)


def moved(view: CampaignView) -> str:
    """Return a campaign for whichever page its button was on; what that page does not have is passed over."""
    return campaign_part("list", view) + campaign_part("campaign", view)


def _row_part(row: ReportRow, *, now: datetime, time_scale: float) -> str:
    return fragment("contact_rows_part.html", rows=[row_view(row, now=now, time_scale=time_scale)])


def account_part(account: AccountView, *, sees_all: bool) -> str:
    """Return the banner and the figures of the account; decisions are counted for those who see all of them."""
    return fragment("account_part.html", account=account, sees_all=sees_all)


def is_stale(news: News) -> bool:
    """Whether the page has to be fetched anew: too much changed, or a campaign is gone."""
    return any(update.must_reload or update.is_gone for update in news.updates.values())
