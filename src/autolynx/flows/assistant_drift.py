"""Drift: what the provider has of an assistant by now, against what we keep; either side can be taken."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from autolynx.domain.assistant import MOST_NAME_CHARACTERS, Assistant, check_config, provider_id_of
from autolynx.domain.assistant_version import VersionAction
from autolynx.domain.config_diff import Change, differences, named
from autolynx.domain.naming import tidy_name
from autolynx.errors import Conflict
from autolynx.flows.assistant_keeping import Deed, config_of, save_edit
from autolynx.flows.assistant_names import require_free
from autolynx.provider.port import RemoteAssistant
from autolynx.runtime import Runtime
from autolynx.store import assistants

GONE = (
    "The provider has no such assistant any more: it was deleted there. "
    "Calls with it fail; clone it to create it anew, and delete this entry."
)
SAME = "Ours and the provider's are the same."


class Side(StrEnum):
    """Whose version is taken."""

    OURS = "ours"
    THEIRS = "theirs"


@dataclass(frozen=True, kw_only=True)
class Drift:
    """How ours and the provider's differ now: `before` of a change is ours, `after` the provider's."""

    assistant: Assistant
    is_gone: bool
    changes: tuple[Change, ...]
    provider_updated_at: datetime | None

    @property
    def sentence(self) -> str:
        """What it means, in words."""
        if self.is_gone:
            return GONE
        if not self.changes:
            return SAME
        count = len(self.changes)
        many = "1 value differs" if count == 1 else f"{count} values differ"
        return f"{many} from what the provider has. Calls are made with the provider's; take either side."


async def find_drift(runtime: Runtime, assistant_id: UUID) -> Drift:
    """Ask the provider and compare. Raises NotFound, Conflict for a template, ProviderError."""
    assistant, remote = await _both(runtime, assistant_id)
    if remote is None:
        return Drift(assistant=assistant, is_gone=True, changes=(), provider_updated_at=None)
    ours = named(assistant.name, assistant.config)
    changes = differences(ours, named(remote.name, config_of(remote)))
    return Drift(assistant=assistant, is_gone=False, changes=changes, provider_updated_at=remote.updated_at)


async def take_side(runtime: Runtime, assistant_id: UUID, side: Side, *, actor: str) -> Assistant:
    """End the drift: ours becomes the provider's, or the provider's becomes ours. A change of ours leaves a version.

    Raises NotFound, ProviderError, and Conflict for a template, where the provider has it no more, or where another
    assistant here bears the provider's name.
    """
    assistant, remote = await _both(runtime, assistant_id)
    if remote is None:
        raise Conflict(GONE)
    if side is Side.THEIRS:
        return await _take_theirs(runtime, assistant, remote, actor=actor)
    check_config(assistant.config)
    provider_id = provider_id_of(assistant, verb="compared")
    written = await runtime.provider.replace_assistant(provider_id, name=assistant.name, config=assistant.config)
    deed = Deed(actor=actor, action=VersionAction.SYNCED)
    return await save_edit(runtime, replace(assistant, config=config_of(written)), deed)


async def _take_theirs(runtime: Runtime, assistant: Assistant, remote: RemoteAssistant, *, actor: str) -> Assistant:
    theirs = remote.name.strip()[:MOST_NAME_CHARACTERS]
    name = tidy_name(theirs, longest=MOST_NAME_CHARACTERS) if theirs else assistant.name
    if name != assistant.name:
        await require_free(runtime, name, except_id=assistant.id)
    deed = Deed(actor=actor, action=VersionAction.SYNCED)
    return await save_edit(runtime, replace(assistant, name=name, config=config_of(remote)), deed)


async def _both(runtime: Runtime, assistant_id: UUID) -> tuple[Assistant, RemoteAssistant | None]:
    async with runtime.database.connection() as conn:
        assistant = await assistants.get(conn, assistant_id)
    return assistant, await runtime.provider.get_assistant(provider_id_of(assistant, verb="compared"))
