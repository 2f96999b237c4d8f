"""Watching a campaign in the terminal until it has ended, or until the person there has had enough."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from rich.console import Console
from rich.live import Live

from autolynx.cli.interrupts import Interrupts
from autolynx.cli.screen import Scene, draw, plain_line
from autolynx.domain.bounds import Bound
from autolynx.domain.campaign import CampaignStatus
from autolynx.domain.pacing import Account
from autolynx.flows.campaign_life import pause_campaign
from autolynx.flows.dialing_state import get_campaign_bound
from autolynx.runtime import Runtime
from autolynx.store import gate, live, reports
from autolynx.store.report_rows import ReportRow
from autolynx.store.reports import CampaignReport
from autolynx.web.pages.campaign_view import campaign_view
from autolynx.web.pages.resting import as_of, resting
from autolynx.web.pages.row_view import row_view

LOOK_SECONDS = 0.2
PLAIN_SECONDS = 5.0
ROWS = 10
HINT = "Ctrl-C pauses."
PAUSING_HINT = "Pausing: live calls go on to their end. Ctrl-C again leaves at once."
_S = CampaignStatus
Show = Callable[[Scene], None]


@dataclass(frozen=True, kw_only=True)
class Watched:
    """How watching ended: with the campaign as it was then, and what keeps the account from dialling."""

    report: CampaignReport
    trouble: str | None = None

    @property
    def is_complete(self) -> bool:
        """Whether every contact was dealt with."""
        return self.report.campaign.status is _S.COMPLETED


@dataclass(frozen=True, kw_only=True)
class Glance:
    """All that is looked at, at one moment."""

    report: CampaignReport
    lines: int
    account: Account
    bound: Bound
    rows: Sequence[ReportRow]


async def watch(runtime: Runtime, campaign_id: UUID, interrupts: Interrupts, *, show: Show) -> Watched:
    """Show the campaign until nothing of it moves any more. The first interrupt pauses, the second leaves at once."""
    hint = HINT
    while True:
        glance = await _look(runtime, campaign_id)
        show(_scene(runtime, glance, hint=hint))
        if _is_over(glance, is_leaving=interrupts.count > 0) or interrupts.count > 1:
            return Watched(report=glance.report, trouble=glance.account.trouble)
        if await interrupts.wait(LOOK_SECONDS) and interrupts.heed() == 1:
            hint = PAUSING_HINT
            if glance.report.campaign.status.is_running:
                await pause_campaign(runtime, campaign_id)


async def _look(runtime: Runtime, campaign_id: UUID) -> Glance:
    async with runtime.database.connection() as conn:
        report = await reports.get_campaign(conn, campaign_id)
        lines = await live.count_lines(conn, [campaign_id])
        account = await gate.get(conn)
        rows = await live.list_latest(conn, campaign_id, most=ROWS)
    bound = await get_campaign_bound(runtime, report.campaign)
    return Glance(report=report, lines=lines[campaign_id], account=account, bound=bound, rows=rows)


def _is_over(glance: Glance, *, is_leaving: bool) -> bool:
    """Whether nothing of it moves any more: ended, or not able to go on and no line in use."""
    status = glance.report.campaign.status
    if status is _S.COMPLETED:
        return True
    if glance.lines:
        return False
    is_paused_by_us = is_leaving and not status.is_running
    has_paused_itself = status is _S.PAUSED and glance.report.campaign.status_reason is not None
    is_stuck = glance.account.trouble is not None and status.is_running
    return status in {_S.CANCELED, _S.FAILED} or is_paused_by_us or has_paused_itself or is_stuck


def _scene(runtime: Runtime, glance: Glance, *, hint: str) -> Scene:
    now = runtime.clock.now()
    rows = [row_view(row, now=now, time_scale=runtime.settings.time_scale) for row in glance.rows]
    why = as_of(resting(glance.bound, now), now)
    view = campaign_view(glance.report, lines=glance.lines, now=now, resting=why)
    return Scene(view=view, rows=rows, hint=hint)


@contextmanager
def display(console: Console) -> Iterator[Show]:
    """Show scenes: drawn in place on a terminal, as a line now and then elsewhere."""
    if not console.is_terminal:
        yield _plain()
        return
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as living:
        yield lambda scene: living.update(draw(scene), refresh=True)


def _plain() -> Show:
    """Return what prints a line when the state changed, and otherwise every few seconds."""
    last: tuple[str, float, str] = ("", 0.0, "")

    def show(scene: Scene) -> None:
        nonlocal last
        line, now = plain_line(scene), time.monotonic()
        is_due = line != last[2] and (scene.view.status != last[0] or now - last[1] >= PLAIN_SECONDS)
        if is_due:
            print(line, file=sys.stderr, flush=True)
            last = (scene.view.status, now, line)

    return show
