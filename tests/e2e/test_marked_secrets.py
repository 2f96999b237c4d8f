"""Marked secrets and people go through everything: no secret comes out anywhere, no person in a log or an error.

A real server process, a provider that blurts everything out and breaks in every way, everything that can be asked.
"""

import json
import re
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx
import pytest

from autolynx.store.database import Database
from tests.support.command import Console, Running, wait_until
from tests.support.engine import free_port
from tests.support.marked_vapi import MARKS, MarkedVapi
from tests.support.old_campaign import everything
from tests.support.sim import ASSISTANT_SALES, TWILIO_MAIN
from tests.support.stub_vapi import run_stub

pytestmark = [pytest.mark.e2e, pytest.mark.anyio]
API_KEY = "MARK-vapi-api-key-5b1f09"
HOOK_SECRET = "MARK-webhook-secret-c0ffee"
CRON_SECRET = "MARK-cron-secret-ba5eba11"
PASSWORD = "MARK-password-typed-by-somebody"
SECRETS = (API_KEY, HOOK_SECRET, CRON_SECRET, PASSWORD, *MARKS)
PEOPLE = [f"Quixotina{n} Markerova" for n in range(8)]
BUSINESS = "Zephyrmark Works"
PHONES = [f"+1202555016{n}" for n in range(8)]
SAID = "my passphrase is heliotrope"
LIST = "name,business_name,phone,city\n" + "".join(
    f"{name},{BUSINESS},{phone},Markerton\n" for name, phone in zip(PEOPLE, PHONES, strict=True)
)
PERSONAL = ("Quixotina", "Markerova", BUSINESS, "Markerton", "heliotrope", "555016", "555-016", "555 016")


@dataclass
class Exchanges:
    """Every answer that came, by what was asked, and the sessions and tokens that were used."""

    answers: list[httpx.Response] = field(default_factory=list)

    async def keep(self, response: httpx.Response) -> None:
        """Keep an answer; a hook of the client."""
        await response.aread()
        self.answers.append(response)


@asynccontextmanager
async def served(console: Console, stub_url: str) -> AsyncIterator[tuple[str, Running]]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    console.variables.update(
        {
            "VAPI_API_KEY": API_KEY,
            "WEBHOOK_SHARED_SECRET": HOOK_SECRET,
            "CRON_SHARED_SECRET": CRON_SECRET,
            "VAPI_BASE_URL": stub_url,
            "PUBLIC_URL": url,
            "LAUNCH_PER_SECOND": "0",
            "LOG_LEVEL": "debug",
            "TIME_SCALE": "40",
        }
    )
    with console.running("serve", "--port", str(port)) as server:
        await anyio.to_thread.run_sync(lambda: server.wait_for("AutoLynx listens on"))
        yield url, server
        server.process.terminate()
        await anyio.to_thread.run_sync(lambda: server.process.wait(20))


async def token_of(console: Console) -> str:
    made = await anyio.to_thread.run_sync(lambda: console.run("token", "create", "marked"))
    return made.stdout.strip()


async def browser_of(console: Console, url: str, exchanges: Exchanges) -> httpx.AsyncClient:
    printed = (await anyio.to_thread.run_sync(lambda: console.run("link"))).stdout
    link = re.search(r"http\S+", printed)
    assert link is not None
    browser = httpx.AsyncClient(base_url=url, follow_redirects=True, timeout=30)
    entered = await browser.get(link[0])
    token = re.search(r'name="csrf-token" content="([^"]+)"', entered.text)
    assert token is not None
    browser.headers["X-CSRF-Token"] = token[1]
    browser.event_hooks["response"].append(exchanges.keep)
    return browser


async def make_campaign(client: httpx.AsyncClient) -> str:
    imported = await client.post("/api/assistants/import", json={"providerAssistantId": ASSISTANT_SALES})
    assert imported.status_code in {200, 201}, imported.text
    made = await client.post(
        "/api/campaigns",
        files={"contactsCsv": ("list.csv", LIST + f"{PEOPLE[0]},,{PHONES[0]}x,\n", "text/csv")},
        data={"assistantId": imported.json()["id"], "phoneNumberId": TWILIO_MAIN, "name": "Marked"},
        headers={"Idempotency-Key": "one-wish"},
    )
    assert made.status_code == 201, made.text
    campaign_id: str = made.json()["campaignId"]
    assert (await client.post(f"/api/campaigns/{campaign_id}/start", json={})).status_code == 200
    return campaign_id


async def tell_everything(client: httpx.AsyncClient, vapi: MarkedVapi) -> None:
    """Let the provider report each call, well and badly, with its proof, with none and with somebody else's."""
    for call in list(vapi.calls.values()):
        body = vapi.report(call, SAID)
        for secret in (HOOK_SECRET, f"{HOOK_SECRET}x", ""):
            await client.post("/api/webhooks/vapi", json=body, headers={"X-Vapi-Secret": secret, "Authorization": ""})
        strange = {"message": {"type": "transcript", "call": call, "transcript": f"{SAID} {API_KEY} {HOOK_SECRET}"}}
        await client.post("/api/webhooks/vapi", json=strange, headers={"X-Vapi-Secret": HOOK_SECRET})
    broken = f'{{"phone": "{PHONES[0]}", "name": "{PEOPLE[0]}"'
    await client.post("/api/webhooks/vapi", content=broken, headers={"X-Vapi-Secret": HOOK_SECRET})


