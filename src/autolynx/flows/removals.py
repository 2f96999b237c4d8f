"""Deleting outside of the database, after it was decided inside: copies of recordings, and calls at the provider."""

from datetime import datetime, timedelta
from uuid import UUID

from autolynx.archive.port import ArchiveError, RecordingStore
from autolynx.errors import ProviderError
from autolynx.flows.recording_copies import LEASE_SECONDS as COPY_LEASE_SECONDS
from autolynx.log import log
from autolynx.runtime import Runtime
from autolynx.store import removals
from autolynx.store.removals import Place, Removal

AT_ONCE = 10
LEASE_SECONDS = 60.0
FIRST_PAUSE_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 12 * 3600.0
MOST_TRIES = 40  # with the pauses above about two weeks: by then the provider has forgotten by itself
NO_PLACE = "There is no place for recordings in the settings: set RECORDING_STORE as it was when they were kept."


def recopied_by(runtime: Runtime, now: datetime) -> datetime | None:
    """Return when a copy of a recording that is being made right now is there; None where none are made."""
    return now + timedelta(seconds=COPY_LEASE_SECONDS) if runtime.recordings is not None else None


async def remove_due(runtime: Runtime, *, deadline: datetime) -> int:
    """Delete what is due, and begin nothing more after the deadline; returns how much is gone."""
    removed = 0
    while (now := runtime.clock.now()) < deadline:
        async with runtime.database.connection(by_index=True) as conn:
            again_at = now + timedelta(seconds=LEASE_SECONDS)
            due = await removals.claim_due(conn, now=now, again_at=again_at, most=AT_ONCE)
        if not due:
            break
        for removal in due:
            removed += await _remove(runtime, removal)
    return removed


async def _remove(runtime: Runtime, removal: Removal) -> bool:
    try:
        if removal.place is Place.PROVIDER:
            await runtime.provider.delete_call(removal.name)
        else:
            await _remove_copy(runtime.recordings, UUID(removal.name))
    except (ProviderError, ArchiveError) as error:
        await _note(runtime, removal, error=str(error))
        return False
    async with runtime.database.connection() as conn:
        await removals.delete(conn, removal)
    return True


async def _remove_copy(archive: RecordingStore | None, call_id: UUID) -> None:
    if archive is None:
        raise ArchiveError(NO_PLACE)
    await archive.remove(call_id)


async def _note(runtime: Runtime, removal: Removal, *, error: str) -> None:
    """Write down why it failed, and when it is tried again: at growing distances, and not for ever."""
    pause = min(FIRST_PAUSE_SECONDS * 2 ** (removal.tries - 1), LONGEST_PAUSE_SECONDS)
    again_at = runtime.clock.now() + timedelta(seconds=runtime.settings.scaled(pause))
    due_at = again_at if removal.tries < MOST_TRIES else None
    level = log.warning if due_at else log.error
    level("removal.failed", place=removal.place, id=removal.name, tries=removal.tries, reason=error)
    async with runtime.database.connection() as conn:
        await removals.save_failed(conn, removal, error=error, due_at=due_at)
