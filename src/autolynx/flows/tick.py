"""The tick: one bounded round of everything that keeps calls going. Cron, built-in ticker and CLI only call it."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias
from uuid import UUID

from autolynx.errors import AutolynxError, DatabaseUnavailable, ProviderError
from autolynx.flows import campaign_life, ingest, reconcile
from autolynx.flows.assistant_retiring import retire_ephemeral
from autolynx.flows.choosing_settings import refresh_settings
from autolynx.flows.chores import Chores, do_chores
from autolynx.flows.importing import purge_expired_uploads
from autolynx.flows.reconcile import Reconciled
from autolynx.flows.refill import refill
from autolynx.log import log
from autolynx.origin import TICK, acting_from
from autolynx.runtime import Runtime
from autolynx.store import gate
from autolynx.store.agenda import Agenda, get_agenda

# A tick that is called by cron has a function's life: it must end well before ten seconds.
CRON_BUDGET_SECONDS = 8.0
JITTER = 0.1
SHORTEST_SLEEP_SECONDS = 0.05
CHORE_SECONDS = 60.0  # no recording is begun later than that in one round

Step: TypeAlias = Callable[[Runtime], Awaitable[Reconciled]]


@dataclass(kw_only=True)
class Ticked:
    """What one tick did. `next_at`: when something is due again by time alone, None for nothing before the cadence."""

    launched: dict[UUID, int] = field(default_factory=dict)
    changed: int = 0
    next_at: datetime | None = None
    chores: Chores = field(default_factory=Chores)  # what is due and has time


async def run_once(
    runtime: Runtime,
    *,
    campaign_id: UUID | None = None,
    budget_seconds: float = CRON_BUDGET_SECONDS,
    with_chores: bool = True,
) -> Ticked:
    """Repair, reconcile, complete and refill, within a budget of real seconds.

    Any number of these may run at once, in any number of processes. A provider that cannot be asked does not stop
    the rest: claims are still repaired, and nothing is freed by silence. `with_chores`: with what is left of the
    budget chores are done; a clockwork that must not be late does them beside its ticks.
    """
    deadline = runtime.clock.now() + timedelta(seconds=budget_seconds)
    ticked = Ticked()
    agenda = await _look(runtime)
    if repairs := _repairs(runtime, agenda, deadline=deadline):
        for step in repairs:
            if runtime.clock.now() < deadline:
                ticked.changed += (await _step(runtime, step)).changed
        agenda = await _look(runtime)
    if agenda.has_finished:
        await campaign_life.complete_finished(runtime)
    if _has_come(runtime, agenda.upload_expires_at):
        await purge_expired_uploads(runtime)
    if agenda.has_ready:
        await _launch(runtime, ticked, campaign_id=campaign_id, deadline=deadline)
        agenda = await _look(runtime)
    if agenda.has_retiring and runtime.clock.now() < deadline:
        await retire_ephemeral(runtime)
    ticked.next_at = _next_at(runtime, agenda, pacing_at=ticked.next_at)
    async with runtime.database.connection() as conn:
        await gate.note_tick(conn, last=runtime.clock.now(), following=ticked.next_at)
    ticked.chores = Chores.of(runtime, agenda)
    if with_chores:
        await do_chores(runtime, ticked.chores, deadline=deadline)
    return ticked


async def _look(runtime: Runtime) -> Agenda:
    async with runtime.database.connection(by_index=True) as conn:
        return await get_agenda(conn, now=runtime.clock.now())


def _repairs(runtime: Runtime, agenda: Agenda, *, deadline: datetime) -> list[Step]:
    """Return the repairs for which it is time, in the order in which they are done."""
    has_lines = agenda.oldest_line_at is not None
    steps: list[tuple[bool, Step]] = [
        (_has_come(runtime, agenda.lapses_at), reconcile.release_lapsed),
        (_has_come(runtime, agenda.retries_at), _leftovers),
        (has_lines and reconcile.sweep_is_due(runtime, agenda.swept_until, runtime.clock.now()), reconcile.sweep),
        (_has_come(runtime, agenda.checks_at), partial(reconcile.check_silent, deadline=deadline)),
    ]
    return [step for is_due, step in steps if is_due]


def _has_come(runtime: Runtime, at: datetime | None) -> bool:
    return at is not None and at <= runtime.clock.now()


async def _leftovers(runtime: Runtime) -> Reconciled:
    return Reconciled(freed_line=await ingest.retry_leftovers(runtime))


async def _step(runtime: Runtime, step: Step) -> Reconciled:
    """Run one part of the tick; the provider's silence is noted, ours is not excused."""
    try:
        return await step(runtime)
    except ProviderError as error:
        log.warning("tick.provider_unanswered", reason=error.message)
        return Reconciled()


