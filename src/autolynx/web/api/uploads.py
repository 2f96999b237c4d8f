"""CSV files over JSON: in one request, or in parts for those whose requests are capped."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.responses import JSONResponse, StreamingResponse

from autolynx.domain.actor import Actor
from autolynx.domain.import_report import UploadView
from autolynx.errors import PayloadTooLarge, ValidationProblem
from autolynx.flows.audit_trail import note
from autolynx.flows.importing import MAX_PARTS, begin_upload, finish_upload, put_part, receive_upload
from autolynx.flows.upload_views import errors_csv, view_upload
from autolynx.runtime import Runtime
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep
from autolynx.web.idempotency import OnceDep
from autolynx.web.incoming_file import IncomingFile, incoming_file
from autolynx.web.shapes import Input, Shape
from autolynx.web.shapes_uploads import UploadShape

router = APIRouter(prefix="/api", tags=["uploads"])

FILE_FIELDS = frozenset({"file", "contactsCsv"})
FUNCTION_BUDGET_SECONDS = 5.0  # how long a function judges rows before it answers; the client asks again
Region = Annotated[str | None, Query(max_length=2, description="Two letters, for numbers without a country code.")]
_FILE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}, "region": {"type": "string"}},
                }
            },
            "text/csv": {"schema": {"type": "string"}},
            "application/gzip": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
_PART_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class NewUpload(Input):
    """An upload that comes in parts."""

    file_name: str = Field(default="contacts.csv", min_length=1, max_length=255)
    region: str | None = Field(default=None, max_length=2)


class UploadBegun(Shape):
    """Where the parts go."""

    upload_id: UUID


class UploadFinish(Input):
    """How many parts there are."""

    parts: int = Field(ge=1, le=MAX_PARTS)


@router.post("/uploads", status_code=201, response_model=UploadShape, summary="Upload a CSV", openapi_extra=_FILE_BODY)
async def upload(
    request: Request, runtime: RuntimeDep, actor: CallerDep, once: OnceDep, region: Region = None
) -> JSONResponse:
    """Take a CSV as the form field `file` or as the bare body, plain or gzip, and judge every row of it.

    In a function a long list may still be `judging` when this answers: finish it with `parts` 1.
    """
    limit = runtime.settings.max_upload_bytes
    async with incoming_file(request, names=FILE_FIELDS, limit_bytes=limit) as file:
        if file is None:
            raise ValidationProblem("file: send the CSV as the form field file.", field="file")
        chosen = region or file.fields.get("region") or None
        asked = {"file": file.sha256, "name": file.file_name, "region": chosen}

        async def work() -> UploadShape:
            return UploadShape.of(await _receive(runtime, file, region=chosen, actor=actor))

        return await once.answer(asked, work, status=201)


async def _receive(runtime: Runtime, file: IncomingFile, *, region: str | None, actor: Actor) -> UploadView:
    if runtime.settings.runtime == "server":
        return await receive_upload(
            runtime,
            file_name=file.file_name,
            chunks=file.chunks(),
            region=region,
            owner_id=actor.user_id,
            sees_only=actor.sees_only,
        )
    upload_id = await begin_upload(runtime, file_name=file.file_name, region=region, owner_id=actor.user_id)
    body = b"".join([chunk async for chunk in file.chunks()])
    await put_part(runtime, upload_id, number=1, body=body, owner_id=actor.sees_only)
    return await finish_upload(
        runtime, upload_id, parts=1, owner_id=actor.sees_only, budget_seconds=FUNCTION_BUDGET_SECONDS
    )


@router.post("/uploads/parts", status_code=201, summary="Begin an upload in parts")
async def begin(runtime: RuntimeDep, actor: CallerDep, body: NewUpload | None = None) -> UploadBegun:
    """Open an upload; its parts are then PUT in any order, and it is finished."""
    wanted = body or NewUpload()
    upload_id = await begin_upload(runtime, file_name=wanted.file_name, region=wanted.region, owner_id=actor.user_id)
    return UploadBegun(upload_id=upload_id)


@router.put("/uploads/{upload_id}/parts/{number}", status_code=204, summary="Send a part", openapi_extra=_PART_BODY)
async def send_part(
    upload_id: UUID,
    number: Annotated[int, Path(ge=1, le=MAX_PARTS)],
    request: Request,
    runtime: RuntimeDep,
    actor: CallerDep,
) -> None:
    """Keep one part, of a plain file or of one gzip stream. The same part again changes nothing."""
    limit = runtime.settings.max_upload_bytes
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise PayloadTooLarge(f"A part may have at most {limit:,} bytes.", details={"limitBytes": limit})
    await put_part(runtime, upload_id, number=number, body=bytes(body), owner_id=actor.sees_only)


@router.post("/uploads/{upload_id}/finish", summary="Finish an upload in parts")
async def finish(upload_id: UUID, body: UploadFinish, runtime: RuntimeDep, actor: CallerDep) -> UploadShape:
    """Put the parts together and judge rows; ask again until the status is `ready`."""
    budget = None if runtime.settings.runtime == "server" else FUNCTION_BUDGET_SECONDS
    view = await finish_upload(runtime, upload_id, parts=body.parts, owner_id=actor.sees_only, budget_seconds=budget)
    return UploadShape.of(view)


@router.get("/uploads/{upload_id}", summary="Show an upload")
async def get(upload_id: UUID, runtime: RuntimeDep, actor: CallerDep) -> UploadShape:
    """Return the report and the preview of an upload."""
    return UploadShape.of(await view_upload(runtime, upload_id, owner_id=actor.sees_only))


@router.get(
    "/uploads/{upload_id}/errors.csv",
    summary="Download the rows to be mended",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {}}}},
)
async def download_errors(upload_id: UUID, runtime: RuntimeDep, actor: CallerDep) -> StreamingResponse:
    """Return the skipped rows as a CSV that can be mended and uploaded again."""
    lines = errors_csv(runtime, upload_id, owner_id=actor.sees_only)
    first = await anext(lines)  # a missing upload is refused here, before the answer begins
    await note(runtime, "upload.exported", actor=actor.name, subject=str(upload_id))

    async def whole() -> Any:
        yield first
        async for text in lines:
            yield text

    headers = {"Content-Disposition": f'attachment; filename="errors-{upload_id}.csv"'}
    return StreamingResponse(whole(), media_type="text/csv; charset=utf-8", headers=headers)
