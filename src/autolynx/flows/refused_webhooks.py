"""The audit of webhooks that could not prove where they come from."""

from datetime import datetime

from autolynx.log import log
from autolynx.runtime import Runtime
from autolynx.store import audit


async def note_refused_webhook(runtime: Runtime, *, address: str, count: int, minute: datetime) -> None:
    """Append one entry per address and minute at most, standing for `count` deliveries. Raises DatabaseUnavailable."""
    log.warning("webhook.refused", count=count)
    async with runtime.database.transaction() as conn:
        await audit.append_once_since(
            conn,
            since=minute,
            now=runtime.clock.now(),
            actor=address,
            action="webhook.refused",
            details={"count": count},
        )
