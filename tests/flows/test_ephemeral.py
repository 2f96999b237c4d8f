"""Ephemeral assistants are deleted at the provider after their last campaign; no other one ever is."""

from uuid import UUID

import pytest

from autolynx.flows.tick import run_once
from autolynx.store.database import Database
from tests.support.campaign_rows import add_call, change_campaign, change_contact
from tests.support.directory import CONFIG, a_directory, has_provider
from tests.support.engine import make_campaign
from tests.support.sim import Sim
from tests.support.web import Web, problem, rows

pytestmark = pytest.mark.anyio


async def _made(web: Web, *, ephemeral: bool = True) -> dict[str, str]:
    body = {"name": "For once", "config": CONFIG, "ephemeral": ephemeral}
    made: dict[str, str] = (await web.client.post("/api/assistants", json=body)).json()
    return made


async def _campaign(database: Database, made: dict[str, str], *, status: str = "COMPLETED", **values: str) -> UUID:
    """A campaign of that assistant whose one contact was called."""
    campaign_id = await make_campaign(database, contacts=1, **values)  # type: ignore[arg-type]
    await change_campaign(database, campaign_id, status=status, assistant_id=UUID(made["id"]))
    await change_contact(database, campaign_id, 0, state="done")
    return campaign_id


async def _is_there(web: Web, sim: Sim, made: dict[str, str]) -> tuple[bool, bool]:
    """Whether the directory has it, and whether the provider has."""
    await run_once(web.runtime)
    ours = (await web.client.get(f"/api/assistants/{made['id']}")).status_code == 200
    return ours, await has_provider(sim, made["providerAssistantId"])


async def test_an_ephemeral_assistant_goes_after_its_last_campaign_on_both_sides(database: Database) -> None:
    async with a_directory(database) as (web, sim):
        made = await _made(web)
        assert await _is_there(web, sim, made) == (True, True)  # it was never used
        campaign_id = await _campaign(database, made, status="PAUSED")
        assert await _is_there(web, sim, made) == (True, True)
        await change_campaign(database, campaign_id, status="COMPLETED")
        assert await _is_there(web, sim, made) == (False, False)
        (entry,) = await rows(database, "SELECT subject FROM audit_log WHERE action = 'assistant.retired'")
        assert entry["subject"] == made["id"]
        assert await _is_there(web, sim, made) == (False, False)


async def test_no_other_assistant_is_deleted_at_the_provider(database: Database) -> None:
    async with a_directory(database) as (web, sim):
        made = await _made(web, ephemeral=False)
        await _campaign(database, made)
        assert await _is_there(web, sim, made) == (True, True)
        assert (await web.client.delete(f"/api/assistants/{made['id']}")).status_code == 204
        assert await _is_there(web, sim, made) == (False, True)


async def test_a_live_line_a_doubt_or_a_due_contact_keeps_it(database: Database) -> None:
    async with a_directory(database) as (web, sim):
        made = await _made(web)
        campaign_id = await _campaign(database, made, status="CANCELED")
        call_id = await add_call(
            database, campaign_id, 0, status="IN_PROGRESS", outcome=None, holds_line=True, is_final=False
        )
        assert await _is_there(web, sim, made) == (True, True)
        await rows(
            database,
            """UPDATE calls SET holds_line = false, is_final = true, status = 'ENDED', outcome = 'answered'
               WHERE id = %s RETURNING 1 AS one""",
            call_id,
        )
        await change_campaign(database, campaign_id, status="COMPLETED")
        for state in ("unsure", "due"):
            await change_contact(database, campaign_id, 0, state=state)
            assert await _is_there(web, sim, made) == (True, True)
        await change_contact(database, campaign_id, 0, state="done")
        assert await _is_there(web, sim, made) == (False, False)


async def test_a_test_call_does_not_end_it(database: Database) -> None:
    async with a_directory(database) as (web, sim):
        made = await _made(web)
        await _campaign(database, made, options='{"testCall": true}')
        assert await _is_there(web, sim, made) == (True, True)


async def test_one_that_a_person_deleted_goes_at_the_provider_too(database: Database) -> None:
    async with a_directory(database) as (web, sim):
        made = await _made(web)
        assert (await web.client.delete(f"/api/assistants/{made['id']}")).status_code == 204
        assert await _is_there(web, sim, made) == (False, False)


async def test_a_provider_that_is_away_is_asked_again_at_the_next_tick(database: Database) -> None:
    async with a_directory(database) as (web, sim):
        made = await _made(web)
        await _campaign(database, made)
        await sim.faults(outage=True)
        await run_once(web.runtime)
        problem(await web.client.get(f"/api/assistants/{made['id']}"), 404, "NOT_FOUND")  # nobody chooses it now
        await sim.faults(outage=False)
        assert await _is_there(web, sim, made) == (False, False)


async def test_one_that_is_imported_back_is_kept(database: Database) -> None:
    async with a_directory(database) as (web, sim):
        made = await _made(web)
        await web.client.delete(f"/api/assistants/{made['id']}")
        await web.client.post("/api/assistants/import", json={"providerAssistantId": made["providerAssistantId"]})
        await _campaign(database, made)
        assert await _is_there(web, sim, made) == (True, True)
