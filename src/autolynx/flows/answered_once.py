"""One wish, one effect: a client that repeats a request under its Idempotency-Key gets the first answer again."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from autolynx.errors import AutolynxError, Conflict, DatabaseUnavailable
from autolynx.flows.once_more import once_more
from autolynx.log import log
from autolynx.runtime import Runtime
from autolynx.store import idempotency

KEPT_SECONDS = 24 * 3600.0
UNANSWERED_SECONDS = 120.0  # a request that was not answered by then never will be
RETRY_SECONDS = 2


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A request that its client may repeat: who, under which key, and the hash of what is asked."""

    actor: str
    key: str
    request_hash: bytes


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer that can be kept: a status, and a JSON value."""

    status: int
    body: Any = field(repr=False)
    is_repeated: bool = False


async def answer_once(runtime: Runtime, wish: Wish, work: Callable[[], Awaitable[Answer]]) -> Answer:
    """Do the work for the first request of a key, and repeat its answer for the others.

    What was refused changed nothing, so its key is free again. Where the database was lost nobody knows; the key is
    then held for two minutes before the same request may try anew. Raises Conflict for another request under the
    key, or while the first is still under way (with `retryAfterSeconds`), and whatever the work raises.
    """
    repeated = await _claim(runtime, wish)
    if repeated is not None:
        return repeated
    try:
        answer = await work()
    except DatabaseUnavailable:
        raise
    except AutolynxError:
        async with runtime.database.connection() as conn:
            await idempotency.delete(conn, actor=wish.actor, key=wish.key)
        raise
    try:
        async with runtime.database.connection() as conn:
            await idempotency.save_answer(conn, actor=wish.actor, key=wish.key, status=answer.status, body=answer.body)
    except DatabaseUnavailable as error:
        log.error("idempotency.unkept", reason=error.message)  # the work is done: its answer is worth more
    return answer


@once_more
async def _claim(runtime: Runtime, wish: Wish) -> Answer | None:
    """Take the key, or return the answer that was kept under it."""
    now = runtime.clock.now()
    async with runtime.database.transaction() as conn:
        await idempotency.delete_old(conn, created_before=now - timedelta(seconds=KEPT_SECONDS))
        is_ours = await idempotency.claim(
            conn,
            actor=wish.actor,
            key=wish.key,
            request_hash=wish.request_hash,
            now=now,
            stale_before=now - timedelta(seconds=UNANSWERED_SECONDS),
        )
        kept = None if is_ours else await idempotency.find(conn, actor=wish.actor, key=wish.key)
    if is_ours:
        return None
    if kept is not None and kept.request_hash != wish.request_hash:
        raise Conflict("Idempotency-Key: this key was used for another request; choose a new one.")
    if kept is None or kept.status is None:
        raise Conflict(
            "Idempotency-Key: the first request of this key is still under way; ask again in a moment.",
            details={"retryAfterSeconds": RETRY_SECONDS},
        )
    return Answer(status=kept.status, body=kept.body, is_repeated=True)
