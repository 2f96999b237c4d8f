"""Two operators who may not see each other's campaigns, and all that the first one has."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from autolynx.domain.permission import Role
from autolynx.flows.access import create_token
from autolynx.store.database import Database
from tests.support.callers import Callers, callers_of
from tests.support.campaign_rows import (
    START,
    add_assistant,
    add_call,
    add_event,
    add_incident,
    change_campaign,
    change_contact,
    make_campaign,
    make_unsure,
)
from tests.support.sim import TWILIO_MAIN, running_sim
from tests.support.web import Web, rows, running_web

ANNA, BERT, CHIEF = "anna@example.com", "bert@example.com", "chief@example.com"
# Stands in everything of Anna's that has words: wherever it is read, something of hers is read.
MARK = "Quagga"
CSV = (
    f"name,business_name,phone,city\n{MARK} One,{MARK} Ltd,+12025550191,{MARK}town\n"
    f"{MARK} Two,{MARK} Inc,+12025550192,{MARK}ville\n{MARK} Bad,{MARK} Bad,12,{MARK}\n"
)
FILE = f"{MARK} list.csv"


@dataclass(frozen=True, kw_only=True)
class Belongings:
    """The ids of what Anna has, by the names that addresses give them."""

    campaign_id: UUID
    call_id: UUID
    unsure_call_id: UUID
    test_campaign_id: UUID
    upload_id: UUID
    token_id: UUID

    @property
    def in_paths(self) -> Mapping[str, str]:
        """What may stand in the path of an address."""
        return {name: str(getattr(self, name)) for name in ("campaign_id", "call_id", "upload_id", "token_id")}

    @property
    def all(self) -> set[str]:
        """Every id."""
        return {str(value) for value in vars(self).values()}


@dataclass(frozen=True, kw_only=True)
class Rivals:
    """Anna with her things, and Bert, who has an assistant to call with and nothing else."""

    web: Web
    callers: Callers
    anna: httpx.AsyncClient
    bert: httpx.AsyncClient
    bert_by_token: httpx.AsyncClient
    chief: httpx.AsyncClient
    assistant_id: UUID
    hers: Belongings

    @property
    def berts(self) -> dict[str, httpx.AsyncClient]:
        """Both ways in which Bert may ask."""
        return {"browser": self.bert, "token": self.bert_by_token}

    def tells(self, text: str) -> bool:
        """Whether a text tells anything of Anna's."""
        return MARK.lower() in text.lower() or any(one in text for one in self.hers.all)

    async def everything(self) -> dict[str, list[dict[str, Any]]]:
        """Return all that Anna has, as the database has it."""
        database = self.web.runtime.database
        found = {}
        for table in ("campaigns", "calls", "contacts", "uploads", "api_tokens", "call_events"):
            query = (
                f"SELECT to_jsonb(x) - 'last_used_at' - 'expires_at' AS row FROM {table} x ORDER BY to_jsonb(x)::text"
            )
            found[table] = [row for row in await rows(database, query) if self.tells(str(row))]
        return found


@asynccontextmanager
async def rivals(database: Database, **settings: Any) -> AsyncIterator[Rivals]:
    """Set the two against each other, in front of a simulator."""
    async with (
        running_sim() as sim,
        running_web(database, sim.url, VAPI_PHONE_NUMBER_ID=TWILIO_MAIN, **settings) as web,
        callers_of(web) as callers,
    ):
        chief = await callers.browser(CHIEF, Role.ADMIN)
        anna, bert = await callers.browser(ANNA), await callers.browser(BERT)
        assistant_id = await add_assistant(database, name="Shared voice")
        yield Rivals(
            web=web,
            callers=callers,
            anna=anna,
            bert=bert,
            bert_by_token=await callers.program(BERT),
            chief=chief,
            assistant_id=assistant_id,
            hers=await _belongings(web, callers, anna, assistant_id),
        )


async def _belongings(web: Web, callers: Callers, anna: httpx.AsyncClient, assistant_id: UUID) -> Belongings:
    database, person = web.runtime.database, await callers.person(ANNA)
    sent = await anna.post("/api/uploads", files={"file": (FILE, CSV, "text/csv")})
    assert sent.status_code == 201, sent.text
    campaign_id = await _campaign(database, person.id, assistant_id)
    call_id = await _call(database, campaign_id)
    unsure = await make_unsure(database, campaign_id, position=1)
    await add_incident(database, "double_dial", f"{MARK} was called twice.", campaign_id=campaign_id)
    made = await create_token(web.runtime, f"{MARK} token", person=person)
    return Belongings(
        campaign_id=campaign_id,
        call_id=call_id,
        unsure_call_id=unsure,
        test_campaign_id=await _test_call(database, person.id, assistant_id),
        upload_id=UUID(sent.json()["uploadId"]),
        token_id=made.token.id,
    )


async def _campaign(database: Database, owner_id: UUID, assistant_id: UUID) -> UUID:
    campaign_id = await make_campaign(database, contacts=4, name=f"{MARK} campaign")
    values = {"owner_id": owner_id, "assistant_id": assistant_id, "status": "PAUSED"}
    await change_campaign(database, campaign_id, **values, started_at=START, queued_at=START)
    for position in range(4):
        await change_contact(database, campaign_id, position, name=f"{MARK} {position}", business_name=f"{MARK} Ltd")
    return campaign_id


async def _call(database: Database, campaign_id: UUID) -> UUID:
    said = [{"role": "assistant", "message": f"Hello {MARK}"}, {"role": "user", "message": f"{MARK} here"}]
    call_id = await add_call(
        database,
        campaign_id,
        0,
        provider_call_id="provider-call-of-anna",
        started_at=START,
        ended_at=START,
        summary=f"{MARK} wants a call back.",
        transcript_json=said,
        cost_usd="7.7700",
        recording_url=f"https://storage.example.com/{MARK}.wav",
        success_raw="true",
        success_evaluation=True,
    )
    await change_contact(database, campaign_id, 0, state="done")
    await add_event(database, campaign_id, call_id)
    return call_id


async def _test_call(database: Database, owner_id: UUID, assistant_id: UUID) -> UUID:
    campaign_id = await make_campaign(database, contacts=1, name=f"Test call: {MARK}", options='{"testCall": true}')
    await change_campaign(database, campaign_id, owner_id=owner_id, assistant_id=assistant_id, status="COMPLETED")
    await change_contact(database, campaign_id, 0, name=f"{MARK} test", state="done")
    await add_call(database, campaign_id, 0)
    return campaign_id
