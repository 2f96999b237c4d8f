"""`autolynx run`."""

import socket
from dataclasses import replace
from pathlib import Path

import typer
from rich.console import Console

from autolynx.cli.begin import Wish, create_from_file
from autolynx.cli.configuring import configured
from autolynx.cli.dial import dial_to_the_end
from autolynx.cli.loop import run_async
from autolynx.cli.provider_choice import Choice, choose_provider
from autolynx.cli.simulator import Play
from autolynx.cli.stage import open_stage
from autolynx.cli.watch import Watched
from autolynx.domain.campaign import CampaignMode
from autolynx.domain.campaign_changes import OptionChanges

app = typer.Typer(add_completion=False)


@app.command()
def run(
    file: Path = typer.Argument(help="The CSV: name, business_name, phone, and whatever else the assistant may use."),
    assistant: str | None = typer.Option(None, help="Name or id of the assistant; the only one if there is but one."),
    phone_number: str | None = typer.Option(None, help="Id of the number to call from."),
    mode: CampaignMode = typer.Option(CampaignMode.CONTINUOUS, help="Keep lines busy, or call batch after batch."),
    cap: int | None = typer.Option(None, min=1, max=50, help="Most calls at once (DEFAULT_CONCURRENCY_CAP)."),
    region: str | None = typer.Option(None, help="Country of numbers without a country code (DEFAULT_REGION)."),
    output: Path = typer.Option(Path("results.csv"), help="Where the results go."),
    max_attempts: int = typer.Option(1, min=1, max=10, help="How often who is not reached is called at most."),
    retry_after: int = typer.Option(60, min=1, max=10080, help="Minutes from the end of one attempt to the next."),
    line_quiet: bool = typer.Option(False, "--line-quiet", help="Launch only while the number has no other call."),
    canary: int | None = typer.Option(None, min=1, max=100, help="Call only so many, then pause."),
    pause_on_failures: bool = typer.Option(True, help="Pause when most of the first 20 calls come to nothing."),
    again: bool = typer.Option(False, "--again", help="Call the file though it, or numbers of it, were called before."),
    port: int | None = typer.Option(None, min=0, max=65535, help="Port of page and webhooks; 0 takes a free one."),
    speed: float = typer.Option(20.0, min=1, max=1000, help="Simulator: its seconds in one real second."),
    seed: int = typer.Option(7, help="Simulator: another seed, another town."),
    scenario: str = typer.Option("busy-town", help="Simulator: how the town behaves."),
) -> None:
    """Call a CSV from start to end and write the results.

    Without VAPI_API_KEY a simulated town is called. Exit codes: 0 completed, 2 mend the input, 1 else, such as a pause.
    """
    choice = choose_provider(configured(log_level="error"), Play(speed=speed, seed=seed, scenario=scenario))
    wish = Wish(
        file=file,
        assistant=assistant,
        phone_number=phone_number,
        mode=mode,
        cap=cap,
        region=region,
        options=_options(line_quiet, max_attempts, retry_after, pause_on_failures),
        canary=canary,
        is_again=again,
    )
    if not run_async(_run(choice, wish, choice.listen(port), output)).is_complete:
        raise typer.Exit(1)


def _options(line_quiet: bool, max_attempts: int, retry_after: int, pauses_on_failures: bool) -> OptionChanges:
    return OptionChanges(
        line_quiet=line_quiet,
        max_attempts=max_attempts,
        retry_after_minutes=retry_after,
        pauses_on_failures=pauses_on_failures,
    )


async def _run(choice: Choice, wish: Wish, listener: socket.socket, output: Path) -> Watched:
    console = Console()
    choice.announce(console, listener)
    async with open_stage(choice.settings, listener, choice.play) as stage:
        errors = output.with_name(f"{output.stem}-errors.csv")
        whole = replace(wish, errors=errors, takes_any=choice.play is not None)
        campaign = await create_from_file(stage.runtime, whole, console)
        return await dial_to_the_end(stage, campaign, console, output=output, canary=wish.canary)
