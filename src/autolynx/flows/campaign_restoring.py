"""A deletion that is taken back: the campaign is there again, and calls nobody by that."""

from datetime import timedelta
from uuid import UUID

from autolynx.domain.campaign import Campaign, CampaignStatus
from autolynx.errors import Conflict
from autolynx.flows.campaign_names import suggest_name
from autolynx.flows.once_more import once_more
from autolynx.log import log
from autolynx.runtime import Runtime
from autolynx.store import audit, campaigns, follow_ups, owners

WITHIN = timedelta(minutes=10)


async def restore_campaign(runtime: Runtime, campaign_id: UUID, *, actor: str) -> Campaign:
    """Take a deletion of the last ten minutes back; one that ran is paused, one whose name is taken gets a free one.

    Raises NotFound; Conflict where a follow-up that was made meanwhile calls the same people.
    """
    since = runtime.clock.now() - WITHIN
    async with runtime.database.transaction() as conn:
        name = (await campaigns.lock_deleted(conn, campaign_id, since=since)).name
        owner_id = await owners.find_owner(conn, campaign_id)
    free = await suggest_name(runtime, name, owner_id=owner_id) or name
    await _restore(runtime, campaign_id, name=free, actor=actor)
    log.info("campaign.restored", campaign_id=str(campaign_id))
    async with runtime.database.connection() as conn:
        return await campaigns.get(conn, campaign_id)


@once_more
async def _restore(runtime: Runtime, campaign_id: UUID, *, name: str, actor: str) -> None:
    now = runtime.clock.now()
    async with runtime.database.transaction() as conn:
        await follow_ups.lock_family(conn, campaign_id)
        campaign = await campaigns.lock_deleted(conn, campaign_id, since=now - WITHIN)
        if not campaign.status.is_terminal and await follow_ups.is_called_by_others(conn, campaign_id):
            raise Conflict("Another follow-up calls some of these people by now: delete that one first.")
        await campaigns.save_restored(conn, campaign_id, name=name)
        if campaign.status.is_running:
            await campaigns.save_status(conn, campaign, CampaignStatus.PAUSED, now=now)
        await audit.append(conn, now=now, actor=actor, action="campaign.restored", subject=str(campaign_id))
