"""The end of a campaign in the terminal: the results, a summary, and how to go on."""

from collections.abc import AsyncIterator
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from autolynx.cli.watch import Watched
from autolynx.domain.campaign import CampaignStatus
from autolynx.errors import ConfigurationError
from autolynx.store.reports import CampaignReport
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
    console.print(_sentence(watched.report), highlight=False)
    console.print(_outcomes(watched.report))
    console.print(_figures(watched.report), highlight=False)
    console.print(f"Results: {output}", highlight=False, markup=False, soft_wrap=True)
    for line in how_to_go_on(watched):
        console.print(line, style="yellow", highlight=False, markup=False, soft_wrap=True)


def how_to_go_on(watched: Watched) -> list[str]:
    """Return what the person may do next; nothing where nothing is left to do."""
    campaign, unsure = watched.report.campaign, watched.report.counters.unsure
    resume = f'autolynx resume "{campaign.name}"'
    said: list[str] = []
    if watched.trouble:
        said.append(f"The account cannot dial: {watched.trouble} Mend it, then: autolynx release, and {resume}")
    elif campaign.status is CampaignStatus.FAILED:
        said.append(f"{campaign.status_reason or 'It cannot go on.'} Once that is mended, go on by: {resume}")
    elif campaign.status is CampaignStatus.PAUSED and campaign.status_reason:
        said.append(f"{campaign.status_reason} Go on by: {resume}")
    elif not campaign.status.is_terminal:
        said.append(f"Go on by: {resume}")
    if unsure:
        said.append(f"{unsure} contact(s) may or may not have been called; a person decides about them.")
    return said


def _sentence(report: CampaignReport) -> Text:
    words = {CampaignStatus.COMPLETED: "completed", CampaignStatus.CANCELED: "stopped", CampaignStatus.FAILED: "failed"}
    campaign, counters = report.campaign, report.counters
    handled = counters.done + counters.unsure + counters.excluded
    done = f"{handled} of {campaign.total_contacts} contacts done"
    return Text.assemble((campaign.name, "bold"), f" is {words.get(campaign.status, 'paused')}: {done}.")


def _outcomes(report: CampaignReport) -> Table:
    table = Table.grid(padding=(0, 3, 0, 0))
    for outcome, count in sorted(report.counters.calls_by_outcome.items(), key=lambda item: -item[1]):
        if count:
            table.add_row(f"  {outcome.replace('_', ' ')}", Text(str(count), justify="right"))
    return table


def _figures(report: CampaignReport) -> str:
    began, ended = report.campaign.started_at, report.campaign.completed_at
    took = f", took {span((ended - began).total_seconds())}" if began and ended else ""
    return f"Success rate {share(report.counters.success_rate)}, cost {money(report.counters.cost_usd)}{took}."
