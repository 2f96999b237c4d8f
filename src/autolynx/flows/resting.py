"""What makes the account or a number rest: each effect is one short transaction on the gate."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta

from autolynx.domain import pacing
from autolynx.domain.outcome import Blame
from autolynx.domain.pacing import Account
from autolynx.domain.words import why
from autolynx.flows.once_more import once_more
from autolynx.flows.settle import Settled
from autolynx.log import log
from autolynx.provider.port import Refused, Scope
from autolynx.runtime import Runtime
from autolynx.store import gate, phone_numbers


async def note_success(runtime: Runtime) -> None:
    """The provider placed a call: close the circuit."""
    await _change(runtime, pacing.after_success)


async def note_failure(runtime: Runtime, reason: str, *, is_probe: bool = False) -> None:
    """The provider failed or could not be reached: rest, and after too many failures in a row only probe."""
    rules, now = runtime.settings.pacing, runtime.clock.now()
    await _change(
        runtime, lambda account: pacing.after_failure(account, rules, reason=reason, now=now, is_probe=is_probe)
    )


async def note_unasked(runtime: Runtime) -> None:
    """The provider cannot be asked about the live calls: dialling pauses, and no line is freed."""
    rules, now = runtime.settings.pacing, runtime.clock.now()
    await _change(runtime, lambda account: pacing.after_unasked(account, rules, now))


async def note_asked(runtime: Runtime) -> None:
    """The provider can be asked again: dialling goes on."""
    await _change(runtime, pacing.after_asked)


async def note_refusal(runtime: Runtime, refused: Refused, *, phone_number_id: str, asked_at: datetime) -> None:
    """The provider refused for a reason that does not lie with the contact: let the right thing rest.

    `asked_at`: when the request was made; what was released since is not held again by its late answer.
    """
    rules, now = runtime.settings.pacing, runtime.clock.now()
    if refused.scope is Scope.CONCURRENCY:
        await note_concurrency(runtime)
    elif refused.scope is Scope.RATE:
        jitter = random.random()  # noqa: S311 - spreads processes, guards nothing
        await _change(
            runtime,
            lambda account: pacing.after_rate_limit(account, rules, retry_at=refused.retry_at, jitter=jitter, now=now),
        )
    elif refused.scope is Scope.ACCOUNT:
        await _note_trouble(runtime, refused.reason, asked_at=asked_at)
    elif refused.scope is Scope.NUMBER:
        await _hold_number(runtime, phone_number_id, reason=refused.reason, until=refused.retry_at, asked_at=asked_at)


async def note_blame(runtime: Runtime, settled: Settled) -> None:
    """A call's end blames more than the call: let the right thing rest (a campaign's fault is settled already)."""
    reason, claimed_at = why(settled.blame, settled.after.facts.ended_reason), settled.after.claimed_at
    match settled.blame:
        case Blame.CONCURRENCY:
            await note_concurrency(runtime)
        case Blame.ACCOUNT:
            await _note_trouble(runtime, reason, asked_at=claimed_at)
        case Blame.PROVIDER:
            await _note_unstarted(runtime, reason, claimed_at=claimed_at)
        case Blame.NUMBER:
            until = next_utc_day(runtime.clock.now())
            await _hold_number(runtime, settled.phone_number_id, reason=reason, until=until, asked_at=claimed_at)
        case Blame.CAMPAIGN | Blame.NOBODY:
            return


async def _note_trouble(runtime: Runtime, reason: str, *, asked_at: datetime) -> None:
    now = runtime.clock.now()
    await _change(runtime, lambda account: pacing.after_trouble(account, reason=reason, asked_at=asked_at, now=now))


async def _note_unstarted(runtime: Runtime, reason: str, *, claimed_at: datetime) -> None:
    """The provider accepted a call and failed to place it: one more failure in the row."""
    rules, now = runtime.settings.pacing, runtime.clock.now()

    def rule(account: Account) -> Account:
        is_probe = pacing.is_probe(account, claimed_at=claimed_at)
        return pacing.after_failure(account, rules, reason=reason, now=now, is_probe=is_probe)

    await _change(runtime, rule)


@once_more
async def note_concurrency(runtime: Runtime) -> None:
    """Lower the cap to what the provider carries at this moment, and wait a little."""
    now = runtime.clock.now()
    async with runtime.database.transaction(by_index=True) as conn:
        account = await gate.lock(conn)
        lines = await gate.count_carried(conn)
        rested = pacing.after_concurrency_refusal(account, runtime.settings.pacing, lines_held=lines, now=now)
        await gate.save(conn, rested)
    log.warning("account.cooled_down", lowered_cap=rested.lowered_cap)


@once_more
async def _change(runtime: Runtime, rule: Callable[[Account], Account]) -> None:
    async with runtime.database.transaction() as conn:
        before = await gate.lock(conn)
        after = rule(before)
        if after != before:
            await gate.save(conn, after)
            log.warning("account.changed", failures=after.failures, trouble=after.trouble, rest=after.rest_reason)


@once_more
async def _hold_number(
    runtime: Runtime, phone_number_id: str, *, reason: str, until: datetime | None, asked_at: datetime
) -> None:
    async with runtime.database.transaction() as conn:
        if pacing.is_settled(await gate.lock(conn), asked_at=asked_at):
            return
        await phone_numbers.hold(conn, phone_number_id, reason=reason, until=until, now=runtime.clock.now())
    log.warning("phone_number.held", phone_number_id=phone_number_id, until=until)


def next_utc_day(now: datetime) -> datetime:
    """Return the coming midnight in UTC: free numbers count their calls by the UTC day."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
