"""Export: a campaign as CSV, piece by piece, with flat memory.

Each piece is a COPY of its own over a range of positions. While a slow reader takes one piece, the next waits here;
no connection, no transaction and no snapshot is held for him. A row shows its contact as it was when its piece was
read; every contact of the campaign is there exactly once.
"""

import asyncio
import csv
import io
import re
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from autolynx.domain.csv_cells import neutralise_cell
from autolynx.domain.import_report import BYTE_ORDER_MARK
from autolynx.runtime import Runtime
from autolynx.store import audit, campaigns, export
from autolynx.store.report_rows import CALLS_PATH, ContactFilter

ROWS_AT_ONCE = 5_000
ROWS_WITH_TRANSCRIPT_AT_ONCE = 250
PIECES_AHEAD = 2
_NOT_IN_FILE_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, kw_only=True)
class Export:
    """A CSV on its way: what to call the file, and its bytes (UTF-8, lines ended by a newline)."""

    file_name: str
    chunks: AsyncIterator[bytes]


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What is exported."""

    campaign_id: UUID
    keys: Sequence[str]
    has_transcript: bool
    chosen: ContactFilter
    last: int

    @property
    def step(self) -> int:
        return ROWS_WITH_TRANSCRIPT_AT_ONCE if self.has_transcript else ROWS_AT_ONCE


async def open_export(
    runtime: Runtime,
    campaign_id: UUID,
    *,
    actor: str,
    chosen: ContactFilter | None = None,
    has_transcript: bool = False,
    is_for_excel: bool = False,
) -> Export:
    """Begin an export: one line per contact, called or not, that `chosen` lets through (None: each).

    Raises NotFound before the first byte.

    A contact without a call says NOT_CALLED, and why where we know. `is_for_excel` puts a byte order mark in front,
    without which Excel takes UTF-8 for something else.
    """
    async with runtime.database.connection() as conn:
        campaign = await campaigns.get(conn, campaign_id)
        plan = _Plan(
            campaign_id=campaign_id,
            keys=await export.list_variable_keys(conn, campaign_id),
            has_transcript=has_transcript,
            chosen=chosen or ContactFilter(),
            last=await export.last_position(conn, campaign_id),
        )
        await audit.append(
            conn, now=runtime.clock.now(), actor=actor, action="campaign.exported", subject=str(campaign_id)
        )
    head = (BYTE_ORDER_MARK if is_for_excel else "") + _header(plan)
    stem = _NOT_IN_FILE_NAMES.sub("-", campaign.name).strip("-.") or "campaign"
    return Export(file_name=f"{stem}.csv", chunks=_chunks(runtime, plan, head.encode()))


def _header(plan: _Plan) -> str:
    own = [*export.CSV_COLUMNS, *([export.TRANSCRIPT_COLUMN] if plan.has_transcript else [])]
    variables = [f"variables.{key}" if key in own else neutralise_cell(key) for key in plan.keys]
    cells = [*export.CSV_COLUMNS, *variables, *([export.TRANSCRIPT_COLUMN] if plan.has_transcript else [])]
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


async def _chunks(runtime: Runtime, plan: _Plan, head: bytes) -> AsyncIterator[bytes]:
    """Yield the header, then piece after piece; the next ones are read while the last is being sent."""
    wanted = iter(range(0, plan.last + 1, plan.step))
    ahead = deque(_begin(runtime, plan, first) for first in islice(wanted, PIECES_AHEAD))
    try:
        yield head
        while ahead:
            lines = await ahead[0]
            ahead.popleft()
            ahead.extend(_begin(runtime, plan, first) for first in islice(wanted, 1))
            yield lines
    finally:
        for task in ahead:
            task.cancel()
        await asyncio.gather(*ahead, return_exceptions=True)


def _begin(runtime: Runtime, plan: _Plan, first: int) -> asyncio.Task[bytes]:
    return asyncio.create_task(_piece(runtime, plan, first=first))


async def _piece(runtime: Runtime, plan: _Plan, *, first: int) -> bytes:
    async with runtime.database.transaction() as conn:
        return await export.copy_lines(
            conn,
            plan.campaign_id,
            chosen=plan.chosen,
            keys=plan.keys,
            has_transcript=plan.has_transcript,
            calls_url=runtime.settings.public_url + CALLS_PATH,
            first=first,
            last=min(plan.last, first + plan.step - 1),
        )
