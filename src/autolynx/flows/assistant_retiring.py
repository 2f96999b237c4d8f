"""Ephemeral assistants are deleted at the provider after their last campaign; no other one ever is."""

from uuid import UUID

from autolynx.errors import ProviderError
from autolynx.flows.once_more import once_more
from autolynx.log import log
from autolynx.runtime import Runtime
from autolynx.store import audit, retiring

ACTOR = "AutoLynx"
MOST_AT_ONCE = 5  # each costs a request; the rest follows at the next tick


async def retire_ephemeral(runtime: Runtime) -> int:
    """Delete at the provider what was made for campaigns that are over; returns how many.

    First ours goes, so that nobody chooses it any more; what the provider refuses now is tried at the next tick.
    """
    async with runtime.database.connection(by_index=True) as conn:
        found = await retiring.list_retiring(conn, most=MOST_AT_ONCE)
    return sum([await _retire(runtime, assistant_id) for assistant_id in found])


async def _retire(runtime: Runtime, assistant_id: UUID) -> bool:
    provider_id = await _take_out(runtime, assistant_id)
    if provider_id is None:
        return False
    try:
        await runtime.provider.delete_assistant(provider_id)
    except ProviderError as error:
        log.warning("assistant.kept_by_provider", assistant_id=str(assistant_id), reason=error.message)
        return False
    await _note_gone(runtime, assistant_id)
    log.info("assistant.retired", assistant_id=str(assistant_id))
    return True


@once_more
async def _take_out(runtime: Runtime, assistant_id: UUID) -> str | None:
    """Take it out of the directory; return its id at the provider, None where a campaign needs it after all."""
    async with runtime.database.transaction() as conn:
        provider_id = await retiring.lock_retiring(conn, assistant_id)
        if provider_id is not None:
            await retiring.save_taken_out(conn, assistant_id, runtime.clock.now())
        return provider_id


@once_more
async def _note_gone(runtime: Runtime, assistant_id: UUID) -> None:
    now = runtime.clock.now()
    async with runtime.database.transaction() as conn:
        await retiring.save_gone(conn, assistant_id)
        await audit.append(conn, now=now, actor=ACTOR, action="assistant.retired", subject=str(assistant_id))
