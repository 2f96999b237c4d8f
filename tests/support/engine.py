"""A whole engine inside a test: real database, real provider client, real webhooks over loopback, one process."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from autolynx.archive.port import RecordingStore
from autolynx.errors import DatabaseUnavailable
from autolynx.flows.ingest import receive_webhook
from autolynx.flows.refill import Refiller
from autolynx.flows.tick import Ticker
from autolynx.identity.mail import Mailer
from autolynx.provider.vapi import VapiProvider
from autolynx.provider.wire_requests import WebhookTarget
from autolynx.runtime import Clock, Runtime, SystemClock
from autolynx.settings import Settings, load_settings
from autolynx.store.database import Database
from tests.support.sim import ASSISTANT_SALES, TWILIO_MAIN


class MovedClock:
    """A clock that stands still until it is moved. Sleeping moves it."""

    def __init__(self, start: datetime) -> None:
        self.moment = start

    def now(self) -> datetime:
        return self.moment

    async def sleep(self, seconds: float) -> None:
        self.move(seconds)
        await asyncio.sleep(0)

    def move(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


def free_port() -> int:
    """Return a port that nobody uses right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


NO_LIMITS = {
    "RATE_LIMIT_PER_MINUTE": 0,
    "RATE_LIMIT_PAGES_PER_MINUTE": 0,
    "RATE_LIMIT_UPLOADS_PER_MINUTE": 0,
    "RATE_LIMIT_EXPORTS_PER_MINUTE": 0,
}  # tests ask more in a second than people in an hour


def settings_for_test(**values: Any) -> Settings:
    """Return settings of a test: nothing comes from the machine's environment.

    Webhooks are believed as with a signature, so that a test may say by itself how a call ended; those about the
    confirmation of ends, and those with a whole installation, set WEBHOOK_REREAD to what it is by default.
    """
    ours = {"LAUNCH_PER_SECOND": 0, "ACCOUNT_CONCURRENCY_CAP": 12, "WEBHOOK_REREAD": "off", **NO_LIMITS}
    return load_settings({}, **{**ours, **values})


def make_runtime(
    database: Database,
    sim_url: str,
    *,
    settings: Settings,
    clock: Clock | None = None,
    webhook_url: str | None = None,
    recordings: RecordingStore | None = None,
    mailer: Mailer | None = None,
) -> Runtime:
    """Wire a runtime as bootstrap does, against a simulator."""
    clock = clock or SystemClock()
    provider = VapiProvider(
        base_url=sim_url,
        api_key="test-key",
        webhook=WebhookTarget(url=webhook_url or settings.webhook_url, secret="test-webhook-secret"),
        now=clock.now,
        timeout_seconds=settings.provider_timeout,
    )
    return Runtime(
        configured=settings,
        database=database,
        provider=provider,
        clock=clock,
        recordings=recordings,
        mailer=mailer,
    )


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A running engine."""

    runtime: Runtime
    refiller: Refiller
    ticker: Ticker


@asynccontextmanager
async def running_engine(
    database: Database, sim_url: str, *, ticks: bool = True, refills: bool = True, **settings: Any
) -> AsyncIterator[Engine]:
    """Serve webhooks on a free port and, unless told otherwise, refill on events and tick."""
    port = free_port()
    chosen = settings_for_test(PUBLIC_URL=f"http://127.0.0.1:{port}", **settings)
    runtime = make_runtime(database, sim_url, settings=chosen)
    refiller = Refiller(runtime)
    ticker = Ticker(runtime)

    async def webhook(request: Request) -> JSONResponse:
        received = await receive_webhook(runtime, await request.json())
        if received.freed_line and refills:
            refiller.request()
        return JSONResponse({"received": True})

    app = Starlette(routes=[Route("/api/webhooks/vapi", webhook, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="critical", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    if ticks:
        ticker.start()
    try:
        yield Engine(runtime=runtime, refiller=refiller, ticker=ticker)
    finally:
        await ticker.stop()
        await refiller.drain()
        server.should_exit = True
        await serving
        await runtime.provider.close()


async def make_campaign(
    database: Database,
    *,
    contacts: int,
    cap: int = 8,
    mode: str = "continuous",
    phone_number_id: str = TWILIO_MAIN,
    options: str = "{}",
    first: int = 0,
    name: str | None = None,
) -> UUID:
    """Put a campaign with `contacts` fictional contacts into the database, ready to be started."""
    campaign_id, now = uuid4(), SystemClock().now()
    async with database.transaction() as conn:
        assistant = await (
            await conn.execute(
                """INSERT INTO assistants (name, source, provider_assistant_id, config_json, created_at, updated_at)
                   VALUES ('Riley', 'imported', %s, '{"maxDurationSeconds": 600}', %s, %s)
                   ON CONFLICT (provider_assistant_id) DO UPDATE SET updated_at = excluded.updated_at RETURNING id""",
                [ASSISTANT_SALES, now, now],
            )
        ).fetchone()
        assert assistant is not None
        await conn.execute(
            """INSERT INTO campaigns (id, name, mode, cap, assistant_id, phone_number_id, options_json, total_contacts,
                   created_at) VALUES (%s, %s, %s, %s, %s, %s, %s::jsonb, %s, %s)""",
            [
                campaign_id,
                name or str(campaign_id),
                mode,
                cap,
                assistant["id"],
                phone_number_id,
                options,
                contacts,
                now,
            ],
        )
        await conn.execute(
            """INSERT INTO contacts (campaign_id, name, business_name, phone, phone_raw, position)
               SELECT %(id)s, 'Ada ' || n, 'Acme ' || n, phone(n), phone(n), n - %(first)s
               FROM (SELECT n, '+1' || (200 + (n / 100) %% 700)::text || '55501' || lpad((n %% 100)::text, 2, '0') AS p
                   FROM generate_series(%(first)s, %(first)s + %(n)s - 1) AS n) AS s
               CROSS JOIN LATERAL (SELECT s.p) AS t (phone)""".replace("phone(n)", "t.phone"),
            {"id": campaign_id, "n": contacts, "first": first},
        )
    return campaign_id


async def wait_until_settled(database: Database, campaign_id: UUID, *, seconds: float = 60) -> str:
    """Wait until a campaign has nothing left to do and return its status."""
    async with asyncio.timeout(seconds):
        while True:
            row = None
            with suppress(DatabaseUnavailable):  # the engine may hold every connection for a moment
                async with database.connection() as conn:
                    asking = await conn.execute("SELECT status FROM campaigns WHERE id = %s", [campaign_id])
                    row = await asking.fetchone()
            if row and row["status"] in {"COMPLETED", "CANCELED", "FAILED"}:
                return str(row["status"])
            await asyncio.sleep(0.05)
