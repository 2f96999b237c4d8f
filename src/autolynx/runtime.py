"""The frozen bundle that every flow receives: settings, database, provider and clock."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, TypeAlias, TypeVar, cast

from autolynx.archive.port import RecordingStore
from autolynx.chosen_settings import ChosenSettings
from autolynx.errors import DatabaseUnavailable
from autolynx.identity.local import LocalPasswords
from autolynx.identity.mail import Mailer
from autolynx.identity.port import IdentityServer
from autolynx.provider.port import Provider
from autolynx.settings import Settings
from autolynx.store.database import Database

BATCHES_AT_ONCE = 2
MOST_IN_A_BATCH = 16
WEBHOOKS_WAITING = 500
DIALS_AT_ONCE = 4  # in the database; at the provider any number is under way
REREADS_AT_ONCE = 8  # dials need connections to the provider more

T = TypeVar("T")
R = TypeVar("R")
# Makes of each item a result, or an exception that is raised to whoever brought it.
Work: TypeAlias = Callable[[Sequence[T]], Awaitable[Sequence[R | Exception]]]


@dataclass(eq=False)
class _Ticket:
    item: Any
    key: Hashable
    answer: asyncio.Future[Any]
    is_taken: bool = False


class Intake:
    """Where webhooks wait for each other rather than for a connection: a storm of them must not starve the dials.

    Whoever gets a turn works for all that wait by then, so that one transaction carries many. Beyond a queue that
    could be served in time, a further one is turned away at once, to be repeated by its sender.
    """

    def __init__(self, *, most_waiting: int = WEBHOOKS_WAITING) -> None:
        self._turn = asyncio.Semaphore(BATCHES_AT_ONCE)
        self._waiting: list[_Ticket] = []
        self._most_waiting = most_waiting

    async def share(self, item: T, *, key: Hashable, work: Work[T, R]) -> R:
        """Return what `work` makes of the item, in a batch of items of different keys.

        All who share an intake pass the same work. Raises DatabaseUnavailable when too many wait, what the work of the
        batch raises, and an exception that is the item's own result.
        """
        if len(self._waiting) >= self._most_waiting:
            raise DatabaseUnavailable("Too many webhooks are waiting; send it again.")
        ticket = _Ticket(item, key, asyncio.get_running_loop().create_future())
        self._waiting.append(ticket)
        try:
            async with self._turn:
                if not ticket.is_taken:
                    await self._serve(self._take(ticket), work)
        finally:
            if not ticket.is_taken:
                self._waiting.remove(ticket)
        return cast("R", await ticket.answer)

    def _take(self, first: _Ticket) -> list[_Ticket]:
        """Take what waits, the longest first; of the same key only one, for the next may depend on it."""
        chosen = {first.key: first}
        for ticket in self._waiting:
            if len(chosen) == MOST_IN_A_BATCH:
                break
            chosen.setdefault(ticket.key, ticket)
        batch = list(chosen.values())
        for ticket in batch:
            ticket.is_taken = True
            self._waiting.remove(ticket)
        return batch

    async def _serve(self, batch: Sequence[_Ticket], work: Work[T, R]) -> None:
        outcome: BaseException = DatabaseUnavailable("The work was interrupted; send it again.")
        results: Sequence[R | Exception] = ()
        try:
            results = await work([ticket.item for ticket in batch])
        except Exception as error:  # noqa: BLE001 - everybody in the batch gets it
            outcome = error
        finally:
            for number, ticket in enumerate(batch):
                if not ticket.answer.done():
                    result = results[number] if number < len(results) else outcome
                    if isinstance(result, BaseException):
                        ticket.answer.set_exception(result)
                    else:
                        ticket.answer.set_result(result)


class Clock(Protocol):
    """The only source of time. Tests pass one that is moved by hand."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""

    async def sleep(self, seconds: float) -> None:
        """Wait; `seconds` are real seconds (timers are scaled where they are read, in Settings)."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait that many real seconds."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """Everything a flow may touch. Built once in bootstrap; flows never build their own.

    `configured`: what the environment says; flows read `settings`.

    `desk`: where dials wait for each other before they use the database, so that a burst of answers leaves
    connections to webhooks, pages and ticks, and none of it waits for one in vain. `rereads`: where ends of calls wait
    to be confirmed by the provider. `recordings`: where copies of recordings are kept; None where there is no place for
    them. `mailer`: None where no mail server is set. `identity`: the server where people have their accounts; None
    where they have them here.
    """

    configured: Settings
    database: Database
    provider: Provider
    clock: Clock
    chosen_settings: ChosenSettings = field(default_factory=ChosenSettings)
    recordings: RecordingStore | None = None
    mailer: Mailer | None = None
    identity: IdentityServer | None = None
    passwords: LocalPasswords = field(default_factory=LocalPasswords)
    intake: Intake = field(default_factory=Intake)
    desk: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(DIALS_AT_ONCE))
    rereads: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(REREADS_AT_ONCE))

    @property
    def settings(self) -> Settings:
        """The settings that hold: what an admin chose, else what the environment says."""
        return self.chosen_settings.over(self.configured)
