"""The badge of a campaign's phone line: what the provider said within the last minute. It never gates anything."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from autolynx.flows.phone_line import LineStatus, PhoneLine, PhoneLines
from autolynx.runtime import Runtime
from autolynx.store import campaigns, phone_numbers
from autolynx.web.api.health import get_phone_lines
from autolynx.web.context import RuntimeDep
from autolynx.web.pages.campaign_address import campaign_id_of
from autolynx.web.pages.rendering import answer, fragment

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, kw_only=True)
class LineView:
    """A phone line as its badge shows it."""

    status: str
    label: str | None
    sentence: str
    at: datetime
    is_fresh: bool


@router.get("/campaigns/{campaign_id}/phone-line")
async def show_line(
    campaign_id: str, runtime: RuntimeDep, lines: Annotated[PhoneLines, Depends(get_phone_lines)]
) -> Response:
    """Show how busy the line of a campaign is."""
    async with runtime.database.connection() as conn:
        campaign = await campaigns.get(conn, campaign_id_of(campaign_id))
    await lines.look(campaign.phone_number_id)
    return answer(fragment("phone_line.html", line=await seen_line(runtime, lines, campaign.phone_number_id)))


async def seen_line(runtime: Runtime, lines: PhoneLines, phone_number_id: str) -> LineView | None:
    """Return what was seen last of a line, None before the first look; nobody waits for the provider."""
    line = lines.last_look(phone_number_id)
    if line is None:
        return None
    async with runtime.database.connection() as conn:
        known = (await phone_numbers.list_labels(conn)).get(phone_number_id)
    return LineView(
        status=line.status,
        label=known.label if known else None,
        sentence=_sentence(line),
        at=line.last_checked,
        is_fresh=lines.is_fresh(line),
    )


def _sentence(line: PhoneLine) -> str:
    if line.status is LineStatus.ERROR or line.active_calls is None:
        return "the provider cannot say"
    if not line.active_calls:
        return "free"
    return f"{line.active_calls} {'call' if line.active_calls == 1 else 'calls'} on it"
