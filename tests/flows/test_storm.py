"""Everything at once on few rows, over real connections: nobody waits in a circle, and everything comes to its end."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import pytest

from autolynx.domain.actor import Maker
from autolynx.errors import Conflict, NotFound
from autolynx.flows.campaign_edit import Changes, NewCampaign, create_campaign, delete_campaign, patch_campaign
from autolynx.flows.campaign_life import pause_campaign, resume_campaign, start_campaign, stop_campaign
from autolynx.flows.dialing import Decision, decide_unsure, hold_dialling, release_dialling
from autolynx.flows.importing import receive_upload
from autolynx.flows.ingest import receive_webhook
from autolynx.flows.phone_numbers import list_phone_numbers
from autolynx.flows.refill import refill
from autolynx.flows.resting import note_concurrency
from autolynx.flows.tick import run_once
from autolynx.runtime import Runtime, SystemClock
from autolynx.store.database import Database
from tests.support.campaign_rows import add_assistant
from tests.support.checks import assert_counters_are_a_recount, query
from tests.support.deadlocks import count_deadlocks
from tests.support.engine import make_campaign, make_runtime, settings_for_test
from tests.support.scripted_vapi import ScriptedVapi, accepted, dropped, refused, running_script
from tests.support.sim import TWILIO_MAIN, TWILIO_SECOND
from tests.support.stub_vapi import Answering, Seen

pytestmark = pytest.mark.anyio

HANDS, ROUNDS = 12, 12
LIST = b"name,business,phone\nAda,Acme,+12015550101\nBob,Bolt,+12015550102\n"


@dataclass(frozen=True, kw_only=True)
class Storm:
    """What all hands work on: a few campaigns over two numbers, from several processes."""

    runtimes: Sequence[Runtime]
    vapi: ScriptedVapi
    campaigns: Sequence[UUID]
    assistant_id: UUID
    dice: random.Random

    @property
    def runtime(self) -> Runtime:
        return self.dice.choice(self.runtimes)

    @property
    def campaign(self) -> UUID:
        return self.dice.choice(self.campaigns)

    async def ticks(self) -> None:
        async with self.runtime.database.connection() as conn:
            await conn.execute("UPDATE gate SET swept_until = NULL")
            await conn.execute(
                """UPDATE calls k SET next_check_at = claimed_at FROM (SELECT id FROM calls
                   WHERE provider_call_id IS NOT NULL FOR NO KEY UPDATE SKIP LOCKED) free WHERE k.id = free.id"""
            )
        await run_once(self.runtime)

    async def refills(self) -> None:
        await refill(self.runtime, rounds=2)

    async def hears(self) -> None:
        """Several webhooks at once, of calls in every state, some without our id."""
        calls = self.dice.sample(list(self.vapi.calls.values()), k=min(4, len(self.vapi.calls)))
        await asyncio.gather(*(receive_webhook(self.runtime, self._body(call)) for call in calls))

    def _body(self, call: dict[str, object]) -> dict[str, object]:
        word = self.dice.choice(["ringing", "in-progress", "ended"])
        ended = {"endedReason": self.dice.choice(["customer-busy", "customer-ended-call"])} if word == "ended" else {}
        shown = call if self.dice.random() < 0.7 else {"id": call["id"]}
        return {"message": {"type": "status-update", "status": word, "call": shown, **ended}}

    async def pauses(self) -> None:
        await pause_campaign(self.runtime, self.campaign)

    async def resumes(self) -> None:
        await resume_campaign(self.runtime, self.campaign)

    async def edits(self) -> None:
        await patch_campaign(self.runtime, self.campaign, Changes(cap=self.dice.randint(1, 6)), actor="a")

    async def stops(self) -> None:
        await stop_campaign(self.runtime, self.dice.choice(self.campaigns[:1]), hangs_up=True)

    async def stops_amid_news(self) -> None:
        """A campaign is stopped the moment its calls go out and news of them comes."""
        one = await make_campaign(self.runtime.database, contacts=5, cap=5, first=self.dice.randint(5, 60) * 100)
        await start_campaign(self.runtime, one)
        await refill(self.runtime, campaign_id=one, rounds=1)
        rows = await query(
            self.runtime.database, "SELECT provider_call_id AS id FROM calls WHERE campaign_id = %s AND holds_line", one
        )
        bodies = [self._body(self.vapi.calls[row["id"]]) for row in rows if row["id"]]
        news = [receive_webhook(self.runtime, body) for body in bodies * 2]
        half = len(news) // 2
        await asyncio.gather(*news[:half], stop_campaign(self.runtime, one), *news[half:])

    async def deletes(self) -> None:
        await delete_campaign(self.runtime, self.campaigns[-1], actor="a")

    async def holds(self) -> None:
        await hold_dialling(self.runtime, reason="for a moment", hangs_up=self.dice.random() < 0.3)
        await release_dialling(self.runtime)

    async def rests(self) -> None:
        await note_concurrency(self.runtime)
        await list_phone_numbers(self.runtime)

    async def decides(self) -> None:
        unsure = await query(self.runtime.database, "SELECT id FROM calls WHERE unsure_at IS NOT NULL")
        for row in unsure:
            await decide_unsure(self.runtime, row["id"], self.dice.choice(list(Decision)))

    async def imports(self) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            yield LIST

        upload = await receive_upload(self.runtime, file_name="list.csv", chunks=chunks())
        wanted = NewCampaign(
            upload_id=upload.id, assistant_id=self.assistant_id, phone_number_id=TWILIO_MAIN, is_repeat_allowed=True
        )
        await start_campaign(
            self.runtime, (await create_campaign(self.runtime, wanted, by=Maker(name="a"))).campaign.id
        )


@asynccontextmanager
async def a_storm(database: Database, url: str) -> AsyncIterator[Storm]:
    dice = random.Random(20260302)  # noqa: S311
    async with AsyncExitStack() as stack:
        vapi = await stack.enter_async_context(running_script(SystemClock().now))
        vapi.numbers = [{"id": number, "provider": "twilio"} for number in (TWILIO_SECOND, TWILIO_MAIN)]
        vapi.on_dial = lambda vapi, seen: _answer(dice, vapi, seen)
        runtimes = []
        for _ in range(4):
            opened = await Database.open(url, max_size=4)
            stack.push_async_callback(opened.close)
            settings = settings_for_test(ACCOUNT_CONCURRENCY_CAP=60, LAUNCH_PER_SECOND=200, TIME_SCALE=1000)
            runtimes.append(make_runtime(opened, vapi.url, settings=settings))
            stack.push_async_callback(runtimes[-1].provider.close)
        campaigns = []
        for number, line in enumerate((TWILIO_MAIN, TWILIO_SECOND, TWILIO_MAIN, TWILIO_SECOND)):
            options = {"contacts": 12, "first": 100 * number, "phone_number_id": line, "cap": 4}
            mode = "batch" if number == 1 else "continuous"
            campaigns.append(await make_campaign(database, mode=mode, options='{"maxAttempts": 3}', **options))
            await start_campaign(runtimes[0], campaigns[-1])
        assistant_id = await add_assistant(database)
        yield Storm(runtimes=runtimes, vapi=vapi, campaigns=campaigns, assistant_id=assistant_id, dice=dice)


def _answer(dice: random.Random, vapi: ScriptedVapi, seen: Seen) -> Answering:
    rule = dice.choices([accepted, dropped, refused(400, "customer.number must be a valid phone number")], [8, 1, 1])[0]
    return rule(vapi, seen)


async def test_everything_at_once_ends_without_a_deadlock(database: Database, database_url: str) -> None:
    async with a_storm(database, database_url) as storm:
        deeds: list[Callable[[], Awaitable[None]]] = [
            *[storm.ticks, storm.refills, storm.hears, storm.stops_amid_news] * 3,
            *[storm.pauses, storm.resumes, storm.resumes, storm.edits, storm.stops, storm.deletes],
            *[storm.holds, storm.rests, storm.decides, storm.imports],
        ]

        async def hand() -> None:
            for _ in range(ROUNDS):
                try:
                    await storm.dice.choice(deeds)()
                except (Conflict, NotFound):
                    continue  # somebody else was first

        async with asyncio.timeout(240):
            await asyncio.gather(*(hand() for _ in range(HANDS)))
        assert len(storm.vapi.dials) == len(set(storm.vapi.dials))
    await assert_counters_are_a_recount(database)
    strange = await query(
        database,
        """SELECT t.id FROM contacts t WHERE (t.state = 'calling') <> EXISTS (SELECT FROM calls k
           WHERE k.contact_id = t.id AND k.status IN ('QUEUED', 'RINGING', 'IN_PROGRESS'))""",
    )
    assert strange == []
    await database.close()
    assert count_deadlocks(database_url) == 0
