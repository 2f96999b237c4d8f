"""An engine whose clock a test moves by hand, in front of a provider that it scripts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from autolynx.archive.port import RecordingStore
from autolynx.flows.campaign_life import start_campaign
from autolynx.flows.ingest import Received, receive_webhook
from autolynx.flows.tick import run_once
from autolynx.runtime import Runtime, SystemClock
from autolynx.store.database import Database
from tests.support.checks import query
from tests.support.engine import MovedClock, make_campaign, make_runtime, settings_for_test
from tests.support.scripted_vapi import ScriptedVapi, running_script


class JumpingClock(MovedClock):
    """A clock that can be told to jump between two readings: the process was frozen there."""

    readings = 0
    jump_seconds = 0.0

    def now(self) -> datetime:
        if self.jump_seconds:
            self.readings -= 1
            if self.readings < 0:
                self.move(self.jump_seconds)
                self.jump_seconds = 0.0
        return self.moment

    def jump(self, *, after_readings: int, seconds: float) -> None:
        """Jump once, after it was read so many times."""
        self.readings, self.jump_seconds = after_readings, seconds


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What a test plays on."""

    runtime: Runtime
    clock: JumpingClock
    vapi: ScriptedVapi
    database: Database

    async def campaign(self, *, contacts: int = 1, is_started: bool = True, **values: Any) -> UUID:
        """Make a campaign and press Start."""
        campaign_id = await make_campaign(self.database, contacts=contacts, **values)
        if is_started:
            await start_campaign(self.runtime, campaign_id)
        return campaign_id

    async def tick(self, after: float = 0) -> None:
        """Let time pass, then tick once."""
        self.clock.move(after)
        await run_once(self.runtime)

    async def tick_until(self, seconds: float, *, every: float = 30) -> None:
        """Let time pass in steps, with a tick at each."""
        for _ in range(round(seconds / every)):
            await self.tick(every)

    async def tell(self, provider_call_id: str, status: str, *, is_ours: bool = True, **message: Any) -> Received:
        """Deliver a status update about a call, as the provider words it."""
        call = self.vapi.calls.get(provider_call_id, {"id": provider_call_id})
        shown = call if is_ours else {"id": provider_call_id}
        body = {
            "message": {"type": "status-update", "status": status, "call": {**shown, "status": "queued"}, **message}
        }
        return await receive_webhook(self.runtime, body)

    async def end(self, provider_call_id: str, reason: str, **message: Any) -> Received:
        """Let a call end, and tell it: whoever asks hears the same."""
        self.vapi.change(provider_call_id, status="ended", endedReason=reason, **message)
        return await self.tell(provider_call_id, "ended", endedReason=reason, **message)

    async def report(self, provider_call_id: str, reason: str, **message: Any) -> Received:
        """Deliver the end-of-call report."""
        call = self.vapi.calls[provider_call_id]
        body = {"message": {"type": "end-of-call-report", "endedReason": reason, "call": call, **message}}
        return await receive_webhook(self.runtime, body)

    async def calls(self) -> list[dict[str, Any]]:
        """Return every call, in the order of their claims."""
        return await query(self.database, "SELECT * FROM calls ORDER BY claimed_at, attempt, id")

    async def call(self) -> dict[str, Any]:
        """Return the only call."""
        (only,) = await self.calls()
        return only

    async def contacts(self) -> list[str]:
        """Return the states of all contacts, by campaign and position."""
        rows = await query(self.database, "SELECT state FROM contacts ORDER BY campaign_id, position")
        return [row["state"] for row in rows]

    async def status(self, campaign_id: UUID) -> str:
        """Return a campaign's status."""
        (row,) = await query(self.database, "SELECT status FROM campaigns WHERE id = %s", campaign_id)
        return str(row["status"])

    async def incidents(self) -> list[str]:
        """Return the kinds of all incidents."""
        rows = await query(self.database, "SELECT kind FROM incidents ORDER BY id")
        return [row["kind"] for row in rows]

    async def gate(self) -> dict[str, Any]:
        """Return the account's row."""
        (row,) = await query(self.database, "SELECT * FROM gate")
        return row

    async def lines(self) -> int:
        """Return how many lines are held."""
        return len(await query(self.database, "SELECT id FROM calls WHERE holds_line"))


@asynccontextmanager
async def a_stage(
    database: Database, *, recordings: RecordingStore | None = None, **settings: Any
) -> AsyncIterator[Stage]:
    """Set a stage at the present moment; no timer is scaled unless told."""
    clock = JumpingClock(SystemClock().now())
    async with running_script(clock.now) as vapi:
        runtime = make_runtime(
            database, vapi.url, settings=settings_for_test(**settings), clock=clock, recordings=recordings
        )
        try:
            yield Stage(runtime=runtime, clock=clock, vapi=vapi, database=database)
        finally:
            await runtime.provider.close()
