"""Files become uploads, whole or in parts, and uploads become contacts."""

import csv
import gzip
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import anyio
import pytest

from autolynx.domain.csv_rows import DuplicateRow
from autolynx.domain.import_report import UploadStatus, UploadView
from autolynx.domain.phone import Phone, read_phone
from autolynx.errors import AutolynxError, Conflict, NotFound, PayloadTooLarge, ValidationProblem
from autolynx.flows.importing import begin_upload, finish_upload, purge_expired_uploads, put_part, receive_upload
from autolynx.flows.upload_loading import Loaded, load_into_campaign
from autolynx.flows.upload_views import errors_csv, view_upload
from autolynx.runtime import Runtime
from autolynx.store.database import Database
from tests.support.checks import assert_counters_are_a_recount, query
from tests.support.engine import MovedClock, make_campaign, make_runtime
from tests.support.engine import settings_for_test as settings_of

pytestmark = pytest.mark.anyio

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
AREAS = [area for area in range(200, 1000) if isinstance(read_phone(f"{area}5550100", region="US"), Phone)]
HEADERS = ["name", "business_name", "phone"]
SMALL = (
    b"Name;Company;Mobile;City;customer\n"
    b"Ann Ray;Acme;(202) 555-0100;Rome;x\n"
    b"Bo;;202-555-01;Oslo;\n"
    b"Cy Lee;Zoo;+1 202 555 0102 x7;;\n"
    b"Dee;Bar;2025550100;;\n"
)


class TickingClock(MovedClock):
    """A clock on which every look takes a second."""

    def now(self) -> datetime:
        self.move(1)
        return super().now()


@pytest.fixture
async def runtime(database: Database) -> AsyncIterator[Runtime]:
    made = make_runtime(database, "http://127.0.0.1:9", settings=settings_of(), clock=MovedClock(START))
    yield made
    await made.provider.close()


async def pieces(body: bytes, size: int = 65536) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


