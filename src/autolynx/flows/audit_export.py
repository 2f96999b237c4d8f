"""The audit log as CSV, piece by piece; that it was exported stands in it."""

import json
from collections.abc import AsyncIterator

from autolynx.domain.csv_cells import csv_line
from autolynx.flows.audit_trail import note
from autolynx.runtime import Runtime
from autolynx.store import audit_entries
from autolynx.store.audit_entries import AuditEntry, AuditFilter

ROWS_AT_ONCE = 1_000
COLUMNS = ("at", "actor", "origin", "action", "subject", "details")


async def open_audit_export(runtime: Runtime, chosen: AuditFilter, *, actor: str) -> AsyncIterator[bytes]:
    """Put the export on record and return its lines, oldest first. No connection is held between two pieces."""
    await note(runtime, "audit.exported", actor=actor)
    return _chunks(runtime, chosen)


async def _chunks(runtime: Runtime, chosen: AuditFilter) -> AsyncIterator[bytes]:
    yield csv_line(COLUMNS).encode()
    after = 0
    while True:
        async with runtime.database.connection() as conn:
            found = await audit_entries.list_after(conn, chosen, after=after, most=ROWS_AT_ONCE)
        if not found:
            return
        after = found[-1].id
        yield "".join(csv_line(_cells(entry)) for entry in found).encode()


def _cells(entry: AuditEntry) -> list[str]:
    at = entry.at.isoformat(timespec="seconds").replace("+00:00", "Z")
    details = json.dumps(dict(entry.details), sort_keys=True) if entry.details else ""
    return [at, entry.actor, entry.origin or "", entry.action, entry.subject or "", details]
