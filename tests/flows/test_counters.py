"""The counters beside the campaigns against a recount, after long random lives."""

import random
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from autolynx.domain.call import CallNews, CallStatus, Facts, NewsKind, Outcome, Source
from autolynx.domain.metrics import Counters
from autolynx.errors import Conflict
from autolynx.flows.campaign_life import start_campaign
from autolynx.flows.claim import claim
from autolynx.flows.dialing import Decision, decide_unsure
from autolynx.flows.settle import settle
from autolynx.runtime import Runtime
from autolynx.store import reports
from autolynx.store.database import Database
from tests.support.campaign_rows import START, make_campaign
from tests.support.checks import assert_counters_are_a_recount, query
from tests.support.engine import MovedClock, make_runtime, settings_for_test

pytestmark = pytest.mark.anyio

NOWHERE = "http://127.0.0.1:9"
STEPS = 150
REASONS = (
    "customer-ended-call assistant-ended-call voicemail customer-did-not-answer customer-busy silence-timed-out "
    "manually-canceled pipeline-error-openai-llm-failed call.start.error-vapi-number-outbound-daily-limit "
    "customer-did-not-give-microphone-permission twilio-failed-to-connect-call never-heard-of-this"
).split()
LIVE = (CallStatus.QUEUED, CallStatus.RINGING, CallStatus.IN_PROGRESS)


def random_news(dice: random.Random, now: datetime) -> CallNews:
    kind = dice.choice([NewsKind.PROVIDER] * 8 + list(NewsKind))
    facts = Facts(
        started_at=dice.choice([None, now - timedelta(seconds=dice.randint(0, 90))]),
        ended_at=dice.choice([None, now]),
        ended_reason=dice.choice(REASONS),
        cost_usd=dice.choice([None, Decimal(dice.randint(0, 5000)) / 10_000]),
        success_raw=dice.choice([None, "true", "false", "9", "Poor", "text"]),
    )
    if kind is not NewsKind.PROVIDER:
        return CallNews(kind=kind, source=Source.TICK, reason="So it goes.", outcome=Outcome.BAD_NUMBER)
    return CallNews(
        kind=kind,
        source=Source.WEBHOOK,
        provider_call_id=f"call-{dice.randint(1, 10**9)}",
        status=dice.choice([None, *LIVE]),
        is_over=dice.random() < 0.4,
        is_blocked=dice.random() < 0.1,
        facts=facts,
    )


async def random_step(dice: random.Random, runtime: Runtime, clock: MovedClock) -> None:
    clock.move(dice.choice([0, 1, 30, 400]))
    if dice.random() < 0.3:
        await claim(runtime)
        return
    calls = [row["id"] for row in await query(runtime.database, "SELECT id FROM calls ORDER BY claimed_at, id")]
    if not calls:
        return
    call_id = dice.choice(calls)
    if dice.random() < 0.2:
        await decide(runtime, call_id, dice.choice(list(Decision)))
        return
    async with runtime.database.transaction() as conn:
        news = random_news(dice, clock.now())
        await settle(conn, call_id, news, now=clock.now(), timers=runtime.settings.timers)


async def decide(runtime: Runtime, call_id: UUID, decision: Decision) -> None:
    try:
        await decide_unsure(runtime, call_id, decision)
    except Conflict as error:
        assert "waiting for a decision" in error.message  # noqa: PT017 - most calls are none that wait


@pytest.mark.parametrize("seed", range(4))
async def test_after_any_life_the_counters_are_a_recount(database: Database, seed: int) -> None:
    dice, clock = random.Random(seed), MovedClock(START)  # noqa: S311 - chooses a life, guards nothing
    runtime = make_runtime(database, NOWHERE, settings=settings_for_test(), clock=clock)
    campaign_id = await make_campaign(
        database, contacts=12, cap=5, mode=dice.choice(["continuous", "batch"]), options='{"maxAttempts": 3}'
    )
    await start_campaign(runtime, campaign_id)
    for _ in range(STEPS):
        await random_step(dice, runtime, clock)
    await assert_counters_are_a_recount(database)
    async with database.connection() as conn:
        counters = (await reports.get_campaign(conn, campaign_id)).counters
    assert counters.contacts == 12
    assert await recounted(database) == shown(counters)
    assert len(await query(database, "SELECT id FROM calls")) > 5


async def recounted(database: Database) -> dict[str, Any]:
    """Count the calls themselves, in plain words of SQL."""
    counted = "FROM calls WHERE outcome IS DISTINCT FROM 'not_dialled'"
    by_status = await query(database, f"SELECT status::text AS name, count(*) AS n {counted} GROUP BY 1")
    by_outcome = await query(
        database, f"SELECT outcome AS name, count(*) AS n {counted} AND outcome IS NOT NULL GROUP BY 1"
    )
    (rest,) = await query(
        database,
        f"""SELECT coalesce(sum(cost_usd), 0) AS cost, count(*) FILTER (WHERE success_evaluation) AS yes,
                count(*) FILTER (WHERE NOT success_evaluation) AS no {counted}""",
    )
    return {
        "statuses": {row["name"]: row["n"] for row in by_status},
        "outcomes": {row["name"]: row["n"] for row in by_outcome},
        **rest,
    }


def shown(counters: Counters) -> dict[str, Any]:
    return {
        "statuses": {name: count for name, count in counters.calls_by_status.items() if count},
        "outcomes": {name: count for name, count in counters.calls_by_outcome.items() if count},
        "cost": counters.cost_usd,
        "yes": counters.success_true,
        "no": counters.success_false,
    }
