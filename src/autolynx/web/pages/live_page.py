"""One page that watches: news of the feed are turned into ready-made pieces of HTML, done once for all who watch."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from uuid import UUID

from sse_starlette import ServerSentEvent

from autolynx.domain.actor import Actor
from autolynx.domain.permission import Permission
from autolynx.flows.dialing_state import get_campaign_bounds
from autolynx.flows.live_watch import News, Update
from autolynx.flows.phone_line import PhoneLines
from autolynx.runtime import Runtime
from autolynx.store import live
from autolynx.store.call_details import EventKind
from autolynx.store.feed import AccountSeen
from autolynx.web.api.feed import COME_BACK_MILLISECONDS
from autolynx.web.pages.account_view import account_view
from autolynx.web.pages.campaign_analytics import figures_part
from autolynx.web.pages.fragments import Renderings, account_part, is_stale
from autolynx.web.pages.live_events import EventNews
from autolynx.web.pages.live_list import Listing, ListNews
from autolynx.web.pages.rendering import fragment
from autolynx.web.pages.resting import Resting, resting
from autolynx.web.pages.row_view import row_view
from autolynx.web.pages.shared_work import SharedWork
from autolynx.web.pages.system import state_part

LATEST = 8
CAMPAIGN_VIEWS = frozenset({"campaign", "events", "history", "analytics"})  # the pages of one campaign


@dataclass(frozen=True, kw_only=True)
class Shared:
    """What all streams of a process share: each figure is asked and rendered once, however many watch."""

    renderings: Renderings = field(default_factory=Renderings)
    work: SharedWork = field(default_factory=SharedWork)


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What a page says of itself: what it is about, and what of it may have to be told anew."""

    view: str
    kind: EventKind | None
    listing: Listing | None
    stamp: str


