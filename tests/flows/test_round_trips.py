"""The hot path in round trips: each costs what the network costs, wherever the database is."""

import pytest

from autolynx.flows.tick import run_once
from autolynx.store.database import Database
from tests.support.engine import make_campaign, make_runtime, settings_for_test
from tests.support.refill_trips import count_trips_to_the_next_dial
from tests.support.round_trips import counting_round_trips

pytestmark = pytest.mark.anyio


async def test_from_a_webhook_to_the_next_dial_the_database_is_asked_at_most_seven_times(database_url: str) -> None:
    assert await count_trips_to_the_next_dial(database_url) <= 7


async def test_a_tick_with_nothing_to_do_sends_at_most_five_statements(database_url: str) -> None:
    async with counting_round_trips(database_url) as trips:
        database = await Database.open(trips.url, max_size=1)
        for _ in range(3):
            await make_campaign(database, contacts=2)
        async with database.connection() as conn:
            await conn.execute("UPDATE campaigns SET status = 'RUNNING', started_at = now(), next_position = 2")
            await conn.execute("UPDATE contacts SET due_at = now() + interval '1 hour'")
        runtime = make_runtime(database, "http://127.0.0.1:9", settings=settings_for_test())
        await run_once(runtime)  # once in ten minutes a tick looks for what is old enough to go
        trips.statements = 0
        ticked = await run_once(runtime)
        assert 1 <= trips.statements <= 5
        assert ticked.next_at is not None
        await runtime.provider.close()
        await database.close()
