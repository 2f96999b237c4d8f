"""`autolynx tick`."""

import typer

from autolynx.bootstrap import open_runtime
from autolynx.cli.configuring import configured
from autolynx.cli.loop import run_async
from autolynx.flows.tick import CRON_BUDGET_SECONDS, Ticked, run_once
from autolynx.settings import Settings

app = typer.Typer(add_completion=False)


@app.command()
def tick(
    budget: float = typer.Option(CRON_BUDGET_SECONDS, min=1, max=600, help="Seconds that the round may take."),
) -> None:
    """Do one round of everything that is due, then say what was done. Meant for cron; any number may run at once."""
    ticked = run_async(_tick(configured(), budget))
    launched = sum(ticked.launched.values())
    print(
        f"{launched} call(s) placed in {len(ticked.launched)} campaign(s), {ticked.changed} call(s) brought up to date."
    )
    for campaign_id, count in ticked.launched.items():
        print(f"  {campaign_id}: {count}")
    if ticked.next_at is not None:
        print(f"Something is due again at {ticked.next_at:%Y-%m-%d %H:%M:%S} UTC.")


async def _tick(settings: Settings, budget: float) -> Ticked:
    async with open_runtime(settings) as runtime:
        return await run_once(runtime, budget_seconds=budget)
