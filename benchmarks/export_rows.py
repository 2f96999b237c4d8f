"""Export of 1,000,000 rows against its floor: a bare COPY of the same cells, by the same driver, in the same run.

    python benchmarks/export_rows.py [--rows 1000000] [--database-url URL]

Prints rows per second, the ratio to the floor, and how far memory grew. Ends with 1 below the reach.
"""

import argparse
import asyncio
import os
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

from autolynx.flows.export import open_export
from autolynx.runtime import Runtime, SystemClock
from autolynx.settings import load_settings
from autolynx.store.database import Database
from autolynx.store.embedded import EmbeddedPostgres
from autolynx.store.migrate import migrate

REACH_ROWS_PER_SECOND = 150_000
MOST_GROWTH_MB = 64
BARE = """COPY (SELECT c.name, a.name, t.name, t.business_name, t.phone, k.status, k.outcome, k.ended_reason,
        k.cost_usd, k.ended_at - k.started_at, k.started_at, k.ended_at, k.recording_url, k.success_evaluation,
        k.summary, t.variables ->> 'city'
    FROM contacts t JOIN campaigns c ON c.id = t.campaign_id JOIN assistants a ON a.id = c.assistant_id
    LEFT JOIN calls k ON k.contact_id = t.id WHERE t.campaign_id = %s) TO STDOUT (FORMAT csv)"""


@asynccontextmanager
async def opened(url: str | None) -> AsyncIterator[Database]:
    """Open the database named, or an embedded one of this run's own."""
    if url:
        database = await Database.open(url)
        yield database
        await database.close()
        return
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101, S103 - the server may run as another account
        async with EmbeddedPostgres(Path(folder) / "data") as server:
            database = await Database.open(server.url)
            yield database
            await database.close()


async def fill(database: Database, rows: int) -> UUID:
    """Make a finished campaign; triggers are off, because nobody asks for its counters here."""
    campaign_id, assistant_id, now = uuid4(), uuid4(), SystemClock().now()
    values = {"id": campaign_id, "assistant": assistant_id, "now": now, "rows": rows}
    async with database.connection() as conn:
        await conn.execute("SET session_replication_role = replica")
        await conn.execute(
            """INSERT INTO assistants (id, name, source, provider_assistant_id, config_json, created_at, updated_at)
               VALUES (%(assistant)s, 'Riley', 'imported', 'benchmark', '{}', %(now)s, %(now)s)""",
            values,
        )
        await conn.execute(
            """INSERT INTO campaigns
                   (id, name, status, mode, cap, assistant_id, phone_number_id, total_contacts, created_at)
               VALUES (%(id)s, 'A million', 'COMPLETED', 'continuous', 8, %(assistant)s, 'line', %(rows)s, %(now)s)""",
            values,
        )
        await conn.execute(
            """INSERT INTO contacts (campaign_id, name, business_name, phone, phone_raw, position, state, variables)
               SELECT %(id)s, 'Ada Example ' || n,
                   CASE WHEN n %% 50 = 0 THEN '=1+1' ELSE 'Example Company ' || n END,
                   '+1' || (2000000000 + n), '', n, 'done', jsonb_build_object('city', 'Springfield')
               FROM generate_series(0, %(rows)s - 1) AS n""",
            values,
        )
        await conn.execute(
            """INSERT INTO calls (campaign_id, contact_id, attempt, provider_call_id, status, outcome, holds_line,
                   is_final, claimed_at, lease_until, dial_started_at, started_at, ended_at, ended_reason, cost_usd,
                   recording_url, summary, success_evaluation)
               SELECT t.campaign_id, t.id, 1, gen_random_uuid()::text, 'ENDED', 'answered', false, true,
                   %(now)s, %(now)s, %(now)s, %(now)s, %(now)s + interval '54.3 seconds', 'customer-ended-call', 0.1234,
                   'there', 'They talked about the offer and agreed on a visit.', true
               FROM contacts t WHERE t.campaign_id = %(id)s ORDER BY t.position""",
            values,
        )
        await conn.execute("RESET session_replication_role")
        conn.beside = b""  # VACUUM goes alone
        await conn.execute("VACUUM ANALYZE")
    return campaign_id


async def measure_bare(database: Database, campaign_id: UUID) -> tuple[int, float]:
    """Return lines and seconds of the bare COPY, read as the driver offers it."""
    began, lines = time.perf_counter(), 0
    async with database.connection() as conn, conn.cursor().copy(BARE, [campaign_id]) as copy:
        async for _ in copy:
            lines += 1
    return lines, time.perf_counter() - began


async def measure_export(runtime: Runtime, campaign_id: UUID) -> tuple[int, float, int]:
    """Return lines, seconds and bytes of our export."""
    began, lines, size = time.perf_counter(), 0, 0
    exported = await open_export(runtime, campaign_id, actor="benchmark")
    async for chunk in exported.chunks:
        lines += chunk.count(b"\n")
        size += len(chunk)
    return lines - 1, time.perf_counter() - began, size


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def main(rows: int, url: str | None) -> int:
    async with opened(url) as database:
        await migrate(database)
        campaign_id = await fill(database, rows)
        settings = load_settings({})
        # The export asks nobody but the database.
        runtime = Runtime(configured=settings, database=database, provider=None, clock=SystemClock())  # type: ignore[arg-type]
        before = peak_mb()
        lines, seconds, size = await measure_export(runtime, campaign_id)
        growth = peak_mb() - before
        bare_lines, bare_seconds = await measure_bare(database, campaign_id)
    assert lines == bare_lines == rows, (lines, bare_lines, rows)
    rate, bare_rate = lines / seconds, bare_lines / bare_seconds
    print(f"export     {rate:>12,.0f} rows/s  ({seconds:.2f} s, {size / 1e6:,.0f} MB, peak memory +{growth:.0f} MB)")
    print(f"bare COPY  {bare_rate:>12,.0f} rows/s  ({bare_seconds:.2f} s)")
    print(f"ratio      {rate / bare_rate:>12.2f}")
    is_reached = rate >= REACH_ROWS_PER_SECOND and growth <= MOST_GROWTH_MB
    verdict = "met" if is_reached else "MISSED"
    print(f"reach      {REACH_ROWS_PER_SECOND:>12,} rows/s, memory +{MOST_GROWTH_MB} MB: {verdict}")
    return 0 if is_reached else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--database-url")
    chosen = parser.parse_args()
    sys.exit(asyncio.run(main(chosen.rows, chosen.database_url)))
