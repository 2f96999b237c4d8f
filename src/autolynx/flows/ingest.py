"""Ingest: an authentic webhook body is kept first and settled in the same transaction; what cannot be is retried."""

import hashlib
import json
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from autolynx.domain.call import CallStatus
from autolynx.errors import DatabaseUnavailable, DataRefused, NotFound, ProviderError, ProviderUnreachable
from autolynx.flows import reread
from autolynx.flows.follow_up import follow_up
from autolynx.flows.once_more import once_more
from autolynx.flows.settle import Settled, Told, settle_locked
from autolynx.flows.settle_together import Letter, settle_together
from autolynx.log import log
from autolynx.provider.port import WebhookNews
from autolynx.runtime import Runtime
from autolynx.store import calls, inbox, settling
from autolynx.store.database import Connection
from autolynx.store.inbox import Body, Delivery, InboxRow, InboxState
from autolynx.store.savepoint import savepoint
from autolynx.store.settling import Locked

PARKED_RETRY_SECONDS = 3600.0  # a call that becomes ours later wakes its parked bodies itself
RETRY_SECONDS = (5.0, 30.0, 120.0, 600.0, 3600.0)
UNASKED_RETRY_SECONDS = 30.0
MOST_LEFTOVERS = 50
NOT_UNDERSTOOD = "A webhook could not be understood after five tries; its body is kept."
NOT_CONFIRMED = (
    "A webhook said that a call was over, and the provider, asked five times, did not confirm it. Where nothing else "
    "explains it the secret of the webhooks has become known: change it."
)
# What a body may do to us without taking the intake down. A lost database is none of these.
UNDIGESTED = (DataRefused, NotFound, ValueError, TypeError, KeyError)


class Note(Protocol):
    """Writes into the inbox what became of a body: with the body itself, or beside one that was kept before."""

    def __call__(self, state: InboxState, *, retry_at: datetime | None = None) -> Awaitable[None]:
        """Write it."""


@dataclass(frozen=True, kw_only=True)
class Received:
    """What became of a webhook."""

    provider_call_id: str
    status: CallStatus | None = None  # of our call afterwards; None where it is none of ours (yet)
    freed_line: bool = False


async def receive_webhook(runtime: Runtime, body: Any) -> Received:
    """Keep a body whose sender was authenticated, and settle what it says.

    Returns once the inbox row is committed, whether or not it could be settled. Raises DatabaseUnavailable: then
    nothing is kept and the provider has to repeat. Whoever is gone before it returns has kept nothing either.
    """
    news, clean = runtime.provider.read_webhook(body), runtime.provider.scrub(body)
    letter = Letter(news=news, body=_body(news, clean))
    if reread.is_claim(runtime, news):
        letter = await _confirmed(runtime, letter)
    settled = await runtime.intake.share(letter, key=letter.about, work=partial(_keep_and_settle_all, runtime))
    await _after_commit(runtime, settled)
    return Received(
        provider_call_id=news.provider_call_id,
        status=settled.after.status if settled else None,
        freed_line=settled.freed_line if settled else False,
    )


async def _confirmed(runtime: Runtime, letter: Letter) -> Letter:
    """Return the letter with what the provider itself says; one that it does not confirm (now) is only kept."""
    try:
        confirmed = await reread.confirm(runtime, letter.news)
    except ProviderError as error:
        log.warning("webhook.end_not_asked", reason=error.message)
        confirmed = None
    if confirmed is None:
        return replace(letter, retry_at=_after(runtime, RETRY_SECONDS[0]))
    return Letter(news=confirmed, body=replace(letter.body, our_call_id=confirmed.our_call_id))


async def _keep_and_settle_all(
    runtime: Runtime, letters: Sequence[Letter]
) -> list[Settled | DatabaseUnavailable | None]:
    """Keep and settle what arrived at the same time in one transaction; what does not fit into it gets its own.

    What went wrong with one of those is its own result: the others are settled, and something follows from that.
    """
    try:
        together = await settle_together(runtime, [letter for letter in letters if letter.retry_at is None])
    except UNDIGESTED as error:
        log.warning("inbox.not_together", letters=len(letters), error=type(error).__name__)
        together = {}
    return [
        together[letter.body.delivery] if letter.body.delivery in together else await _settled_alone(runtime, letter)
        for letter in letters
    ]


async def _settled_alone(runtime: Runtime, letter: Letter) -> Settled | DatabaseUnavailable | None:
    try:
        return await _keep_and_settle(runtime, letter)
    except DatabaseUnavailable as error:
        return error


@once_more
async def _keep_and_settle(runtime: Runtime, letter: Letter) -> Settled | None:
    """Keep and settle in one transaction; what cannot be digested is kept alone, then tried under a savepoint."""
    now, news, body = runtime.clock.now(), letter.news, letter.body
    if letter.retry_at is not None:
        async with runtime.database.transaction() as conn:
            await inbox.put(conn, [body], InboxState.RECEIVED, now=now, retry_at=letter.retry_at)
        return None
    try:
        async with runtime.database.pipelined() as conn:
            note = partial(inbox.put, conn, [body], now=now)
            return await _settle_known(runtime, conn, news, delivery=body.delivery, note=note)
    except UNDIGESTED as error:
        log.warning("inbox.kept_unsettled", type=news.type, error=type(error).__name__)
    async with runtime.database.transaction() as conn:
        await inbox.put(conn, [body], InboxState.RECEIVED, now=now, retry_at=now)
    async with runtime.database.transaction(by_index=True) as conn:
        return await _try_to_settle(runtime, conn, news, delivery=body.delivery, failures=0)


