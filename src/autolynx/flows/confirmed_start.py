"""Waiting for the truthful start: the moment the provider has accepted the first call of a campaign."""

from datetime import datetime
from uuid import UUID

from autolynx.domain.campaign import CampaignStatus
from autolynx.runtime import Runtime
from autolynx.store import reports

LOOK_SECONDS = 0.2
SERVER_SECONDS = 30.0
FUNCTION_SECONDS = 3.0  # a function has spent its time on the first dial already


async def wait_for_start(runtime: Runtime, campaign_id: UUID) -> tuple[CampaignStatus, datetime | None]:
    """Wait, up to 30 seconds on a server, until a campaign has truly started or will not; say where it stands.

    No connection is held in between. Raises NotFound.
    """
    left = SERVER_SECONDS if runtime.settings.runtime == "server" else FUNCTION_SECONDS
    while True:
        async with runtime.database.connection() as conn:
            status, started_at = await reports.find_started_at(conn, campaign_id)
        if started_at is not None or status is not CampaignStatus.QUEUED or left <= 0:
            return status, started_at
        await runtime.clock.sleep(LOOK_SECONDS)
        left -= LOOK_SECONDS
