"""The versions of an assistant: what it was called and how it was configured, by whom and when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class VersionAction(StrEnum):
    """What left a version behind."""

    CREATED = "created"
    IMPORTED = "imported"
    CLONED = "cloned"
    EDITED = "edited"
    RESTORED = "restored"
    SYNCED = "synced"  # the provider's side was taken over
    FOUND = "found"  # it stood in the directory before versions were kept


@dataclass(frozen=True, kw_only=True)
class Version:
    """A row of `assistant_versions`, numbered from 1. `restored_number`: the version that was restored by it."""

    assistant_id: UUID
    number: int
    at: datetime
    actor: str
    action: VersionAction
    restored_number: int | None
    name: str
    config: Mapping[str, Any] = field(repr=False)
