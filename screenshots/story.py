"""What is seen on the pictures: a small firm that has called its town for a month, and calls right now."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, islice
from uuid import UUID

import httpx

from autolynx.cli.choose import ACTOR, choose_number
from autolynx.cli.stage import Stage
from autolynx.domain.actor import Maker
from autolynx.domain.campaign import CampaignMode, CampaignStatus
from autolynx.domain.templates import TEMPLATES
from autolynx.flows.assistant_import import import_assistant, list_importable
from autolynx.flows.assistants import clone_assistant, edit_assistant
from autolynx.flows.campaign_edit import NewCampaign, create_campaign
from autolynx.flows.campaign_life import pause_campaign, start_campaign, stop_campaign
from autolynx.flows.importing import receive_upload
from autolynx.runtime import Runtime
from autolynx.store import inbox, reports
from screenshots.past import leave_in_doubt, move_into_past, tell_incident
from screenshots.people import FLAWED, Person, as_csv, people, unusual

FAST = 1000.0
SPEED = 20.0
LINES = 60
SATURDAY = 5
MANY = 1200  # so that the campaign that runs is still running on the last picture
DOUBT = "Nobody can say whether this contact was called: a person has to decide."


@dataclass(frozen=True, kw_only=True)
class Past:
    """A campaign that was over long ago."""

    name: str
    workdays_ago: int
    hour: int
    hours: float
    contacts: int
    assistant: str


PITCH, DISCOVERY, REMINDER = "Riley - short pitch", "Morgan - survey", "Casey - reminder"  # the account has them
PASTS = [
    Past(name="Website refresh, downtown", workdays_ago=20, hour=9, hours=3, contacts=48, assistant=PITCH),
    Past(name="Website refresh, north side", workdays_ago=19, hour=13, hours=4, contacts=52, assistant=PITCH),
    Past(name="Online booking, salons", workdays_ago=18, hour=10, hours=5, contacts=60, assistant=DISCOVERY),
    Past(name="Online booking, clinics", workdays_ago=17, hour=11, hours=6, contacts=64, assistant=DISCOVERY),
    Past(name="Card terminals, first call", workdays_ago=16, hour=9, hours=8, contacts=80, assistant=PITCH),
    Past(name="Card terminals, second call", workdays_ago=15, hour=14, hours=3, contacts=40, assistant=PITCH),
    Past(name="Renewals, April", workdays_ago=13, hour=8, hours=9, contacts=90, assistant=REMINDER),
    Past(name="Loyalty program, bakeries", workdays_ago=12, hour=10, hours=4, contacts=56, assistant=DISCOVERY),
    Past(name="Loyalty program, grills", workdays_ago=11, hour=15, hours=3, contacts=44, assistant=DISCOVERY),
    Past(name="Spring promotion, florists", workdays_ago=10, hour=9, hours=2, contacts=36, assistant=PITCH),
    Past(name="Spring promotion, gardens", workdays_ago=8, hour=12, hours=5, contacts=58, assistant=PITCH),
    Past(name="Renewals, May", workdays_ago=7, hour=8, hours=10, contacts=96, assistant=REMINDER),
    Past(name="Website refresh, west side", workdays_ago=6, hour=9, hours=6, contacts=70, assistant=PITCH),
    Past(name="Online booking, repair shops", workdays_ago=5, hour=13, hours=4, contacts=54, assistant=DISCOVERY),
    Past(name="Card terminals, markets", workdays_ago=3, hour=10, hours=5, contacts=62, assistant=PITCH),
    Past(name="Tax season follow-up", workdays_ago=2, hour=11, hours=6, contacts=66, assistant=DISCOVERY),
    Past(name="Renewals, June", workdays_ago=1, hour=8, hours=9, contacts=84, assistant=REMINDER),
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Tale:
    """What a picture can be taken of, by name."""

    running: UUID
    paused: UUID
    stopped: UUID
    waiting: UUID
    completed: UUID
    assistant: UUID
    upload: UUID


class Teller:
    """Lets the story happen, by the same flows that the pages use."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._runtime: Runtime = stage.runtime
        self._assistants: dict[str, UUID] = {}
        self._number = ""

    async def tell(self) -> Tale:
        """Let a month pass, then leave everything as it is on an ordinary morning."""
        await self._hire()
        await self._tell_simulator("speed", {"speed": FAST})
        completed = await self._live_through(PASTS)
        await self._begin_day()
        stopped = await self._begun("Winter catalog, cold list", people(901), 60, PITCH, cap=20)
        await self._until_done(stopped, 25)
        await stop_campaign(self._runtime, stopped)
        paused = await self._begun("Book fair invitations", people(902), 50, DISCOVERY, cap=20)
        running = await self._begun("Local businesses, summer", chain(unusual(903), people(904)), MANY, PITCH)
        await self._until_done(paused, 12)
        await pause_campaign(self._runtime, paused)
        waiting = await self._created("Autumn hours 🍂 for shops, cafés and everybody by the river", people(905), 75)
        await self._until_done(running, 60)
        return Tale(
            running=running,
            paused=paused,
            stopped=stopped,
            waiting=waiting,
            completed=completed,
            assistant=self._assistants[PITCH],
            upload=await self._flawed(),
        )

    async def _hire(self) -> None:
        for importable in await list_importable(self._runtime):
            taken = await import_assistant(self._runtime, importable.remote.provider_assistant_id, actor=ACTOR)
            self._assistants[taken.assistant.name] = taken.assistant.id
        self._number = await choose_number(self._runtime, None, takes_any=True)

    async def _live_through(self, pasts: Iterable[Past]) -> UUID:
        """Call everybody in a few seconds, spread that over a month, and return the last campaign."""
        today = self._runtime.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        begun = [
            (past, await self._begun(past.name, people(seed), past.contacts, past.assistant, cap=20))
            for seed, past in enumerate(pasts)
        ]
        for past, campaign_id in begun:
            await self._until_done(campaign_id, past.contacts)
        await self._until_quiet()
        database = self._runtime.database
        for past, campaign_id in begun:
            if past.name == "Tax season follow-up":
                await leave_in_doubt(database, campaign_id, contacts=3, sentence=DOUBT)
            began_at = _workdays_before(today, past.workdays_ago) + timedelta(hours=past.hour)
            await move_into_past(database, campaign_id, began_at=began_at, hours=past.hours)
        sentence = "A webhook could not be understood after five tries; its body is kept."
        await tell_incident(
            database, begun[4][1], kind="dead_letter", sentence=sentence, at=today - timedelta(days=21.5)
        )
        return begun[-1][1]

    async def _begun(self, name: str, rows: Iterable[Person], count: int, assistant: str, *, cap: int = 10) -> UUID:
        campaign_id = await self._created(name, rows, count, assistant, cap=cap)
        await start_campaign(self._runtime, campaign_id)
        self._stage.go()
        return campaign_id

    async def _created(
        self, name: str, rows: Iterable[Person], count: int, assistant: str = PITCH, *, cap: int = 8
    ) -> UUID:
        upload = await self._uploaded(f"{name}.csv", as_csv(list(islice(rows, count))))
        wanted = NewCampaign(
            upload_id=upload,
            assistant_id=self._assistants[assistant],
            name=name,
            mode=CampaignMode.CONTINUOUS,
            cap=cap,
            phone_number_id=self._number,
            include_recently_called=True,
            is_repeat_allowed=True,
        )
        return (await create_campaign(self._runtime, wanted, by=Maker(name=ACTOR))).campaign.id

    async def _flawed(self) -> UUID:
        return await self._uploaded("contacts from the fair.csv", FLAWED.encode())

    async def _uploaded(self, file_name: str, content: bytes) -> UUID:
        async def chunks() -> AsyncIterator[bytes]:
            yield content

        return (await receive_upload(self._runtime, file_name=file_name, chunks=chunks())).id

    async def _until_done(self, campaign_id: UUID, contacts: int) -> None:
        async with asyncio.timeout(180):
            while True:
                async with self._runtime.database.connection() as conn:
                    report = await reports.get_campaign(conn, campaign_id)
                is_over = report.campaign.status is CampaignStatus.COMPLETED
                if is_over or contacts <= report.counters.done < report.campaign.total_contacts:
                    return
                await asyncio.sleep(0.1)

    async def _until_quiet(self) -> None:
        """Wait for the last reports: they must find a call where it was, and a provider that still knows it."""
        last = -1
        async with asyncio.timeout(60), httpx.AsyncClient() as client:
            while True:
                ledger = (await client.get(f"{self._runtime.settings.vapi_base_url}/_sim/ledger?format=summary")).json()
                async with self._runtime.database.connection() as conn:
                    is_waiting = await inbox.count_overdue(
                        conn, due_before=self._runtime.clock.now() + timedelta(days=1)
                    )
                if last == (last := ledger["webhooks"]["letters"]) and not is_waiting:
                    return
                await asyncio.sleep(1)

    async def _begin_day(self) -> None:
        """Set the provider's clock right, which ran far ahead, and take up two assistants of our own."""
        await self._tell_simulator("reset", {})
        for template in TEMPLATES[:2]:
            await clone_assistant(self._runtime, template.id, name=f"{template.name} (ours)", actor=ACTOR)
        spring = {
            "firstMessage": "Hi {{name}}, this is Riley, an AI assistant, about spring offers. Is this a good moment?"
        }
        await edit_assistant(self._runtime, self._assistants[PITCH], config=spring, actor=ACTOR)

    async def _tell_simulator(self, what: str, body: dict[str, float]) -> None:
        async with httpx.AsyncClient() as client:
            address = f"{self._runtime.settings.vapi_base_url}/_sim/{what}"
            (await client.post(address, json=body)).raise_for_status()


def _workdays_before(day: datetime, count: int) -> datetime:
    """Go back so many days on which people work."""
    while count:
        day -= timedelta(days=1)
        count -= day.weekday() < SATURDAY
    return day
