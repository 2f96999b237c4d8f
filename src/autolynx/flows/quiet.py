"""Line-quiet gating: before such a campaign launches, the provider must report no active call on its number."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from autolynx.errors import ProviderError
from autolynx.log import log
from autolynx.runtime import Runtime
from autolynx.store import campaigns

# How far back a call may have begun that is still going on: the longest call the provider allows.
LONGEST_CALL_SECONDS = 43_200.0


async def count_active(runtime: Runtime, phone_number_id: str) -> int:
    """Count the calls that the provider reports active on a number. Raises ProviderError."""
    since = runtime.clock.now() - timedelta(seconds=LONGEST_CALL_SECONDS)
    seen = await runtime.provider.list_calls(phone_number_id=phone_number_id, created_from=since)
    return sum(call.is_active for call in seen.calls)


async def look_for_quiet(runtime: Runtime, campaign_ids: Sequence[UUID]) -> bool:
    """Ask about the line of each campaign and note the quiet ones; True when at least one is quiet.

    Where the provider cannot be asked nothing is noted: the line does not count as quiet.
    """
    any_quiet = False
    for campaign_id in campaign_ids:
        async with runtime.database.connection() as conn:
            campaign = await campaigns.get(conn, campaign_id)
        try:
            active = await count_active(runtime, campaign.phone_number_id)
        except ProviderError as error:
            log.warning("quiet.unknown", campaign_id=str(campaign_id), reason=error.message)
            continue
        if active == 0:
            any_quiet = True
            async with runtime.database.connection() as conn:
                await campaigns.save_quiet(conn, campaign_id, runtime.clock.now())
    return any_quiet
