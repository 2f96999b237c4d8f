"""Hang up: asks the provider to end a connected call. What it did is news like any other, and comes by webhook."""

import asyncio
from collections.abc import Iterable

from autolynx.domain.call import Call
from autolynx.errors import ProviderError
from autolynx.flows.settle import Settled
from autolynx.log import log
from autolynx.runtime import Runtime


async def hang_up(runtime: Runtime, call: Call) -> bool:
    """Ask for the end of one call; False where it cannot be hung up now (not connected, no control address)."""
    if not call.is_connected or call.facts.control_url is None:
        return False
    try:
        return await runtime.provider.end_call(call.facts.control_url)
    except ProviderError as error:
        log.warning("hang_up.failed", call_id=str(call.id), reason=error.message)
        return False


async def hang_up_all(runtime: Runtime, calls: Iterable[Call]) -> int:
    """Ask for the end of several calls side by side; returns how many requests were accepted."""
    return sum(await asyncio.gather(*(hang_up(runtime, call) for call in calls)))


async def hang_up_if_wanted(runtime: Runtime, settled: Settled, *, is_look: bool = False) -> None:
    """A call that connects after it was stopped is hung up when its news comes.

    `is_look`: we looked whether it had ended. Then it is asked for again: the first request may have been lost.
    """
    if settled.wants_hang_up and (is_look or not settled.before.was_live):
        await hang_up(runtime, settled.after)
