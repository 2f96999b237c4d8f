"""`autolynx resume`."""

import socket
from pathlib import Path

import typer
from rich.console import Console

from autolynx.cli.configuring import configured
from autolynx.cli.dial import dial_to_the_end
from autolynx.cli.loop import run_async
from autolynx.cli.provider_choice import Choice, choose_provider
from autolynx.cli.simulator import Play
from autolynx.cli.stage import open_stage
from autolynx.cli.watch import Watched
from autolynx.domain.campaign import Campaign, due_again_sentence
from autolynx.errors import Conflict, NotFound
from autolynx.runtime import Runtime
from autolynx.store import live

app = typer.Typer(add_completion=False)


@app.command()
def resume(
    campaign: str = typer.Argument(help="The campaign's name or id; the beginning of its id will do."),
    output: Path = typer.Option(Path("results.csv"), help="Where the results go."),
    port: int | None = typer.Option(None, min=0, max=65535, help="Port of page and webhooks; 0 takes a free one."),
    speed: float = typer.Option(20.0, min=1, max=1000, help="Simulator: its seconds in one real second."),
    seed: int = typer.Option(7, help="Simulator: another seed, another town."),
    scenario: str = typer.Option("busy-town", help="Simulator: how the town behaves."),
) -> None:
    """Go on with a campaign that was paused, that failed and was mended, or whose run was killed.

    One that is completed goes on where contacts became due again after its end.

    Contacts that were called are not called again. Exit codes as with `autolynx run`.
    """
    settings = configured(log_level="error")
    choice = choose_provider(settings, Play(speed=speed, seed=seed, scenario=scenario))
    watched = run_async(_resume(choice, campaign, choice.listen(port), output))
    if not watched.is_complete:
        raise typer.Exit(1)


async def _resume(choice: Choice, wanted: str, listener: socket.socket, output: Path) -> Watched:
    console = Console()
    choice.announce(console, listener)
    async with open_stage(choice.settings, listener, choice.play) as stage:
        campaign = await _find(stage.runtime, wanted)
        return await dial_to_the_end(stage, campaign, console, output=output)


async def _find(runtime: Runtime, wanted: str) -> Campaign:
    """Return the campaign that is meant. Raises NotFound, Conflict where several are or it is over."""
    async with runtime.database.connection() as conn:
        found = await live.list_by_name_or_id(conn, wanted)
    meant = [one for one in found if one.campaign.name.casefold() == wanted.casefold()] or found
    if not meant:
        raise NotFound(f'There is no campaign "{wanted}" here.')
    if len(meant) > 1:
        names = ", ".join(f"{one.campaign.name} ({one.campaign.id})" for one in meant)
        raise Conflict(f"Several campaigns begin so: {names}")
    campaign = meant[0].campaign
    if campaign.status.is_terminal and not due_again_sentence(campaign.status, meant[0].counters.due):
        raise Conflict(f'The campaign "{campaign.name}" is {campaign.status.lower()}: there is nothing to go on with.')
    return campaign
