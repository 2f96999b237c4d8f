"""Campaigns over JSON: create, list, show, change, delete."""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import ValidationError
from starlette.responses import JSONResponse

from autolynx.domain.actor import Actor
from autolynx.domain.bounds import Bound
from autolynx.domain.campaign import CampaignStatus
from autolynx.domain.campaign_changes import OptionChanges
from autolynx.errors import ValidationProblem
from autolynx.flows.campaign_edit import (
    Changes,
    Created,
    NewCampaign,
    create_campaign,
    delete_campaign,
    patch_campaign,
)
from autolynx.flows.dialing_state import get_campaign_bound
from autolynx.flows.importing import receive_upload
from autolynx.runtime import Runtime
from autolynx.store import reports
from autolynx.store.reports import CampaignFilter
from autolynx.web.auth import CallerDep
from autolynx.web.context import LaunchingDep, RuntimeDep
from autolynx.web.idempotency import OnceDep
from autolynx.web.incoming_file import IncomingFile, form_fields, incoming_file, is_form
from autolynx.web.problems import validation_problem
from autolynx.web.shapes import Pagination
from autolynx.web.shapes_campaign_inputs import CampaignChanges, NewCampaignInput
from autolynx.web.shapes_campaigns import (
    CampaignCreated,
    CampaignDetail,
    CampaignItem,
    CampaignList,
    CampaignShown,
    CreatedReport,
)

router = APIRouter(prefix="/api", tags=["campaigns"])

FILE_FIELDS = frozenset({"contactsCsv"})
MOST_PAGES = 1_000_000
Sort = Literal["createdAt", "startedAt", "completedAt", "name", "status", "totalContacts", "totalCost"]


def _body_of_create() -> dict[str, Any]:
    """Describe the form of POST /campaigns, which is read by hand so that the file never waits in memory."""
    schema = NewCampaignInput.model_json_schema(by_alias=True)
    schema.pop("$defs", None)
    schema["properties"]["mode"] = {"type": "string", "enum": ["continuous", "batch"], "default": "continuous"}
    with_file = {**schema["properties"], "contactsCsv": {"type": "string", "format": "binary"}}
    return {
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {"schema": {**schema, "properties": with_file}},
                "application/json": {"schema": {**schema, "required": ["assistantId", "uploadId"]}},
            },
        }
    }


@router.post(
    "/campaigns",
    status_code=201,
    response_model=CampaignCreated,
    summary="Create a campaign",
    openapi_extra=_body_of_create(),
)
async def create(request: Request, runtime: RuntimeDep, actor: CallerDep, once: OnceDep) -> JSONResponse:
    """Create a campaign from a CSV sent along (`contactsCsv`) or an upload (`uploadId`): all of it or nothing."""
    if not is_form(request):
        wanted = _read(await _json_fields(request))
        return await _create_once(runtime, once, wanted, None, actor)
    limit = runtime.settings.max_upload_bytes
    async with incoming_file(request, names=FILE_FIELDS, limit_bytes=limit) as file:
        fields = file.fields if file else form_fields(await request.form())
        wanted = _read({name: value for name, value in fields.items() if value != ""})
        return await _create_once(runtime, once, wanted, file, actor)


async def _create_once(
    runtime: Runtime, once: OnceDep, wanted: NewCampaignInput, file: IncomingFile | None, actor: Actor
) -> JSONResponse:
    if (file is None) == (wanted.upload_id is None):
        raise ValidationProblem(
            "contactsCsv: send either a CSV as the form field contactsCsv or an uploadId.", field="contactsCsv"
        )
    asked = {**wanted.model_dump(mode="json"), "file": file.sha256 if file else None}

    async def work() -> CampaignCreated:
        upload_id = wanted.upload_id or await _receive(runtime, file, wanted.region, actor)
        return await _answer(runtime, await create_campaign(runtime, _new(wanted, upload_id), by=actor.maker))

    return await once.answer(asked, work, status=201)


async def _receive(runtime: Runtime, file: IncomingFile | None, region: str | None, actor: Actor) -> UUID:
    assert file is not None  # noqa: S101 - one of the two is there
    view = await receive_upload(
        runtime, file_name=file.file_name, chunks=file.chunks(), region=region, owner_id=actor.user_id
    )
    return view.id


def _new(wanted: NewCampaignInput, upload_id: UUID) -> NewCampaign:
    return NewCampaign(
        upload_id=upload_id,
        assistant_id=wanted.assistant_id,
        name=wanted.name,
        mode=wanted.mode,
        cap=wanted.cap,
        phone_number_id=wanted.phone_number_id,
        options={
            "lineQuiet": wanted.line_quiet,
            "pauseOnFailures": wanted.pause_on_failures,
            "maxAttempts": wanted.max_attempts,
            "retryAfterMinutes": wanted.retry_after_minutes,
        },
        include_recently_called=wanted.include_recently_called,
        is_repeat_allowed=wanted.again,
    )


