"""Retention: what is old enough goes, in small bites, and the audit log says how much.

A bite is a short transaction over a bounded number of rows. It holds one campaign that is over for long, never the
gate, and passes over what somebody else holds: dialling does not notice it.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias

from autolynx.domain.retention import Cutoffs, cutoffs_at
from autolynx.flows.once_more import once_more
from autolynx.flows.removals import recopied_by
from autolynx.runtime import Runtime
from autolynx.store import audit, idempotency, retention
from autolynx.store.database import Connection, Timeouts
from autolynx.store.retention import Work

EVERY_SECONDS = 600.0
BUDGET_SECONDS = 2.0  # of one tick
CONTACTS_AT_ONCE = 200
ROWS_AT_ONCE = 1_000
ACTOR = "retention"
BITE = Timeouts(statement_seconds=5, lock_seconds=1)

# Takes one bite of what is older than a moment, and says how much of what went; the second part: may there be more?
Bite: TypeAlias = Callable[[Runtime, datetime], Awaitable[tuple[Counter[str], bool]]]


async def keep_retention(runtime: Runtime, *, deadline: datetime) -> Counter[str]:
    """Look whether anything is old enough, at most every ten minutes whoever asks, and let it go within a budget.

    Returns how much of what went. What is left when the budget is used up, the next tick goes on with.
    """
    now = runtime.clock.now()
    deadline = min(deadline, now + timedelta(seconds=BUDGET_SECONDS))
    cutoffs = cutoffs_at(runtime.settings.retention, now)
    async with runtime.database.connection() as conn:
        again_at = now + timedelta(seconds=EVERY_SECONDS)
        work = await retention.claim_turn(conn, cutoffs, now=now, again_at=again_at)
    gone: Counter[str] = Counter()
    is_unfinished = False
    for bite, before in _bites(work, cutoffs) if work else ():
        is_unfinished |= await _take(runtime, bite, before, gone, deadline=deadline)
    if gone or is_unfinished:
        await _put_on_record(runtime, gone, is_unfinished=is_unfinished)
    return gone


def _bites(work: Work, cutoffs: Cutoffs) -> list[tuple[Bite, datetime]]:
    wanted: list[tuple[bool, Bite, datetime | None]] = [
        (work.keys, _forget_keys, cutoffs.keys),
        (work.campaigns, _forget_campaigns, cutoffs.campaigns),
        (work.people, _anonymise, cutoffs.people),
        (work.webhooks, _forget_webhooks, cutoffs.webhooks),
        (work.events, _forget_events, cutoffs.events),
        (work.audit, _forget_audit, cutoffs.audit),
    ]
    return [(bite, before) for is_wanted, bite, before in wanted if is_wanted and before is not None]


async def _take(runtime: Runtime, bite: Bite, before: datetime, gone: Counter[str], *, deadline: datetime) -> bool:
    """Take bites until nothing is left (False) or time is up (True)."""
    while runtime.clock.now() < deadline:
        some, is_more = await bite(runtime, before)
        gone.update(some)
        if not is_more:
            return False
    return True


async def _put_on_record(runtime: Runtime, gone: Counter[str], *, is_unfinished: bool) -> None:
    now = runtime.clock.now()
    details = {name: count for name, count in sorted(gone.items()) if count}
    async with runtime.database.transaction() as conn:
        if is_unfinished:
            await retention.save_unfinished(conn, due_at=now)
        if details:
            await audit.append(conn, now=now, actor=ACTOR, action="retention.applied", details=details)


@once_more
async def _forget_campaigns(runtime: Runtime, before: datetime) -> tuple[Counter[str], bool]:
    now = runtime.clock.now()
    async with runtime.database.transaction(timeouts=BITE) as conn:
        went = await retention.forget_some(
            conn, campaigns=before, now=now, recopied_by=recopied_by(runtime, now), most=CONTACTS_AT_ONCE
        )
    if went is None:
        return Counter(), False
    return Counter(contacts=went.contacts, calls=went.calls, campaigns=int(went.is_whole)), True


@once_more
async def _anonymise(runtime: Runtime, before: datetime) -> tuple[Counter[str], bool]:
    now = runtime.clock.now()
    async with runtime.database.transaction(timeouts=BITE) as conn:
        erased = await retention.anonymise_some(
            conn, people=before, now=now, recopied_by=recopied_by(runtime, now), most=CONTACTS_AT_ONCE
        )
    return (Counter(anonymised=erased.contacts), True) if erased else (Counter(), False)


async def _forget_webhooks(runtime: Runtime, before: datetime) -> tuple[Counter[str], bool]:
    forget = partial(retention.forget_webhooks, before=before, most=ROWS_AT_ONCE)
    return await _forget_rows(runtime, "webhooks", forget)


async def _forget_events(runtime: Runtime, before: datetime) -> tuple[Counter[str], bool]:
    forget = partial(retention.forget_history, what="old events", before=before, most=ROWS_AT_ONCE)
    return await _forget_rows(runtime, "events", forget)


async def _forget_audit(runtime: Runtime, before: datetime) -> tuple[Counter[str], bool]:
    forget = partial(retention.forget_history, what="old audit", before=before, most=ROWS_AT_ONCE)
    return await _forget_rows(runtime, "audit", forget)


async def _forget_keys(runtime: Runtime, before: datetime) -> tuple[Counter[str], bool]:
    async with runtime.database.connection() as conn:
        await idempotency.delete_old(conn, created_before=before)
    return Counter(), False


@once_more
async def _forget_rows(
    runtime: Runtime, what: str, forget: Callable[[Connection], Awaitable[int]]
) -> tuple[Counter[str], bool]:
    async with runtime.database.transaction(timeouts=BITE) as conn:
        count = await forget(conn)
    return Counter({what: count}), count == ROWS_AT_ONCE
