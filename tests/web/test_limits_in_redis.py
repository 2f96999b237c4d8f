"""Several processes count together in a real Redis, and each by itself while it is away."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from autolynx.errors import RateLimited
from autolynx.store.database import Database
from autolynx.web import limiter as limiter_module
from autolynx.web.limiter import Limiter
from tests.support.redis_server import RedisServer, require_redis
from tests.support.web import problem, running_web

pytestmark = pytest.mark.anyio


@pytest.fixture
async def redis(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RedisServer]:
    require_redis()
    folder: Path = tmp_path_factory.mktemp("r")  # a socket's address has to be short
    server = RedisServer(folder)
    await server.start()
    yield server
    await server.stop()


@asynccontextmanager
async def limiting(url: str) -> AsyncIterator[Limiter]:
    limiter = Limiter(redis_url=url)
    try:
        yield limiter
    finally:
        await limiter.close()


async def let_through(limiter: Limiter, *, times: int, most: int = 5) -> int:
    count = 0
    for _ in range(times):
        try:
            await limiter.hit("test", "somebody", most)
        except RateLimited:
            continue
        else:
            count += 1
    return count


async def test_two_processes_share_one_count(redis: RedisServer) -> None:
    async with limiting(redis.url) as one, limiting(redis.url) as other:
        assert await let_through(one, times=3) == 3
        assert 2 <= await let_through(other, times=9) <= 3  # a minute may begin meanwhile


async def test_two_servers_share_one_count(database: Database, redis: RedisServer) -> None:
    settings = {"REDIS_URL": redis.url, "RATE_LIMIT_PER_MINUTE": 6}
    async with running_web(database, **settings) as one, running_web(database, **settings) as other:
        other.client.headers["Authorization"] = one.client.headers["Authorization"]
        answers = [await web.client.get("/api/dialing") for _ in range(5) for web in (one, other)]
        assert [answer.status_code for answer in answers][:6] == [200] * 6
        problem(answers[-1], 429, "RATE_LIMITED")


async def test_without_redis_each_process_counts_by_itself_and_says_so_once(
    redis: RedisServer, capsys: pytest.CaptureFixture[str]
) -> None:
    async with limiting(redis.url) as limiter:
        assert await let_through(limiter, times=2) == 2
        await redis.stop()
        assert 5 <= await let_through(limiter, times=20) <= 6
    printed = "".join(capsys.readouterr())
    assert printed.count("limits.redis_unavailable") == 1
    assert redis.url not in printed


async def test_redis_is_asked_again_when_it_is_back(redis: RedisServer) -> None:
    async with limiting(redis.url) as limiter, limiting(redis.url) as other:
        await redis.stop()
        await let_through(limiter, times=5)
        await redis.start()
        assert await let_through(other, times=9) >= 5
        assert await let_through(limiter, times=1) == 0  # not yet: its own count holds
        limiter._ask_redis_at -= limiter_module.ASK_REDIS_AGAIN_SECONDS
        assert await let_through(limiter, times=1) == 0  # the common one


async def test_a_redis_that_never_was_there_stops_nobody(database: Database) -> None:
    async with running_web(database, REDIS_URL="redis://127.0.0.1:9/0", RATE_LIMIT_PER_MINUTE=3) as web:
        statuses = [(await web.client.get("/api/dialing")).status_code for _ in range(8)]
        assert statuses[:3] == [200, 200, 200]
        assert statuses[-1] == 429
