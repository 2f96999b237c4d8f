"""Writing an assistant into the directory: the row, its version and the audit entry in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from autolynx.domain.assistant import Assistant
from autolynx.domain.assistant_version import VersionAction
from autolynx.domain.config_diff import is_same, named
from autolynx.flows.assistant_names import suggest_into
from autolynx.flows.once_more import once_more
from autolynx.log import log
from autolynx.provider.port import RemoteAssistant
from autolynx.runtime import Runtime
from autolynx.store import assistant_versions, assistants, audit
from autolynx.store.assistants import NameTaken
from autolynx.store.database import Connection


@dataclass(frozen=True, kw_only=True)
class Deed:
    """Who does what; `restored_number`: the version that is restored by it."""

    actor: str
    action: VersionAction
    restored_number: int | None = None

    @property
    def event(self) -> str:
        """The word for log and audit."""
        return f"assistant.{self.action}"


def config_of(remote: RemoteAssistant) -> dict[str, Any]:
    """Return what we keep of it: the name has a column of its own."""
    return {key: value for key, value in remote.config.items() if key != "name"}


@once_more
async def keep(runtime: Runtime, assistant: Assistant, deed: Deed, *, is_insert: bool) -> None:
    """Insert an assistant, or write it over the row of its id. Raises NameTaken with a free `suggestion`."""
    now = assistant.updated_at
    try:
        async with runtime.database.transaction() as conn:
            if is_insert:
                await assistants.insert(conn, assistant)
            else:
                await _keep_what_was(conn, await assistants.lock_any(conn, assistant.id))
                await assistants.save(conn, assistant)
            await _leave_version(conn, assistant, deed)
            await audit.append(conn, now=now, actor=deed.actor, action=deed.event, subject=str(assistant.id))
    except NameTaken as error:
        await suggest_into(runtime, error, assistant.name)
        raise
    log.info(deed.event, assistant_id=str(assistant.id))


@once_more
async def save_edit(
    runtime: Runtime, edited: Assistant, deed: Deed, *, active: bool | None = None, renames: bool = True
) -> Assistant:
    """Write an edit over the row as it is now: who only edits the text does not switch it on again, nor rename it.

    Raises NotFound, NameTaken with a free `suggestion`.
    """
    now = runtime.clock.now()
    try:
        async with runtime.database.transaction() as conn:
            current = await assistants.lock(conn, edited.id)
            await _keep_what_was(conn, current)
            kept = replace(
                edited,
                name=edited.name if renames else current.name,
                active=current.active if active is None else active,
                updated_at=now,
            )
            await assistants.save(conn, kept)
            await _leave_version(conn, kept, deed)
            await audit.append(conn, now=now, actor=deed.actor, action=deed.event, subject=str(edited.id))
    except NameTaken as error:
        await suggest_into(runtime, error, edited.name)
        raise
    log.info(deed.event, assistant_id=str(edited.id))
    return kept


@once_more
async def switch(runtime: Runtime, assistant_id: UUID, deed: Deed, *, active: bool | None) -> Assistant:
    """Activate or deactivate an assistant and leave the rest of it as it is now. Raises NotFound."""
    now = runtime.clock.now()
    async with runtime.database.transaction() as conn:
        current = await assistants.lock(conn, assistant_id)
        if active is None or active is current.active:
            return current
        switched = replace(current, active=active, updated_at=now)
        await assistants.save(conn, switched)
        await audit.append(conn, now=now, actor=deed.actor, action=deed.event, subject=str(assistant_id))
    log.info(deed.event, assistant_id=str(assistant_id), active=active)
    return switched


async def _keep_what_was(conn: Connection, before: Assistant) -> None:
    """Append what was there before the change, where a release without versions wrote it."""
    latest = await assistant_versions.find_latest(conn, before.id)
    if latest is None or not _is_same(latest.name, latest.config, before):
        await assistant_versions.append(conn, before, at=before.updated_at, actor="", action=VersionAction.FOUND)


async def _leave_version(conn: Connection, after: Assistant, deed: Deed) -> None:
    """Append a version unless name and configuration are those of the latest."""
    latest = await assistant_versions.find_latest(conn, after.id)
    if latest is None or not _is_same(latest.name, latest.config, after):
        await assistant_versions.append(
            conn,
            after,
            at=after.updated_at,
            actor=deed.actor,
            action=deed.action,
            restored_number=deed.restored_number,
        )


def _is_same(name: str, config: Mapping[str, Any], assistant: Assistant) -> bool:
    return is_same(named(name, config), named(assistant.name, assistant.config))
