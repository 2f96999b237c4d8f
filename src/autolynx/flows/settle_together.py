"""Several webhooks in one transaction: under a storm most of their cost is locking, committing and waiting."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime

from autolynx.flows.once_more import once_more
from autolynx.flows.settle import Settled, Told, settle_locked
from autolynx.provider.port import WebhookNews
from autolynx.runtime import Runtime
from autolynx.store import inbox, settling
from autolynx.store.inbox import Body, Delivery, InboxState
from autolynx.store.settling import Locked


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A webhook body without its secrets, and what it says. `retry_at`: it is only kept, to be settled from then on."""

    news: WebhookNews
    body: Body
    retry_at: datetime | None = None

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
    if not ours:
        return {}
    now, timers = runtime.clock.now(), runtime.settings.timers
    async with runtime.database.pipelined() as conn:
        found = _one_per_contact(await settling.list_locked(conn, list(ours)))
        if not found:
            return {}
        bodies = [ours[locked.call.id][0] for locked in found]
        await inbox.put(conn, bodies, InboxState.SETTLED, now=now)
        told = [
            Told(locked=locked, news=ours[locked.call.id][1], delivery=body.delivery)
            for locked, body in zip(found, bodies, strict=True)
        ]
        settled = await settle_locked(conn, told, now=now, timers=timers)
    return {body.delivery: one for body, one in zip(bodies, settled, strict=True)}


def _one_per_contact(found: Sequence[Locked]) -> list[Locked]:
    """What is known of a contact is as of the lock: a second call of the same one has to look again."""
    return list({locked.call.contact_id: locked for locked in found}.values())
