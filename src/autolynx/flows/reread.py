"""A claimed end of a call is believed when the provider, asked by us, says the same.

A plain secret stands in every request for a call and can be read by whoever may look at an account. Whoever has it
could tell us that calls are over, how they went and what was said. So, where webhooks prove their origin by nothing
better, such a webhook only makes us ask, and what counts is the answer (`WEBHOOK_REREAD`).
"""

import asyncio
from dataclasses import replace

from autolynx.domain.call import Source
from autolynx.errors import ProviderError, ProviderUnreachable
from autolynx.log import log
from autolynx.provider.port import WebhookNews
from autolynx.runtime import Runtime

# The provider waits 20 seconds for us to take a webhook, and must not be kept waiting for its own answer.
LONGEST_SECONDS = 10.0


def is_claim(runtime: Runtime, news: WebhookNews) -> bool:
    """Whether a webhook says of a call that it is over, which its sender did not prove well enough to be believed."""
    return runtime.settings.rereads_ends and news.news is not None and news.news.is_over


async def confirm(runtime: Runtime, claim: WebhookNews) -> WebhookNews | None:
    """Ask the provider about a call that is claimed to be over; nothing of the claim but its kind is kept.

    Returns what the provider says, of the call that it says it is about; None where it knows of no such call or says
    that it goes on. Raises ProviderError where it cannot be asked in time.
    """
    if not claim.provider_call_id:
        return None
    try:
        async with asyncio.timeout(LONGEST_SECONDS), runtime.rereads:
            seen = await runtime.provider.get_call(claim.provider_call_id, source=Source.WEBHOOK)
    except TimeoutError:
        raise ProviderUnreachable("The provider was not asked in time about a claimed end.") from None
    except ProviderError as error:
        if error.status == 400:  # what was claimed has not even the form of an id
            return None
        raise
    if seen is None or not seen.news.is_over:
        log.warning("webhook.end_not_confirmed", type=claim.type, is_known=seen is not None)
        return None
    return replace(claim, provider_call_id=seen.provider_call_id, our_call_id=seen.our_call_id, news=seen.news)
