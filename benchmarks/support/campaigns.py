"""A campaign on a running server, from its first contact to its last call."""

from uuid import UUID

import httpx

from autolynx.flows.campaign_life import start_campaign
from autolynx.store.database import Database
from benchmarks.support.programs import CRON_SECRET, Served
from tests.support.engine import make_campaign, make_runtime, settings_for_test, wait_until_settled


async def begin_campaign(database: Database, sim_url: str, *, contacts: int, cap: int, first: int = 0) -> UUID:
    """Create and start a campaign; whoever ticks next dials it."""
    campaign_id = await make_campaign(database, contacts=contacts, cap=cap, first=first)
    runtime = make_runtime(database, sim_url, settings=settings_for_test())
    await start_campaign(runtime, campaign_id)
    await runtime.provider.close()
    return campaign_id


async def tick(served: Served) -> None:
    """Let the server begin at once."""
    async with httpx.AsyncClient(timeout=30) as client:
        url, headers = f"{served.url}/api/scheduler/tick", {"Authorization": f"Bearer {CRON_SECRET}"}
        (await client.post(url, headers=headers)).raise_for_status()


async def wait_for_the_end(database: Database, campaign_ids: list[UUID], *, seconds: float) -> None:
    """Return when every campaign is completed."""
    for campaign_id in campaign_ids:
        status = await wait_until_settled(database, campaign_id, seconds=seconds)
        assert status == "COMPLETED", status
