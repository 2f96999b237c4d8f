"""The live stream of a page: one for each page, fed by the one poller of the process, in ready-made pieces of HTML."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Annotated, cast
from uuid import UUID

import anyio
from fastapi import APIRouter, Header, Query, Request
from sse_starlette import EventSourceResponse, ServerSentEvent

from autolynx.domain.actor import Actor
from autolynx.domain.permission import Permission
from autolynx.errors import ValidationProblem
from autolynx.flows.dialing_state import get_campaign_bound
from autolynx.flows.live_watch import News, Update
from autolynx.flows.phone_line import PhoneLines
from autolynx.runtime import Runtime
from autolynx.store import live
from autolynx.store.feed import AccountSeen
from autolynx.store.owners import list_owned_campaigns
from autolynx.web.api.feed import (
    COME_BACK_MILLISECONDS,
    GRACE_SECONDS,
    HEARTBEAT_SECONDS,
    MOST_ID,
    ended_by,
    get_live_feed,
    get_standing,
)
from autolynx.web.api.health import get_phone_lines
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep
from autolynx.web.pages.account_view import account_view
from autolynx.web.pages.fragments import Renderings, account_part, is_stale
from autolynx.web.pages.rendering import fragment
from autolynx.web.pages.resting import resting_sentence
from autolynx.web.pages.row_view import row_view
from autolynx.web.pages.shared_work import SharedWork
from autolynx.web.pages.system import state_part

MOST_CAMPAIGNS = 50
LATEST = 8
CAMPAIGN_VIEWS = frozenset({"campaign", "events", "analytics"})  # the pages of one campaign

router = APIRouter(include_in_schema=False)


@router.get("/live")
async def stream(
    request: Request,
    runtime: RuntimeDep,
    actor: CallerDep,
    *,
    view: str = "",
    campaigns: Annotated[str, Query(max_length=2000)] = "",
    after: Annotated[int, Query(ge=0, le=MOST_ID)] = 0,
    stamp: Annotated[str, Query(max_length=40)] = "",
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID", max_length=30)] = None,
) -> EventSourceResponse:
    """Send what changes in the campaigns and the account that a page shows, within a second.

    Messages without a name are HTML for the page; `stale` says that it has to be fetched anew, `gone` that its campaign
    was deleted, `beat` that the stream lives.
    """
    seen = int(last_event_id) if last_event_id and last_event_id.isdecimal() else after
    ids = await _seen_by(runtime, actor, _ids(campaigns))
    wanted = {campaign_id: min(seen, MOST_ID) or None for campaign_id in ids}
    feed, shutdown = get_live_feed(request), anyio.Event()
    page = _Page(runtime, actor, _shared(request), get_phone_lines(request), view=view, stamp=stamp)
    return EventSourceResponse(
        ended_by(shutdown, feed, page.events(feed.watch_all(wanted)), held=get_standing(request).held(actor)),
        ping=HEARTBEAT_SECONDS,
        ping_message_factory=_beat,
        shutdown_event=shutdown,
        shutdown_grace_period=GRACE_SECONDS,
    )


@dataclass(frozen=True, kw_only=True)
class Shared:
    """What all streams of a process share: each figure is asked and rendered once, however many watch."""

    renderings: Renderings = field(default_factory=Renderings)
    work: SharedWork = field(default_factory=SharedWork)


class _Page:
    """One page that watches."""

    def __init__(
        self, runtime: Runtime, actor: Actor, shared: Shared, lines: PhoneLines, *, view: str, stamp: str
    ) -> None:
        self._runtime = runtime
        self._actor = actor
        self._lines = lines
        self._renderings = shared.renderings
        self._work = shared.work
        self._view = view
        self._stamp = stamp
        self._unsure: int | None = None
        self._told: dict[UUID, Update] = {}  # the latest figures: their head is sent again when the account changes

    async def events(self, news: AsyncGenerator[News, None]) -> AsyncGenerator[ServerSentEvent, None]:
        """Turn news into messages."""
        yield ServerSentEvent(comment="hello", retry=COME_BACK_MILLISECONDS)
        async with aclosing(news):
            async for one in news:
                last = max((update.last_event_id for update in one.updates.values()), default=0)
                html = await self._html(one)
                if html:
                    yield ServerSentEvent(data=html, id=str(last) if last else None)
                for name in self._names(one):
                    yield ServerSentEvent(event=name, data="-")
                if self._is_gone(one):
                    yield ServerSentEvent(event="gone", data="-")
                elif self._is_stale(one):
                    yield ServerSentEvent(event="stale", data="-")

    async def _html(self, news: News) -> str:
        parts = []
        if news.account is not None:
            account = account_view(news.account, self._runtime.settings.pacing, self._runtime.clock.now())
            parts.append(account_part(account, sees_all=self._actor.sees_only is None))
            if self._view == "system":
                parts.append(await self._system(news.account))
        for campaign_id, update in self._updates(news).items():
            parts.append(await self._campaign(campaign_id, update))
        return "".join(parts)

    def _updates(self, news: News) -> dict[UUID, Update]:
        """Return what is shown anew. The account may keep a campaign from dialling: its head follows that too."""
        updates = dict(news.updates)
        if self._view in CAMPAIGN_VIEWS:
            self._told |= {key: update for key, update in updates.items() if update.report is not None}
            if news.account is not None:
                heads = {key: Update(report=told.report, lines=told.lines) for key, told in self._told.items()}
                updates = heads | {key: heads.get(key, Update()).followed_by(one) for key, one in updates.items()}
        return updates

    def _is_gone(self, news: News) -> bool:
        """Whether the campaign that this page is about was deleted."""
        return self._view in CAMPAIGN_VIEWS and any(update.is_gone for update in news.updates.values())

    async def _system(self, seen: AccountSeen) -> str:
        """Return the state of dialling; asked once for all who watch, every second anew."""
        may_hold = self._actor.may(Permission.DIALING_HOLD)
        key = ("system", seen, may_hold, self._runtime.clock.now().replace(microsecond=0))
        return await self._work.once(key, lambda: state_part(self._runtime, self._lines, may_hold=may_hold))

    def _names(self, news: News) -> list[str]:
        """Return what the page may want to ask for anew: `changed` for its own lists, `unsure` for who waits."""
        if self._view not in CAMPAIGN_VIEWS:
            return []
        reports = [update.report for update in news.updates.values() if update.report is not None]
        unsure = sum(report.counters.unsure for report in reports) if reports else self._unsure
        is_other, self._unsure = self._unsure not in {None, unsure}, unsure
        is_changed = self._view != "campaign" and bool(news.updates)
        return [name for name, is_said in (("changed", is_changed), ("unsure", is_other)) if is_said]

    async def _campaign(self, campaign_id: UUID, update: Update) -> str:
        now = self._runtime.clock.now()
        if self._view not in CAMPAIGN_VIEWS:
            return self._renderings.of_campaign("list", update, now=now)
        notice = await self._notice(update)
        head = self._renderings.of_campaign("campaign", update, now=now, notice=notice)
        if self._view != "campaign":
            return head
        rows = self._renderings.of_rows(update.rows.values(), now=now, time_scale=self._runtime.settings.time_scale)
        return head + rows + await self._latest(campaign_id, update)

    async def _notice(self, update: Update) -> str | None:
        """Return why nothing new is dialled; asked once for all who watch."""
        report = update.report
        if report is None or not report.campaign.status.is_running:
            return None
        now = self._runtime.clock.now()
        key = ("notice", report.campaign.id, report.counters.version, update.lines, now.replace(microsecond=0))
        bound = await self._work.once(key, lambda: get_campaign_bound(self._runtime, report.campaign))
        return resting_sentence(bound, now)

    async def _latest(self, campaign_id: UUID, update: Update) -> str:
        if not update.rows:
            return ""
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


def _beat() -> ServerSentEvent:
    """Return what is sent while nothing changes: a page that hears nothing for long knows that its stream is dead."""
    return ServerSentEvent(event="beat", data="-")


def _ids(text: str) -> list[UUID]:
    try:
        ids = [UUID(one) for one in text.split(",") if one]
    except ValueError:
        raise ValidationProblem("campaigns: name campaigns by their ids.", field="campaigns") from None
    if len(ids) > MOST_CAMPAIGNS:
        raise ValidationProblem(f"campaigns: name at most {MOST_CAMPAIGNS}.", field="campaigns")
    return ids


async def _seen_by(runtime: Runtime, actor: Actor, ids: list[UUID]) -> list[UUID]:
    """Return those of the campaigns that the caller may see; others are like those that do not exist."""
    if actor.sees_only is None or not ids:
        return ids
    async with runtime.database.connection() as conn:
        owned = await list_owned_campaigns(conn, ids, owner_id=actor.sees_only)
    return [campaign_id for campaign_id in ids if campaign_id in owned]


def _shared(request: Request) -> Shared:
    state = request.app.state
    if not hasattr(state, "live_shared"):
        state.live_shared = Shared()
    return cast("Shared", state.live_shared)
