"""The directory of assistants: made here, edited, cloned, switched off, taken out.

The provider is always asked first and outside any transaction: where it refuses, ours is unchanged.
"""

import uuid
from collections.abc import Mapping
from dataclasses import replace
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
from autolynx.domain.assistant_version import VersionAction
from autolynx.domain.naming import tidy_name
from autolynx.domain.templates import TEMPLATES
from autolynx.errors import AutolynxError, Conflict
from autolynx.flows.assistant_keeping import Deed, config_of, keep, save_edit, switch
from autolynx.flows.assistant_names import require_free, suggest
from autolynx.flows.once_more import once_more
from autolynx.log import log
from autolynx.runtime import Runtime
from autolynx.store import assistants, audit


async def create_assistant(
    runtime: Runtime,
    *,
    name: str,
    config: Mapping[str, Any],
    actor: str,
    action: VersionAction = VersionAction.CREATED,
    ephemeral: bool = False,
) -> Assistant:
    """Create an assistant at the provider and put it into the directory; `action` is told of its first version.

    `ephemeral`: after its last campaign it is deleted, here and at the provider.

    Raises ValidationProblem naming the field, Conflict with a free `suggestion` for a taken name, ProviderError.
    """
    name = tidy_name(name, longest=MOST_NAME_CHARACTERS)
    check_config(config)
    await require_free(runtime, name)
    deed = Deed(actor=actor, action=action)
    return await _create(runtime, name=name, config=config, deed=deed, ephemeral=ephemeral)


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
        await require_free(runtime, new_name, except_id=assistant_id)
    deed = Deed(actor=actor, action=VersionAction.EDITED)
    if not config and new_name == before.name:
        return await switch(runtime, assistant_id, deed, active=active)
    changed_name = new_name if new_name != before.name else None
    remote = await runtime.provider.update_assistant(provider_id, name=changed_name, changes=config or {})
    edited = replace(before, name=new_name, config=config_of(remote))
    return await save_edit(runtime, edited, deed, active=active, renames=changed_name is not None)


async def clone_assistant(runtime: Runtime, assistant_id: UUID, *, name: str | None = None, actor: str) -> Assistant:
    """Create a copy at the provider, of a template too. Without a name it gets a free one.

    Raises NotFound, ValidationProblem, Conflict with a free `suggestion` for a taken name, ProviderError.
    """
    async with runtime.database.connection() as conn:
        original = await assistants.get(conn, assistant_id)
    if name is not None:
        wanted = tidy_name(name, longest=MOST_NAME_CHARACTERS)
        await require_free(runtime, wanted)
    else:
        wanted = await suggest(runtime, original.name) or original.name
    deed = Deed(actor=actor, action=VersionAction.CLONED)
    return await _create(runtime, name=wanted, config=original.config, deed=deed)


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


async def _create(
    runtime: Runtime, *, name: str, config: Mapping[str, Any], deed: Deed, ephemeral: bool = False
) -> Assistant:
    remote = await runtime.provider.create_assistant(name=name, config=config)
    now = runtime.clock.now()
    assistant = Assistant(
        id=uuid.uuid4(),
        name=name,
        source=AssistantSource.LOCAL,
        provider_assistant_id=remote.provider_assistant_id,
        config=config_of(remote),
        ephemeral=ephemeral,
        created_at=now,
        updated_at=now,
    )
    try:
        await keep(runtime, assistant, deed, is_insert=True)
    except AutolynxError as error:
        # It exists at the provider now. Nobody deletes there: its id lets it be imported under another name.
        log.error("assistant.unkept", provider_assistant_id=remote.provider_assistant_id, reason=error.message)
        error.details["providerAssistantId"] = remote.provider_assistant_id
        raise
    return assistant