def many(rows: int, *, first: int = 0) -> bytes:
    """Return a CSV with so many rows, every tenth of them too short."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*HEADERS, "notes"])
    for number in range(first, first + rows):
        phone = f"+1 {AREAS[number // 100 % len(AREAS)]} 555 01{number % 100:02d}" if number % 10 else "12"
        writer.writerow([f"Person {number}", f"Shop, {number}", phone, "x" * 40])
    return text.getvalue().encode()


async def upload(runtime: Runtime, body: bytes, **options: Any) -> UploadView:
    return await receive_upload(runtime, file_name="list.csv", chunks=pieces(body), **options)


async def load(runtime: Runtime, upload_id: UUID, campaign_id: UUID, **options: Any) -> Loaded:
    chosen = {"skip_called_within_days": 30, **options}
    async with runtime.database.transaction() as conn:
        return await load_into_campaign(
            conn, upload_id=upload_id, campaign_id=campaign_id, now=runtime.clock.now(), **chosen
        )


async def count(runtime: Runtime, table: str) -> int:
    rows = await query(runtime.database, f"SELECT count(*) AS n FROM {table}")
    return int(rows[0]["n"])


async def test_an_upload_shows_counts_first_rows_problems_and_columns(runtime: Runtime) -> None:
    view = await upload(runtime, SMALL)
    assert (view.status, view.file_name, view.region) == (UploadStatus.READY, "list.csv", "US")
    report = view.report
    assert (report.total_rows, report.accepted, report.duplicates, report.skipped_rows) == (4, 2, 1, 1)
    assert [(row.row, row.name, row.phone, row.extension, row.variables) for row in view.preview] == [
        (2, "Ann Ray", "+12025550100", None, {"City": "Rome"}),
        (4, "Cy Lee", "+12025550102", "7", {}),
    ]
    [skipped] = report.skipped
    assert (skipped.row, skipped.field, skipped.value) == (3, "phone", "202-555-01")
    assert skipped.reason == (
        "Phone is too short for a US number; add the missing digits. Business name is missing; add it."
    )
    assert skipped.data == {"Name": "Bo", "Company": "", "Mobile": "202-555-01", "City": "Oslo", "customer": ""}
    assert report.duplicate_rows == (DuplicateRow(row=5, first_row=2),)
    assert [(column.header, column.use) for column in view.columns] == [
        ("Name", "name"),
        ("Company", "business_name"),
        ("Mobile", "phone"),
        ("City", "variable"),
        ("customer", "reserved"),
    ]
    assert len(view.notices) == 1
    assert (view.seen_before, view.recently_called, view.expires_at) == ((), 0, START + timedelta(days=1))


async def test_a_large_upload_keeps_no_bytes_and_every_row(runtime: Runtime) -> None:
    view = await upload(runtime, gzip.compress(many(12_000)))
    assert view.report.total_rows == 12_000
    assert view.report.skipped_rows == 1200
    assert len(view.report.skipped) == 1000
    assert await count(runtime, "upload_rows") == view.report.accepted == 10_800
    assert await count(runtime, "upload_problems") == 1200
    assert await count(runtime, "upload_blocks") == 0


async def test_duplicates_far_apart_name_the_first_row(runtime: Runtime) -> None:
    body = many(7000) + many(7000).partition(b"\n")[2]
    view = await upload(runtime, body)
    assert (view.report.accepted, view.report.duplicates, view.report.skipped_rows) == (6300, 6300, 1400)
    assert view.report.duplicate_rows[0] == DuplicateRow(row=7003, first_row=3)


async def test_the_region_is_chosen_per_upload(runtime: Runtime) -> None:
    body = b"name,business_name,phone\nAnn,Acme,020 7946 0958\n"
    assert (await upload(runtime, body, region="gb")).preview[0].phone == "+442079460958"
    assert (await upload(runtime, body)).report.accepted == 0
    with pytest.raises(ValidationProblem, match="The region is not known"):
        await upload(runtime, body, region="UK")


@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        (b"", ValidationProblem, "The file is empty; choose a CSV with contacts."),
        (b"%PDF-1.4", ValidationProblem, "The file is a PDF, not a CSV; export the contacts as CSV and upload that."),
        (b"name,phone\nAnn,2\n", ValidationProblem, "Column business_name not found; the file has: name, phone."),
        (
            b"name,business_name,phone\n",
            ValidationProblem,
            "The file has column headers but no rows; add contacts below them.",
        ),
        (many(9000) + b'"open,a,b\n', ValidationProblem, "Row 9002 does not end"),
        (many(300_000), PayloadTooLarge, "The file is larger than 10 MB; split it into several files."),
        (gzip.compress(many(300_000)), PayloadTooLarge, "The file is larger than 10 MB"),
    ],
    ids=["empty", "pdf", "column", "no-rows", "open-quote", "large", "large-gzip"],
)
async def test_a_refused_file_leaves_nothing_behind(
    runtime: Runtime, body: bytes, error: type[AutolynxError], message: str
) -> None:
    with pytest.raises(error) as caught:
        await upload(runtime, body)
    assert caught.value.message.startswith(message)
    for table in ("uploads", "upload_blocks", "upload_rows", "upload_problems"):
        assert await count(runtime, table) == 0


async def test_too_many_rows_are_refused(runtime: Runtime) -> None:
    strict = replace(runtime, configured=settings_of(MAX_UPLOAD_ROWS=8000))
    with pytest.raises(PayloadTooLarge, match=r"The file has more than 8,000 rows; split it into several files\."):
        await upload(strict, many(8001))
    assert await count(runtime, "uploads") == 0
    assert (await upload(strict, many(8000))).report.total_rows == 8000


async def test_parts_in_any_order_and_repeated_become_the_same_upload(runtime: Runtime) -> None:
    packed = gzip.compress(many(9000))
    third = len(packed) // 3
    parts = {1: packed[:third], 2: packed[third : 2 * third], 3: packed[2 * third :]}
    upload_id = await begin_upload(runtime, file_name="C:\\lists\\May.csv.gz")
    for number in (3, 1, 1, 2, 3):
        await put_part(runtime, upload_id, number=number, body=parts[number])
    assert (await view_upload(runtime, upload_id)).received_parts == (1, 2, 3)
    view = await finish_upload(runtime, upload_id, parts=3)
    whole = await upload(runtime, many(9000))
    assert view.file_name == "May.csv.gz"
    assert (view.status, view.report) == (UploadStatus.READY, whole.report)
    assert await finish_upload(runtime, upload_id, parts=3) == view
    assert await count(runtime, "upload_parts") == 0


async def test_a_short_budget_is_resumed_until_all_is_judged(runtime: Runtime) -> None:
    body = many(20_000) + many(20_000, first=10_000).partition(b"\n")[2]
    hurried = replace(runtime, clock=TickingClock(START))
    upload_id = await begin_upload(hurried, file_name="list.csv")
    await put_part(hurried, upload_id, number=1, body=body)
    totals = []
    while True:
        view = await finish_upload(hurried, upload_id, parts=1, budget_seconds=1)
        totals.append(view.report.total_rows)
        if view.status is UploadStatus.READY:
            break
        assert view.status is UploadStatus.JUDGING
    assert len(totals) >= len(body) // (1 << 18)
    assert totals == sorted(set(totals))
    assert view.report == (await upload(runtime, body)).report
    assert view.report.duplicates == 9000


async def test_several_finishers_at_once_judge_every_row_once(runtime: Runtime) -> None:
    body = many(20_000)
    upload_id = await begin_upload(runtime, file_name="list.csv")
    await put_part(runtime, upload_id, number=1, body=body)

    async def finish() -> None:
        while (await finish_upload(runtime, upload_id, parts=1)).status is not UploadStatus.READY:
            pass

    async with anyio.create_task_group() as finishers:
        for _ in range(4):
            finishers.start_soon(finish)
    view = await view_upload(runtime, upload_id)
    assert (view.report.total_rows, view.report.accepted, view.report.skipped_rows) == (20_000, 18_000, 2000)
    assert await count(runtime, "upload_rows") == 18_000


async def test_wrong_parts_are_refused(runtime: Runtime) -> None:
    upload_id = await begin_upload(runtime, file_name="list.csv")
    with pytest.raises(ValidationProblem, match=r"Parts are numbered from 1 to 10,000\."):
        await put_part(runtime, upload_id, number=0, body=b"x")
    with pytest.raises(ValidationProblem, match=r"The part is empty; send its bytes as the body\."):
        await put_part(runtime, upload_id, number=1, body=b"")
    with pytest.raises(Conflict, match=r"Parts are missing: 1; send them first\."):
        await finish_upload(runtime, upload_id, parts=0)
    await put_part(runtime, upload_id, number=2, body=SMALL)
    with pytest.raises(Conflict, match=r"Part 2 has already arrived with other bytes; begin a new upload\."):
        await put_part(runtime, upload_id, number=2, body=b"x")
    with pytest.raises(Conflict, match=r"Parts are missing: 1, 3; send them first\."):
        await finish_upload(runtime, upload_id, parts=3)
    await put_part(runtime, upload_id, number=1, body=SMALL)
    with pytest.raises(Conflict, match=r"More parts have arrived than the 1 announced; begin a new upload\."):
        await finish_upload(runtime, upload_id, parts=1)
    small = replace(runtime, configured=settings_of(MAX_UPLOAD_BYTES=1024))
    with pytest.raises(PayloadTooLarge, match="The file is larger than 1,024 bytes"):
        await put_part(small, upload_id, number=3, body=b"x" * 800)
    await finish_upload(runtime, upload_id, parts=2)
    with pytest.raises(Conflict, match=r"The upload is complete; begin a new one for another file\."):
        await put_part(runtime, upload_id, number=3, body=b"x")


async def test_a_refused_file_in_parts_leaves_nothing_behind(runtime: Runtime) -> None:
    upload_id = await begin_upload(runtime, file_name="list.csv")
    await put_part(runtime, upload_id, number=1, body=b"a,b\n1,2\n")
    with pytest.raises(ValidationProblem, match="Columns name, business_name, phone not found; the file has: a, b"):
        await finish_upload(runtime, upload_id, parts=1)
    assert await count(runtime, "uploads") == await count(runtime, "upload_parts") == 0


async def test_the_errors_come_back_as_a_file_that_can_be_mended(runtime: Runtime) -> None:
    view = await upload(runtime, many(25_000))
    text = "".join([piece async for piece in errors_csv(runtime, view.id)])
    lines = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert lines[0] == ["AutoLynx problem", *HEADERS, "notes"]
    assert len(lines) == 2501
    mended = text.replace(",12,", ",+1 989 555 0100,")
    again = await upload(runtime, mended.encode())
    assert (again.report.total_rows, again.report.accepted, again.report.duplicates) == (2500, 1, 2499)
    assert again.preview[0].business_name == "Shop, 0"


async def test_an_upload_is_its_owners_alone_and_lives_a_day(runtime: Runtime) -> None:
    [owner] = await query(
        runtime.database,
        "INSERT INTO user_profiles (email, created_at) VALUES ('o@example.com', '2026-01-01Z') RETURNING id",
    )
    view = await upload(runtime, SMALL, owner_id=owner["id"])
    assert (await view_upload(runtime, view.id, owner_id=owner["id"])).report == view.report
    with pytest.raises(NotFound, match="There is no such upload, or its 24 hours are over; upload the file again"):
        await view_upload(runtime, view.id, owner_id=uuid4())
    later = replace(runtime, clock=MovedClock(START + timedelta(days=1)))
    with pytest.raises(NotFound):
        await view_upload(later, view.id, owner_id=owner["id"])
    assert await purge_expired_uploads(runtime) == 0
    assert await purge_expired_uploads(later) == 1
    assert await count(runtime, "upload_rows") == await count(runtime, "upload_problems") == 0


async def test_a_campaign_takes_an_upload_in_file_order(runtime: Runtime) -> None:
    view = await upload(runtime, SMALL)
    campaign_id = await make_campaign(runtime.database, contacts=0)
    loaded = await load(runtime, view.id, campaign_id)
    assert (loaded.contacts, loaded.recently_called, loaded.already_in_campaign) == (2, 0, 0)
    assert loaded.report == view.report
    contacts = await query(runtime.database, "SELECT * FROM contacts ORDER BY position")
    assert [(c["position"], c["name"], c["business_name"], c["phone"]) for c in contacts] == [
        (0, "Ann Ray", "Acme", "+12025550100"),
        (1, "Cy Lee", "Zoo", "+12025550102"),
    ]
    assert [(c["phone_raw"], c["extension"], c["variables"], c["state"]) for c in contacts] == [
        ("(202) 555-0100", None, {"City": "Rome"}, "due"),
        ("+1 202 555 0102 x7", "7", {}, "due"),
    ]
    await assert_counters_are_a_recount(runtime.database)


async def test_the_same_file_is_loaded_again_only_knowingly(runtime: Runtime) -> None:
    first = await upload(runtime, SMALL)
    campaign_id = await make_campaign(runtime.database, contacts=0, name="May list")
    await load(runtime, first.id, campaign_id)
    again = await upload(runtime, gzip.compress(SMALL))
    [use] = again.seen_before
    assert (use.campaign_id, use.campaign_name, use.loaded_at) == (campaign_id, "May list", START)
    other = await make_campaign(runtime.database, contacts=0)
    for upload_id in (first.id, again.id):
        with pytest.raises(Conflict) as caught:
            await load(runtime, upload_id, other)
        assert caught.value.message == (
            'This very file was loaded into campaign "May list" on 2026-03-02; '
            "set again to true to call the whole of it once more."
        )
    assert (await load(runtime, again.id, other, is_repeat_allowed=True)).contacts == 2
    more = await upload(runtime, SMALL + b"Eve;Inn;2025550109;;\n")
    loaded = await load(runtime, more.id, other)
    assert (loaded.contacts, loaded.already_in_campaign) == (1, 2)
    positions = await query(runtime.database, "SELECT position FROM contacts ORDER BY campaign_id, position")
    assert sorted(row["position"] for row in positions) == [0, 0, 1, 1, 2]


async def _call(runtime: Runtime, phone: str, *, days_ago: int, counts: bool = True) -> None:
    """Note a call of that contact so many days ago."""
    outcome, at = "answered" if counts else "not_dialled", START - timedelta(days=days_ago)
    await query(
        runtime.database,
        """INSERT INTO calls (campaign_id, contact_id, attempt, counts_as_attempt, status, outcome, holds_line,
               claimed_at, lease_until, dial_started_at)
           SELECT campaign_id, id, 1, %s, 'ENDED', %s, false, %s, %s, %s FROM contacts WHERE phone = %s RETURNING id""",
        counts,
        outcome,
        at,
        at,
        at,
        phone,
    )


async def test_numbers_called_lately_by_any_campaign_are_counted_and_left_out(runtime: Runtime) -> None:
    rows = "".join(f"P{n},Shop,+1 202 555 010{n}\n" for n in range(5))
    earlier = await upload(runtime, f"name,business_name,phone\n{rows}".encode())
    await load(runtime, earlier.id, await make_campaign(runtime.database, contacts=0))
    await _call(runtime, "+12025550100", days_ago=29)
    await _call(runtime, "+12025550101", days_ago=31)
    await _call(runtime, "+12025550102", days_ago=1, counts=False)
    await _call(runtime, "+12025550103", days_ago=0)
    view = await upload(runtime, f"phone,name,business_name\n+12025550199,Q,Inn\n{_swap(rows)}".encode())
    assert (view.recently_called, view.recent_call_days) == (2, 30)
    assert (await view_upload(runtime, view.id, recent_call_days=0)).recently_called == 0
    assert (await view_upload(runtime, view.id, recent_call_days=40)).recently_called == 3
    campaign_id = await make_campaign(runtime.database, contacts=0)
    loaded = await load(runtime, view.id, campaign_id)
    assert (loaded.contacts, loaded.recently_called) == (4, 2)
    found = await query(
        runtime.database, "SELECT phone, position FROM contacts WHERE campaign_id = %s ORDER BY position", campaign_id
    )
    assert [(row["phone"][-4:], row["position"]) for row in found] == [
        ("0199", 0),
        ("0101", 1),
        ("0102", 2),
        ("0104", 3),
    ]
    everybody = await make_campaign(runtime.database, contacts=0)
    loaded = await load(runtime, view.id, everybody, skip_called_within_days=0, is_repeat_allowed=True)
    assert (loaded.contacts, loaded.recently_called) == (6, 0)


def _swap(rows: str) -> str:
    cells = [line.split(",") for line in rows.splitlines()]
    return "".join(f"{phone},{name},{shop}\n" for name, shop, phone in cells)


async def test_an_upload_is_loaded_whole_or_not_at_all(runtime: Runtime) -> None:
    view = await upload(runtime, many(3000))
    campaign_id = await make_campaign(runtime.database, contacts=0)
    with pytest.raises(RuntimeError, match="after the load"):
        await _load_and_break(runtime, view.id, campaign_id)
    assert await count(runtime, "contacts") == await count(runtime, "campaign_files") == 0
    unfinished = await begin_upload(runtime, file_name="list.csv")
    with pytest.raises(Conflict, match=r"The upload is not read to its end yet; finish it first\."):
        await load(runtime, unfinished, campaign_id)


async def _load_and_break(runtime: Runtime, upload_id: UUID, campaign_id: UUID) -> None:
    async with runtime.database.transaction() as conn:
        await load_into_campaign(
            conn, upload_id=upload_id, campaign_id=campaign_id, now=START, skip_called_within_days=30
        )
        raise RuntimeError("after the load")


async def test_the_campaigns_of_others_are_not_named(runtime: Runtime) -> None:
    first = await upload(runtime, SMALL)
    await load(runtime, first.id, await make_campaign(runtime.database, contacts=0, name="Secret list"))
    [owner] = await query(
        runtime.database,
        "INSERT INTO user_profiles (email, created_at) VALUES ('o@example.com', '2026-01-01Z') RETURNING id",
    )
    view = await upload(runtime, SMALL, owner_id=owner["id"], sees_only=owner["id"])
    [use] = view.seen_before
    assert (use.campaign_id, use.campaign_name) == (None, None)
    campaign_id = await make_campaign(runtime.database, contacts=0)
    with pytest.raises(Conflict, match="This very file was loaded into another campaign on 2026-03-02"):
        await load(runtime, view.id, campaign_id, owner_id=owner["id"])
