"""What a decision about an unsure contact means from now on, in a sentence."""

from uuid import UUID

from autolynx.flows.dialing import Decision
from autolynx.runtime import Runtime
from autolynx.store import call_reports, campaigns


async def decided_sentence(runtime: Runtime, call_id: UUID, decision: Decision) -> str:
    """Say what becomes of the contact of a call that was just decided about."""
    async with runtime.database.connection() as conn:
        call = await call_reports.get_call(conn, call_id)
        campaign = await campaigns.get(conn, call.campaign_id)
    if decision is Decision.LEAVE:
        return f"{call.name} is left as it is and not called again."
    if decision is Decision.REOPEN:
        return f"{call.name} waits for your decision again."
    if campaign.status.is_running:
        return f"{call.name} is called again as soon as a line is free."
    return f"{call.name} is due again. {campaign.name} does not run: resume it to call."
