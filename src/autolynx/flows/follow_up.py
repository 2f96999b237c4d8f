"""What settling a call calls for once it is committed."""

from autolynx.flows import resting
from autolynx.flows.hang_up import hang_up_if_wanted
from autolynx.flows.settle import Settled
from autolynx.runtime import Runtime
from autolynx.store import gate, settling


async def follow_up(runtime: Runtime, settled: Settled, *, is_look: bool = False) -> None:
    """Watch the account's cap, let rest or go on what the call's news blames or clears, and hang up if wanted.

    `is_look`: it is the answer to a look at this call, so that a hang-up that did not work is asked for again.
    """
    if settled.took_line:
        await _watch_account(runtime, settled)
    if settled.ends_failures:
        await resting.note_success(runtime)
    await resting.note_blame(runtime, settled)
    await hang_up_if_wanted(runtime, settled, is_look=is_look)


async def _watch_account(runtime: Runtime, settled: Settled) -> None:
    """A line that we had given up is held after all: where the account has no room for it, it is said.

    Counted after the commit: of two that come back at once each sees the other.
    """
    async with runtime.database.connection() as conn:
        if await gate.count_lines(conn) > runtime.settings.account_room:
            await settling.raise_incident(
                conn,
                kind="cap_overrun",
                sentence="A call that was given up turned out to be live while the account's lines were in use again.",
                now=runtime.clock.now(),
                call=settled.after,
            )
