"""Judging the rows of an upload, step by step; after any step it can go on in another process."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

from autolynx.domain.csv_headers import read_columns
from autolynx.domain.csv_import import ImportRules, Step, judge_block
from autolynx.domain.csv_rows import SeenNumbers
from autolynx.domain.import_report import UploadStatus
from autolynx.runtime import Runtime
from autolynx.store import upload_bytes, upload_rows, uploads
from autolynx.store.upload_bytes import BLOCK_BYTES
from autolynx.store.uploads import Counted, Upload


async def judge_upload(runtime: Runtime, upload_id: UUID, *, budget_seconds: float | None = None) -> None:
    """Judge rows until all are judged, the budget is used, or somebody else turns out to be at it.

    At least one step is done, whatever the budget. Raises ValidationProblem and PayloadTooLarge for files that
    cannot be read to the end.
    """
    deadline = _deadline(runtime, budget_seconds)
    upload = await _reload(runtime, upload_id)
    seen = await _numbers_so_far(runtime, upload)
    rules = _rules(runtime, upload)
    while upload.status is UploadStatus.JUDGING:
        step = await _judge_next(runtime, upload, rules, seen)
        if not await _keep(runtime, upload, step):
            return
        upload = await _reload(runtime, upload_id)
        if deadline is not None and runtime.clock.now() >= deadline:
            return


def _deadline(runtime: Runtime, budget_seconds: float | None) -> datetime | None:
    return None if budget_seconds is None else runtime.clock.now() + timedelta(seconds=budget_seconds)


async def _reload(runtime: Runtime, upload_id: UUID) -> Upload:
    async with runtime.database.connection() as conn:
        return await uploads.get_upload(conn, upload_id, owner_id=None, now=runtime.clock.now())


async def _numbers_so_far(runtime: Runtime, upload: Upload) -> SeenNumbers:
    seen = SeenNumbers()
    if upload.accepted:
        async with runtime.database.transaction() as conn:
            async for e164, row in upload_rows.stream_numbers(conn, upload.id):
                seen.first_row(e164, row=row)
    return seen


def _rules(runtime: Runtime, upload: Upload) -> ImportRules:
    return ImportRules(
        dialect=upload.dialect,
        columns=read_columns(list(upload.headers)),
        region=upload.region,
        size_bytes=upload.size_bytes,
        max_rows=runtime.settings.max_upload_rows,
    )


async def _judge_next(runtime: Runtime, upload: Upload, rules: ImportRules, seen: SeenNumbers) -> Step:
    """Judge one block; a block that holds no whole record is offered again, twice as long.

    The work is done in a thread, so that webhooks are answered in between.
    """
    size_bytes = BLOCK_BYTES
    while True:
        async with runtime.database.connection() as conn:
            block = await upload_bytes.get_bytes(
                conn, upload.id, offset=upload.progress.next_offset, size_bytes=size_bytes
            )
        step = await asyncio.to_thread(judge_block, block, progress=upload.progress, rules=rules, seen=seen)
        if step.progress != upload.progress or len(block) < size_bytes:
            return step
        size_bytes *= 2


async def _keep(runtime: Runtime, upload: Upload, step: Step) -> bool:
    """Store a step, all of it or nothing; False when another process was faster."""
    judged = step.judged
    counted = Counted(accepted=len(judged.contacts), duplicates=len(judged.duplicates), skipped=len(judged.skipped))
    async with runtime.database.transaction() as conn:
        if not await uploads.save_progress(
            conn, upload.id, before=upload.progress, after=step.progress, counted=counted
        ):
            return False
        await upload_rows.copy_in_contacts(conn, upload.id, judged.contacts)
        if judged.skipped or judged.duplicates:
            await upload_rows.copy_in_problems(conn, upload.id, skipped=judged.skipped, duplicates=judged.duplicates)
        if step.progress.next_offset == upload.size_bytes:
            await upload_bytes.delete_bytes(conn, upload.id)
    return True
