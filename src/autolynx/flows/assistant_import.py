"""Taking assistants of the account into the directory."""

import re
import uuid
from dataclasses import dataclass, replace
from uuid import UUID

from autolynx.domain.assistant import MOST_NAME_CHARACTERS, Assistant, AssistantSource
from autolynx.domain.assistant_version import VersionAction
from autolynx.domain.naming import tidy_name
from autolynx.errors import NotFound, ValidationProblem
from autolynx.flows.assistant_keeping import Deed, config_of, keep
from autolynx.flows.assistant_names import require_free
from autolynx.provider.port import RemoteAssistant
from autolynx.runtime import Runtime
from autolynx.store import assistants

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
    await require_free(runtime, assistant.name, except_id=assistant.id)
    deed = Deed(actor=actor, action=VersionAction.IMPORTED)
    await keep(runtime, assistant, deed, is_insert=known is None)
    return Imported(assistant=assistant, is_new=is_new)


async def list_importable(runtime: Runtime) -> list[Importable]:
    """Return what assistants the account has, and which of them are in the directory. Raises ProviderError."""
    remotes = await runtime.provider.list_assistants()
    async with runtime.database.connection() as conn:
        ours = await assistants.list_ids_by_provider_id(conn)
    return [Importable(remote=one, assistant_id=ours.get(one.provider_assistant_id)) for one in remotes]


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
            config=config_of(remote),
            created_at=now,
            updated_at=now,
        )
    is_back = known.deleted_at is not None
    return replace(
        known,
        name=name or known.name,
        config=config_of(remote),
        active=known.active or is_back,
        ephemeral=known.ephemeral and not is_back,  # whoever fetches it back wants to keep it
        updated_at=now,
        deleted_at=None,
    )
