"""What a watcher of the live feed has not taken yet: states, not steps, so that a slow one gets the latest of each."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

from autolynx.store.feed import AccountSeen
from autolynx.store.report_rows import ReportRow
from autolynx.store.reports import CampaignReport

MOST_ROWS = 500


@dataclass(frozen=True, kw_only=True)
class Update:
    """What changed in a campaign since the last one. `report` is None where no figure did; `lines` are held now.

    `must_reload`: more changed than is worth sending row by row. `is_gone`: the campaign was deleted; nothing follows.
    """

    last_event_id: int = 0
    report: CampaignReport | None = None
    lines: int = 0
    rows: Mapping[UUID, ReportRow] = field(default_factory=dict)  # by contact
    must_reload: bool = False
    is_gone: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell."""
        return self.report is None and not self.rows and not self.must_reload and not self.is_gone

    def followed_by(self, later: "Update") -> "Update":
        """Return both as one."""
        rows = {**self.rows, **later.rows}
        return Update(
            last_event_id=max(self.last_event_id, later.last_event_id),
            report=later.report or self.report,
            lines=later.lines if later.report is not None else self.lines,
            rows=rows if len(rows) <= MOST_ROWS else {},
            must_reload=self.must_reload or later.must_reload or len(rows) > MOST_ROWS,
            is_gone=later.is_gone,
        )


@dataclass(frozen=True, kw_only=True)
class News:
    """What changed for somebody who watches several campaigns: each one's update, and the account where it did.

    Where nothing did for a while, it says no more than that time has passed.
    """

    updates: Mapping[UUID, Update]
    account: AccountSeen | None


class Bell:
    """Rings when any of a watcher's mailboxes has something, and for good when nothing follows."""

    def __init__(self) -> None:
        self.is_closed = False
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake the watcher."""
        self._rung.set()

    def close(self) -> None:
        """Tell the watcher that nothing follows."""
        self.is_closed = True
        self._rung.set()

    async def wait(self, seconds: float | None = None) -> bool:
        """Wait for news, or for so many seconds; False at the end."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        self._rung.clear()
        if self.is_closed:
            self._rung.set()
        return not self.is_closed


class Mailbox:
    """What one watcher has not taken yet of one campaign: never more than one update, however slow he is."""

    def __init__(self, bell: Bell, after: int | None) -> None:
        self.after = after
        self.is_new = True
        self._bell = bell
        self._waiting = Update()

    def put(self, update: Update) -> None:
        """Add to what is waiting."""
        self._waiting = self._waiting.followed_by(update)
        if not self._waiting.is_empty:
            self._bell.ring()

    def close(self) -> None:
        """Tell the watcher that nothing follows."""
        self._bell.close()

    def take(self) -> Update:
        """Take all that is waiting."""
        taken, self._waiting = self._waiting, Update()
        return taken


class AccountBox:
    """What one watcher has not taken yet of the account: its latest state."""

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self._last: AccountSeen | None = None
        self._waiting: AccountSeen | None = None

    def put(self, seen: AccountSeen) -> None:
        """Keep the state where it is news."""
        if seen != self._last:
            self._last = self._waiting = seen
            self._bell.ring()

    def close(self) -> None:
        """Tell the watcher that nothing follows."""
        self._bell.close()

    def take(self) -> AccountSeen | None:
        """Take what is waiting."""
        taken, self._waiting = self._waiting, None
        return taken
