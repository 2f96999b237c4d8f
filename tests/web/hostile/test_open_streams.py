"""Streams that are open when their watcher loses the right to watch: they end within seconds."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from autolynx.domain.permission import Role
from autolynx.flows.access import revoke
from autolynx.flows.people import change_person, remove_person
from autolynx.flows.sessions import end_others
from autolynx.flows.standing import LOOK_SECONDS
from autolynx.store.database import Database
from tests.support.campaign_rows import change_campaign, make_campaign
from tests.support.rivals import ANNA, BERT, MARK, Rivals, rivals
from tests.support.web import listening

pytestmark = pytest.mark.anyio
SECONDS = LOOK_SECONDS + 5


@asynccontextmanager
async def served(them: Rivals, *clients: httpx.AsyncClient) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Serve the application on a port; each client asks there with the cookies and tokens that it has."""
    listener = socket.create_server(("127.0.0.1", 0))
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with listening(them.web.app, listener):
        made = [httpx.AsyncClient(base_url=base, headers=dict(one.headers), timeout=SECONDS) for one in clients]
        for client in made:
            client.headers.pop("host", None)
        yield made
        for client in made:
            await client.aclose()


@asynccontextmanager
async def watching(client: httpx.AsyncClient, path: str) -> AsyncIterator[AsyncIterator[str]]:
    """Watch, from the first line on."""
    async with client.stream("GET", path) as response:
        assert response.status_code == 200
        lines = response.aiter_lines()
        assert await anext(lines)
        yield lines


async def ends(lines: AsyncIterator[str]) -> None:
    """Wait for the end, and for the word that it is one."""
    async with asyncio.timeout(SECONDS):
        heard = [line async for line in lines]
    assert "event: out" in heard


@pytest.mark.parametrize("deed", ["removed", "signed out", "role", "revoked"])
async def test_a_stream_ends_within_seconds_when_its_watcher_may_not_watch_any_more(
    database: Database, deed: str
) -> None:
    async with rivals(database) as them, served(them, them.anna, await them.callers.program(ANNA)) as (page, program):
        runtime, anna = them.web.runtime, await them.callers.person(ANNA)
        campaign = f"/api/campaigns/{them.hers.campaign_id}/events"
        live = f"/live?view=campaign&campaigns={them.hers.campaign_id}"
        client, path = (program, campaign) if deed == "revoked" else (page, live)
        async with watching(client, path) as lines:
            if deed == "removed":
                await remove_person(runtime, anna.id)
            elif deed == "signed out":
                await end_others(runtime, anna.id, but=None, actor="test")
            elif deed == "role":
                await change_person(runtime, anna.id, role=Role.ADMIN, actor="test")
            else:
                listed = (await them.anna.get("/api/tokens")).json()["tokens"]
                await revoke(runtime, next(one["id"] for one in listed if one["name"] == "a program"))
            await ends(lines)
        again = await client.get(campaign) if deed != "role" else None
        assert again is None or again.status_code == 401


async def test_an_admin_who_becomes_an_operator_loses_the_stream_of_what_is_not_theirs(database: Database) -> None:
    async with rivals(database) as them:
        chief = await them.callers.browser("second@example.com", Role.ADMIN)
        async with served(them, chief) as (page,):
            path = f"/api/campaigns/{them.hers.campaign_id}/events"
            async with watching(page, path) as lines:
                person = await them.callers.person("second@example.com")
                await change_person(them.web.runtime, person.id, role=Role.OPERATOR, actor="test")
                await ends(lines)
            assert (await page.get(path)).status_code == 404


async def test_a_stream_of_others_is_like_one_of_nothing(database: Database) -> None:
    async with rivals(database) as them, served(them, them.bert, them.bert_by_token) as berts:
        own = await make_campaign(database, contacts=1, name="His own")
        bert = await them.callers.person(BERT)
        await change_campaign(database, own, owner_id=bert.id)
        for client in berts:
            assert (await client.get(f"/api/campaigns/{them.hers.campaign_id}/events")).status_code == 404
            for view in ("", "&view=campaign", "&view=events", "&view=system", "&view=list"):
                async with watching(client, f"/live?campaigns={them.hers.campaign_id},{own}{view}") as lines:
                    await change_campaign(database, them.hers.campaign_id, name=f"{MARK} {view}", cap=9)
                    heard = await heard_within(lines, 1.5)
                assert heard is not None
                assert not them.tells(heard), view
                assert "<dt>Running campaigns" not in heard
                assert "Still to call" not in heard


async def test_a_stream_goes_on_while_its_watcher_may_watch(database: Database) -> None:
    async with (
        rivals(database) as them,
        served(them, them.anna) as (page,),
        watching(page, "/live?view=list") as lines,
    ):
        heard = await heard_within(lines, LOOK_SECONDS + 1.5)
        assert heard is not None, "it ended"


async def heard_within(lines: AsyncIterator[str], seconds: float) -> str | None:
    """Return what was heard in that time, None where the stream ended."""
    heard = ""
    try:
        async with asyncio.timeout(seconds):
            async for line in lines:
                heard += line
    except TimeoutError:
        return heard
    return None
