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


async def note_refusal(runtime: Runtime, *, actor: str, permission: str) -> None:
    """Append that somebody wanted what they may not, once a minute for each: a loop of refusals costs one row."""
    now = runtime.clock.now()
    async with runtime.database.transaction() as conn:
        await audit.append_once_since(
            conn,
            since=now.replace(second=0, microsecond=0),
            now=now,
            actor=actor,
            action="access.refused",
            details={"permission": permission},
        )
