"""Several webhooks in one transaction: under a storm most of their cost is locking, committing and waiting."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from autolynx.domain.call import CallNews
from autolynx.domain.campaign import Campaign
from autolynx.flows.settle import Settled, settle_locked
from autolynx.provider.port import WebhookNews
from autolynx.runtime import Runtime
from autolynx.store import inbox, settling
from autolynx.store.database import Connection
from autolynx.store.inbox import Delivery, InboxState
from autolynx.store.settling import Locked


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A webhook body without its secrets, what it says, and by what it is recognised when it comes again."""

    news: WebhookNews
    clean: Any
    delivery: Delivery

    @property
    def about(self) -> Hashable:
        """What it speaks of: letters about the same call do not go together."""
        return self.news.our_call_id or self.delivery.provider_call_id


async def settle_together(runtime: Runtime, letters: Sequence[Letter]) -> dict[Delivery, Settled]:
    """Keep and settle the letters that bear the id of a call of ours; returns what became of each, by delivery.

    The others, and all but one about the same contact, are left untouched. All letters are about different calls.
    Where one cannot be digested nothing is kept, and its error is raised.
    """
    ours = {
        letter.news.our_call_id: (letter, letter.news.news)
        for letter in letters
        if letter.news.our_call_id is not None and letter.news.news is not None
    }
    done: dict[Delivery, Settled] = {}
    if not ours:
        return done
    campaigns: dict[UUID, Campaign] = {}  # as the letters before left them
    async with runtime.database.pipelined() as conn:
        for locked in _one_per_contact(await settling.list_locked(conn, list(ours))):
            letter, news = ours[locked.call.id]
            campaign = campaigns.get(locked.campaign.id, locked.campaign)
            settled = await _keep_and_settle(
                runtime, conn, replace(locked, campaign=campaign), letter=letter, news=news
            )
            campaigns[campaign.id] = settled.campaign
            done[letter.delivery] = settled
    return done


def _one_per_contact(found: Sequence[Locked]) -> Iterable[Locked]:
    """What is known of a contact is as of the lock: a second call of the same one has to look again."""
    return {locked.call.contact_id: locked for locked in reversed(found)}.values()


async def _keep_and_settle(
    runtime: Runtime, conn: Connection, locked: Locked, *, letter: Letter, news: CallNews
) -> Settled:
    now, timers = runtime.clock.now(), runtime.settings.timers
    await inbox.put(
        conn,
        letter.delivery,
        InboxState.SETTLED,
        our_call_id=letter.news.our_call_id,
        body=letter.clean,
        now=now,
    )
    return await settle_locked(conn, locked, news, now=now, timers=timers, delivery=letter.delivery)