async def _launch(runtime: Runtime, ticked: Ticked, *, campaign_id: UUID | None, deadline: datetime) -> None:
    """Refill, and go on as launch rates allow while the budget lasts: pacing is not back-off.

    Not for longer than cron would give it: looks and repairs must not wait for whoever comes due much later.
    """
    deadline = min(deadline, runtime.clock.now() + timedelta(seconds=CRON_BUDGET_SECONDS))
    while True:
        result = await refill(runtime, campaign_id=campaign_id)
        for key, count in result.launched.items():
            ticked.launched[key] = ticked.launched.get(key, 0) + count
        ticked.next_at = result.changes_at
        now = runtime.clock.now()
        if not result.launched or result.changes_at is None or result.changes_at >= deadline:
            return
        await runtime.clock.sleep(max(SHORTEST_SLEEP_SECONDS, (result.changes_at - now).total_seconds()))


def _next_at(runtime: Runtime, agenda: Agenda, *, pacing_at: datetime | None) -> datetime | None:
    sweep_at = reconcile.next_sweep_at(runtime, agenda.swept_until) if agenda.oldest_line_at else None
    times = [pacing_at, sweep_at, agenda.comes_due_at, agenda.lapses_at, agenda.retries_at, agenda.checks_at]
    return min((at for at in times if at is not None), default=None)


class Ticker:
    """The built-in clockwork of a server: ticks at the earliest due time, at most the cadence (with jitter) apart."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._task: asyncio.Task[None] | None = None
        self._chores: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()

    def start(self) -> None:
        """Begin to tick, at once."""
        self._task = asyncio.create_task(self._run())

    def wake(self) -> None:
        """Tick now."""
        self._woken.set()

    async def stop(self) -> None:
        """Stop ticking: a tick under way is given up (the next one, anywhere, repairs what it left)."""
        tasks = [task for task in (self._task, self._chores) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            with acting_from(TICK):
                next_at = await self._tick()
            try:
                async with asyncio.timeout(self._pause(next_at)):
                    await self._woken.wait()
            except TimeoutError:
                pass  # nobody woke us: the time has come
            self._woken.clear()

    async def _tick(self) -> datetime | None:
        await refresh_settings(self._runtime)
        try:
            ticked = await run_once(self._runtime, budget_seconds=self._cadence(), with_chores=False)
        except DatabaseUnavailable as error:
            log.error("tick.database_unavailable", reason=error.message)
            return self._runtime.clock.now() + timedelta(seconds=1)
        except AutolynxError as error:
            log.error("tick.failed", reason=error.message)
            return None
        except Exception as error:  # noqa: BLE001 - whatever one tick meets, the clockwork must not stand still
            log.error("tick.broke", error=type(error).__name__)
            return None
        if ticked.chores.are_due and (self._chores is None or self._chores.done()):
            self._chores = asyncio.create_task(self._do_chores(ticked.chores))
        return ticked.next_at

    async def _do_chores(self, due: Chores) -> None:
        """Do chores beside the ticks, which may not wait for the download of a recording."""
        deadline = self._runtime.clock.now() + timedelta(seconds=CHORE_SECONDS)
        try:
            await do_chores(self._runtime, due, deadline=deadline)
        except AutolynxError as error:
            log.error("chores.failed", reason=error.message)
        except Exception as error:  # noqa: BLE001 - the next tick begins again
            log.error("chores.broke", error=type(error).__name__)

    def _cadence(self) -> float:
        return self._runtime.settings.scaled(self._runtime.settings.default_cron_cadence)

    def _pause(self, next_at: datetime | None) -> float:
        longest = self._cadence() * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - spreads ticks, guards nothing
        if next_at is None:
            return longest
        due = (next_at - self._runtime.clock.now()).total_seconds()
        return min(longest, max(SHORTEST_SLEEP_SECONDS, due))
