"""Many hands at once, each with connections of its own: caps hold, and nobody gets in the way of the truth."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from autolynx.errors import Conflict
from autolynx.flows.campaign_edit import delete_campaign
from autolynx.flows.campaign_life import pause_campaign, resume_campaign, start_campaign, stop_campaign
from autolynx.flows.claim import claim
from autolynx.flows.ingest import receive_webhook
from autolynx.flows.refill import refill
from autolynx.flows.tick import run_once
from autolynx.runtime import Runtime, SystemClock
from autolynx.store.database import Database
from tests.support.checks import (
    assert_counters_are_a_recount,
    assert_every_contact_has_an_end,
    assert_nobody_twice,
    query,
)
from tests.support.engine import (
    make_campaign,
    running_engine,
    wait_until_settled,
)
from tests.support.processes import count_lines, processes, slowly
from tests.support.scripted_vapi import ScriptedVapi, running_script
from tests.support.sim import TWILIO_SECOND, running_sim

pytestmark = pytest.mark.anyio


async def assert_nobody_is_left_behind(database: Database) -> None:
    """Each contact that is calling has exactly one active call, and nobody else has one."""
    strange = await query(
        database,
        """SELECT t.id FROM contacts t WHERE (t.state = 'calling') <> EXISTS (SELECT FROM calls k
           WHERE k.contact_id = t.id AND k.status IN ('QUEUED', 'RINGING', 'IN_PROGRESS'))""",
    )
    assert strange == []
    await assert_counters_are_a_recount(database)


async def assert_only_the_marked_were_sent(database: Database, vapi: ScriptedVapi) -> None:
    rows = await query(database, "SELECT id FROM calls WHERE dial_started_at IS NOT NULL")
    assert Counter(vapi.dials) == Counter(row["id"] for row in rows)


# Claims -------------------------------------------------------------------------------------------------------------


async def test_many_claims_at_once_never_exceed_the_campaigns_cap(database: Database, database_url: str) -> None:
    async with processes(database_url, "http://127.0.0.1:9", 6, ACCOUNT_CONCURRENCY_CAP=60) as runtimes:
        campaign_id = await make_campaign(database, contacts=100, cap=7)
        await start_campaign(runtimes[0], campaign_id)
        claimed = await asyncio.gather(*(claim(runtime) for runtime in runtimes * 4))
        orders = [order for one in claimed for order in one.orders]
        assert len(orders) == 7
        assert len({order.contact_id for order in orders}) == 7
        assert await count_lines(database) == {campaign_id: 7}
        await assert_nobody_is_left_behind(database)


async def test_many_claims_at_once_never_exceed_the_accounts_room_and_share_it(
    database: Database, database_url: str
) -> None:
    async with processes(database_url, "http://127.0.0.1:9", 6, ACCOUNT_CONCURRENCY_CAP=11) as runtimes:
        made = [await make_campaign(database, contacts=30, cap=50, first=100 * n) for n in range(3)]
        for campaign_id in made:
            await start_campaign(runtimes[0], campaign_id)
        ones = [claim(runtime, most=1) for runtime in runtimes * 5]
        claimed = await asyncio.gather(*ones)
        assert sum(len(one.orders) for one in claimed) == 9  # eleven less the reserve of two
        assert await count_lines(database) == dict.fromkeys(made, 3)


async def test_claims_at_once_keep_to_the_launch_rate_and_the_day_of_a_number(
    database: Database, database_url: str
) -> None:
    async with processes(database_url, "http://127.0.0.1:9", 5, LAUNCH_PER_SECOND=0.001) as runtimes:
        for first, number in ((0, None), (50, TWILIO_SECOND)):
            values = {"phone_number_id": number} if number else {}
            await start_campaign(runtimes[0], await make_campaign(database, contacts=9, first=first, **values))
        claimed = await asyncio.gather(*(claim(runtime) for runtime in runtimes * 3))
        numbers = Counter(order.phone_number_id for one in claimed for order in one.orders)
        assert sorted(numbers.values()) == [1, 1]


async def test_claims_at_once_open_no_batch_before_its_time(database: Database, database_url: str) -> None:
    async with processes(database_url, "http://127.0.0.1:9", 5) as runtimes:
        campaign_id = await make_campaign(database, contacts=12, cap=4, mode="batch")
        await start_campaign(runtimes[0], campaign_id)
        await asyncio.gather(*(claim(runtime) for runtime in runtimes * 3))
        rows = await query(database, "SELECT batch_index FROM contacts WHERE state = 'calling' ORDER BY position")
        assert [row["batch_index"] for row in rows] == [0, 0, 0, 0]


# Ticks and webhooks -------------------------------------------------------------------------------------------------


async def test_ticks_at_once_dial_each_contact_once_and_keep_the_cap(database: Database, database_url: str) -> None:
    async with (
        running_script(SystemClock().now) as vapi,
        processes(database_url, vapi.url, 4, ACCOUNT_CONCURRENCY_CAP=60) as runtimes,
    ):
        vapi.on_dial = slowly
        await start_campaign(runtimes[0], await make_campaign(database, contacts=40, cap=9))
        await asyncio.gather(*(run_once(runtime) for runtime in runtimes * 3))
        assert len(vapi.dials) == 9
        await assert_only_the_marked_were_sent(database, vapi)
        await assert_nobody_is_left_behind(database)


def ended(call: dict[str, Any], reason: str) -> dict[str, Any]:
    return {"message": {"type": "status-update", "status": "ended", "endedReason": reason, "call": call}}


async def test_a_tick_and_a_webhook_that_learn_of_the_same_end_free_one_line(
    database: Database, database_url: str
) -> None:
    async with (
        running_script(SystemClock().now) as vapi,
        processes(database_url, vapi.url, 3) as runtimes,
    ):
        await start_campaign(runtimes[0], await make_campaign(database, contacts=30, cap=3))
        await refill(runtimes[0])
        for _ in range(6):
            live = await query(database, "SELECT provider_call_id FROM calls WHERE holds_line")
            assert len(live) == 3
            for row in live:
                vapi.change(row["provider_call_id"], status="ended", endedReason="customer-busy")
            async with database.connection() as conn:
                await conn.execute("UPDATE calls SET next_check_at = claimed_at WHERE holds_line")
                await conn.execute("UPDATE gate SET swept_until = NULL")
            told = [ended(vapi.calls[row["provider_call_id"]], "customer-busy") for row in live]
            await asyncio.gather(
                *(run_once(runtime) for runtime in runtimes),
                *(receive_webhook(random.choice(runtimes), body) for body in told * 2),  # noqa: S311
            )
        assert len(vapi.dials) == 3 + 6 * 3
        assert len(set(vapi.dials)) == len(vapi.dials)
        ends = await query(
            database, "SELECT call_id FROM call_events WHERE status = 'ENDED' GROUP BY call_id HAVING count(*) > 1"
        )
        assert ends == []
        await assert_nobody_is_left_behind(database)
        assert await query(database, "SELECT kind FROM incidents") == []


async def test_all_news_of_one_call_at_once_end_in_the_same_call(database: Database, database_url: str) -> None:
    async with (
        running_script(SystemClock().now) as vapi,
        processes(database_url, vapi.url, 4) as runtimes,
    ):
        campaign_id = await make_campaign(database, contacts=8, cap=8)
        await start_campaign(runtimes[0], campaign_id)
        await refill(runtimes[0])
        now = SystemClock().now().isoformat()
        bodies: list[dict[str, Any]] = []
        for call in vapi.calls.values():
            live = [{"type": "status-update", "status": word} for word in ("queued", "ringing", "in-progress")]
            last = {"type": "status-update", "status": "ended", "endedReason": "customer-ended-call"}
            report = {"type": "end-of-call-report", "endedReason": "customer-ended-call", "cost": 0.5, "startedAt": now}
            bodies += [{"message": {**one, "call": call}} for one in (*live, last, report, report)]
        random.shuffle(bodies)
        await asyncio.gather(*(receive_webhook(random.choice(runtimes), body) for body in bodies))  # noqa: S311
        rows = await query(database, "SELECT status, outcome, cost_usd, is_final, was_live FROM calls")
        assert {tuple(row.values()) for row in rows} == {("ENDED", "answered", rows[0]["cost_usd"], True, True)}
        assert float(rows[0]["cost_usd"]) == 0.5
        (counters,) = await query(database, "SELECT answered, ended, cost_usd FROM campaign_counters")
        assert (counters["answered"], counters["ended"], float(counters["cost_usd"])) == (8, 8, 4)
        (campaign,) = await query(database, "SELECT status FROM campaigns")
        assert campaign["status"] == "COMPLETED"
        await assert_nobody_is_left_behind(database)


async def test_a_webhook_that_comes_before_our_own_answer_is_matched_by_our_id(database: Database) -> None:
    async with (
        running_sim("--concurrency-limit", "20", "--fault", "webhook_before_response=true") as sim,
        running_engine(database, sim.url, TIME_SCALE=100) as engine,
    ):
        campaign_id = await make_campaign(database, contacts=20, cap=6)
        await start_campaign(engine.runtime, campaign_id)
        engine.refiller.request()
        assert await wait_until_settled(database, campaign_id) == "COMPLETED"
        summary = await sim.summary()
    await assert_nobody_twice(summary)
    await assert_every_contact_has_an_end(database, campaign_id, summary)
    assert summary["dials"] == 20
    assert await query(database, "SELECT id FROM webhook_inbox WHERE state NOT IN ('settled', 'ignored')") == []
    assert await query(database, "SELECT id FROM incidents") == []


# People in between --------------------------------------------------------------------------------------------------


async def _running(database: Database, runtime: Runtime, rounds: int) -> Sequence[UUID]:
    made = [await make_campaign(database, contacts=6, cap=4, first=100 * n) for n in range(rounds)]
    for campaign_id in made:
        await start_campaign(runtime, campaign_id)
    return made


async def test_stop_while_calls_go_out_leaves_no_contact_between_two_chairs(
    database: Database, database_url: str
) -> None:
    async with (
        running_script(SystemClock().now) as vapi,
        processes(database_url, vapi.url, 3, ACCOUNT_CONCURRENCY_CAP=100) as runtimes,
    ):
        vapi.on_dial = slowly
        made = await _running(database, runtimes[0], 8)

        async def stop(campaign_id: UUID) -> None:
            await asyncio.sleep(random.uniform(0, 0.08))  # noqa: S311
            await stop_campaign(random.choice(runtimes), campaign_id)  # noqa: S311

        await asyncio.gather(*(refill(runtime) for runtime in runtimes), *(stop(one) for one in made))
        sent = len(vapi.dials)
        await asyncio.gather(*(refill(runtime) for runtime in runtimes))
        assert len(vapi.dials) == sent
        await assert_only_the_marked_were_sent(database, vapi)
        live = await query(database, "SELECT provider_call_id, cancel_requested_at FROM calls WHERE holds_line")
        assert len(live) == sent
        assert all(row["cancel_requested_at"] and row["provider_call_id"] for row in live)
        for row in live:
            await receive_webhook(runtimes[0], ended(vapi.calls[row["provider_call_id"]], "customer-busy"))
        statuses = await query(database, "SELECT DISTINCT status FROM calls WHERE counts_as_attempt")
        assert [row["status"] for row in statuses] in ([], ["CANCELED"])
        await assert_nobody_is_left_behind(database)


async def test_pause_while_calls_go_out_places_nothing_after_it(database: Database, database_url: str) -> None:
    async with (
        running_script(SystemClock().now) as vapi,
        processes(database_url, vapi.url, 3, ACCOUNT_CONCURRENCY_CAP=100) as runtimes,
    ):
        vapi.on_dial = slowly
        made = await _running(database, runtimes[0], 6)

        async def pause(campaign_id: UUID) -> None:
            await asyncio.sleep(random.uniform(0, 0.08))  # noqa: S311
            await pause_campaign(random.choice(runtimes), campaign_id)  # noqa: S311

        await asyncio.gather(*(refill(runtime) for runtime in runtimes), *(pause(one) for one in made))
        sent = len(vapi.dials)
        await asyncio.gather(*(run_once(runtime) for runtime in runtimes))
        assert len(vapi.dials) == sent
        await assert_only_the_marked_were_sent(database, vapi)
        await assert_nobody_is_left_behind(database)
        for campaign_id in made:
            await resume_campaign(runtimes[0], campaign_id)
        await asyncio.gather(*(refill(runtime) for runtime in runtimes))
        assert await count_lines(database) == dict.fromkeys(made, 4)
        assert len(set(vapi.dials)) == len(vapi.dials) == 4 * len(made)


async def test_delete_while_calls_go_out_either_comes_first_or_not_at_all(
    database: Database, database_url: str
) -> None:
    async with (
        running_script(SystemClock().now) as vapi,
        processes(database_url, vapi.url, 3, ACCOUNT_CONCURRENCY_CAP=100) as runtimes,
    ):
        vapi.on_dial = slowly
        made = await _running(database, runtimes[0], 8)
        deleted: set[UUID] = set()

        async def delete(campaign_id: UUID) -> None:
            await asyncio.sleep(random.uniform(0, 0.02))  # noqa: S311
            try:
                await delete_campaign(random.choice(runtimes), campaign_id, actor="tester")  # noqa: S311
            except Conflict:
                return
            deleted.add(campaign_id)

        await asyncio.gather(*(delete(one) for one in made), *(refill(runtime) for runtime in runtimes))
        lines = await count_lines(database)
        assert lines == {one: 4 for one in made if one not in deleted}
        assert len(vapi.dials) == 4 * (len(made) - len(deleted))
        await assert_nobody_is_left_behind(database)
