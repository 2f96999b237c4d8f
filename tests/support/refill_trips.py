"""How often the database is spoken to between a webhook that ends a call and the next dial."""

import json

import httpx

from autolynx.flows.campaign_life import start_campaign
from autolynx.flows.ingest import receive_webhook
from autolynx.flows.refill import Refiller
from autolynx.provider.vapi import VapiProvider
from autolynx.provider.wire_requests import WebhookTarget
from autolynx.runtime import Runtime, SystemClock
from autolynx.store.database import Database
from tests.support.engine import make_campaign, settings_for_test
from tests.support.round_trips import counting_round_trips
from tests.support.vapi_bodies import call, status_update


async def count_trips_to_the_next_dial(url: str) -> int:
    """Dial the first of two contacts over one line, end that call by a webhook, and count until the second dial."""
    counts: list[int] = []
    async with counting_round_trips(url) as trips:

        def answer(request: httpx.Request) -> httpx.Response:
            counts.append(trips.count)
            said = json.loads(request.content)
            return httpx.Response(201, json=call(id=f"call-{len(counts)}", name=said["name"]))

        database = await Database.open(trips.url, max_size=1)
        provider = VapiProvider(
            base_url="http://vapi.test",
            api_key="test-key",
            webhook=WebhookTarget(url="http://autolynx.test/hook", secret="test-webhook-secret"),
            now=SystemClock().now,
            launch=lambda timeout, limits: httpx.AsyncClient(
                transport=httpx.MockTransport(answer), timeout=timeout, limits=limits
            ),
        )
        runtime = Runtime(configured=settings_for_test(), database=database, provider=provider, clock=SystemClock())
        await _place_one_call(runtime)
        refiller = Refiller(runtime)
        over = status_update("ended", endedReason="customer-ended-call", call=call(**await _first_call(database)))
        trips.count = 0
        received = await receive_webhook(runtime, over)
        assert received.freed_line
        refiller.request()
        await refiller.drain()
        await provider.close()
        await database.close()
    assert len(counts) == 2
    return counts[1]


async def _place_one_call(runtime: Runtime) -> None:
    campaign_id = await make_campaign(runtime.database, contacts=2, cap=1)
    await start_campaign(runtime, campaign_id)
    refiller = Refiller(runtime)
    refiller.request()
    await refiller.drain()


async def _first_call(database: Database) -> dict[str, object]:
    async with database.connection() as conn:
        row = await (await conn.execute("SELECT id, provider_call_id FROM calls")).fetchone()
    assert row is not None
    ours = str(row["id"])
    return {
        "id": row["provider_call_id"],
        "name": ours,
        "customer": {"externalId": ours},
        "assistantOverrides": {"metadata": {"callId": ours}},
    }
