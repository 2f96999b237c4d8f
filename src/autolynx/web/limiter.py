"""Counts requests within a sliding minute: in this process, or in Redis for all processes together.

Redis is never needed to answer: while it cannot be asked this process counts by itself, says so in the log once a
minute, and asks Redis again a few seconds later.
"""

import math
import time
from typing import Any, cast

from limits import RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError
from starlette.requests import HTTPConnection

from autolynx.errors import RateLimited
from autolynx.log import log
from autolynx.runtime import SystemClock
from autolynx.settings import Settings

REDIS_SECONDS = 0.5  # how long Redis may take: it must not be slower than what it guards
ASK_REDIS_AGAIN_SECONDS = 5.0
SAY_AGAIN_SECONDS = 60.0
_DOWN = (RedisError, OSError, TimeoutError)


class Limiter:
    """Says whether something may happen once more. `window_seconds`: how long the minute is."""

    def __init__(self, *, redis_url: str | None = None, window_seconds: int = 60) -> None:
        self._window_seconds = window_seconds
        self._here = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._pool = _pool(redis_url) if redis_url else None
        self._shared = SlidingWindowCounterRateLimiter(_storage(self._pool)) if self._pool else None
        self._ask_redis_at = -math.inf
        self._say_at = -math.inf

    @classmethod
    def of(cls, settings: Settings) -> "Limiter":
        """Return the limiter that the settings ask for."""
        url = settings.redis_url
        return cls(redis_url=url.get_secret_value() if url else None)

    async def hit(self, name: str, key: str, per_minute: int) -> None:
        """Count one more of `name` (a word of ours) by `key` (who it is). 0 a minute is no limit.

        Raises RateLimited, with the seconds after which one more is let through. What is refused is not counted.
        """
        if per_minute == 0:
            return
        wait = await self._wait(name, key, per_minute)
        if wait is not None:
            seconds = max(1, math.ceil(wait))
            raise RateLimited(
                f"Too many requests: at most {per_minute} a minute. Go on in {_in_words(seconds)}.",
                retry_after_seconds=seconds,
            )

    async def close(self) -> None:
        """Let go of connections."""
        if self._pool is not None:
            await self._pool.aclose()

    async def _wait(self, name: str, key: str, most: int) -> float | None:
        if self._shared is None or time.monotonic() < self._ask_redis_at:
            return await self._ask(self._here, name, key, most)
        try:
            return await self._ask(self._shared, name, key, most)
        except _DOWN as error:
            self._note_down(error)
            return await self._ask(self._here, name, key, most)

    async def _ask(self, limiter: SlidingWindowCounterRateLimiter, name: str, key: str, most: int) -> float | None:
        """Return None where it is let through, else how long to wait."""
        item = (
            RateLimitItemPerMinute(most)
            if self._window_seconds == 60
            else RateLimitItemPerSecond(most, self._window_seconds)
        )
        if await limiter.hit(item, name, key):
            return None
        stats = await limiter.get_window_stats(item, name, key)
        return min(stats.reset_time - SystemClock().now().timestamp(), self._window_seconds)

    def _note_down(self, error: Exception) -> None:
        moment = time.monotonic()
        self._ask_redis_at = moment + ASK_REDIS_AGAIN_SECONDS
        if moment >= self._say_at:
            self._say_at = moment + SAY_AGAIN_SECONDS
            log.warning("limits.redis_unavailable", error=type(error).__name__, remedy="check REDIS_URL")


def get_limiter(connection: HTTPConnection) -> Limiter:
    """Return the application's limiter."""
    return cast("Limiter", connection.app.state.limiter)


def _pool(url: str) -> ConnectionPool:
    """Return connections to Redis; none is opened before the first request."""
    return ConnectionPool.from_url(url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS)


def _storage(pool: ConnectionPool) -> RedisStorage:
    options: dict[str, Any] = {"connection_pool": pool}
    return RedisStorage("async+redis://", implementation="redispy", key_prefix="autolynx", **options)


def _in_words(seconds: int) -> str:
    return "a second" if seconds == 1 else f"{seconds} seconds"
