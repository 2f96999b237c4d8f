"""The directory of assistants: made here or imported, edited, cloned, switched off, taken out.

The provider is always asked first and outside any transaction: where it refuses, ours is unchanged.
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from autolynx.domain.assistant import (
    MOST_NAME_CHARACTERS,
    Assistant,
    AssistantSource,
    check_config,
    merge_config,
    provider_id_of,
)
from autolynx.domain.naming import free_name, name_candidates, tidy_name
from autolynx.domain.templates import TEMPLATES
from autolynx.errors import AutolynxError, Conflict, NotFound, ValidationProblem
from autolynx.flows.once_more import once_more
from autolynx.log import log
from autolynx.provider.port import RemoteAssistant
from autolynx.runtime import Runtime
from autolynx.store import assistants, audit
from autolynx.store.assistants import NameTaken

_PROVIDER_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")


@dataclass(frozen=True, kw_only=True)
class Imported:
    """An assistant taken over from the provider; `is_new`: it was not in the directory before."""

    assistant: Assistant
    is_new: bool


@dataclass(frozen=True, kw_only=True)
class Importable:
    """An assistant that the account has; `assistant_id` is ours where the directory has it already."""

    remote: RemoteAssistant
    assistant_id: UUID | None


async def create_assistant(runtime: Runtime, *, name: str, config: Mapping[str, Any], actor: str) -> Assistant:
    """Create an assistant at the provider and put it into the directory.

    Raises ValidationProblem naming the field, Conflict with a free `suggestion` for a taken name, ProviderError.
    """
    name = tidy_name(name, longest=MOST_NAME_CHARACTERS)
    check_config(config)
    await _require_free(runtime, name)
    return await _create(runtime, name=name, config=config, actor=actor, action="assistant.created")


async def import_assistant(
    runtime: Runtime, provider_assistant_id: str, *, name: str | None = None, actor: str
) -> Imported:
    """Take an assistant of the account into the directory, or bring ours up to date with it.

    The name is the provider's unless one is given. Raises NotFound where the provider has none of that id,
    Conflict with a free `suggestion` for a taken name, ProviderError.
    """
    wanted = provider_assistant_id.strip()
    if not _PROVIDER_ID.fullmatch(wanted):
        raise ValidationProblem(
            "providerAssistantId: give the id that the provider shows.", field="providerAssistantId"
        )
    given = None if name is None else tidy_name(name, longest=MOST_NAME_CHARACTERS)
    remote = await runtime.provider.get_assistant(wanted)
    if remote is None:
        raise NotFound("The provider has no assistant of that id.", details={"field": "providerAssistantId"})
    async with runtime.database.connection() as conn:
        known = await assistants.find_by_provider_id(conn, remote.provider_assistant_id)
    is_new = known is None or known.deleted_at is not None
    assistant = _imported(runtime, remote, known, name=given)
    await _require_free(runtime, assistant.name, except_id=assistant.id)
    await _keep(runtime, assistant, is_insert=known is None, actor=actor, action="assistant.imported")
    return Imported(assistant=assistant, is_new=is_new)


async def list_importable(runtime: Runtime) -> list[Importable]:
    """Return what assistants the account has, and which of them are in the directory. Raises ProviderError."""
    remotes = await runtime.provider.list_assistants()
    async with runtime.database.connection() as conn:
        ours = await assistants.list_ids_by_provider_id(conn)
    return [Importable(remote=one, assistant_id=ours.get(one.provider_assistant_id)) for one in remotes]


async def edit_assistant(
    runtime: Runtime,
    assistant_id: UUID,
    *,
    name: str | None = None,
    config: Mapping[str, Any] | None = None,
    active: bool | None = None,
    actor: str,
) -> Assistant:
    """Change what is given; the rest stays. Objects in `config` are merged key by key, null unsets a value.

    Raises NotFound, ValidationProblem, ProviderError (ours is then unchanged), and Conflict for a template or, with
    a free `suggestion`, for a taken name.
    """
    async with runtime.database.connection() as conn:
        before = await assistants.get(conn, assistant_id)
    provider_id = provider_id_of(before, verb="edited")
    new_name = before.name if name is None else tidy_name(name, longest=MOST_NAME_CHARACTERS)
    check_config(merge_config(before.config, config or {}))
    if new_name != before.name:
        await _require_free(runtime, new_name, except_id=assistant_id)
    edited = replace(before, name=new_name, active=before.active if active is None else active)
    if config or new_name != before.name:
        changed_name = new_name if new_name != before.name else None
        remote = await runtime.provider.update_assistant(provider_id, name=changed_name, changes=config or {})
        edited = replace(edited, config=_config_of(remote))
    return await _save_edit(runtime, edited, active=active, actor=actor)


async def clone_assistant(runtime: Runtime, assistant_id: UUID, *, name: str | None = None, actor: str) -> Assistant:
    """Create a copy at the provider, of a template too. Without a name it gets a free one.

    Raises NotFound, ValidationProblem, Conflict with a free `suggestion` for a taken name, ProviderError.
    """
    async with runtime.database.connection() as conn:
        original = await assistants.get(conn, assistant_id)
    if name is not None:
        wanted = tidy_name(name, longest=MOST_NAME_CHARACTERS)
        await _require_free(runtime, wanted)
    else:
        wanted = await _suggest(runtime, original.name) or original.name
    return await _create(runtime, name=wanted, config=original.config, actor=actor, action="assistant.cloned")


@once_more
async def delete_assistant(runtime: Runtime, assistant_id: UUID, *, actor: str) -> None:
    """Take an assistant out of the directory; the provider keeps it.

    Raises NotFound, and Conflict with the list of `campaigns` while one of them is not over, or for a template.
    """
    now = runtime.clock.now()
    async with runtime.database.transaction() as conn:
        assistant = await assistants.lock(conn, assistant_id)
        provider_id_of(assistant, verb="deleted")
        campaigns = await assistants.list_open_campaigns(conn, assistant_id)
        if campaigns:
            listed = [{"id": str(one.id), "name": one.name, "status": one.status} for one in campaigns]
            raise Conflict(
                "The assistant is needed by campaigns that are not over; stop or delete them first.",
                details={"campaigns": listed},
            )
        await assistants.save(conn, replace(assistant, active=False, deleted_at=now, updated_at=now))
        await audit.append(conn, now=now, actor=actor, action="assistant.deleted", subject=str(assistant_id))
    log.info("assistant.deleted", assistant_id=str(assistant_id))


@once_more
async def seed_templates(runtime: Runtime) -> int:
    """Put the templates into the directory; returns how many were new or have a new wording."""
    now = runtime.clock.now()
    changed = 0
    async with runtime.database.transaction() as conn:
        for template in TEMPLATES:
            changed += await assistants.insert_template(
                conn, template.id, name=template.name, config=template.config, now=now
            )
    return changed


def _imported(runtime: Runtime, remote: RemoteAssistant, known: Assistant | None, *, name: str | None) -> Assistant:
    """Return the row that the import leads to."""
    now = runtime.clock.now()
    called = (remote.name.strip() or f"Assistant {remote.provider_assistant_id[:8]}")[:MOST_NAME_CHARACTERS]
    if known is None:
        return Assistant(
            id=uuid.uuid4(),
            name=name or tidy_name(called, longest=MOST_NAME_CHARACTERS),
            source=AssistantSource.IMPORTED,
            provider_assistant_id=remote.provider_assistant_id,
            config=_config_of(remote),
            created_at=now,
            updated_at=now,
        )
    is_back = known.deleted_at is not None
    return replace(
        known,
        name=name or known.name,
        config=_config_of(remote),
        active=known.active or is_back,
        updated_at=now,
        deleted_at=None,
    )


async def _create(runtime: Runtime, *, name: str, config: Mapping[str, Any], actor: str, action: str) -> Assistant:
    remote = await runtime.provider.create_assistant(name=name, config=config)
    now = runtime.clock.now()
    assistant = Assistant(
        id=uuid.uuid4(),
        name=name,
        source=AssistantSource.LOCAL,
        provider_assistant_id=remote.provider_assistant_id,
        config=_config_of(remote),
        created_at=now,
        updated_at=now,
    )
    try:
        await _keep(runtime, assistant, is_insert=True, actor=actor, action=action)
    except AutolynxError as error:
        # It exists at the provider now. Nobody deletes there: its id lets it be imported under another name.
        log.error("assistant.unkept", provider_assistant_id=remote.provider_assistant_id, reason=error.message)
        error.details["providerAssistantId"] = remote.provider_assistant_id
        raise
    return assistant


@once_more
async def _save_edit(runtime: Runtime, edited: Assistant, *, active: bool | None, actor: str) -> Assistant:
    """Write an edit over the row as it is now: who only edits the text does not switch it on again."""
    now = runtime.clock.now()
    try:
        async with runtime.database.transaction() as conn:
            current = await assistants.lock(conn, edited.id)
            kept = replace(edited, active=current.active if active is None else active, updated_at=now)
            await assistants.save(conn, kept)
            await audit.append(conn, now=now, actor=actor, action="assistant.edited", subject=str(edited.id))
    except NameTaken as error:
        await _suggest_into(runtime, error, edited.name)
        raise
    log.info("assistant.edited", assistant_id=str(edited.id))
    return kept


@once_more
async def _keep(runtime: Runtime, assistant: Assistant, *, is_insert: bool, actor: str, action: str) -> None:
    try:
        async with runtime.database.transaction() as conn:
            await (assistants.insert if is_insert else assistants.save)(conn, assistant)
            await audit.append(conn, now=assistant.updated_at, actor=actor, action=action, subject=str(assistant.id))
    except NameTaken as error:
        await _suggest_into(runtime, error, assistant.name)
        raise
    log.info(action, assistant_id=str(assistant.id))


async def _require_free(runtime: Runtime, name: str, *, except_id: UUID | None = None) -> None:
    """Raise Conflict with a suggestion where the name is taken: before the provider is asked for anything."""
    async with runtime.database.connection() as conn:
        taken = await assistants.list_taken_names(conn, [name], except_id=except_id)
    if taken:
        error = NameTaken("name: an assistant of that name exists already; choose another name.")
        await _suggest_into(runtime, error, name)
        raise error


async def _suggest_into(runtime: Runtime, error: NameTaken, name: str) -> None:
    error.details |= {"field": "name", "suggestion": await _suggest(runtime, name)}


async def _suggest(runtime: Runtime, name: str) -> str | None:
    """Return a free name like the one that is taken."""
    candidates = list(name_candidates(name, longest=MOST_NAME_CHARACTERS))
    async with runtime.database.connection() as conn:
        taken = await assistants.list_taken_names(conn, candidates)
    return free_name(name, taken, longest=MOST_NAME_CHARACTERS)


def _config_of(remote: RemoteAssistant) -> dict[str, Any]:
    """Return what we keep of it: the name has a column of its own."""
    return {key: value for key, value in remote.config.items() if key != "name"}
