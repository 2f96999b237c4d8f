"""Old things go, in small bites, by their age and by nobody's leave; what goes on is never touched."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autolynx.archive.folder import RecordingFolder
from autolynx.domain.retention import RetentionDays, cutoffs_at
from autolynx.flows import retention
from autolynx.flows.ingest import receive_webhook
from autolynx.flows.retention import CONTACTS_AT_ONCE, keep_retention
from autolynx.flows.tick import run_once
from autolynx.runtime import Runtime
from autolynx.store.database import Database
from tests.support.campaign_rows import add_call, change_campaign, make_campaign, make_unsure
from tests.support.checks import assert_counters_are_a_recount, query
from tests.support.engine import MovedClock, make_runtime, settings_for_test
from tests.support.old_campaign import (
    BUSINESS,
    NAME,
    SAID,
    called_campaign,
    change_contact_states,
    everything,
    report_of,
)

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=731)
NAIVE = NOW.replace(tzinfo=None)
NOWHERE = "http://127.0.0.1:9"


@asynccontextmanager
async def a_runtime(database: Database, folder: Path | None = None, **settings: Any) -> AsyncIterator[Runtime]:
    chosen = settings_for_test(**settings)
    archive = RecordingFolder(folder) if folder else None
    clock = MovedClock(NOW)
    runtime = make_runtime(database, NOWHERE, settings=chosen, clock=clock, recordings=archive)
    yield runtime
    await runtime.provider.close()


async def keep(runtime: Runtime) -> dict[str, int]:
    return dict(await keep_retention(runtime, deadline=runtime.clock.now() + timedelta(seconds=60)))


async def campaigns(database: Database) -> set[UUID]:
    return {row["id"] for row in await query(database, "SELECT id FROM campaigns")}


async def erase_by_hand(database: Database, campaign_id: UUID) -> None:
    """Take out what is kept of the people of a campaign on purpose, so that only a leftover of others is found."""
    for statement in (
        "DELETE FROM webhook_inbox WHERE our_call_id IN (SELECT id FROM calls WHERE campaign_id = %s) RETURNING id",
        "UPDATE calls SET transcript_json = NULL, summary = NULL WHERE campaign_id = %s RETURNING id",
        "UPDATE contacts SET name = 'x', business_name = 'x', variables = '{}' WHERE campaign_id = %s RETURNING id",
    ):
        await query(database, statement, campaign_id)


async def test_a_campaign_that_is_over_for_two_years_goes_with_all_its_people(
    database: Database, tmp_path: Path
) -> None:
    async with a_runtime(database, tmp_path) as runtime:
        old = await called_campaign(runtime, over_at=LONG_AGO, folder=tmp_path)
        young = await called_campaign(runtime, over_at=NOW - timedelta(days=729))
        await run_once(runtime)
        assert await campaigns(database) == {young}
        (entry,) = await query(database, "SELECT actor, details FROM audit_log WHERE action = 'retention.applied'")
        assert entry == {"actor": "retention", "details": {"calls": 2, "campaigns": 1, "contacts": 2}}
        assert len(list(tmp_path.rglob("*.*"))) == 0
        for table in ("contacts", "calls", "campaign_counters", "call_figures"):
            assert {row["campaign_id"] for row in await query(database, f"SELECT * FROM {table}")} == {young}
        events = await query(database, "SELECT campaign_id FROM call_events")
        assert {row["campaign_id"] for row in events} == {old, young}, "events go by their own age"
        await run_once(runtime)  # what was noted is deleted by the next tick
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
        assert await query(database, "SELECT * FROM removals") == []
        await assert_counters_are_a_recount(database)


async def test_a_long_list_goes_in_bites_over_several_ticks(database: Database) -> None:
    async with a_runtime(database) as runtime:
        campaign_id = await make_campaign(database, contacts=2 * CONTACTS_AT_ONCE + 1)
        await change_campaign(database, campaign_id, status="CANCELED", completed_at=LONG_AGO)
        await change_contact_states(database, campaign_id, "excluded")
        assert await keep_retention(runtime, deadline=runtime.clock.now()) == {}, "no time, no bite"
        (row,) = await query(database, "SELECT due_at FROM retention")
        assert row["due_at"] == NOW, "the next tick goes on"
        assert await keep(runtime) == {"contacts": 2 * CONTACTS_AT_ONCE + 1, "campaigns": 1, "calls": 0}
        (row,) = await query(database, "SELECT due_at FROM retention")
        assert row["due_at"] == NOW + timedelta(seconds=retention.EVERY_SECONDS)


async def test_what_goes_on_or_waits_for_a_person_never_goes(database: Database) -> None:
    async with a_runtime(database, ANONYMISE_AFTER_DAYS=1) as runtime:
        stay = [await make_campaign(database, contacts=1) for _ in range(4)]
        for campaign_id, status in zip(stay, ("RUNNING", "PAUSED", "FAILED", "CREATED"), strict=True):
            await query(
                database,
                "UPDATE campaigns SET status = %s, created_at = %s, started_at = %s WHERE id = %s RETURNING id",
                *(status, LONG_AGO, LONG_AGO, campaign_id),
            )
        live, unsure = [await make_campaign(database, contacts=1) for _ in range(2)]
        await add_call(database, live, 0, status="RINGING", outcome=None, holds_line=True, is_final=False)
        await make_unsure(database, unsure)
        for campaign_id in (live, unsure):
            await change_campaign(database, campaign_id, status="CANCELED", completed_at=LONG_AGO)
        before = await campaigns(database)
        assert await keep(runtime) == {}
        assert await campaigns(database) == before
        assert "Erased" not in await everything(database)


async def test_a_campaign_that_somebody_holds_is_passed_over_at_once(database: Database) -> None:
    async with a_runtime(database) as runtime:
        held = await called_campaign(runtime, over_at=LONG_AGO - timedelta(days=1))
        free = await called_campaign(runtime, over_at=LONG_AGO)
        async with database.transaction() as conn:
            await conn.execute("SELECT id FROM campaigns WHERE id = %s FOR NO KEY UPDATE", [held])
            async with asyncio.timeout(5):
                await keep(runtime)
        assert await campaigns(database) == {held}
        assert free not in await campaigns(database)


async def test_however_many_ask_one_looks_and_again_after_ten_minutes(database: Database) -> None:
    async with a_runtime(database) as runtime:
        await called_campaign(runtime, over_at=LONG_AGO)
        found = await asyncio.gather(*(keep(runtime) for _ in range(4)))
        assert sum(bool(gone) for gone in found) == 1
        assert await campaigns(database) == set()
        await called_campaign(runtime, over_at=LONG_AGO)
        assert await keep(runtime) == {}
        await runtime.clock.sleep(retention.EVERY_SECONDS)
        assert (await keep(runtime))["campaigns"] == 1


async def test_people_become_nobody_and_every_figure_stays_true(database: Database, tmp_path: Path) -> None:
    async with a_runtime(database, tmp_path, ANONYMISE_AFTER_DAYS=30) as runtime:
        old = await called_campaign(runtime, over_at=NOW - timedelta(days=31), contacts=3, folder=tmp_path)
        young = await called_campaign(runtime, over_at=NOW - timedelta(days=29), contacts=1)
        figures = "SELECT * FROM campaign_counters WHERE campaign_id = %s"
        (before,) = await query(database, figures, old)
        await run_once(runtime)
        await runtime.clock.sleep(1)
        await run_once(runtime)
        (after,) = await query(database, figures, old)
        assert {**after, "version": 0} == {**before, "version": 0}
        assert after["cost_usd"] > 0
        assert after["talk_seconds"] > 0
        await assert_counters_are_a_recount(database)
        people = await query(
            database, "SELECT name, phone, variables FROM contacts WHERE campaign_id = %s ORDER BY 2", old
        )
        assert [row["phone"] for row in people] == [f"+9990000000000{n}" for n in range(3)]
        assert people[0] == {"name": "Erased", "phone": "+99900000000000", "variables": {}}
        kept = await query(database, "SELECT name FROM contacts WHERE campaign_id = %s", young)
        assert kept == [{"name": NAME}]
        await erase_by_hand(database, young)
        rest = await everything(database)
        for word in (NAME, BUSINESS, SAID, "Markerville"):
            assert word not in rest
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
        (entry,) = await query(database, "SELECT details FROM audit_log WHERE action = 'retention.applied'")
        assert entry["details"] == {"anonymised": 3}
        await runtime.clock.sleep(retention.EVERY_SECONDS)
        assert await keep(runtime) == {}, "it is done once"


async def test_later_news_of_an_erased_call_bring_nothing_back_but_its_cost(database: Database) -> None:
    async with a_runtime(database, ANONYMISE_AFTER_DAYS=1) as runtime:
        campaign_id = await called_campaign(runtime, over_at=NOW - timedelta(days=2), contacts=1)
        (call,) = await query(database, "SELECT id, contact_id FROM calls")
        late = await report_of(database, call["id"], cost=7.5)
        strange = {"message": {"type": "conversation-update", "call": late["message"]["call"], "said": SAID}}
        again = {"message": {**late["message"], "type": "status-update", "status": "ended"}}
        await keep(runtime)
        for body in (late, again, strange):
            await receive_webhook(runtime, body)
        rest = await everything(database)
        for word in (NAME, SAID, "Markerville", "+1200555"):
            assert word not in rest, word
        (after,) = await query(database, "SELECT transcript_json, summary, recording_url, cost_usd FROM calls")
        assert after == {"transcript_json": None, "summary": None, "recording_url": None, "cost_usd": after["cost_usd"]}
        assert float(after["cost_usd"]) == 7.5
        bodies = await query(database, "SELECT body, state FROM webhook_inbox")
        assert {str(row["body"]) for row in bodies} == {"{'erased': True}"}
        (contact,) = await query(database, "SELECT state FROM contacts")
        assert contact["state"] == "done"
        assert campaign_id in await campaigns(database)
        await assert_counters_are_a_recount(database)


async def test_bodies_events_and_audit_go_by_their_own_age(database: Database) -> None:
    async with a_runtime(database, RETAIN_WEBHOOKS_DAYS=90, RETAIN_EVENTS_DAYS=30, RETAIN_AUDIT_DAYS=10) as runtime:
        await called_campaign(runtime, over_at=NOW, contacts=1)
        await query(database, "INSERT INTO audit_log (at, actor, action) VALUES (%s, 'a', 'b') RETURNING id", NOW)
        await query(
            database,
            """INSERT INTO idempotency_keys (actor, key, request_hash, created_at) VALUES ('a', 'k', 'h', %s)
               RETURNING key""",
            NOW,
        )
        clock = runtime.clock
        assert isinstance(clock, MovedClock)
        ages = ((9, {}), (11, {"audit": 1}), (31, {"events": 1, "audit": 1}), (91, {"webhooks": 1, "audit": 1}))
        for days, went in ages:
            clock.moment = NOW + timedelta(days=days)
            assert await keep(runtime) == went, days
        assert await query(database, "SELECT * FROM call_events") == []
        assert await query(database, "SELECT * FROM webhook_inbox") == []
        assert await query(database, "SELECT * FROM idempotency_keys") == []
        assert len(await query(database, "SELECT * FROM contacts")) == 1


async def test_zero_keeps_for_ever(database: Database) -> None:
    names = ("RETAIN_CAMPAIGNS_DAYS", "RETAIN_WEBHOOKS_DAYS", "RETAIN_EVENTS_DAYS", "RETAIN_AUDIT_DAYS")
    async with a_runtime(database, **dict.fromkeys(names, 0)) as runtime:
        campaign_id = await called_campaign(runtime, over_at=NOW - timedelta(days=20_000), contacts=1)
        assert await keep(runtime) == {}
        assert campaign_id in await campaigns(database)


@given(st.integers(0, 36_500), st.datetimes(min_value=NAIVE, timezones=st.just(UTC)))
def test_what_is_younger_than_the_setting_is_never_old(days: int, now: datetime) -> None:
    cutoffs = cutoffs_at(RetentionDays(campaigns=days, people=0, webhooks=0, events=0, audit=0), now)
    assert cutoffs.people is None
    assert cutoffs.campaigns == (now - timedelta(days=days) if days else None)
