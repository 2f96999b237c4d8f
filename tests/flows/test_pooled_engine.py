"""A whole campaign with a transaction pooler between us and PostgreSQL."""

from pathlib import Path

import pytest

from autolynx.flows.campaign_life import start_campaign
from autolynx.store.database import Database
from tests.support.checks import assert_counters_are_a_recount, assert_nobody_twice
from tests.support.engine import make_campaign, running_engine, wait_until_settled
from tests.support.pooler import PROGRAM, transaction_pooler
from tests.support.sim import running_sim

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.pgbouncer,
    pytest.mark.skipif(PROGRAM is None, reason="PgBouncer is not installed: apt-get install pgbouncer"),
]


async def test_a_campaign_runs_to_its_end_through_a_transaction_pooler(database_url: str, run_folder: Path) -> None:
    async with transaction_pooler(database_url, run_folder, server_connections=3) as url:
        pooled = await Database.open(url)
        try:
            async with (
                running_sim("--concurrency-limit", "20", speed=50) as sim,
                running_engine(pooled, sim.url, TIME_SCALE=50) as engine,
            ):
                campaign_id = await make_campaign(pooled, contacts=24, cap=8)
                await start_campaign(engine.runtime, campaign_id)
                engine.refiller.request()
                assert await wait_until_settled(pooled, campaign_id) == "COMPLETED"
                summary = await sim.summary()
            await assert_nobody_twice(summary)
            await assert_counters_are_a_recount(pooled)
            assert summary["dials"] == 24
            assert summary["peakConcurrent"] <= 8
        finally:
            await pooled.close()
