"""The figures of one campaign: how its calls went, and when they were made."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from autolynx.domain.metrics import Counters
from autolynx.runtime import Runtime
from autolynx.store import campaign_hours
from autolynx.store.campaign_hours import GROUPS, Stretch
from autolynx.store.reports import CampaignReport
from autolynx.web.context import RuntimeDep
from autolynx.web.pages.campaign_address import campaign_id_of
from autolynx.web.pages.campaign_frame import campaign_page, look_at
from autolynx.web.pages.campaign_view import campaign_view
from autolynx.web.pages.rendering import fragment
from autolynx.web.pages.words import share

BAR_WIDTH = 1000
COLUMN_HEIGHT = 120
GROUP_WORDS = {"answered": "Answered", "voicemail": "Voicemail", "missed": "Nobody there", "failed": "Failed"}
_COLOURS = {
    "answered": "answered",
    "voicemail": "voicemail",
    "no_answer": "missed",
    "busy": "missed",
    "silence": "missed",
    "unsure": "unsure",
}
_STRIDE_WORDS = {
    timedelta(minutes=15): "quarter of an hour",
    timedelta(hours=1): "hour",
    timedelta(hours=6): "six hours",
    timedelta(days=1): "day",
    timedelta(days=7): "week",
}

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, kw_only=True)
class OutcomeBar:
    """How many calls had an outcome; the bar in thousandths of the commonest."""

    key: str
    colour: str
    count: int
    share: str
    width: int


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One colour of a column."""

    key: str
    count: int
    top: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Column:
    """The calls of one stretch of time."""

    begins_at: datetime
    calls: int
    pieces: Sequence[Piece]
    stretch: Stretch


@router.get("/campaigns/{campaign_id}/analytics")
async def show_analytics(request: Request, runtime: RuntimeDep, campaign_id: str) -> Response:
    """Show how a campaign's calls went and when they were made."""
    known_id = campaign_id_of(campaign_id)
    seen = await look_at(runtime, known_id)
    values = await _figures(runtime, seen.report)
    return await campaign_page(request, "campaign_analytics.html", seen, tab="analytics", stream="analytics", **values)


async def figures_part(runtime: Runtime, report: CampaignReport, *, now: datetime) -> str:
    """Return the figures for those who watch."""
    view = campaign_view(report, lines=0, now=now)
    return fragment("campaign_figures_part.html", view=view, **await _figures(runtime, report))


async def _figures(runtime: Runtime, report: CampaignReport) -> dict[str, Any]:
    async with runtime.database.connection() as conn:
        stride, stretches = await campaign_hours.list_stretches(conn, report.campaign.id)
    counters = report.counters
    return {
        "outcomes": outcome_bars(counters),
        "judged": counters.success_true + counters.success_false,
        "successes": counters.success_true,
        "columns": columns(stretches),
        "column_height": COLUMN_HEIGHT,
        "groups": GROUP_WORDS,
        "stride": _STRIDE_WORDS[stride],
    }


def outcome_bars(counters: Counters) -> list[OutcomeBar]:
    """Return the outcomes that occurred, the commonest first."""
    counted = {key: count for key, count in counters.calls_by_outcome.items() if count}
    whole, most = sum(counted.values()), max(counted.values(), default=1)
    ordered = sorted(counted.items(), key=lambda one: -one[1])
    return [
        OutcomeBar(
            key=key,
            colour=_COLOURS.get(key, "failed"),
            count=count,
            share=share(count / whole),
            width=round(BAR_WIDTH * count / most),
        )
        for key, count in ordered
    ]


def columns(stretches: Sequence[Stretch]) -> list[Column]:
    """Return the columns of the chart, each piece standing on the one below."""
    most = max((stretch.calls for stretch in stretches), default=1)
    return [
        Column(begins_at=one.begins_at, calls=one.calls, pieces=_pieces(one, most=most), stretch=one)
        for one in stretches
    ]


def _pieces(stretch: Stretch, *, most: int) -> list[Piece]:
    pieces, top = [], COLUMN_HEIGHT
    for key in GROUPS:
        count = getattr(stretch, key)
        height = round(COLUMN_HEIGHT * count / most) or (1 if count else 0)
        top -= height
        if count:
            pieces.append(Piece(key=key, count=count, top=max(0, top), height=height))
    return pieces
