"""One dial, step by step: what a crash of the database between claim and mark leaves."""

import pytest

from autolynx.domain.pacing import Account
from autolynx.flows.claim import claim
from autolynx.flows.dial import dial
from autolynx.store.database import Database
from tests.support.stage import a_stage

pytestmark = pytest.mark.anyio


async def test_a_claim_that_a_crash_of_the_database_undid_is_not_dialled(database: Database) -> None:
    async with a_stage(database) as stage:
        await stage.campaign()
        (order,) = (await claim(stage.runtime)).orders
        async with database.transaction() as conn:  # what a claim that was never flushed to disk comes to
            await conn.execute("UPDATE campaigns SET next_position = 0")
            await conn.execute("UPDATE contacts SET state = 'due'")
            await conn.execute("DELETE FROM calls")
        dialled = await dial(stage.runtime, order, account=Account())
        assert not dialled.was_sent
        assert stage.vapi.calls == {}
        await stage.tick()
        assert len(stage.vapi.calls) == 1
        assert await stage.contacts() == ["calling"]
