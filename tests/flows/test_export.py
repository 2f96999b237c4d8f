"""The CSV: every contact once, nothing that a spreadsheet would run, nothing held while the reader is slow."""

import asyncio
import csv
import io
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autolynx.domain.csv_cells import neutralise_cell, restore_cell
from autolynx.errors import NotFound
from autolynx.flows import export as flow
from autolynx.flows.export import open_export
from autolynx.runtime import Runtime
from autolynx.store.database import Database
from tests.support.campaign_rows import START, add_call, change_campaign, change_contact, make_campaign
from tests.support.checks import query
from tests.support.engine import make_runtime, settings_for_test

pytestmark = pytest.mark.anyio

NOWHERE = "http://127.0.0.1:9"
HEADER = (
    "campaign,assistant,name,business_name,phone,call_status,outcome,ended_reason,cost_usd,duration_seconds,"
    "started_at,ended_at,recording_url,success_evaluation,transcript_summary"
)
HOSTILE = [
    "=1+1",
    '=HYPERLINK("http://192.0.2.1/","click")',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "'=1+1",
    "''@x",
    "\uff1d1+1",
    "-cmd|' /C calc'!A0",
    '"quoted", with comma',
    "two\nlines",
    "Zoë 李 😀",
    "plain",
    " =1",
    "\\.",
]
NUMBERS = ["-5", "+12025550101", "-12.50", "+0"]


def runtime_of(database: Database) -> Runtime:
    return make_runtime(database, NOWHERE, settings=settings_for_test(PUBLIC_URL="https://calls.example.com"))


async def exported(database: Database, campaign_id: UUID, **options: Any) -> str:
    answer = await open_export(runtime_of(database), campaign_id, actor="test", **options)
    return b"".join([chunk async for chunk in answer.chunks]).decode()


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


async def test_a_finished_campaign_reads_as_documented(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=4, name="Spring list")
    await change_contact(database, campaign_id, 0, variables={"city": "Springfield", "campaign": "theirs"})
    await change_contact(database, campaign_id, 2, state="excluded", reason="out of attempts")
    called = await add_call(
        database,
        campaign_id,
        0,
        provider_call_id="one",
        started_at=START,
        ended_at=START + timedelta(seconds=54.26),
        ended_reason="customer-ended-call",
        cost_usd=Decimal("0.1234"),
        recording_url="https://storage.example.com/x.wav",
        success_evaluation=True,
        summary='They said "yes".',
        transcript_json={"text": "hello"},
    )
    await add_call(database, campaign_id, 1, status="FAILED", outcome="refused", reason="Not a valid number.")
    text = await exported(database, campaign_id, has_transcript=True)
    first, second, third, fourth = text.splitlines()[1:]
    assert text.splitlines()[0] == HEADER + ",variables.campaign,city,transcript_json"
    assert first == (
        "Spring list,Riley,Ada 0,Acme 0,+12005550100,ENDED,answered,customer-ended-call,0.1234,54.3,"
        f"2026-03-02T10:00:00Z,2026-03-02T10:00:54Z,https://calls.example.com/api/calls/{called}/recording,true,"
        '"They said ""yes"".",theirs,Springfield,"{""text"": ""hello""}"'
    )
    assert second == "Spring list,Riley,Ada 1,Acme 1,+12005550101,FAILED,refused,Not a valid number.,,,,,,,,,,"
    assert third == "Spring list,Riley,Ada 2,Acme 2,+12005550102,NOT_CALLED,,out of attempts,,,,,,,,,,"
    assert fourth == "Spring list,Riley,Ada 3,Acme 3,+12005550103,NOT_CALLED,,,,,,,,,,,,"
    assert text.endswith("\n")


async def test_a_released_claim_is_no_call_and_the_latest_counted_one_is_shown(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=2)
    released = {"status": "FAILED", "outcome": "not_dialled", "counts_as_attempt": False}
    await add_call(database, campaign_id, 0, outcome="no_answer")
    await add_call(database, campaign_id, 0, attempt=2, outcome="voicemail")
    await add_call(database, campaign_id, 0, attempt=3, **released)
    await add_call(database, campaign_id, 1, **released)
    rows = read(await exported(database, campaign_id))
    assert [(row["call_status"], row["outcome"]) for row in rows] == [("ENDED", "voicemail"), ("NOT_CALLED", "")]


