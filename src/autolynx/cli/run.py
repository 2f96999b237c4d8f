"""`autolynx run`."""

import socket
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
    again: bool = typer.Option(False, "--again", help="Call the file though it, or numbers of it, were called before."),
    port: int | None = typer.Option(None, min=0, max=65535, help="Port of page and webhooks; 0 takes a free one."),
    speed: float = typer.Option(20.0, min=1, max=1000, help="Simulator: its seconds in one real second."),
    seed: int = typer.Option(7, help="Simulator: another seed, another town."),
    scenario: str = typer.Option("busy-town", help="Simulator: how the town behaves."),
) -> None:
    """Call a CSV from start to end and write the results.

    Without VAPI_API_KEY a simulated town is called. Exit code 0: completed; 2: the input must be mended; 1: anything
    else, such as a pause by Ctrl-C.
    """
    settings = configured(log_level="error")
    choice = choose_provider(settings, Play(speed=speed, seed=seed, scenario=scenario))
    wish = Wish(
        file=file,
        errors=output.with_name(f"{output.stem}-errors.csv"),
        assistant=assistant,
        phone_number=phone_number,
        mode=mode,
        cap=cap,
        region=region,
        is_again=again,
        takes_any=choice.play is not None,
    )
    watched = run_async(_run(choice, wish, choice.listen(port), output))
    if not watched.is_complete:
        raise typer.Exit(1)


async def _run(choice: Choice, wish: Wish, listener: socket.socket, output: Path) -> Watched:
    console = Console()
    choice.announce(console, listener)
    async with open_stage(choice.settings, listener, choice.play) as stage:
        campaign = await create_from_file(stage.runtime, wish, console)
        return await dial_to_the_end(stage, campaign, console, output=output)