async def _answer(runtime: Runtime, created: Created) -> CampaignCreated:
    async with runtime.database.connection() as conn:
        report = await reports.get_campaign(conn, created.campaign.id)
    return CampaignCreated(
        campaign_id=created.campaign.id,
        import_report=CreatedReport.of_created(created),
        campaign=CampaignDetail.of(report, runtime.clock.now()),
    )


def _read(fields: Mapping[str, Any]) -> NewCampaignInput:
    try:
        return NewCampaignInput.model_validate(fields)
    except ValidationError as error:
        raise validation_problem(error.errors()) from None


async def _json_fields(request: Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except (ValueError, RecursionError):
        raise ValidationProblem("The body is neither a multipart form nor valid JSON.", field="body") from None
    if not isinstance(body, dict):
        raise ValidationProblem("The body must be an object.", field="body")
    return body


@router.get("/campaigns", summary="List campaigns")
async def list_campaigns(
    *,
    runtime: RuntimeDep,
    actor: CallerDep,
    status: Annotated[list[CampaignStatus] | None, Query()] = None,
    search: Annotated[str, Query(max_length=200)] = "",
    tests: bool = False,
    sort: Sort = "createdAt",
    order: Literal["asc", "desc"] = "desc",
    page: Annotated[int, Query(ge=1, le=MOST_PAGES)] = 1,
    limit: Annotated[int, Query(ge=1, le=100)] = 25,
) -> CampaignList:
    """Return a page of campaigns with their figures, with `tests` the test calls too."""
    chosen = CampaignFilter(
        statuses=status or (), search=search.strip(), includes_tests=tests, owner_id=actor.sees_only
    )
    async with runtime.database.connection() as conn:
        total = await reports.count_campaigns(conn, chosen)
        found = await reports.list_campaigns(
            conn, chosen, sort=sort, is_descending=order == "desc", limit=limit, skip=(page - 1) * limit
        )
    return CampaignList(
        campaigns=[CampaignItem.of(report) for report in found],
        pagination=Pagination.of(page=page, limit=limit, total=total),
    )


@router.get(
    "/campaigns/{campaign_id}",
    summary="Show a campaign",
    response_model=CampaignShown,
    responses={304: {"description": "Nothing has changed since the ETag of If-None-Match."}},
)
async def show(campaign_id: UUID, request: Request, runtime: RuntimeDep, _actor: CallerDep) -> Response:
    """Return a campaign in full. With If-None-Match the answer is 304 while nothing has changed."""
    async with runtime.database.connection() as conn:
        report = await reports.get_campaign(conn, campaign_id)
    bound = await get_campaign_bound(runtime, report.campaign)
    tag = etag_of(report, bound)
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    detail = CampaignShown.with_bound(report, bound, runtime.clock.now())
    return JSONResponse(detail.model_dump(mode="json", by_alias=True), headers=headers)


def etag_of(report: reports.CampaignReport, bound: Bound) -> str:
    """Return a mark that changes with everything that a detail shows, the passing of time aside."""
    changing = (
        report.counters.version,
        repr(report.campaign),
        report.assistant,
        report.is_assistant_active,
        repr(bound),
    )
    return f'W/"{report.counters.version:x}-{hash_of(repr(changing))}"'


def hash_of(text: str) -> str:
    """Return a short hash that is the same in every process."""
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


@router.patch("/campaigns/{campaign_id}", summary="Change a campaign")
async def patch(
    campaign_id: UUID, body: CampaignChanges, runtime: RuntimeDep, actor: CallerDep, launching: LaunchingDep
) -> CampaignDetail:
    """Change name and cap at any time, at once; options until it is over; mode, assistant and number before Start."""
    changes = Changes(
        name=body.name,
        cap=body.cap,
        mode=body.mode,
        assistant_id=body.assistant_id,
        phone_number_id=body.phone_number_id,
        options=OptionChanges(
            line_quiet=body.line_quiet,
            max_attempts=body.max_attempts,
            retry_after_minutes=body.retry_after_minutes,
            pauses_on_failures=body.pause_on_failures,
        ),
    )
    edited = await patch_campaign(runtime, campaign_id, changes, actor=actor.name)
    if edited.has_more_room and edited.after.status.is_running:
        await launching.work_added()
    async with runtime.database.connection() as conn:
        report = await reports.get_campaign(conn, campaign_id)
    return CampaignDetail.of(report, runtime.clock.now())


@router.delete("/campaigns/{campaign_id}", status_code=204, summary="Delete a campaign")
async def delete(campaign_id: UUID, runtime: RuntimeDep, actor: CallerDep) -> None:
    """Delete a campaign that has no live call. Its calls stay in the history."""
    await delete_campaign(runtime, campaign_id, actor=actor.name)
