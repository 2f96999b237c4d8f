"""Many webhooks in one transaction leave what they would have left one by one, by a fraction of the statements."""

import random
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from autolynx.flows.ingest import receive_webhook
from autolynx.flows.settle_together import Letter, settle_together
from autolynx.runtime import Runtime
from autolynx.store.database import Database
from autolynx.store.inbox import Body, Delivery
from tests.support.campaign_rows import START, add_call, change_campaign
from tests.support.checks import assert_counters_are_a_recount, query
from tests.support.engine import MovedClock, make_campaign, make_runtime, settings_for_test
from tests.support.round_trips import counting_round_trips
from tests.support.vapi_bodies import call, report, status_update

pytestmark = pytest.mark.anyio

NOWHERE = "http://127.0.0.1:9"
LIVE = {"status": "QUEUED", "outcome": None, "holds_line": True, "is_final": False}
REASONS = (
    "customer-ended-call voicemail customer-did-not-answer customer-busy call.start.error-get-assistant "
    "pipeline-error-openai-llm-failed never-heard-of-this"
).split()
CALLS = """SELECT k.status, k.outcome, k.counts_as_attempt, k.holds_line, k.is_final, k.was_live, k.reason,
    k.next_check_at, k.checks, k.last_status_at, k.started_at, k.ended_at, k.ended_reason, k.cost_usd,
    k.cost_breakdown, k.recording_url, k.transcript_json, k.transcript_rank, k.summary,
    k.success_raw, k.success_evaluation, k.version, t.state, t.due_at, t.reason AS contact_reason,
    c.status AS campaign_status, c.status_reason, c.started_at AS campaign_started_at,
    (SELECT jsonb_agg(e.payload - 'providerCallId' ORDER BY e.id) FROM call_events e WHERE e.call_id = k.id) AS events
    FROM calls k JOIN contacts t ON t.id = k.contact_id JOIN campaigns c ON c.id = k.campaign_id
    WHERE k.campaign_id = %s ORDER BY t.position"""


async def campaign_on_the_phone(database: Database, *, contacts: int, first: int) -> tuple[UUID, list[UUID]]:
    """Make a campaign, all of whose contacts are on a call; returns it and the calls."""
    campaign_id = await make_campaign(database, contacts=contacts, cap=50, first=first)
    await change_campaign(database, campaign_id, status="QUEUED", next_position=contacts)
    calls = [await add_call(database, campaign_id, position, **LIVE) for position in range(contacts)]
    await query_nothing(database, "UPDATE contacts SET state = 'calling' WHERE campaign_id = %s", campaign_id)
    return campaign_id, calls


async def query_nothing(database: Database, sql: str, *values: Any) -> None:
    async with database.connection() as conn:
        await conn.execute(sql, list(values))


def body_about(call_id: UUID, body: dict[str, Any]) -> dict[str, Any]:
    ours = {"externalId": str(call_id)}
    body["message"]["call"] = call(id=f"provider-{call_id}", name=str(call_id), customer=ours, assistantOverrides={})
    return body


def letter(runtime: Runtime, body: dict[str, Any]) -> Letter:
    news = runtime.provider.read_webhook(body)
    delivery = Delivery(provider_call_id=news.provider_call_id, type=news.type, status=news.status)
    return Letter(news=news, body=Body(delivery=delivery, our_call_id=news.our_call_id, content=body))


def random_body(dice: random.Random, call_id: UUID) -> dict[str, Any]:
    reason = dice.choice(REASONS)
    body = dice.choice(
        [
            status_update("ringing"),
            status_update("in-progress"),
            status_update("ended", endedReason=reason),
            report(endedReason=reason, cost=dice.randint(0, 9000) / 10_000),
        ]
    )
    return body_about(call_id, body)


async def settle_each(runtime: Runtime, letters: Sequence[Letter]) -> None:
    for one in letters:
        assert await settle_together(runtime, [one])


@pytest.mark.parametrize("seed", range(4))
async def test_a_batch_leaves_what_its_webhooks_would_have_left_one_by_one(database: Database, seed: int) -> None:
    clock = MovedClock(START)
    runtime = make_runtime(database, NOWHERE, settings=settings_for_test(), clock=clock)
    together, calls = await campaign_on_the_phone(database, contacts=12, first=0)
    single, twins = await campaign_on_the_phone(database, contacts=12, first=12)
    dice, other_dice = random.Random(seed), random.Random(seed)  # noqa: S311 - choose a life, guard nothing
    for _ in range(8):
        clock.move(10)
        batch = [letter(runtime, random_body(dice, call_id)) for call_id in calls]
        assert len(await settle_together(runtime, batch)) == len(calls)
        await settle_each(runtime, [letter(runtime, random_body(other_dice, call_id)) for call_id in twins])
    left = await query(database, CALLS, together)
    assert left == await query(database, CALLS, single)
    assert any(row["is_final"] for row in left)
    await assert_counters_are_a_recount(database)
    await runtime.provider.close()


async def test_the_last_calls_of_a_campaign_may_end_in_one_batch(database: Database) -> None:
    runtime = make_runtime(database, NOWHERE, settings=settings_for_test())
    campaign_id, calls = await campaign_on_the_phone(database, contacts=5, first=0)
    over = status_update("ended", endedReason="customer-ended-call")
    settled = await settle_together(runtime, [letter(runtime, body_about(one, over)) for one in calls])
    assert {row["campaign_status"] for row in await query(database, CALLS, campaign_id)} == {"COMPLETED"}
    assert all(one.freed_line for one in settled.values())
    await runtime.provider.close()


async def test_sixteen_ends_at_once_take_fewer_statements_than_one_each(database_url: str) -> None:
    async with counting_round_trips(database_url) as trips:
        database = await Database.open(trips.url, max_size=1)
        runtime = make_runtime(database, NOWHERE, settings=settings_for_test())
        calls = [(await campaign_on_the_phone(database, contacts=1, first=number))[1][0] for number in range(16)]
        for one in calls:
            await receive_webhook(runtime, body_about(one, status_update("in-progress")))
        over = status_update("ended", endedReason="customer-ended-call")
        letters = [letter(runtime, body_about(one, over)) for one in calls]
        trips.statements = trips.count = 0
        assert len(await settle_together(runtime, letters)) == len(calls)
        assert trips.statements - len(calls) <= 9  # each campaign is over, and is told so by itself
        assert trips.count <= 3
        await runtime.provider.close()
        await database.close()
