"""The judged rows of uploads: contacts that wait for a campaign, and what was wrong with the others."""

import json
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from autolynx.domain.csv_rows import ContactRow, DuplicateRow, SkippedRow
from autolynx.domain.import_report import PreviewRow
from autolynx.store.database import Connection


async def copy_in_contacts(conn: Connection, upload_id: UUID, contacts: Sequence[ContactRow]) -> None:
    """Add judged contacts to an upload."""
    upload = str(upload_id)
    statement = """COPY upload_rows (upload_id, row_number, name, business_name, phone, phone_raw, extension,
        variables) FROM STDIN"""
    async with conn.cursor() as cursor, cursor.copy(statement) as copy:
        for contact in contacts:
            await copy.write_row(
                (
                    upload,
                    contact.row,
                    contact.name,
                    contact.business_name,
                    contact.phone.e164,
                    contact.phone.raw,
                    contact.phone.extension,
                    json.dumps(contact.variables, ensure_ascii=False) if contact.variables else "{}",
                )
            )


async def copy_in_problems(
    conn: Connection, upload_id: UUID, *, skipped: Sequence[SkippedRow], duplicates: Sequence[DuplicateRow]
) -> None:
    """Add skipped rows and duplicates to an upload."""
    upload = str(upload_id)
    statement = """COPY upload_problems (upload_id, row_number, first_row, field, reason, value, cells)
        FROM STDIN"""
    async with conn.cursor() as cursor, cursor.copy(statement) as copy:
        for row in skipped:
            await copy.write_row((upload, row.row, None, row.field, row.reason, row.value, list(row.cells)))
        for duplicate in duplicates:
            await copy.write_row((upload, duplicate.row, duplicate.first_row, "phone", "duplicate", "", []))


async def stream_numbers(conn: Connection, upload_id: UUID) -> AsyncIterator[tuple[str, int]]:
    """Yield the number and row of every contact of an upload, with flat memory."""
    statement = "COPY (SELECT phone, row_number FROM upload_rows WHERE upload_id = %s) TO STDOUT"
    async with conn.cursor() as cursor, cursor.copy(statement, [upload_id]) as copy:
        async for phone, row in copy.rows():
            yield phone, int(row)


async def list_preview(conn: Connection, upload_id: UUID, *, limit: int) -> tuple[PreviewRow, ...]:
    """Return the first contacts of an upload."""
    cursor = await conn.execute(
        """SELECT row_number AS row, name, business_name, phone, extension, variables FROM upload_rows
           WHERE upload_id = %s ORDER BY row_number LIMIT %s""",
        [upload_id, limit],
    )
    return tuple([PreviewRow(**row) async for row in cursor])


async def list_skipped(conn: Connection, upload_id: UUID, *, after_row: int, limit: int) -> tuple[SkippedRow, ...]:
    """Return skipped rows in the file's order, from after a row on."""
    cursor = await conn.execute(
        """SELECT row_number AS row, field, reason, value, cells FROM upload_problems
           WHERE upload_id = %s AND first_row IS NULL AND row_number > %s ORDER BY row_number LIMIT %s""",
        [upload_id, after_row, limit],
    )
    return tuple([SkippedRow(**{**row, "cells": tuple(row["cells"])}) async for row in cursor])


async def list_duplicates(conn: Connection, upload_id: UUID, *, limit: int) -> tuple[DuplicateRow, ...]:
    """Return the first duplicates of an upload."""
    cursor = await conn.execute(
        """SELECT row_number AS row, first_row FROM upload_problems
           WHERE upload_id = %s AND first_row IS NOT NULL ORDER BY row_number LIMIT %s""",
        [upload_id, limit],
    )
    return tuple([DuplicateRow(**row) async for row in cursor])
