"""How long a 10 MB CSV with 200,000 rows takes from its first byte to the last stored row, and in how much memory.

The floor is a bare COPY of the same rows into the same table, by the same driver, in the same run. A third figure
is the load into a campaign. Run it with `python benchmarks/import_csv.py`; it starts a PostgreSQL of its own.
"""

import asyncio
import csv
import io
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import structlog

from autolynx.domain.import_report import UploadView
from autolynx.domain.phone import Phone, read_phone
from autolynx.flows.importing import receive_upload
from autolynx.flows.upload_loading import load_into_campaign
from autolynx.provider.vapi import VapiProvider
from autolynx.provider.wire_requests import WebhookTarget
from autolynx.runtime import Runtime, SystemClock
from autolynx.settings import load_settings
from autolynx.store.database import Database
from autolynx.store.embedded import EmbeddedPostgres
from autolynx.store.migrate import migrate

ROWS = 200_000
TARGET_SECONDS, TARGET_MEGABYTES = 15, 200
CHUNK_BYTES = 65_536


def write_list(path: Path) -> int:
    """Write the list: distinct numbers in the 555 exchange of every area, in human spelling. Return its bytes."""
    path.parent.chmod(0o755)  # the server beside it runs as another user when we are root
    areas = [area for area in range(200, 1000) if isinstance(read_phone(f"{area}5550100", region="US"), Phone)]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["name", "business_name", "phone", "city"])
    for number in range(ROWS):
        area, line = areas[number % len(areas)], number // len(areas)
        writer.writerow([f"Person {number}", f"Shop {number}", f"({area}) 555-{line:04d}", f"Town {number % 500}"])
    return path.write_bytes(text.getvalue().encode())


async def chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


async def timed_import(url: str, path: Path) -> None:
    """Import the file and print seconds, accepted rows, upload id and this process's peak of memory in MB."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    database = await Database.open(url)
    provider = VapiProvider(
        base_url="http://127.0.0.1:9",
        api_key="unused",
        webhook=WebhookTarget(url="http://127.0.0.1:9", secret="unused"),  # noqa: S106 - it is never called
        now=SystemClock().now,
        timeout_seconds=1,
    )
    runtime = Runtime(configured=load_settings({}), database=database, provider=provider, clock=SystemClock())
    started = time.perf_counter()
    view: UploadView = await receive_upload(runtime, file_name=path.name, chunks=chunks(path))
    seconds = time.perf_counter() - started
    await database.close()
    await provider.close()
    peak_megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(seconds, view.report.accepted, view.id, peak_megabytes)


async def timed_floor(database: Database, upload_id: UUID) -> float:
    """Copy the rows of an upload into the same table once more, with nothing in between; return the seconds."""
    async with database.transaction() as conn:
        rows = await (await conn.execute("SELECT * FROM upload_rows WHERE upload_id = %s", [upload_id])).fetchall()
        other = uuid4()
        await conn.execute(
            """INSERT INTO uploads (id, file_name, region, created_at, expires_at)
               SELECT %s, file_name, region, created_at, expires_at FROM uploads WHERE id = %s""",
            [other, upload_id],
        )
        names = ("row_number", "name", "business_name", "phone", "phone_raw", "extension")
        plain = [(str(other), *(row[name] for name in names), '{"city": "Town"}') for row in rows]
        started = time.perf_counter()
        async with conn.cursor() as cursor, cursor.copy("COPY upload_rows FROM STDIN") as copy:
            for row in plain:
                await copy.write_row(row)
        return time.perf_counter() - started


async def timed_load(database: Database, upload_id: UUID) -> float:
    """Load the upload into a campaign; return the seconds."""
    now, campaign_id = datetime.now(UTC), uuid4()
    async with database.transaction() as conn:
        await conn.execute(
            """WITH assistant AS (
                   INSERT INTO assistants (name, source, provider_assistant_id, config_json, created_at, updated_at)
                   VALUES ('Bench', 'imported', 'bench', '{}', %(now)s, %(now)s) RETURNING id)
               INSERT INTO campaigns (id, name, mode, cap, assistant_id, phone_number_id, created_at)
               SELECT %(id)s, 'Bench', 'continuous', 8, id, 'bench', %(now)s FROM assistant""",
            {"id": campaign_id, "now": now},
        )
        started = time.perf_counter()
        loaded = await load_into_campaign(
            conn, upload_id=upload_id, campaign_id=campaign_id, now=now, skip_called_within_days=30
        )
    assert loaded.contacts == ROWS
    return time.perf_counter() - started


async def import_in_a_process_of_its_own(url: str, path: Path) -> list[str]:
    """Return what `timed_import` prints: its memory is that of an import alone."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, __file__, url, str(path), stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    if process.returncode:
        raise SystemExit(process.returncode)
    return printed.decode().split()


async def run() -> None:
    with tempfile.TemporaryDirectory(prefix="autolynx-bench-", dir="/tmp") as folder:
        path = Path(folder) / "list.csv"
        megabytes = write_list(path) / (1 << 20)
        async with EmbeddedPostgres(Path(folder) / "data") as server:
            database = await Database.open(server.url)
            await migrate(database)
            seconds, accepted, upload_id, peak = await import_in_a_process_of_its_own(server.url, path)
            assert int(accepted) == ROWS
            floor = await timed_floor(database, UUID(upload_id))
            load = await timed_load(database, UUID(upload_id))
            await database.close()
    print(f"import  {ROWS:,} rows, {megabytes:.1f} MB   {float(seconds):6.2f} s  (reach {TARGET_SECONDS} s)")
    print(f"floor   bare COPY of these rows  {floor:6.2f} s  ratio {float(seconds) / floor:.1f}")
    print(f"load    into a campaign          {load:6.2f} s")
    print(f"memory  peak of the import       {float(peak):6.0f} MB (reach {TARGET_MEGABYTES} MB)")


if __name__ == "__main__":
    asyncio.run(timed_import(sys.argv[1], Path(sys.argv[2])) if sys.argv[2:] else run())
