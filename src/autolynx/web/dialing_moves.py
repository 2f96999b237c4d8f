"""The red button and decisions about unsure contacts, as API and pages do them: done, on record, lines used at once."""

from collections.abc import Iterable
from contextlib import suppress
from uuid import UUID

from autolynx.errors import Conflict
from autolynx.flows.audit_trail import note
from autolynx.flows.dialing import Decision, decide_unsure, hold_dialling, release_dialling
from autolynx.runtime import Runtime
from autolynx.web.context import Launching


async def hold(runtime: Runtime, *, reason: str, hangs_up: bool, actor: str) -> int:
    """Press the red button; returns how many live calls were asked to end."""
    hung_up = await hold_dialling(runtime, reason=reason, hangs_up=hangs_up)
    await note(runtime, "dialing.held", actor=actor, details={"hangUp": hangs_up})
    return hung_up


async def release(runtime: Runtime, launching: Launching, *, actor: str) -> None:
    """Release it, with everything else that makes the account or a number wait."""
    await release_dialling(runtime)
    await note(runtime, "dialing.released", actor=actor)
    await launching.work_added()


async def decide(runtime: Runtime, call_id: UUID, decision: Decision, launching: Launching, *, actor: str) -> None:
    """Decide about a contact that may or may not have been called."""
    await _decide(runtime, call_id, decision, actor=actor)
    if decision is Decision.REDIAL:
        await launching.work_added()


async def decide_all(
    runtime: Runtime, call_ids: Iterable[UUID], decision: Decision, launching: Launching, *, actor: str
) -> int:
    """Decide about several, then dial; returns about how many. Who was decided about meanwhile is passed over."""
    decided = 0
    for call_id in call_ids:
        with suppress(Conflict):
            await _decide(runtime, call_id, decision, actor=actor)
            decided += 1
    if decided and decision is Decision.REDIAL:
        await launching.work_added()
    return decided


async def _decide(runtime: Runtime, call_id: UUID, decision: Decision, *, actor: str) -> None:
    await decide_unsure(runtime, call_id, decision)
    await note(runtime, "unsure.decided", actor=actor, subject=str(call_id), details={"decision": decision})
