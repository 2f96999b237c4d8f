"""The application behind a real server: the simulator posts its webhooks, and they alone keep the lines in use."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import ASGIApp

from autolynx.flows.campaign_life import start_campaign
from autolynx.flows.refill import Refiller, refill
from autolynx.store.database import Database
from autolynx.web.app import build_app
from tests.support.checks import assert_counters_are_a_recount, assert_nobody_twice
from tests.support.engine import make_campaign, make_runtime, settings_for_test, wait_until_settled
from tests.support.sim import running_sim

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def _served(app: ASGIApp, listener: socket.socket) -> AsyncIterator[None]:
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    serving = asyncio.create_task(server._serve([listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await serving


@pytest.mark.parametrize("reread", ["auto", "off"])
@pytest.mark.parametrize("runtime_kind", ["server", "function"])
async def test_webhooks_alone_dial_a_list_to_its_end(database: Database, runtime_kind: str, reread: str) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        settings = settings_for_test(
            PUBLIC_URL=f"http://127.0.0.1:{listener.getsockname()[1]}",
            WEBHOOK_SHARED_SECRET="test-webhook-secret",
            TIME_SCALE=100,
            WEBHOOK_REREAD=reread,
            RUNTIME=runtime_kind,
        )
        async with running_sim("--scenario", "all-answer") as sim:
            runtime = make_runtime(database, sim.url, settings=settings)
            refiller = Refiller(runtime) if runtime_kind == "server" else None
            async with _served(build_app(runtime, refiller=refiller), listener):
                campaign_id = await make_campaign(database, contacts=20, cap=4)
                await start_campaign(runtime, campaign_id)
                assert (await refill(runtime)).launched == {campaign_id: 4}
                assert await wait_until_settled(database, campaign_id) == "COMPLETED"
                if refiller is not None:
                    await refiller.drain()
            summary = await sim.summary()
            await runtime.provider.close()
    await assert_nobody_twice(summary)
    assert len(summary["dialsPerNumber"]) == 20
    await assert_counters_are_a_recount(database)
