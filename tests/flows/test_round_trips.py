"""The hot path in round trips: each costs what the network costs, wherever the database is."""

import pytest

from tests.support.refill_trips import count_trips_to_the_next_dial

pytestmark = pytest.mark.anyio


async def test_from_a_webhook_to_the_next_dial_the_database_is_asked_at_most_seven_times(database_url: str) -> None:
    assert await count_trips_to_the_next_dial(database_url) <= 7
