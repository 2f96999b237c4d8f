"""A file becomes an upload: in one go, or in parts for those who cannot send it in one request.

The rest of an import stands beside: upload_intake (bytes), upload_judging (rows), upload_views (what a person sees),
upload_loading (into a campaign).
"""

import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

from autolynx.domain.csv_intake import TextFile, too_large
from autolynx.domain.import_report import UploadStatus, UploadView
from autolynx.domain.phone import check_region
from autolynx.errors import Conflict, PayloadTooLarge, ValidationProblem
from autolynx.flows.once_more import once_more
from autolynx.flows.upload_intake import open_upload, take_in
from autolynx.flows.upload_judging import judge_upload
from autolynx.flows.upload_views import view_upload
from autolynx.log import log
from autolynx.runtime import Runtime
from autolynx.store import upload_bytes, uploads
from autolynx.store.database import Connection
from autolynx.store.upload_bytes import Part

UPLOAD_LIFE_SECONDS = 86400
MAX_PARTS = 10_000
MAX_FILE_NAME_CHARACTERS = 255
MOST_PURGED = 20


async def receive_upload(
    runtime: Runtime,
    *,
    file_name: str,
    chunks: AsyncIterator[bytes],
    region: str | None = None,
    owner_id: UUID | None = None,
    sees_only: UUID | None = None,
) -> UploadView:
    """Take a whole file (plain or gzip), judge every row, and show what came of it to one who sees only so much.

    `region`: two letters for numbers without a country code, DEFAULT_REGION when None. A refused file leaves
    nothing behind. Raises ValidationProblem and PayloadTooLarge, each with a sentence for the person.
    """
    upload_id = await begin_upload(runtime, file_name=file_name, region=region, owner_id=owner_id)

    async def save(number: int, block: bytes) -> None:
        async with runtime.database.connection() as conn:  # nothing is held while the sender is slow
            await upload_bytes.insert_block(conn, upload_id, number, block)

    try:
        file = await take_in(chunks, limit_bytes=runtime.settings.max_upload_bytes, save=save)
        async with runtime.database.transaction() as conn:
            await open_upload(conn, upload_id, file)
        await judge_upload(runtime, upload_id)
    except (ValidationProblem, PayloadTooLarge):
        await _forget(runtime, upload_id)
        raise
    return await _finished(runtime, upload_id, sees_only)


async def begin_upload(
    runtime: Runtime, *, file_name: str, region: str | None = None, owner_id: UUID | None = None
) -> UUID:
    """Open an upload to which parts can be sent, and return its id. It lives 24 hours."""
    upload_id, now = uuid4(), runtime.clock.now()
    known_region = check_region(region or runtime.settings.default_region)
    async with runtime.database.connection() as conn:
        await uploads.insert_upload(
            conn,
            upload_id,
            owner_id=owner_id,
            file_name=_plain_file_name(file_name),
            region=known_region,
            created_at=now,
            expires_at=now + timedelta(seconds=runtime.settings.scaled(UPLOAD_LIFE_SECONDS)),
        )
    return upload_id


@once_more
async def put_part(
    runtime: Runtime, upload_id: UUID, *, number: int, body: bytes, owner_id: UUID | None = None
) -> None:
    """Keep part `number` (from 1) of a file, plain or of one gzip stream. The same part again changes nothing.

    Raises NotFound; Conflict when the number holds other bytes or all parts were already put together;
    ValidationProblem for a number or body that cannot be; PayloadTooLarge when the parts exceed the limit.
    """
    if not 1 <= number <= MAX_PARTS:
        raise ValidationProblem(f"Parts are numbered from 1 to {MAX_PARTS:,}.", field="number")
    if not body:
        raise ValidationProblem("The part is empty; send its bytes as the body.", field="body")
    part = Part(number=number, size_bytes=len(body), sha256=hashlib.sha256(body).hexdigest())
    async with runtime.database.transaction() as conn:
        upload = await uploads.lock_upload(conn, upload_id, owner_id=owner_id, now=runtime.clock.now())
        if upload.status is not UploadStatus.RECEIVING:
            raise Conflict("The upload is complete; begin a new one for another file.")
        if await _is_new(conn, upload_id, part, limit_bytes=runtime.settings.max_upload_bytes):
            await upload_bytes.insert_part(conn, upload_id, part, body=body)