class LivePage:
    """One page that watches."""

    def __init__(self, runtime: Runtime, actor: Actor, shared: Shared, lines: PhoneLines, watched: Watched) -> None:
        self._runtime = runtime
        self._actor = actor
        self._lines = lines
        self._renderings = shared.renderings
        self._work = shared.work
        self._view = watched.view
        self._stamp = watched.stamp
        self._list = ListNews(watched.listing) if watched.listing else None
        self._events = EventNews(runtime, shared.work, watched.kind) if watched.view == "events" else None
        self._unsure: int | None = None
        self._account: AccountSeen | None = None
        self._told: dict[UUID, Update] = {}  # the latest figures: told again when why nothing is dialled changes
        self._resting: Mapping[UUID, Resting | None] = {}

    async def events(self, news: AsyncGenerator[News, None]) -> AsyncGenerator[ServerSentEvent, None]:
        """Turn news into messages."""
        yield ServerSentEvent(comment="hello", retry=COME_BACK_MILLISECONDS)
        async with aclosing(news):
            async for one in news:
                last = max((update.last_event_id for update in one.updates.values()), default=0)
                html = await self._html(one)
                if html:
                    yield ServerSentEvent(data=html, id=str(last) if last else None)
                if self._is_unsure_changed(one):
                    yield ServerSentEvent(event="unsure", data="-")
                if self._is_gone(one):
                    yield ServerSentEvent(event="gone", data="-")
                elif self._is_stale(one):
                    yield ServerSentEvent(event="stale", data="-")

    async def _html(self, news: News) -> str:
        parts = []
        if news.account is not None:
            self._account = news.account
            account = account_view(news.account, self._runtime.settings.pacing, self._runtime.clock.now())
            parts.append(account_part(account, sees_all=self._actor.sees_only is None))
            if self._view == "system":
                parts.append(await self._system(news.account))
        parts += await self._campaigns(news)
        if self._view in CAMPAIGN_VIEWS:
            parts += [await self._about(campaign_id, update) for campaign_id, update in news.updates.items()]
        return "".join(parts)

    def _is_gone(self, news: News) -> bool:
        """Whether the campaign that this page is about was deleted."""
        return self._view in CAMPAIGN_VIEWS and any(update.is_gone for update in news.updates.values())

    async def _system(self, seen: AccountSeen) -> str:
        """Return the state of dialling; asked once for all who watch, every second anew."""
        may_hold = self._actor.may(Permission.DIALING_HOLD)
        key = ("system", seen, may_hold, self._runtime.clock.now().replace(microsecond=0))
        return await self._work.once(key, lambda: state_part(self._runtime, self._lines, may_hold=may_hold))

    def _is_unsure_changed(self, news: News) -> bool:
        """Whether others wait for a decision than before; the page asks for them anew."""
        reports = [update.report for update in news.updates.values() if update.report is not None]
        if self._view not in CAMPAIGN_VIEWS or not reports:
            return False
        unsure = sum(report.counters.unsure for report in reports)
        is_other, self._unsure = self._unsure not in {None, unsure}, unsure
        return is_other

    async def _campaigns(self, news: News) -> list[str]:
        """Return the campaigns whose figures changed, or the reason why nothing of them is dialled."""
        fresh = {key: update for key, update in news.updates.items() if update.report is not None}
        self._told |= fresh
        for key in [key for key, update in news.updates.items() if update.is_gone]:
            self._told.pop(key, None)
        before, self._resting = self._resting, await self._why_resting()
        now = self._runtime.clock.now()
        shown_as = "campaign" if self._view in CAMPAIGN_VIEWS else "list"
        return [
            self._renderings.of_campaign(shown_as, told, now=now, resting=self._resting.get(key))
            for key, told in self._told.items()
            if key in fresh or before.get(key) != self._resting.get(key)
        ]

    async def _why_resting(self) -> Mapping[UUID, Resting | None]:
        """Return why nothing new is dialled in what runs; asked once for all who watch, every second anew."""
        now = self._runtime.clock.now()
        reports = [told.report for told in self._told.values() if told.report is not None]
        running = [report for report in reports if report.campaign.status.is_running]
        if not running:
            return {}
        marks = frozenset((report.campaign.id, report.counters.version) for report in running)
        key = ("resting", marks, self._account, now.replace(microsecond=0))
        campaigns = [report.campaign for report in running]
        bounds = await self._work.once(key, lambda: get_campaign_bounds(self._runtime, campaigns))
        return {campaign_id: resting(bound, now) for campaign_id, bound in bounds.items()}

    async def _about(self, campaign_id: UUID, update: Update) -> str:
        """Return what the page shows besides the head of its campaign, where that changed."""
        if self._events is not None:
            return await self._events.part(campaign_id, update)
        if self._view == "analytics" and update.report is not None:
            report, now = update.report, self._runtime.clock.now()
            key = ("figures", campaign_id, report.counters.version)
            return await self._work.once(key, lambda: figures_part(self._runtime, report, now=now))
        if self._view != "campaign" or not update.rows:
            return ""
        scale = self._runtime.settings.time_scale
        rows = update.rows.values()
        html = self._renderings.of_rows(rows, now=self._runtime.clock.now(), time_scale=scale)
        return html + await self._latest(campaign_id, update) + (self._list.part(rows) if self._list else "")

    async def _latest(self, campaign_id: UUID, update: Update) -> str:
        versions = frozenset((row.contact_id, row.version) for row in update.rows.values())
        return await self._work.once(("latest", campaign_id, versions), lambda: self._render_latest(campaign_id))

    async def _render_latest(self, campaign_id: UUID) -> str:
        async with self._runtime.database.connection() as conn:
            found = await live.list_latest(conn, campaign_id, most=LATEST)
        now, scale = self._runtime.clock.now(), self._runtime.settings.time_scale
        return fragment("latest_part.html", latest=[row_view(row, now=now, time_scale=scale) for row in found])

    def _is_stale(self, news: News) -> bool:
        if news.account is not None and self._view in {"list", "system"}:
            stamp = account_view(news.account, self._runtime.settings.pacing, self._runtime.clock.now()).stamp
            is_other, self._stamp = bool(self._stamp) and stamp != self._stamp, stamp
            return is_other or is_stale(news)
        return is_stale(news)
