"""One wish, one effect: also when the first request never came back."""

import pytest

from autolynx.errors import Conflict, DatabaseUnavailable
from autolynx.flows.answered_once import Answer, Wish, answer_once
from autolynx.store.database import Database
from tests.support.engine import MovedClock
from tests.support.web import moved_clock, running_web

pytestmark = pytest.mark.anyio

WISH = Wish(actor="a", key="k", request_hash=b"1")


async def test_a_wish_that_lost_the_database_may_be_tried_again_after_two_minutes(database: Database) -> None:
    clock: MovedClock = moved_clock()
    done: list[str] = []

    async def lost() -> Answer:
        done.append("lost")
        raise DatabaseUnavailable("The connection to PostgreSQL was lost; try again.")

    async def works() -> Answer:
        done.append("works")
        return Answer(status=201, body={"id": 1})

    async with running_web(database, clock=clock) as web:
        with pytest.raises(DatabaseUnavailable):
            await answer_once(web.runtime, WISH, lost)
        with pytest.raises(Conflict, match="under way"):
            await answer_once(web.runtime, WISH, works)
        clock.move(121)
        other = Wish(actor="a", key="k", request_hash=b"2")
        with pytest.raises(Conflict, match="another request"):
            await answer_once(web.runtime, other, works)
        assert (await answer_once(web.runtime, WISH, works)).body == {"id": 1}
        repeated = await answer_once(web.runtime, WISH, works)
        assert repeated == Answer(status=201, body={"id": 1}, is_repeated=True)
        assert done == ["lost", "works"]


async def test_a_key_is_forgotten_after_a_day(database: Database) -> None:
    clock = moved_clock()
    count = 0

    async def works() -> Answer:
        nonlocal count
        count += 1
        return Answer(status=201, body=count)

    async with running_web(database, clock=clock) as web:
        assert (await answer_once(web.runtime, WISH, works)).body == 1
        clock.move(86_399)
        assert (await answer_once(web.runtime, WISH, works)).body == 1
        clock.move(2)
        assert (await answer_once(web.runtime, WISH, works)).body == 2