async def test_no_cell_is_run_by_a_spreadsheet_and_all_of_them_can_be_read_back(database: Database) -> None:
    texts = [*HOSTILE, *NUMBERS]
    campaign_id = await make_campaign(database, contacts=len(texts), name="=cmd()")
    for position, text in enumerate(texts):
        await change_contact(
            database, campaign_id, position, name=text, business_name=text, variables={"note": text, "=evil()": "x"}
        )
        await add_call(database, campaign_id, position, summary=text, ended_reason=text)
    rows = read(await exported(database, campaign_id))
    for row, text in zip(rows, texts, strict=True):
        for column in ("name", "business_name", "note", "transcript_summary", "ended_reason"):
            assert restore_cell(row[column]) == text or row[column] == f"'{text}"
            assert not re.match(r"[=@\t\r\n\uff1d\uff0b\uff0d\uff20]", row[column])
            if row[column][:1] in {"+", "-"}:
                assert text in NUMBERS
        assert row["campaign"] == "'=cmd()"
        assert row["'=evil()"] == "x"
        assert re.fullmatch(r"\+\d+", row["phone"])


@given(text=st.text(alphabet=st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20))
def test_the_rule_for_cells_undoes_itself(text: str) -> None:
    assert restore_cell(neutralise_cell(text)) == text


async def test_every_contact_is_there_once_across_pieces(database: Database) -> None:
    count = 2 * flow.ROWS_AT_ONCE + 7
    campaign_id = await make_campaign(database, contacts=count)
    rows = read(await exported(database, campaign_id))
    assert [row["name"] for row in rows] == [f"Ada {number}" for number in range(count)]


async def test_pieces_with_transcripts_are_smaller_and_lose_nothing(database: Database) -> None:
    count = 2 * flow.ROWS_WITH_TRANSCRIPT_AT_ONCE + 1
    campaign_id = await make_campaign(database, contacts=count)
    rows = read(await exported(database, campaign_id, has_transcript=True))
    assert len(rows) == count


async def test_a_campaign_without_contacts_is_a_header(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=0)
    assert await exported(database, campaign_id) == HEADER + "\n"


async def test_excel_gets_a_byte_order_mark_only_when_asked(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=0)
    assert (await exported(database, campaign_id, is_for_excel=True)).startswith("\ufeffcampaign,")


async def test_a_missing_or_deleted_campaign_is_refused_before_the_first_byte(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=1)
    await change_campaign(database, campaign_id, deleted_at=START)
    for missing in (campaign_id, uuid4()):
        with pytest.raises(NotFound):
            await open_export(runtime_of(database), missing, actor="test")


async def test_a_slow_reader_holds_no_connection(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=flow.ROWS_AT_ONCE * 4)
    answer = await open_export(runtime_of(database), campaign_id, actor="test")
    chunks = answer.chunks
    assert (await anext(chunks)).startswith(b"campaign,")
    await anext(chunks)
    async with asyncio.timeout(10):
        while await query(database, BUSY):
            await asyncio.sleep(0.02)
    rest = [chunk async for chunk in chunks]
    assert len(rest) == 3


BUSY = """SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND (state <> 'idle' OR backend_xmin IS NOT NULL) AND backend_type = 'client backend'"""


async def test_a_reader_who_goes_away_leaves_nothing_running(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=flow.ROWS_AT_ONCE * 4)
    answer = await open_export(runtime_of(database), campaign_id, actor="test")
    await anext(answer.chunks)
    await answer.chunks.aclose()  # type: ignore[attr-defined]
    assert [task for task in asyncio.all_tasks() if "_piece" in repr(task)] == []


async def test_an_export_is_audited_without_names(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=1)
    await exported(database, campaign_id)
    (entry,) = await query(database, "SELECT actor, action, subject, details FROM audit_log")
    assert entry == {"actor": "test", "action": "campaign.exported", "subject": str(campaign_id), "details": {}}
