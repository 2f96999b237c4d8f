"""The engine end to end, with the simulator's ledger as the witness."""

import pytest

from autolynx.flows.campaign_life import start_campaign
from autolynx.store.database import Database
from tests.support.engine import make_campaign, running_engine, wait_until_settled
from tests.support.sim import running_sim

pytestmark = pytest.mark.anyio


async def test_a_list_is_dialled_to_its_end_with_nobody_called_twice(database: Database) -> None:
    async with running_sim("--concurrency-limit", "20") as sim, running_engine(database, sim.url, TIME_SCALE=100) as engine:
        campaign_id = await make_campaign(database, contacts=40, cap=8)
        await start_campaign(engine.runtime, campaign_id)
        engine.refiller.request()
        assert await wait_until_settled(database, campaign_id) == "COMPLETED"
        summary = await sim.summary()
    print(summary)
    assert set(summary["dials_per_number"].values()) == {1}
