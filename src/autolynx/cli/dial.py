"""A campaign in the terminal from its start to the results."""

from pathlib import Path
from uuid import UUID

from rich.console import Console

from autolynx.cli.choose import ACTOR
from autolynx.cli.finish import print_summary, write_lines
from autolynx.cli.signing_in import NOBODY, person_at_console, sign_in_link
from autolynx.cli.stage import Stage
from autolynx.cli.watch import Watched, display, watch
from autolynx.domain.campaign import RUNNING_STATUSES, Campaign, CampaignStatus
from autolynx.flows.audit_trail import note
from autolynx.flows.campaign_life import resume_campaign, start_campaign
from autolynx.flows.export import open_export
from autolynx.store import reports
from autolynx.store.reports import CampaignFilter

OTHERS_SHOWN = 10


async def dial_to_the_end(
    stage: Stage,
    campaign: Campaign,
    console: Console,
    *,
    output: Path,
    canary: int | None = None,
    opens_dashboard: bool = False,
) -> Watched:
    """Start the campaign (or go on with it), show it until it has ended, write the results and say how it went.

    `canary`: only so many contacts are called, then it pauses by itself. `opens_dashboard`: the link leads to all
    campaigns instead of to this one.
    """
    runtime = stage.runtime
    await _mention_others(stage, campaign, console)
    if campaign.status is CampaignStatus.CREATED:
        await start_campaign(runtime, campaign.id, canary=canary)
        await note(runtime, "campaign.started", actor=ACTOR, subject=str(campaign.id))
    elif not campaign.status.is_running:
        await resume_campaign(runtime, campaign.id)
        await note(runtime, "campaign.resumed", actor=ACTOR, subject=str(campaign.id))
    stage.go()
    shown = None if opens_dashboard else campaign.id
    word = "Dashboard" if opens_dashboard else "Live page"
    where = await _link(stage, shown)
    console.print(f"{word}: {where}", highlight=False, markup=False, soft_wrap=True)
    with display(console) as show:
        watched = await watch(runtime, campaign.id, stage.interrupts, show=show)
    export = await open_export(runtime, campaign.id, actor=ACTOR)
    await write_lines(output, export.chunks)
    print_summary(console, watched, output=output)
    return watched


async def _link(stage: Stage, campaign_id: UUID | None) -> str:
    person = await person_at_console(stage.runtime)
    if person is None:
        return NOBODY
    return await sign_in_link(stage.runtime, person, base_url=stage.base_url, campaign_id=campaign_id)


async def _mention_others(stage: Stage, campaign: Campaign, console: Console) -> None:
    """Say which other campaigns go on beside this one: whoever keeps one going keeps all of them going."""
    running = CampaignFilter(statuses=RUNNING_STATUSES)
    async with stage.runtime.database.connection() as conn:
        found = await reports.list_campaigns(
            conn, running, sort="createdAt", is_descending=True, limit=OTHERS_SHOWN, skip=0
        )
    others = [one.campaign.name for one in found if one.campaign.id != campaign.id]
    if others:
        said = f"Also running, and going on beside it: {', '.join(others)}."
        console.print(said, highlight=False, markup=False, soft_wrap=True)
