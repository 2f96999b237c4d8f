"""Gate, campaign, call, contact, counters: every transaction locks in this order, and no two wait for each other."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest

from autolynx.domain.actor import Maker
from autolynx.flows.campaign_edit import Changes, NewCampaign, create_campaign, delete_campaign, patch_campaign
from autolynx.flows.campaign_life import complete_finished, pause_campaign, resume_campaign, stop_campaign
from autolynx.flows.claim import claim
from autolynx.flows.dialing import Decision, decide_unsure, hold_dialling, release_dialling
from autolynx.flows.importing import receive_upload
from autolynx.flows.ingest import receive_webhook
from autolynx.flows.phone_numbers import list_phone_numbers
from autolynx.flows.reconcile import release_lapsed
from autolynx.flows.refill import refill
from autolynx.flows.resting import note_concurrency
from autolynx.runtime import SystemClock
from autolynx.store import settling
from autolynx.store.database import Database
from tests.support.campaign_rows import add_assistant
from tests.support.checks import query
from tests.support.engine import make_runtime, settings_for_test
from tests.support.locks import WatchedDatabase, goes_backwards
from tests.support.scripted_vapi import accepted, dropped, one_after_the_other, refused, running_script
from tests.support.sim import TWILIO_MAIN
from tests.support.sources import APPLICATION
from tests.support.stage import JumpingClock, Stage

pytestmark = pytest.mark.anyio

LIST = b"name,business,phone\nAda,Acme,+12015550101\nBob,Bolt,+12015550102\n"
LOCKING_CLAUSE = re.compile(r"FOR\s+(?:NO\s+KEY\s+)?(?:UPDATE|SHARE)")


@asynccontextmanager
async def watched_stage(database: Database, *, launches: float = 0) -> AsyncIterator[tuple[Stage, list[list[str]]]]:
    """Set a stage whose transactions are watched; at the end none of them may have gone backwards."""
    clock = JumpingClock(SystemClock().now())
    witness = WatchedDatabase(database)
    async with running_script(clock.now) as vapi:
        chosen = settings_for_test(ACCOUNT_CONCURRENCY_CAP=30, LAUNCH_PER_SECOND=launches)
        runtime = make_runtime(cast("Database", witness), vapi.url, settings=chosen, clock=clock)
        yield Stage(runtime=runtime, clock=clock, vapi=vapi, database=database), witness.orders
        await runtime.provider.close()
    assert [order for order in witness.orders if goes_backwards(order)] == []


def whole(orders: list[list[str]]) -> list[list[str]]:
    """Return the orders in which more than one lock was taken."""
    return [order for order in orders if len(order) > 1]


async def test_a_claim_locks_gate_campaign_contacts_and_counters(database: Database) -> None:
    async with watched_stage(database, launches=1) as (stage, orders):
        await stage.campaign(contacts=3)
        await stage.campaign(contacts=3, mode="batch", cap=2, first=100)
        orders.clear()
        await claim(stage.runtime)
        assert orders == [["gate", "campaigns", "contacts", "campaign_counters", "phone_numbers"]]


async def test_every_answer_to_a_dial_is_settled_in_order(database: Database) -> None:
    async with watched_stage(database) as (stage, orders):
        stage.vapi.on_dial = one_after_the_other(
            accepted, dropped, refused(400, "customer.number must be a valid phone number"), refused(429, "slow down")
        )
        await stage.campaign(contacts=12, cap=8)
        orders.clear()
        await refill(stage.runtime)
        assert ["campaigns", "calls", "contacts", "webhook_inbox"] in orders
        assert ["campaigns", "calls", "contacts", "campaign_counters"] in orders
        await claim(stage.runtime)
        stage.clock.move(60)
        await release_lapsed(stage.runtime)


async def test_every_webhook_is_settled_in_order_alone_and_together(database: Database) -> None:
    async with watched_stage(database) as (stage, orders):
        await stage.campaign(contacts=8)
        await stage.campaign(contacts=8, first=100)
        await refill(stage.runtime)
        orders.clear()
        words = [("ringing", {}), ("in-progress", {}), ("ended", {"endedReason": "customer-ended-call"})]
        for word, more in words:
            told = [stage.tell(key, word, **more) for key in list(stage.vapi.calls)[:6]]
            await asyncio.gather(*told)
        await stage.tell("theirs-7", "ended", is_ours=False, endedReason="customer-busy")
        await stage.tell("nobody", "ended", is_ours=False)
        await receive_webhook(stage.runtime, {"message": {"type": "hang"}})
        await stage.report("theirs-8", "call.start.error-vapi-number-outbound-daily-limit")
        assert ["campaigns", "calls", "contacts", "webhook_inbox", "campaign_counters"] in whole(orders)
        await stage.tick(after=4000)


async def test_what_a_tick_repairs_is_settled_in_order(database: Database) -> None:
    async with watched_stage(database) as (stage, orders):
        stage.vapi.on_dial = one_after_the_other(accepted, accepted, dropped)
        await stage.campaign(contacts=5, cap=3)
        await refill(stage.runtime)
        orders.clear()
        stage.vapi.change("theirs-1", status="ended", endedReason="customer-busy")
        await stage.tick_until(3000, every=150)
        await complete_finished(stage.runtime)
        assert whole(orders)
        assert "calls" in {name for order in whole(orders) for name in order}


async def test_what_people_press_locks_in_order(database: Database) -> None:
    async with watched_stage(database) as (stage, orders):
        runtime = stage.runtime
        first, second = await stage.campaign(contacts=4, cap=2), await stage.campaign(contacts=4, cap=2, first=100)
        await refill(runtime)
        await claim(runtime)
        orders.clear()
        await pause_campaign(runtime, first)
        await patch_campaign(runtime, first, Changes(cap=3, name="Anew"), actor="a")
        await resume_campaign(runtime, first)
        await claim(runtime)
        await stop_campaign(runtime, first)
        await hold_dialling(runtime, reason="for a moment", hangs_up=True)
        await list_phone_numbers(runtime)
        await note_concurrency(runtime)
        await release_dialling(runtime)
        await delete_campaign(runtime, await stage.campaign(first=200, is_started=False), actor="a")
        assert ["gate", "phone_numbers"] in orders
        assert ["campaigns", "calls", "contacts", "campaign_counters"] in [order[:4] for order in orders]
        assert second


@pytest.mark.parametrize("decision", Decision)
async def test_a_persons_decision_about_an_unsure_contact_locks_in_order(
    database: Database, decision: Decision
) -> None:
    async with watched_stage(database) as (stage, orders):
        await stage.campaign()
        await claim(stage.runtime)
        await query_all(
            database,
            "UPDATE calls SET dial_started_at = claimed_at, unsure_at = claimed_at",
            "UPDATE contacts SET state = 'unsure'",
        )
        if decision is Decision.REOPEN:
            await decide_unsure(stage.runtime, (await stage.call())["id"], Decision.LEAVE)
        orders.clear()
        await decide_unsure(stage.runtime, (await stage.call())["id"], decision)
        assert orders == [["campaigns", "calls", "contacts", "campaign_counters"]]


async def query_all(database: Database, *statements: str) -> None:
    async with database.connection() as conn:
        for statement in statements:
            await conn.execute(statement.encode())


async def test_an_import_locks_in_order(database: Database) -> None:
    async with watched_stage(database) as (stage, orders):
        assistant_id = await add_assistant(database)

        async def chunks() -> AsyncIterator[bytes]:
            yield LIST

        upload = await receive_upload(stage.runtime, file_name="list.csv", chunks=chunks())
        orders.clear()
        wanted = NewCampaign(upload_id=upload.id, assistant_id=assistant_id, phone_number_id=TWILIO_MAIN)
        created = await create_campaign(stage.runtime, wanted, by=Maker(name="a"))
        assert created.loaded.contacts == 2
        assert ["campaign_counters"] in orders  # campaign and contacts are new: nobody else can wait for them


async def test_calls_are_locked_after_their_campaigns_within_the_one_statement(
    database: Database, database_url: str
) -> None:
    other = await Database.open(database_url, max_size=2)
    async with watched_stage(database) as (stage, _):
        await stage.campaign()
        await claim(stage.runtime)
        call_id = (await stage.call())["id"]

        async def settle() -> None:
            async with other.transaction(by_index=True) as conn:
                await settling.lock(conn, call_id)

        async with database.transaction() as holder:
            await holder.execute("SELECT id FROM campaigns FOR NO KEY UPDATE")
            waiting = asyncio.create_task(settle())
            await until_somebody_waits(database)
            for table in ("calls", "contacts"):
                free = await holder.execute(f"SELECT id FROM {table} FOR NO KEY UPDATE SKIP LOCKED")
                assert len(await free.fetchall()) == 1, f"{table} were locked before the campaign"
        await waiting
    await other.close()


async def until_somebody_waits(database: Database) -> None:
    async with asyncio.timeout(30):
        while not await query(
            database,
            """SELECT pid FROM pg_stat_activity
               WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0""",
        ):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("order", "is_backwards"),
    [
        (["gate", "campaigns", "calls", "contacts", "campaign_counters"], False),
        (["campaigns", "calls", "contacts", "webhook_inbox", "campaign_counters"], False),
        (["campaigns", "gate"], True),
        (["calls", "campaigns"], True),
        (["campaigns", "contacts", "calls"], True),
        (["webhook_inbox", "campaigns"], True),
        (["phone_numbers", "gate"], True),
    ],
)
def test_the_witness_knows_backwards_from_forwards(order: list[str], *, is_backwards: bool) -> None:
    assert goes_backwards(order) is is_backwards


def test_no_lock_is_stronger_than_the_foreign_keys_of_calls_can_bear() -> None:
    found = {
        (path.name, clause)
        for path in (APPLICATION / "store").glob("*.py")
        for clause in LOCKING_CLAUSE.findall(path.read_text("utf-8"))
    }
    # An upload is locked to be deleted, and nothing that is called refers to it.
    assert {(name, clause) for name, clause in found if clause != "FOR NO KEY UPDATE"} == {("uploads.py", "FOR UPDATE")}