def _body(news: WebhookNews, clean: Any) -> Body:
    # Bodies that name no call share no key: each is told from the others by its content.
    key = news.provider_call_id or "sha256:" + _digest(clean)
    delivery = Delivery(provider_call_id=key, type=news.type, status=news.status)
    return Body(delivery=delivery, our_call_id=news.our_call_id, content=clean)


def _digest(clean: Any) -> str:
    return hashlib.sha256(json.dumps(clean, sort_keys=True, default=str).encode()).hexdigest()


async def _try_to_settle(
    runtime: Runtime, conn: Connection, news: WebhookNews, *, delivery: Delivery, failures: int
) -> Settled | None:
    """Settle under a savepoint: a body that we cannot digest stays in the inbox and costs nobody else anything."""
    now = runtime.clock.now()
    note = partial(inbox.save_state, conn, delivery, now=now)
    try:
        async with savepoint(conn):
            return await _settle_known(runtime, conn, news, delivery=delivery, note=note)
    except UNDIGESTED as error:
        await _note_failure(runtime, conn, delivery, error=type(error).__name__, failures=failures)
        return None


async def _settle_known(
    runtime: Runtime, conn: Connection, news: WebhookNews, *, delivery: Delivery, note: Note
) -> Settled | None:
    """Settle what is about a call of ours; `note` writes into the inbox what became of the body."""
    now = runtime.clock.now()
    if news.news is None:
        await note(InboxState.IGNORED)
        return None
    locked = await _lock(conn, news)
    if locked is None:
        await note(InboxState.PARKED, retry_at=_after(runtime, PARKED_RETRY_SECONDS))
        return None
    await note(InboxState.SETTLED)
    timers = runtime.settings.timers
    told = Told(locked=locked, news=news.news, delivery=delivery)
    return (await settle_locked(conn, [told], now=now, timers=timers))[0]


async def _lock(conn: Connection, news: WebhookNews) -> Locked | None:
    """Lock the call that the news speaks of. Our own id comes first: the provider echoes it from our very request."""
    if news.our_call_id is not None:
        locked = await settling.find_locked(conn, news.our_call_id)
        if locked is not None:
            return locked
    call_id = await calls.find_id(conn, news.provider_call_id) if news.provider_call_id else None
    return await settling.find_locked(conn, call_id) if call_id else None


def _after(runtime: Runtime, seconds: float) -> datetime:
    return runtime.clock.now() + timedelta(seconds=runtime.settings.scaled(seconds))


async def _note_failure(
    runtime: Runtime, conn: Connection, delivery: Delivery, *, error: str, failures: int, sentence: str = NOT_UNDERSTOOD
) -> None:
    retry_at = _after(runtime, RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)])
    is_dead = await inbox.save_failure(conn, delivery, error=error, retry_at=retry_at)
    log.error("inbox.unsettled", type=delivery.type, error=error, is_dead=is_dead)
    if is_dead:
        await settling.raise_incident(conn, kind="dead_letter", sentence=sentence, now=runtime.clock.now())


async def _after_commit(runtime: Runtime, settled: Settled | None) -> None:
    if settled is not None:
        await follow_up(runtime, settled)


async def retry_leftovers(runtime: Runtime) -> bool:
    """Try again what could not be settled or was parked; True when a line became free by it."""
    freed, may_ask = False, True
    for row in await _take_leftovers(runtime):
        try:
            freed = await _retry(runtime, row, may_ask=may_ask) or freed
        except ProviderError as error:  # it keeps silent: it is asked again later, and about nothing else now
            log.warning("webhook.end_not_asked", reason=error.message)
            may_ask = False
            await _put_off(runtime, row)
    return freed


@once_more
async def _take_leftovers(runtime: Runtime) -> list[InboxRow]:
    now = runtime.clock.now()
    again_at = now + timedelta(seconds=runtime.settings.scaled(PARKED_RETRY_SECONDS))
    async with runtime.database.transaction(by_index=True) as conn:
        await inbox.expire_parked(conn, now=now)
        return await inbox.claim_open(conn, now=now, again_at=again_at, most=MOST_LEFTOVERS)


async def _retry(runtime: Runtime, row: InboxRow, *, may_ask: bool) -> bool:
    """Try one body again; True when a line became free. Raises ProviderError where it cannot be confirmed."""
    news: WebhookNews | None = runtime.provider.read_webhook(row.body)
    if news is not None and reread.is_claim(runtime, news):
        if not may_ask:
            raise ProviderUnreachable("The provider was not asked again in this round.")
        news = await reread.confirm(runtime, news)
    settled = await _settle_again(runtime, row, news)
    await _after_commit(runtime, settled)
    return settled.freed_line if settled else False


@once_more
async def _settle_again(runtime: Runtime, row: InboxRow, news: WebhookNews | None) -> Settled | None:
    """Settle a body that is kept; `news` None: the provider does not confirm what it says."""
    async with runtime.database.transaction(by_index=True) as conn:
        if news is not None:
            return await _try_to_settle(runtime, conn, news, delivery=row.delivery, failures=row.failures)
        await _note_failure(
            runtime, conn, row.delivery, error="NotConfirmed", failures=row.failures, sentence=NOT_CONFIRMED
        )
        return None


async def _put_off(runtime: Runtime, row: InboxRow) -> None:
    """Leave a body for later. That nobody could be asked is no failure of its."""
    retry_at = _after(runtime, UNASKED_RETRY_SECONDS)
    async with runtime.database.transaction() as conn:
        await inbox.save_state(conn, row.delivery, InboxState.RECEIVED, now=runtime.clock.now(), retry_at=retry_at)
