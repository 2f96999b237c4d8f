"""What the terminal shows of a running campaign: drawn from the same views as the live page."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from autolynx.web.pages.campaign_view import BAR_WIDTH, CampaignView
from autolynx.web.pages.row_view import RowView
from autolynx.web.pages.words import status_word

BAR_CELLS = 66
PART_STYLES = {
    "answered": "#46b38d",
    "voicemail": "#6d9fe2",
    "missed": "#d8ad52",
    "failed": "#e07567",
    "unsure": "#a98be0",
    "live": "#2f6b58",
}
STATE_STYLES = {
    "IN_PROGRESS": "#46b38d",
    "RINGING": "#d8ad52",
    "QUEUED": "#6d9fe2",
    "ENDED": "grey58",
    "FAILED": "#e07567",
    "TIMEOUT": "#e07567",
    "CANCELED": "grey58",
}
LINE_STYLES = {"talking": "#46b38d", "ringing": "#d8ad52", "dialling": "#6d9fe2", "ending": "grey58", "free": "grey27"}


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One moment of a campaign. `hint` says what the person at the terminal can do."""

    view: CampaignView
    rows: Sequence[RowView]
    hint: str = ""


def draw(scene: Scene) -> RenderableType:
    """Return the whole display."""
    view = scene.view
    parts: list[RenderableType] = [
        _head(view),
        Text(),
        _bar(view),
        _legend(view),
        Text(),
        _figures(view),
    ]
    parts += [Text(), _lines(view), Text(), _calls(scene.rows)]
    if view.notice:
        parts += [Text(), Text(view.notice, style="#d8ad52")]
    if scene.hint:
        parts += [Text(), Text(scene.hint, style="grey58")]
    return Padding(Group(*parts), (1, 2))


def plain_line(scene: Scene) -> str:
    """Return the display in one line, for logs and pipes."""
    view = scene.view
    said = (
        f"{view.done}/{view.total} done, {view.in_flight} in flight, {view.cost}, {view.time_word.lower()} {view.time}"
    )
    return f"{status_word(view.status)}: {said}" + (f". {view.notice}" if view.notice else "")


def _head(view: CampaignView) -> Text:
    text = Text.assemble((view.name, "bold"), "  ", (status_word(view.status), "bold #46b38d"))
    return text.append(f"  {view.assistant}, {view.mode}, up to {view.cap} at once", style="grey58")


def _bar(view: CampaignView) -> Text:
    text = Text(overflow="crop", no_wrap=True)
    for part in view.bar_parts:
        cells = round((part.start + part.width) * BAR_CELLS / BAR_WIDTH) - len(text)
        text.append("█" * cells, style=PART_STYLES[part.key])
    text.append("█" * (BAR_CELLS - len(text)), style="grey19")
    text.append(f" {view.percent:3} %", style="bold")
    return text


def _legend(view: CampaignView) -> Text:
    text = Text()
    for part in view.bar_parts:
        text.append("■ ", style=PART_STYLES[part.key])
        text.append(f"{part.label} ", style="grey58")
        text.append(f"{part.count}  ")
    return text


def _figures(view: CampaignView) -> Table:
    figures = {
        "Contacts": str(view.total),
        "Due": str(view.due),
        "In flight": f"{view.in_flight} / {view.cap}",
        "Done": str(view.done),
        "Success": view.success,
        "Cost": view.cost,
        view.time_word: view.time,
    }
    table = Table.grid(padding=(0, 4, 0, 0))
    table.add_row(*(Text(word, style="grey58") for word in figures))
    table.add_row(*(Text(figure, style="bold") for figure in figures.values()))
    return table


def _lines(view: CampaignView) -> Text:
    text = Text()
    for line in view.lines:
        text.append("━━ ", style=LINE_STYLES[line])
    return text.append(f" {view.lines_sentence}", style="grey58")


def _calls(rows: Sequence[RowView]) -> Table:
    table = Table.grid(padding=(0, 3, 0, 0))
    for width in (18, 22, 9, 14, 9, 7):
        table.add_column(no_wrap=True, overflow="ellipsis", max_width=width)
    for row in rows:
        table.add_row(
            Text(row.name),
            Text(row.business_name, style="grey58"),
            Text(status_word(row.state), style=STATE_STYLES.get(row.state, "grey58")),
            Text((row.outcome or "").replace("_", " ")),
            Text(row.talk, style="grey58", justify="right"),
            Text(row.cost, style="grey58", justify="right"),
        )
    return table
