"""How often somebody may fail: bounds that hold for many at once, and that time and success lift."""

import asyncio
from datetime import timedelta

import pytest

from autolynx.errors import RateLimited
from autolynx.flows import throttle
from autolynx.flows.throttle import Subject
from autolynx.store.database import Database
from tests.support.web import START, rows

pytestmark = pytest.mark.anyio

WHO, WHERE = throttle.by_email("zoe@example.com"), throttle.by_address("203.0.113.7")


async def attempt(database: Database, *subjects: Subject, after: float = 0) -> None:
    async with database.transaction() as conn:
        await throttle.claim(conn, subjects, START + timedelta(seconds=after))


async def waits(database: Database, *subjects: Subject, after: float = 0) -> int:
    with pytest.raises(RateLimited) as refused:
        await attempt(database, *subjects, after=after)
    return refused.value.retry_after_seconds


async def test_after_the_last_attempt_a_quarter_of_an_hour_is_waited(database: Database) -> None:
    for second in range(5):
        await attempt(database, WHO, after=second)
    assert await waits(database, WHO, after=4) == 900
    assert await waits(database, WHO, after=4 + 899.5) == 1
    await attempt(database, WHO, after=4 + 900)


async def test_waiting_is_not_made_longer_by_knocking(database: Database) -> None:
    for _ in range(5):
        await attempt(database, WHO)
    for second in range(0, 900, 100):
        assert await waits(database, WHO, after=second) == 900 - second
    await attempt(database, WHO, after=900)


async def test_many_at_once_come_no_further_than_many_in_a_row(database: Database) -> None:
    tries = await asyncio.gather(*(attempt(database, WHO) for _ in range(20)), return_exceptions=True)
    assert sum(one is None for one in tries) == 5
    assert all(one is None or isinstance(one, RateLimited) for one in tries)


async def test_an_address_has_more_attempts_than_an_email(database: Database) -> None:
    for number in range(30):
        await attempt(database, throttle.by_email(f"{number}@example.com"), WHERE)
    assert await waits(database, throttle.by_email("fresh@example.com"), WHERE) == 900
    await attempt(database, throttle.by_email("fresh@example.com"), throttle.by_address("203.0.113.8"))


async def test_who_is_refused_for_one_reason_is_not_counted_for_the_other(database: Database) -> None:
    for _ in range(5):
        await attempt(database, WHO)
    for _ in range(40):
        await waits(database, WHO, WHERE)
    await attempt(database, WHERE)


async def test_failures_of_long_ago_are_forgotten(database: Database) -> None:
    for _ in range(4):
        await attempt(database, WHO)
    for second in range(4):
        await attempt(database, WHO, after=901 + second)
    await attempt(database, throttle.by_email("other@example.com"), after=2 * 24 * 3600)
    assert len(await rows(database, "SELECT subject FROM sign_in_failures")) == 1


async def test_success_forgets_an_email_and_takes_one_back_from_an_address(database: Database) -> None:
    for _ in range(100):  # many people behind one address, who all know their passwords
        await attempt(database, WHO, WHERE)
        async with database.transaction() as conn:
            await throttle.forget(conn, WHO)
            await throttle.take_back(conn, WHERE)
    for _ in range(29):
        await attempt(database, WHERE)
    await attempt(database, WHERE)
    assert await waits(database, WHERE) == 900


async def test_neither_emails_nor_addresses_are_kept(database: Database) -> None:
    await attempt(database, WHO, WHERE)
    kept = [row["text"] for row in await rows(database, "SELECT to_jsonb(f)::text AS text FROM sign_in_failures f")]
    assert len(kept) == 2
    assert not [text for text in kept if "zoe" in text or "203.0" in text]
