"""Runs one drill: a campaign over several processes, everything that can fail failing, and the verdict."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from autolynx.bootstrap import open_runtime
from autolynx.cli.listening import listen, port_of
from autolynx.errors import DatabaseUnavailable
from autolynx.flows.campaign_life import start_campaign
from autolynx.runtime import Runtime
from autolynx.settings import load_settings
from autolynx.store.database import Database
from benchmarks.support.machine import describe
from drill.fleet import Fleet, sailing
from drill.plan import Plan
from drill.postgres import CrashingPostgres, running_postgres
from drill.storm import rage
from drill.verdict import Happened, Verdict, judge
from drill.witness import collect
from tests.support.checks import query
from tests.support.engine import make_campaign
from tests.support.sim import Sim, running_sim

RESERVE, SPARE = 2, 2  # lines of the account that are kept for inbound calls, and that nobody uses
PROVIDER_LINES = 200  # more than ever needed: calls that hang for ever keep theirs
STEP_SECONDS = 0.25
QUIET_SECONDS = 60.0  # after the last dial, for late reports and looks
REST = """SELECT (SELECT count(*) FROM calls WHERE holds_line) AS lines,
    (SELECT count(*) FROM calls WHERE next_check_at IS NOT NULL) AS looks,
    (SELECT count(*) FROM webhook_inbox WHERE state = 'received') AS bodies"""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Everything that takes part in a drill."""

    plan: Plan
    postgres: CrashingPostgres
    sim: Sim
    runtime: Runtime
    campaign_id: UUID
    fleet: Fleet


async def run_drill(plan: Plan) -> Verdict:
    """Run the drill; what it needs is started and stopped here."""
    began = time.monotonic()
    async with opened(plan) as scene:
        await _play(scene)
        return await _judge(scene, seconds=time.monotonic() - began)


@asynccontextmanager
async def opened(plan: Plan) -> AsyncIterator[Scene]:
    """Start database, provider and application, and press Start."""
    async with AsyncExitStack() as stack:
        postgres = await stack.enter_async_context(running_postgres())
        lines = ("--concurrency-limit", str(PROVIDER_LINES))
        sim = await stack.enter_async_context(running_sim(*lines, speed=plan.speed, seed=plan.seed))
        await sim.faults(**plan.faults())
        listener = stack.enter_context(listen("127.0.0.1", 0))
        environ = _environ(plan, postgres.url, sim.url, listener)
        runtime = await stack.enter_async_context(open_runtime(load_settings(environ)))
        campaign_id = await make_campaign(runtime.database, contacts=plan.contacts, cap=plan.cap)
        await start_campaign(runtime, campaign_id)
        fleet = await stack.enter_async_context(sailing(environ, listener, plan.dooms(), plan.processes))
        yield Scene(plan=plan, postgres=postgres, sim=sim, runtime=runtime, campaign_id=campaign_id, fleet=fleet)


def _environ(plan: Plan, database_url: str, sim_url: str, listener: socket.socket) -> dict[str, str]:
    """Return the settings of every process; nothing comes from this machine's environment."""
    values: dict[str, object] = {
        "PATH": os.environ.get("PATH", ""),
        "DATABASE_URL": database_url,
        "VAPI_BASE_URL": sim_url,
        "VAPI_API_KEY": "key-of-the-drill",
        "WEBHOOK_SHARED_SECRET": "secret-of-the-drill",
        "CRON_SHARED_SECRET": "cron-secret-of-the-drill",
        "PUBLIC_URL": f"http://127.0.0.1:{port_of(listener)}",
        "ACCOUNT_CONCURRENCY_CAP": plan.cap + RESERVE + SPARE,
        "INBOUND_RESERVE": RESERVE,
        "LAUNCH_PER_SECOND": 0,
        "TIME_SCALE": plan.speed,
        "LOG_LEVEL": "error",
        "DATABASE_POOL_SIZE": 8,
    }
    return {name: str(value) for name, value in values.items()}


async def _play(scene: Scene) -> None:
    """Let the storm rage until everybody was called and nothing is left to be settled."""
    storm = asyncio.create_task(rage(scene.plan, database=scene.postgres, sim=scene.sim, fleet=scene.fleet))
    try:
        async with asyncio.timeout(scene.plan.minutes * 60):
            while not await _is_over(scene.runtime.database, scene.campaign_id):
                await asyncio.sleep(STEP_SECONDS)
            await storm
            await _until_quiet(scene.runtime.database)
    except TimeoutError:
        pass  # the verdict says what is not done
    finally:
        storm.cancel()
        await asyncio.gather(storm, return_exceptions=True)
        await scene.postgres.start()  # should the storm have been interrupted in between


async def _is_over(database: Database, campaign_id: UUID) -> bool:
    rows = await _ask(database, "SELECT status FROM campaigns WHERE id = %s", campaign_id)
    return bool(rows) and rows[0]["status"] in {"COMPLETED", "CANCELED", "FAILED"}


async def _until_quiet(database: Database) -> None:
    """Wait until no call is looked after any more; webhooks may be under way for a little longer."""
    patience = time.monotonic() + QUIET_SECONDS
    while time.monotonic() < patience:
        rows = await _ask(database, REST)
        if rows and not any(rows[0].values()):
            return
        await asyncio.sleep(STEP_SECONDS)


async def _ask(database: Database, sql: str, *values: Any) -> list[dict[str, Any]]:
    """Ask the database; nothing while it is away."""
    try:
        return await query(database, sql, *values)
    except DatabaseUnavailable:
        return []


async def _judge(scene: Scene, *, seconds: float) -> Verdict:
    ledger = await scene.sim.ledger()
    seen = await collect(scene.runtime.database, scene.campaign_id, ledger)
    summary: Mapping[str, Any] = ledger["summary"]
    webhooks = {name: summary["webhooks"][name] for name in ("letters", "lost", "duplicated", "reordered", "retried")}
    happened = Happened(
        killed=dict(scene.fleet.killed),
        broke=tuple(scene.fleet.broke),
        crashes=scene.postgres.crashes,
        outages=scene.plan.outages,
        frozen=scene.fleet.frozen,
        seconds=seconds,
        webhooks=webhooks,
        answers=summary["answers"],
        machine=await describe(scene.runtime.database),
    )
    return judge(scene.plan, seen, happened)
