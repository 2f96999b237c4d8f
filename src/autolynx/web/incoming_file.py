"""A file on its way in, as a form or as the bare body. What is large waits on disk, never in memory."""

import hashlib
import tempfile
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from typing import BinaryIO, cast

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from autolynx.errors import PayloadTooLarge, ValidationProblem

IN_MEMORY_BYTES = 1024 * 1024
CHUNK_BYTES = 256 * 1024
MOST_FIELDS = 50
FIELD_BYTES = 64 * 1024
FORM_TYPE = "multipart/form-data"
UNNAMED = "contacts.csv"


@dataclass(frozen=True, kw_only=True)
class IncomingFile:
    """A file that has arrived whole: its name, the hash of its bytes, and the form's other fields."""

    file_name: str
    sha256: str
    fields: dict[str, str] = field(repr=False)
    _body: UploadFile = field(repr=False)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the bytes from the beginning."""
        await self._body.seek(0)
        while chunk := await self._body.read(CHUNK_BYTES):
            yield chunk


def is_form(request: Request) -> bool:
    """Whether the body is a form."""
    return request.headers.get("content-type", "").lower().startswith(FORM_TYPE)


@asynccontextmanager
async def incoming_file(
    request: Request, *, names: Collection[str], limit_bytes: int
) -> AsyncIterator[IncomingFile | None]:
    """Take the file of a form (the first field of those names) or the bare body; None where a form has no file.

    What waits on disk is removed at the end. Raises ValidationProblem, PayloadTooLarge.
    """
    if not is_form(request):
        async with _bare(request, limit_bytes) as body:
            name = body.filename or UNNAMED
            yield IncomingFile(file_name=name, sha256=await _hash(body), fields={}, _body=body)
        return
    async with _form(request) as form:
        found = _file_of(form, names)
        if found is None:
            yield None
            return
        if (found.size or 0) > limit_bytes:
            raise _too_large(limit_bytes)
        yield IncomingFile(
            file_name=found.filename or UNNAMED, sha256=await _hash(found), fields=form_fields(form), _body=found
        )


@asynccontextmanager
async def _form(request: Request) -> AsyncIterator[FormData]:
    try:
        form = await request.form(max_files=1, max_fields=MOST_FIELDS, max_part_size=FIELD_BYTES)
    except HTTPException as error:
        if error.status_code != HTTPStatus.BAD_REQUEST:
            raise
        raise ValidationProblem(f"The form could not be read: {error.detail}", field="body") from None
    try:
        yield form
    finally:
        await form.close()


def form_fields(form: FormData) -> dict[str, str]:
    """Return the plain fields of a form. Raises ValidationProblem for one that was sent twice or cannot be stored."""
    fields: dict[str, str] = {}
    for name, value in form.multi_items():
        if not isinstance(value, str):
            continue
        if name in fields:
            raise ValidationProblem(f"{name[:100]}: was sent twice; send it once.", field=name[:100])
        if "\x00" in value or "\x00" in name:
            raise ValidationProblem("The form contains a NUL character; remove it.", field="body")
        fields[name] = value
    return fields


def _file_of(form: FormData, names: Collection[str]) -> UploadFile | None:
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            if name not in names:
                wanted = " or ".join(sorted(names))
                raise ValidationProblem(f"{name[:100]}: send the file as the field {wanted}.", field=name[:100])
            return value
    return None


@asynccontextmanager
async def _bare(request: Request, limit_bytes: int) -> AsyncIterator[UploadFile]:
    spool = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115 - closed with the UploadFile
    body = UploadFile(cast("BinaryIO", spool), size=0, filename=_disposition_name(request))
    try:
        async for chunk in request.stream():
            if (body.size or 0) + len(chunk) > limit_bytes:
                raise _too_large(limit_bytes)
            await body.write(chunk)
        yield body
    finally:
        await body.close()


async def _hash(body: UploadFile) -> str:
    digest = hashlib.sha256()
    await body.seek(0)
    while chunk := await body.read(CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def _disposition_name(request: Request) -> str | None:
    """Return the file name of a Content-Disposition header, if the client sent one."""
    header = Message()
    header["Content-Disposition"] = request.headers.get("content-disposition", "")
    return header.get_filename()


def _too_large(limit_bytes: int) -> PayloadTooLarge:
    return PayloadTooLarge(
        f"The file is larger than {limit_bytes:,} bytes; split it into several files.",
        details={"field": "file", "limitBytes": limit_bytes, "setting": "MAX_UPLOAD_BYTES"},
    )