async def ask_wrongly(client: httpx.AsyncClient, campaign_id: str) -> None:
    """Make every mistake that repeats a name or a number."""
    name, phone = PEOPLE[0], PHONES[0]
    asked = f"?q={name}&p={phone}"
    for path in (f"/api/campaigns/{name}", f"/api/calls/{phone}", f"/api/nothing{asked}", f"/nothing/{name}{asked}"):
        assert (await client.get(path)).status_code >= 400
    wrong: list[tuple[str, Any]] = [
        ("/api/campaigns", {"name": name, "phone": phone}),
        ("/api/privacy/lookup", {"phone": f"{phone}12345", "name": name}),
        ("/api/privacy/erase", {"phone": "555-0160"}),
        (f"/api/campaigns/{campaign_id}/start", {"holdForConfirmation": name}),
        ("/api/uploads", {"file": LIST}),
    ]
    for path, body in wrong:
        assert (await client.post(path, json=body)).status_code >= 400, path
    await client.post("/api/uploads", content=f"name,phone\n{name},{phone}\n", headers={"Content-Type": "text/csv"})
    await client.get("/api/scheduler/tick", headers={"Authorization": f"Bearer {CRON_SECRET}x"})
    form = {"email": "nobody@example.com", "password": PASSWORD}
    assert (await client.post("/sign-in", data=form)).status_code >= 400
    await client.get(f"/enter?ticket={PASSWORD}")
    await client.get("/api/scheduler/tick", headers={"Authorization": f"Bearer {CRON_SECRET}"})


async def look_at_everything(client: httpx.AsyncClient, browser: httpx.AsyncClient, campaign_id: str) -> list[str]:
    """Ask for every route that can be read; return the ids of calls."""
    described = (await client.get("/api/openapi.json")).json()
    contacts = (await client.get(f"/api/campaigns/{campaign_id}/contacts")).json()["contacts"]
    calls = [row["call"]["id"] for row in contacts if row.get("call")]
    assistant = (await client.get("/api/assistants")).json()["assistants"][0]["id"]
    known = {"campaign_id": campaign_id, "call_id": calls[0], "assistant_id": assistant, "version": "1"}
    for path, methods in described["paths"].items():
        if "get" in methods and not path.endswith("/events") and "upload" not in path:
            await client.get(path.format_map({**known, "upload_id": campaign_id, "token_id": campaign_id}))
    await client.get(f"/api/campaigns/{campaign_id}/export.csv?include=transcript")
    pages = ["/", "/assistants", "/analytics", "/system", "/audit", "/privacy", "/campaigns/new"]
    pages += [f"/campaigns/{campaign_id}{tab}" for tab in ("", "/events", "/analytics", f"?q={PEOPLE[0]}")]
    pages += [f"/calls/{call}/drawer" for call in calls] + [f"/calls/{call}/payloads" for call in calls]
    pages += [f"/assistants/{assistant}{tab}" for tab in ("", "/versions", "/drift", "/use", "/test-call")]
    for path in pages:
        await browser.get(path)
    return calls


async def test_no_secret_comes_out_anywhere_and_no_person_in_a_log_or_an_error(
    console: Console, database: Database
) -> None:
    vapi, exchanges = MarkedVapi(api_key=API_KEY), Exchanges()
    async with run_stub(vapi.answer) as stub, served(console, stub.url) as (url, server):
        token = await token_of(console)
        hooks = {"response": [exchanges.keep]}
        client = httpx.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, event_hooks=hooks, timeout=30
        )
        browser = await browser_of(console, url, exchanges)
        session = browser.cookies["autolynx_session"]
        async with client, aclosing(browser):
            campaign_id = await make_campaign(client)
            await anyio.to_thread.run_sync(lambda: wait_until(lambda: vapi.dials >= len(PHONES)))
            await tell_everything(client, vapi)
            await ask_wrongly(client, campaign_id)
            calls = await look_at_everything(client, browser, campaign_id)
            exported = await client.post("/api/privacy/export", json={"phone": PHONES[0]})
            assert PEOPLE[0] in exported.text
        failing = [await anyio.to_thread.run_sync(console.run, word) for word in ("doctor", "tick")]
        log = server.output + "".join(done.stdout + done.stderr for done in failing)
    assert len(calls) >= 4
    for event in ("campaign.started", "dial.unknown", "webhook.refused", "upload.refused"):
        assert event in log, "the log tells of it, and of nobody"
    _check_log(log, token, session)
    _check_answers(exchanges.answers, token, session)
    kept = await everything(database)
    assert SAID in kept
    for secret in (*(mark for mark in SECRETS if "control" not in mark), token, session):
        assert secret not in kept, f"{secret} is in the database"


def _check_log(log: str, token: str, session: str) -> None:
    for secret in (*SECRETS, token, session):
        assert secret not in log, f"{secret} is in the log"
    for word in PERSONAL:
        assert word not in log, f"{word} is in the log: {_around(log, word)}"


def _check_answers(answers: list[httpx.Response], token: str, session: str) -> None:
    assert len(answers) > 60
    assert {answer.status_code for answer in answers} >= {200, 400, 401, 404}
    for answer in answers:
        whole = f"{json.dumps(dict(answer.headers))}\n{answer.text}"
        asked = f"{answer.request.method} {answer.request.url.path}"
        assert answer.status_code < 500 or answer.status_code in {502, 503}, f"{asked}: {answer.text}"
        for secret in (*SECRETS, token, session):
            assert secret not in whole, f"{secret} is in the answer to {asked}"
        if answer.status_code >= 400:
            for word in PERSONAL:
                assert word not in whole, f"{word} is in the error of {asked}: {answer.text}"


def _around(text: str, word: str) -> str:
    place = text.index(word)
    return text[max(0, place - 200) : place + 200]
