"""The end of a campaign in the terminal: the results, a summary, and how to go on."""

from collections.abc import AsyncIterator
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from autolynx.cli.watch import Watched
from autolynx.domain.campaign import CampaignStatus
from autolynx.errors import ConfigurationError
from autolynx.store.live import Figures
from autolynx.web.pages.words import money, share, span

UNFINISHED = ".part"


async def write_lines(path: Path, chunks: AsyncIterator[bytes]) -> None:
    """Write a file that appears whole or not at all. Raises ConfigurationError where it cannot be written."""
    unfinished = path.with_name(path.name + UNFINISHED)
    try:
        with unfinished.open("wb") as file:
            async for chunk in chunks:
                file.write(chunk)
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise ConfigurationError(
            f"{path} cannot be written ({error.strerror}); choose another place by --output."
        ) from error


def print_summary(console: Console, watched: Watched, *, output: Path) -> None:
    """Say how it went, where the results are, and how to go on if it is not complete."""
    figures = watched.figures
    console.print(_sentence(figures), highlight=False)
    console.print(_outcomes(figures))
    console.print(_figures(figures), highlight=False)
    console.print(f"Results: {output}", highlight=False, soft_wrap=True)
    for line in how_to_go_on(watched):
        console.print(line, style="yellow", highlight=False, soft_wrap=True)


def how_to_go_on(watched: Watched) -> list[str]:
    """Return what the person may do next; nothing where nothing is left to do."""
    figures = watched.figures
    resume = f'autolynx resume "{figures.name}"'
    said: list[str] = []
    if watched.trouble:
        said.append(f"The account cannot dial: {watched.trouble} Mend it, then: autolynx release, and {resume}")
    elif figures.status is CampaignStatus.FAILED:
        said.append(f"{figures.status_reason or 'It cannot go on.'} Once that is mended, go on by: {resume}")
    elif not figures.status.is_terminal:
        said.append(f"Go on by: {resume}")
    if figures.unsure:
        said.append(f"{figures.unsure} contact(s) may or may not have been called; a person decides about them.")
    return said


def _sentence(figures: Figures) -> Text:
    words = {CampaignStatus.COMPLETED: "completed", CampaignStatus.CANCELED: "stopped", CampaignStatus.FAILED: "failed"}
    word = words.get(figures.status, "paused")
    done = f"{figures.handled} of {figures.total_contacts} contacts done"
    return Text.assemble((figures.name, "bold"), f" is {word}: {done}.")


def _outcomes(figures: Figures) -> Table:
    table = Table.grid(padding=(0, 3, 0, 0))
    ordered = sorted(figures.outcomes.items(), key=lambda item: -item[1])
    for outcome, count in ordered:
        if count:
            table.add_row(f"  {outcome.replace('_', ' ')}", Text(str(count), justify="right"))
    return table


def _figures(figures: Figures) -> str:
    judged = figures.success_true + figures.success_false
    began, ended = figures.started_at, figures.completed_at
    took = f", took {span((ended - began).total_seconds())}" if began and ended else ""
    return f"Success rate {share(figures.success_true, judged)}, cost {money(figures.cost_usd)}{took}."
