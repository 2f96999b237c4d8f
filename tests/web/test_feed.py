"""The live feed and the export over a real connection: a stream has to stream."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import uvicorn

from autolynx.store.database import Database
from tests.support.campaign_rows import START, add_call, add_event, change_campaign, make_campaign
from tests.support.checks import query
from tests.support.engine import free_port
from tests.support.web import Web, running_web

pytestmark = pytest.mark.anyio

Message = tuple[str, str, Any]


@asynccontextmanager
async def served(web: Web) -> AsyncIterator[httpx.AsyncClient]:
    """Serve the application on a free port; the client bears the token."""
    port = free_port()
    config = uvicorn.Config(web.app, host="127.0.0.1", port=port, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    headers = {"Authorization": web.client.headers["authorization"]}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=20) as client:
        yield client
    server.should_exit = True
    await serving


async def messages(response: httpx.Response) -> AsyncIterator[Message]:
    """Read a stream as a browser does: name, id, data."""
    name, number, data = "message", "", ""
    async for line in response.aiter_lines():
        key, _, value = line.partition(": ")
        if key == "event":
            name = value
        elif key == "id":
            number = value
        elif key == "data":
            data = value
        elif not line and data:
            yield name, number, json.loads(data)
            name, data = "message", ""


@asynccontextmanager
async def watching(
    client: httpx.AsyncClient, campaign_id: UUID, headers: dict[str, str] | None = None
) -> AsyncIterator[AsyncIterator[Message]]:
    async with client.stream("GET", f"/api/campaigns/{campaign_id}/events", headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        yield messages(response)


async def until(stream: AsyncIterator[Message], name: str) -> Message:
    async with asyncio.timeout(5):
        async for message in stream:
            if message[0] == name:
                return message
    raise AssertionError(f"the stream ended without {name}")


async def test_a_change_arrives_by_itself(database: Database) -> None:
    async with running_web(database) as web, served(web) as client:
        campaign_id = await make_campaign(database, contacts=2)
        live = {"status": "RINGING", "outcome": None, "holds_line": True, "is_final": False}
        call_id = await add_call(database, campaign_id, 1, **live)
        async with watching(client, campaign_id) as stream:
            name, _, detail = await until(stream, "campaign")
            assert (name, detail["id"], detail["metrics"]["activeCalls"]) == ("campaign", str(campaign_id), 1)
            async with database.transaction() as conn:
                await conn.execute(
                    """UPDATE calls SET status = 'ENDED', outcome = 'voicemail', holds_line = false,
                           version = version + 1 WHERE id = %s""",
                    [call_id],
                )
                await conn.execute(
                    """INSERT INTO call_events (campaign_id, call_id, status, source, created_at)
                       VALUES (%s, %s, 'ENDED', 'webhook', %s)""",
                    [campaign_id, call_id, START],
                )
            _, _, detail = await until(stream, "campaign")
            _, number, changed = await until(stream, "rows")
        assert detail["metrics"]["callsByOutcome"]["voicemail"] == 1
        (contact,) = changed["contacts"]
        assert (contact["name"], contact["call"]["status"], contact["call"]["outcome"]) == (
            "Ada 1",
            "ENDED",
            "voicemail",
        )
        assert int(number) > 0


async def test_a_browser_that_comes_back_hears_what_it_missed(database: Database) -> None:
    async with running_web(database) as web, served(web) as client:
        campaign_id = await make_campaign(database, contacts=2)
        first = await add_event(database, campaign_id, await add_call(database, campaign_id, 0))
        await add_event(database, campaign_id, await add_call(database, campaign_id, 1))
        async with watching(client, campaign_id, {"Last-Event-ID": str(first)}) as stream:
            _, number, changed = await until(stream, "rows")
        assert "Ada 1" in {contact["name"] for contact in changed["contacts"]}
        assert int(number) > first


async def test_a_deleted_campaign_says_so_and_ends(database: Database) -> None:
    async with running_web(database) as web, served(web) as client:
        campaign_id = await make_campaign(database, contacts=1)
        async with watching(client, campaign_id) as stream:
            await until(stream, "campaign")
            await change_campaign(database, campaign_id, deleted_at=START)
            await until(stream, "gone")
            async with asyncio.timeout(5):
                assert [message async for message in stream] == []


async def test_the_stream_ends_when_the_feed_is_closed(database: Database) -> None:
    async with running_web(database) as web, served(web) as client:
        campaign_id = await make_campaign(database, contacts=1)
        async with watching(client, campaign_id) as stream:
            await until(stream, "campaign")
            await web.app.state.live_feed.close()
            async with asyncio.timeout(5):
                assert [message async for message in stream] == []


async def test_a_browser_that_leaves_is_forgotten(database: Database) -> None:
    async with running_web(database) as web, served(web) as client:
        campaign_id = await make_campaign(database, contacts=1)
        async with watching(client, campaign_id) as stream:
            await until(stream, "campaign")
            assert web.app.state.live_feed.watchers == 1
        async with asyncio.timeout(5):
            while web.app.state.live_feed.watchers:
                await asyncio.sleep(0.05)


async def test_in_a_function_the_stream_ends_in_time_and_the_browser_comes_back(database: Database) -> None:
    async with running_web(database, is_function=True, TIME_SCALE=10) as web, served(web) as client:
        campaign_id = await make_campaign(database, contacts=1)
        async with watching(client, campaign_id) as stream:
            await until(stream, "campaign")
            async with asyncio.timeout(5):
                assert [message async for message in stream] == []


async def test_a_stream_of_nothing_and_of_strangers_is_refused(database: Database) -> None:
    async with running_web(database) as web:
        assert (await web.client.get(f"/api/campaigns/{uuid4()}/events")).status_code == 404
        assert (await web.stranger.get(f"/api/campaigns/{uuid4()}/events")).status_code == 401


async def test_an_export_is_a_download(database: Database) -> None:
    async with running_web(database) as web, served(web) as client:
        campaign_id = await make_campaign(database, contacts=3, name="Spring: 50% off / Zoë")
        answer = await client.get(f"/api/campaigns/{campaign_id}/export.csv", params={"include": "transcript"})
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["content-disposition"] == 'attachment; filename="Spring-50-off-Zo.csv"'
        assert answer.text.splitlines()[0].endswith("transcript_json")
        assert len(answer.text.splitlines()) == 4
        assert (await client.get(f"/api/campaigns/{uuid4()}/export.csv")).status_code == 404
        wrong = await client.get(f"/api/campaigns/{campaign_id}/export.csv", params={"include": "all"})
        assert wrong.status_code == 400


async def test_a_reader_who_breaks_off_an_export_leaves_no_connection_busy(database: Database) -> None:
    async with running_web(database) as web, served(web) as client:
        campaign_id = await make_campaign(database, contacts=30_000)
        async with client.stream("GET", f"/api/campaigns/{campaign_id}/export.csv") as response:
            await anext(response.aiter_bytes())
        async with asyncio.timeout(10):
            while await query(
                database,
                """SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'
                   AND pid <> pg_backend_pid()""",
            ):
                await asyncio.sleep(0.05)
