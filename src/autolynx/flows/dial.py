"""Mark, act, settle: one claimed call goes out, once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from autolynx.domain.call import CallNews, NewsKind, Source
from autolynx.domain.campaign import TRANSITIONS, CampaignStatus
from autolynx.domain.pacing import Account
from autolynx.errors import NotFound
from autolynx.flows import resting
from autolynx.flows.follow_up import follow_up
from autolynx.flows.once_more import once_more
from autolynx.flows.settle import Settled, settle
from autolynx.log import log
from autolynx.provider.port import Accepted, CallOrder, DialAnswer, NotSent, Refused, Scope, Unknown
from autolynx.runtime import Runtime
from autolynx.store import calls, campaigns
from autolynx.store.database import Connection

# A mark older than this is not followed by a request: a function that froze in between must not dial on thawing.
MARK_HOLDS_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class Dialled:
    """What came of one dial. `freed_line` says that the line can be used for the next contact at once."""

    call_id: UUID
    was_sent: bool
    is_accepted: bool
    freed_line: bool


async def dial(runtime: Runtime, order: CallOrder, *, account: Account) -> Dialled:
    """Dial one claimed contact. `account` is the gate as the claim saw it.

    The mark stands between *claimed* and *perhaps sent*: without it nothing leaves. Whatever a crash leaves in
    between, reconciling finds. Raises DatabaseUnavailable.
    """
    marked_at = await _mark(runtime, order.call_id)
    if marked_at is None:
        return await _give_back(runtime, order.call_id, NewsKind.LAPSED)
    if runtime.clock.now() - marked_at > timedelta(seconds=MARK_HOLDS_SECONDS):
        return await _give_back(runtime, order.call_id, NewsKind.RELEASED)
    answer = await runtime.provider.place_call(order)
    settled = await _settle_answer(runtime, order.call_id, answer)
    await _rest(runtime, order, answer, account=account, asked_at=marked_at)
    if settled is None:
        return Dialled(call_id=order.call_id, was_sent=True, is_accepted=False, freed_line=False)
    await follow_up(runtime, settled)
    return Dialled(
        call_id=order.call_id,
        was_sent=not isinstance(answer, NotSent),
        is_accepted=isinstance(answer, Accepted),
        freed_line=settled.freed_line,
    )


async def _mark(runtime: Runtime, call_id: UUID) -> datetime | None:
    """Set the mark; None where it was refused, else the moment from which the request may have been sent."""
    settings = runtime.settings
    async with runtime.desk, runtime.database.connection(by_index=True) as conn:
        now = runtime.clock.now()  # not before the waiting is over
        is_marked = await calls.mark_dialling(
            conn,
            call_id,
            now=now,
            look_at=now + timedelta(seconds=settings.timers.answer_by),
            lease_until=now + timedelta(seconds=MARK_HOLDS_SECONDS + settings.request_seconds),
        )
    return now if is_marked else None


@once_more
async def _give_back(runtime: Runtime, call_id: UUID, kind: NewsKind) -> Dialled:
    """Nothing was sent: campaign paused or stopped, button pressed, lease over (LAPSED), or we froze after the mark."""
    news = CallNews(kind=kind, source=Source.DIAL, reason="Dialling was held before the call went out.")
    try:
        async with runtime.desk, runtime.database.transaction(by_index=True) as conn:
            settled = await settle(conn, call_id, news, now=runtime.clock.now(), timers=runtime.settings.timers)
    except NotFound:  # a crash of the database undid the claim: there is nothing to give back
        log.warning("dial.claim_undone", call_id=str(call_id))
        return Dialled(call_id=call_id, was_sent=False, is_accepted=False, freed_line=True)
    return Dialled(call_id=call_id, was_sent=False, is_accepted=False, freed_line=settled.freed_line)


@once_more
async def _settle_answer(runtime: Runtime, call_id: UUID, answer: DialAnswer) -> Settled | None:
    """Bring the answer through the one door; None where it is unknown and somebody has to look."""
    timers = runtime.settings.timers
    async with runtime.desk, runtime.database.pipelined() as conn:
        now = runtime.clock.now()
        if isinstance(answer, Unknown):
            await calls.save_unknown(conn, call_id, now=now, look_at=now + timedelta(seconds=timers.first_look))
            log.warning("dial.unknown", call_id=str(call_id), reason=answer.reason)
            return None
        settled = await settle(conn, call_id, _news(answer), now=now, timers=timers)
        if isinstance(answer, Refused) and answer.scope is Scope.CAMPAIGN:
            await _fail_campaign(conn, settled, answer, now=now)
        return settled


def _news(answer: Accepted | Refused | NotSent) -> CallNews:
    match answer:
        case Accepted(news=news):
            return news
        case Refused(scope=Scope.CONTACT):
            return CallNews(kind=NewsKind.REFUSED, source=Source.DIAL, outcome=answer.outcome, reason=answer.reason)
        case _:
            return CallNews(kind=NewsKind.RELEASED, source=Source.DIAL, reason=answer.reason)


async def _fail_campaign(conn: Connection, settled: Settled, answer: Refused, *, now: datetime) -> None:
    """The campaign's own configuration is at fault: it fails, with the reason in words, until mended and resumed."""
    campaign = await campaigns.lock(conn, settled.after.campaign_id)
    if CampaignStatus.FAILED in TRANSITIONS[campaign.status]:
        await campaigns.save_status(conn, campaign, CampaignStatus.FAILED, now=now, reason=answer.reason)


async def _rest(
    runtime: Runtime, order: CallOrder, answer: DialAnswer, *, account: Account, asked_at: datetime
) -> None:
    """Let account or number rest, as the answer asks. A plain success touches nothing: the call has yet to start."""
    match answer:
        case Accepted(news=news) if news.is_blocked:
            await resting.note_concurrency(runtime)
        case Refused():
            number = order.phone_number_id
            await resting.note_refusal(runtime, answer, phone_number_id=number, asked_at=asked_at)
        case NotSent(reason=reason) | Unknown(reason=reason):
            is_probe = account.failures >= runtime.settings.breaker_threshold
            await resting.note_failure(runtime, reason, is_probe=is_probe)
        case _:
            return
