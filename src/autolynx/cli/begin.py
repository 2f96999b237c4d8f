"""The beginning of a campaign in the terminal: a file becomes contacts, or is refused in plain words."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from autolynx.cli.choose import ACTOR, choose_assistant, choose_number
from autolynx.cli.finish import write_lines
from autolynx.domain.actor import Maker
from autolynx.domain.campaign import Campaign, CampaignMode
from autolynx.domain.campaign_changes import OptionChanges
from autolynx.domain.import_report import ImportReport, ReportRow, UploadView
from autolynx.errors import Conflict, ValidationProblem
from autolynx.flows.campaign_edit import NewCampaign, create_campaign
from autolynx.flows.importing import receive_upload
from autolynx.flows.upload_views import errors_csv
from autolynx.runtime import Runtime

CHUNK_BYTES = 1 << 18
REASONS_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the person asked for; None where the settings or the account decide.

    `errors`: where skipped rows are written, to be mended; None for nowhere. `takes_any`: nobody is really called, so
    any assistant and number will do. `canary`: how many contacts are called before it pauses by itself.
    """

    file: Path
    errors: Path | None = None
    name: str | None = None
    assistant: str | None = None
    phone_number: str | None = None
    mode: CampaignMode = CampaignMode.CONTINUOUS
    cap: int | None = None
    region: str | None = None
    options: OptionChanges = field(default_factory=OptionChanges)
    canary: int | None = None
    is_again: bool = False
    takes_any: bool = False


async def create_from_file(runtime: Runtime, wish: Wish, console: Console) -> Campaign:
    """Make a campaign of a file and say what became of its rows.

    Raises ValidationProblem and Conflict with a sentence for the person: bad input, a file or numbers called before.
    """
    view = await take_file(runtime, wish, console)
    if not wish.is_again:
        _refuse_repeat(view)
    assistant_id = await choose_assistant(runtime, wish.assistant, takes_any=wish.takes_any)
    wanted = NewCampaign(
        upload_id=view.id,
        assistant_id=assistant_id,
        name=wish.name,
        mode=wish.mode,
        cap=wish.cap,
        phone_number_id=await choose_number(runtime, wish.phone_number, takes_any=wish.takes_any),
        options=wish.options.chosen(),
        include_recently_called=wish.is_again,
        is_repeat_allowed=wish.is_again,
    )
    created = await create_campaign(runtime, wanted, by=Maker(name=ACTOR))
    if created.loaded.recently_called:
        _say(
            console,
            f"{created.loaded.recently_called} number(s) were called in the last {view.recent_call_days} days and are "
            "left out; --again calls them too.",
        )
    return created.campaign


async def take_file(runtime: Runtime, wish: Wish, console: Console) -> UploadView:
    """Read and judge the file, and say what became of its rows. Raises ValidationProblem when none is left."""
    view = await receive_upload(runtime, file_name=wish.file.name, chunks=_chunks(wish.file), region=wish.region)
    for line in report_lines(view.report):
        _say(console, line)
    if view.report.skipped_rows and wish.errors is not None:
        await write_lines(wish.errors, (text.encode() async for text in errors_csv(runtime, view.id)))
        _say(console, f"The skipped rows, to be mended: {wish.errors}")
    if not view.report.accepted:
        raise ValidationProblem("No row of the file can be called; mend the skipped rows and run it again.")
    return view


def report_lines(report: ImportReport) -> list[str]:
    """Return the import report in lines: the counts, and the first rows that were left out."""
    left_out = f"{report.duplicates} duplicate(s), {report.skipped_rows} skipped"
    lines = [f"{report.accepted} of {report.total_rows} rows accepted, {left_out}."]
    lines += [f"  row {row.row}: {_because(row)}" for row in report.skipped[:REASONS_SHOWN]]
    if report.skipped_rows > REASONS_SHOWN:
        lines.append(f"  ... and {report.skipped_rows - REASONS_SHOWN} more")
    return lines


def _because(row: ReportRow) -> str:
    return f"{row.field}: {row.reason}" if row.field else row.reason


def _refuse_repeat(view: UploadView) -> None:
    """Raise Conflict for a file that was called before, or whose numbers were all called lately."""
    if view.seen_before:
        use = view.seen_before[0]
        name = f' "{use.campaign_name}"' if use.campaign_name else ""
        raise Conflict(
            f"This very file was loaded on {use.loaded_at:%Y-%m-%d} by the campaign{name}, and nobody is called twice "
            "by accident: call everybody in it again by --again."
        )
    if view.recently_called >= view.report.accepted:
        raise Conflict(
            f"All numbers of the file were called in the last {view.recent_call_days} days: call them again by --again."
        )


def _say(console: Console, line: str) -> None:
    console.print(line, highlight=False, markup=False, soft_wrap=True)


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    """Yield the bytes of a file. Raises ValidationProblem where it cannot be read."""
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise ValidationProblem(f"{path}: the file cannot be read ({error.strerror}).", field="file") from None
