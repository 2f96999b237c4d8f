"""Several webhooks in one transaction: under a storm most of their cost is locking, committing and waiting."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from autolynx.domain.campaign import Campaign
from autolynx.flows.once_more import once_more
from autolynx.flows.settle import Settled, append_told, settle_locked
from autolynx.provider.port import WebhookNews
from autolynx.runtime import Runtime
from autolynx.store import inbox, settling
from autolynx.store.inbox import Body, Delivery, InboxState
from autolynx.store.settling import Locked


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A webhook body without its secrets, and what it says."""

    news: WebhookNews
    body: Body

    @property
    def about(self) -> Hashable:
        """What it speaks of: letters about the same call do not go together."""
        return self.body.our_call_id or self.body.delivery.provider_call_id


@once_more
async def settle_together(runtime: Runtime, letters: Sequence[Letter]) -> dict[Delivery, Settled]:
    """Keep and settle the letters that bear the id of a call of ours; returns what became of each, by delivery.

    The others, and all but one about the same contact, are left untouched. All letters are about different calls.
    Where one cannot be digested nothing is kept, and its error is raised.
    """
    ours = {
        letter.body.our_call_id: (letter.body, letter.news.news)
        for letter in letters
        if letter.body.our_call_id is not None and letter.news.news is not None
    }
    done: dict[Delivery, Settled] = {}
    if not ours:
        return done
    now, timers = runtime.clock.now(), runtime.settings.timers
    campaigns: dict[UUID, Campaign] = {}  # as the letters before left them
    async with runtime.database.pipelined() as conn:
        found = _one_per_contact(await settling.list_locked(conn, list(ours)))
        if not found:
            return done
        await inbox.put(conn, [ours[locked.call.id][0] for locked in found], InboxState.SETTLED, now=now)
        for locked in found:
            body, news = ours[locked.call.id]
            as_left = replace(locked, campaign=campaigns.get(locked.campaign.id, locked.campaign))
            settled = await settle_locked(conn, as_left, news, now=now, timers=timers, delivery=body.delivery)
            campaigns[settled.campaign.id] = settled.campaign
            done[body.delivery] = settled
        await append_told(conn, done.values(), now=now)
    return done


def _one_per_contact(found: Sequence[Locked]) -> list[Locked]:
    """What is known of a contact is as of the lock: a second call of the same one has to look again."""
    return list({locked.call.contact_id: locked for locked in found}.values())
