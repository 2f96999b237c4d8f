"""The page of analytics: a period, two filters, and the figures of the calls that they leave."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlencode
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from autolynx.domain.analytics import Analytics, is_timezone
from autolynx.errors import ValidationProblem
from autolynx.flows.analytics import Wanted, read_analytics
from autolynx.store import analytics
from autolynx.store.analytics import CallFilter, Choice
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep
from autolynx.web.pages.analytics_view import analytics_view
from autolynx.web.pages.rendering import page
from autolynx.web.readers import read_day, read_id

ZONE_COOKIE = "timezone"  # the reader's own, which charts.js leaves there
OWN = "own"
# Presets: key, word, days that end today.
PERIODS = {"7": "7 days", "30": "30 days", "90": "90 days", "365": "12 months", OWN: "Own range"}
USUAL = "30"

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody wants to see; nonsense in the address falls back to the ordinary figures."""

    days: str
    first: date | None
    last: date | None
    chosen: CallFilter
    timezone: str

    @classmethod
    def of(cls, request: Request, *, owner_id: UUID | None) -> "Wish":
        """Read the address, and the reader's time zone."""
        asked = request.query_params
        first, last = read_day(asked.get("from", "")), read_day(asked.get("to", ""))
        days = asked.get("days", OWN if first and last else USUAL)
        zone = asked.get("timezone") or unquote(request.cookies.get(ZONE_COOKIE, ""))
        return cls(
            days=days if days in PERIODS and (days != OWN or (first and last)) else USUAL,
            first=first,
            last=last,
            chosen=CallFilter(
                assistant_id=read_id(asked.get("assistant", "")),
                campaign_id=read_id(asked.get("campaign", "")),
                owner_id=owner_id,
            ),
            timezone=zone if is_timezone(zone) else "UTC",
        )

    def wanted(self, today: date) -> Wanted:
        """Return what the flow is asked for."""
        first, last = self.first, self.last
        if self.days != OWN:
            first, last = today - timedelta(days=int(self.days) - 1), today
        return Wanted(first=first, last=last, timezone=self.timezone, chosen=self.chosen)

    def address(self, path: str, wanted: Wanted) -> str:
        """Return where the same figures are to be had as data."""
        values = {
            "from": wanted.first,
            "to": wanted.last,
            "timezone": self.timezone,
            "assistantId": self.chosen.assistant_id,
            "campaignId": self.chosen.campaign_id,
        }
        return f"{path}?{urlencode({name: value for name, value in values.items() if value})}"


@router.get("/analytics")
async def show_analytics(request: Request, runtime: RuntimeDep, actor: CallerDep) -> Response:
    """Show the figures, or say beside the days why there are none."""
    wish = Wish.of(request, owner_id=actor.sees_only)
    async with runtime.database.connection() as conn:
        now = runtime.clock.now()
        today = await analytics.find_today(conn, wish.timezone, now=now)
        assistants = await analytics.list_assistants(conn, owner_id=actor.sees_only)
        campaigns = await analytics.list_campaigns(conn, wish.chosen.campaign_id, owner_id=actor.sees_only)
    if today is None:
        wish, today = replace(wish, timezone="UTC"), now.date()
    wanted = wish.wanted(today)
    try:
        shown, problem = await read_analytics(runtime, wanted), None
    except ValidationProblem as refused:
        shown, problem = None, refused.message
    return await _page(request, wish, wanted, shown, problem=problem, choices=(assistants, campaigns))


async def _page(
    request: Request,
    wish: Wish,
    wanted: Wanted,
    shown: Analytics | None,
    *,
    problem: str | None,
    choices: tuple[list[Choice], list[Choice]],
) -> Response:
    values: dict[str, Any] = {
        "wish": wish,
        "wanted": wanted,
        "periods": PERIODS,
        "assistants": choices[0],
        "campaigns": choices[1],
        "problem": problem,
        "view": analytics_view(shown) if shown else None,
        "csv": wish.address("/api/analytics.csv", wanted),
        "json": wish.address("/api/analytics", wanted),
    }
    status = HTTPStatus.BAD_REQUEST if problem else HTTPStatus.OK
    return await page(request, "analytics.html", section="analytics", status=status, **values)
