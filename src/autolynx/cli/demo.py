"""`autolynx demo`."""

import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from pathlib import Path

import typer
from rich.console import Console

from autolynx.cli.begin import Wish, create_from_file
from autolynx.cli.choose import ACTOR
from autolynx.cli.configuring import configured
from autolynx.cli.dial import dial_to_the_end
from autolynx.cli.listening import listen
from autolynx.cli.loop import run_async
from autolynx.cli.simulator import Play
from autolynx.cli.stage import Stage, is_in_use, open_stage
from autolynx.cli.watch import Watched
from autolynx.domain.templates import TEMPLATES
from autolynx.flows.assistants import clone_assistant
from autolynx.runtime import SystemClock
from autolynx.settings import Settings

app = typer.Typer(add_completion=False)
HOST = "127.0.0.1"
PORT = 8000
OUTPUT = Path("results.csv")
CAMPAIGN = "Local businesses"
SPEAKER = "Short pitch"
NEW_SECONDS = 60


@app.command()
def demo(
    leaves: bool = typer.Option(False, "--exit", help="Leave when everybody was called, instead of serving on."),
    speed: float = typer.Option(20.0, min=1, max=1000, help="Simulated seconds in one real second."),
    seed: int = typer.Option(7, help="Another seed, another town."),
    scenario: str = typer.Option("busy-town", help="How the town behaves; `vapisim --help` lists the scenarios."),
    port: int = typer.Option(PORT, min=0, max=65535, help="Port of the dashboard; the next free one if it is taken."),
) -> None:
    """See everything at work, without an account: a simulated town is called, shown here and in a browser.

    Everything is new each time and gone afterwards; only results.csv stays in the current folder.
    """
    settings = configured(log_level="error", AUTOLYNX_ENV="development", RUNTIME="server")
    play = Play(speed=speed, seed=seed, scenario=scenario, lines=settings.account_concurrency_cap)
    with fresh_folder(settings.data_dir) as folder:
        fresh = settings.model_copy(update={"data_dir": folder, "database_url": None})
        watched = run_async(_demo(fresh, play, listen(HOST, port, may_move=True), leaves=leaves))
    if not watched.is_complete:
        raise typer.Exit(1)


async def _demo(settings: Settings, play: Play, listener: socket.socket, *, leaves: bool) -> Watched:
    console = Console()
    said = f"Nobody is really called: a simulated town answers, at {play.speed:g} times the speed."
    console.print(said, highlight=False)
    async with open_stage(settings, listener, play) as stage:
        for template in TEMPLATES:
            await clone_assistant(stage.runtime, template.id, name=_sample_name(template.name), actor=ACTOR)
        with as_file(example_file()) as file:
            wish = Wish(file=file, errors=None, name=CAMPAIGN, assistant=_sample_name(SPEAKER), takes_any=True)
            campaign = await create_from_file(stage.runtime, wish, console)
        watched = await dial_to_the_end(stage, campaign, console, output=OUTPUT, opens_dashboard=True)
        if not leaves and watched.is_complete and not stage.interrupts.count:
            await _serve_on(stage, console)
        return watched


async def _serve_on(stage: Stage, console: Console) -> None:
    console.print("The dashboard stays up. Ctrl-C leaves.", style="grey58")
    await stage.interrupts.wait()


def _sample_name(template: str) -> str:
    return f"{template} (sample)"


def example_file() -> Traversable:
    """Return the example list of the installed package; in a source tree, the repository's."""
    packaged = files("autolynx") / "examples" / "contacts.csv"
    return packaged if packaged.is_file() else Path(__file__).parents[3] / "examples" / "contacts.csv"


@contextmanager
def fresh_folder(data_dir: Path) -> Iterator[Path]:
    """Make a folder that is gone afterwards, below DATA_DIR so that it lies where data may lie."""
    parent = data_dir / "demo"
    made = [one for one in (parent, *parent.parents) if not one.exists()]
    parent.mkdir(parents=True, exist_ok=True)
    _tidy_after_the_killed(parent)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=parent))
    folder.chmod(0o755)  # run by root, the database server has an account of its own
    try:
        yield folder
    finally:
        _remove_data(folder)
        for one in made:
            if not any(one.iterdir()):
                one.rmdir()


def _tidy_after_the_killed(parent: Path) -> None:
    """Remove what demos left that were killed: folders that are not new and that nobody runs in."""
    for folder in parent.glob("run-*"):
        if SystemClock().now().timestamp() - folder.stat().st_mtime > NEW_SECONDS and not is_in_use(folder):
            _remove_data(folder)


def _remove_data(folder: Path) -> None:
    """Remove a data folder, and the database that lies elsewhere because its account cannot come here."""
    database = folder / "postgres"
    if database.is_symlink():
        shutil.rmtree(database.resolve())
    shutil.rmtree(folder)
