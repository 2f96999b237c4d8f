"""What is shown of an assistant: words and figures made of a row of the directory."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from autolynx.domain.assistant import AssistantSource, value_at
from autolynx.domain.assistant_version import VersionAction
from autolynx.domain.config_diff import Change
from autolynx.flows.assistant_versions import ListedVersion
from autolynx.store.directory import DirectoryRow
from autolynx.web.pages.words import NOTHING, money, share

SOURCE_WORDS = {
    AssistantSource.LOCAL: "Made here",
    AssistantSource.IMPORTED: "Imported",
    AssistantSource.TEMPLATE: "Template",
}
ACTION_WORDS = {
    VersionAction.CREATED: "Created",
    VersionAction.IMPORTED: "Imported",
    VersionAction.CLONED: "Cloned",
    VersionAction.EDITED: "Edited",
    VersionAction.RESTORED: "Restored",
    VersionAction.SYNCED: "Taken from the provider",
    VersionAction.FOUND: "Found",
}
LABELS = {
    "name": "Name",
    "model.provider": "Model provider",
    "model.model": "Model",
    "model.temperature": "Temperature",
    "model.messages.0.content": "System prompt",
    "voice.provider": "Voice provider",
    "voice.voiceId": "Voice",
    "firstMessage": "First message",
    "voicemailMessage": "Voicemail message",
    "voicemailDetection": "Voicemail detection",
    "voicemailDetection.provider": "Voicemail detection",
    "endCallMessage": "Closing message",
    "endCallPhrases": "Phrases that end the call",
    "maxDurationSeconds": "Longest call",
    "silenceTimeoutSeconds": "Silence that ends the call",
    "artifactPlan.recordingEnabled": "Recording",
    "analysisPlan.successEvaluationPlan.rubric": "Success is judged by",
    "analysisPlan.successEvaluationPlan.messages.0.content": "What counts as success",
}
MOST_LABELS = 3


@dataclass(frozen=True, kw_only=True)
class AssistantView:
    """An assistant as its row and its page show it. `used` says in words where; figures are of calls that are over.

    `may_write`: whether it is shown to somebody who may change it.
    """

    id: UUID
    name: str
    source: str
    is_template: bool
    is_active: bool
    provider_assistant_id: str | None
    campaigns: int
    open_campaigns: int
    used: str
    calls: int
    answered: str
    success: str
    average_cost: str
    first_message: str
    updated_at: datetime
    may_write: bool

    @property
    def address(self) -> str:
        """Where its page is."""
        return f"/assistants/{self.id}"


def assistant_view(row: DirectoryRow, *, may_write: bool) -> AssistantView:
    """Return what is shown."""
    assistant, usage = row.assistant, row.usage
    return AssistantView(
        id=assistant.id,
        name=assistant.name,
        source=SOURCE_WORDS[assistant.source],
        is_template=assistant.is_template,
        is_active=assistant.active,
        provider_assistant_id=assistant.provider_assistant_id,
        campaigns=usage.campaigns,
        open_campaigns=usage.open_campaigns,
        used=_used(usage.campaigns),
        calls=usage.calls,
        answered=share(usage.answer_rate),
        success=share(usage.success_rate),
        average_cost=money(usage.average_cost_usd) or NOTHING,
        first_message=_first_message(assistant.config),
        updated_at=assistant.updated_at,
        may_write=may_write,
    )


def _used(campaigns: int) -> str:
    if not campaigns:
        return "Not used yet"
    return "1 campaign" if campaigns == 1 else f"{campaigns:,} campaigns"


def _first_message(config: Mapping[str, Any]) -> str:
    said = value_at(config, "firstMessage")
    return said if isinstance(said, str) else ""


@dataclass(frozen=True, kw_only=True)
class ChangeView:
    """A change as people read it: what it is called, both values as text, and the lines of a long text."""

    label: str
    path: str
    before: str
    after: str
    lines: tuple[tuple[str, str], ...]  # a word for the sign, and the text


_SIGNS = {"+": "added", "-": "removed", " ": "same", "…": "gap"}


def change_view(change: Change) -> ChangeView:
    """Return what is shown of a change."""
    return ChangeView(
        label=LABELS.get(change.path, change.path),
        path=change.path,
        before=shown(change.before),
        after=shown(change.after),
        lines=tuple((_SIGNS[line.sign], line.text) for line in change.lines),
    )


def shown(value: Any) -> str:
    """Return a value of a configuration as a person reads it."""
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ", ".join(shown(one) for one in value) or "empty"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {shown(one)}" for key, one in value.items()) or "empty"
    return str(value)


def what_changed(listed: ListedVersion) -> str:
    """Return in a few words what a version changed."""
    version = listed.version
    if version.action is VersionAction.RESTORED and version.restored_number is not None:
        return f"Back to version {version.restored_number}"
    if listed.is_first:
        return "The first version"
    names = list(dict.fromkeys(LABELS.get(path, path) for path in listed.changed))
    more = len(names) - MOST_LABELS
    told = ", ".join(names[:MOST_LABELS])
    return f"{told} and {more} more" if more > 0 else told or "Nothing that is shown"
