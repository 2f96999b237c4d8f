"""What a person did, for the audit log."""

from collections.abc import Mapping
from typing import Any

from autolynx.runtime import Runtime
from autolynx.store import audit


async def note(
    runtime: Runtime, action: str, *, actor: str, subject: str | None = None, details: Mapping[str, Any] | None = None
) -> None:
    """Append an entry; `action` is dotted (`campaign.started`), details hold no names or phone numbers."""
    async with runtime.database.connection() as conn:
        await audit.append(conn, now=runtime.clock.now(), actor=actor, action=action, subject=subject, details=details)
