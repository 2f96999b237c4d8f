"""The CSV of a campaign, streamed."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from autolynx.flows.export import open_export
from autolynx.web.api.contacts import ContactFilterDep
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep
from autolynx.web.streaming import ClosingStream

router = APIRouter(prefix="/api", tags=["campaigns"])


@router.get(
    "/campaigns/{campaign_id}/export.csv",
    summary="Export a campaign as CSV",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def export(
    campaign_id: UUID,
    *,
    runtime: RuntimeDep,
    actor: CallerDep,
    chosen: ContactFilterDep,
    include: Literal["transcript"] | None = None,
    excel: Annotated[bool, Query(description="Begin with a byte order mark, by which Excel knows UTF-8.")] = False,
) -> Response:
    """Return one line per contact, called or not, that fits; `include=transcript` adds `transcript_json`.

    Cells that a spreadsheet would run as a formula begin with an apostrophe; signed numbers stay as they are.
    """
    exported = await open_export(
        runtime,
        campaign_id,
        actor=actor.name,
        chosen=chosen,
        has_transcript=include == "transcript",
        is_for_excel=excel,
    )
    return ClosingStream(
        exported.chunks,
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{exported.file_name}"'},
    )