async def finish_upload(
    runtime: Runtime,
    upload_id: UUID,
    *,
    parts: int,
    owner_id: UUID | None = None,
    budget_seconds: float | None = None,
) -> UploadView:
    """Put the `parts` parts together and judge rows for about so many seconds; None: to the end.

    Call it again until the status of the view is READY; several callers at once do no harm. A refused file
    leaves nothing behind. Raises NotFound, Conflict when parts are missing, ValidationProblem, PayloadTooLarge.
    """
    try:
        is_complete = await _put_together(runtime, upload_id, parts=parts, owner_id=owner_id)
        if not is_complete:
            await judge_upload(runtime, upload_id, budget_seconds=budget_seconds)
    except (ValidationProblem, PayloadTooLarge):
        await _forget(runtime, upload_id)
        raise
    return await _finished(runtime, upload_id, owner_id)


async def purge_expired_uploads(runtime: Runtime) -> int:
    """Delete uploads whose 24 hours are over, a bounded number, each in its own transaction; return how many."""
    for purged in range(MOST_PURGED):
        async with runtime.database.transaction() as conn:
            if not await uploads.delete_one_expired(conn, now=runtime.clock.now()):
                return purged
    return MOST_PURGED


async def _is_new(conn: Connection, upload_id: UUID, part: Part, *, limit_bytes: int) -> bool:
    """Say whether a part is still to be kept. Raises Conflict for other bytes, PayloadTooLarge for too many."""
    known = await upload_bytes.list_parts(conn, upload_id)
    same_number = [earlier for earlier in known if earlier.number == part.number]
    if same_number and same_number[0].sha256 != part.sha256:
        raise Conflict(f"Part {part.number} has already arrived with other bytes; begin a new upload.")
    if sum(earlier.size_bytes for earlier in known) + part.size_bytes > limit_bytes and not same_number:
        raise too_large(limit_bytes)
    return not same_number


@once_more
async def _put_together(runtime: Runtime, upload_id: UUID, *, parts: int, owner_id: UUID | None) -> bool:
    """Make one inflated file of the parts, once; say whether all its rows are already judged."""
    limit_bytes = runtime.settings.max_upload_bytes
    async with runtime.database.transaction() as conn:
        upload = await uploads.lock_upload(conn, upload_id, owner_id=owner_id, now=runtime.clock.now())
        if upload.status is not UploadStatus.RECEIVING:
            return upload.status is UploadStatus.READY
        await _check_parts(conn, upload_id, parts)

        async def save(number: int, block: bytes) -> None:
            await upload_bytes.insert_block(conn, upload_id, number, block)

        file: TextFile = await take_in(_bodies(conn, upload_id, parts), limit_bytes=limit_bytes, save=save)
        await open_upload(conn, upload_id, file)
    return False


async def _check_parts(conn: Connection, upload_id: UUID, parts: int) -> None:
    arrived = {part.number for part in await upload_bytes.list_parts(conn, upload_id)}
    missing = [number for number in range(1, min(parts, MAX_PARTS) + 1) if number not in arrived]
    if missing or not arrived:
        named = ", ".join(map(str, missing[:10] or [1]))
        raise Conflict(f"Parts are missing: {named}; send them first.", details={"missing": missing[:100]})
    if max(arrived) > parts:
        raise Conflict(f"More parts have arrived than the {parts} announced; begin a new upload.")


async def _bodies(conn: Connection, upload_id: UUID, parts: int) -> AsyncIterator[bytes]:
    for number in range(1, parts + 1):
        yield await upload_bytes.get_part_body(conn, upload_id, number)


async def _forget(runtime: Runtime, upload_id: UUID) -> None:
    async with runtime.database.connection() as conn:
        await uploads.delete_upload(conn, upload_id)
    log.info("upload.refused", upload_id=str(upload_id))


async def _finished(runtime: Runtime, upload_id: UUID, sees_only: UUID | None) -> UploadView:
    view = await view_upload(runtime, upload_id, owner_id=sees_only)
    log.info(
        "upload.judged",
        upload_id=str(upload_id),
        status=view.status,
        accepted=view.report.accepted,
        duplicates=view.report.duplicates,
        skipped=view.report.skipped_rows,
    )
    return view


def _plain_file_name(file_name: str) -> str:
    """Return the last part of a path without characters that do not print; never empty."""
    last = file_name.replace("\\", "/").rpartition("/")[2]
    printable = "".join(character for character in last if character.isprintable()).strip()
    return printable[-MAX_FILE_NAME_CHARACTERS:] or "contacts.csv"
