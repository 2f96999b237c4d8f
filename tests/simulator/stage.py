"""A simulator on a real loopback port, a receiver for its webhooks, and a client that knows neither's insides."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import uvicorn
from starlette.types import Receive, Scope, Send

from vapisim import town
from vapisim.server import Server, listen
from vapisim.state import Settings
from vapisim.world import World

SPEED = 400.0
SLOW = 40.0
PATIENCE_SECONDS = 8.0
ADA = "+12025550111"
BEA = "+13125550112"
ENDLESS = {"outcome": "human-good", "ring_seconds": 1, "talk_seconds": 590}
"""At the slow speed a quarter of a minute: longer than any test looks."""


@dataclass(frozen=True)
class Delivery:
    """One webhook as it came over the wire."""

    raw: bytes
    headers: dict[str, str]
    path: str
    at: float

    @property
    def message(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.raw)["message"]
        return message

    @property
    def what(self) -> str:
        return str(self.message.get("status") or self.message["type"])


@dataclass
class Receiver:
    """Takes webhooks, and answers with whatever the test has prepared."""

    url: str = ""
    deliveries: list[Delivery] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    pause_seconds: float = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw, more = b"", True
        while more:
            event = await receive()
            raw, more = raw + event.get("body", b""), event.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.deliveries.append(Delivery(raw=raw, headers=headers, path=scope["path"], at=time.time()))
        await asyncio.sleep(self.pause_seconds)
        status = self.statuses.pop(0) if self.statuses else 200
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"{}"})

    def clear(self) -> None:
        self.deliveries.clear()
        self.statuses.clear()
        self.pause_seconds = 0.0

    def of(self, call_id: str) -> list[Delivery]:
        return [each for each in self.deliveries if each.message["call"]["id"] == call_id]

    def whats(self, call_id: str) -> list[str]:
        return [each.what for each in self.of(call_id)]

    def report(self, call_id: str) -> dict[str, Any]:
        return next(each.message for each in self.of(call_id) if each.what == "end-of-call-report")


@dataclass
class Stage:
    """What a test plays with."""

    world: World
    client: httpx.AsyncClient
    receiver: Receiver

    async def faults(self, **faults: object) -> None:
        answer = await self.client.put("/_sim/faults", json=faults)
        assert answer.status_code == 200, answer.text

    async def slow_down(self) -> None:
        """Play so slowly that a busy machine does not change the story."""
        await self.client.post("/_sim/speed", json={"speed": SLOW})

    async def summary(self) -> dict[str, Any]:
        body: dict[str, Any] = (await self.client.get("/_sim/ledger?format=summary")).json()
        return body

    async def ledger(self, **query: str) -> dict[str, Any]:
        body: dict[str, Any] = (await self.client.get("/_sim/ledger", params=query)).json()
        return body

    def order(self, number: str = ADA, **more: Any) -> dict[str, Any]:
        """A sensible body for POST /call."""
        overrides = {
            "variableValues": {"name": "Ada", "business_name": "Acme"},
            "metadata": {"campaignId": "c1", "attemptId": "a1"},
            "serverMessages": ["status-update", "end-of-call-report"],
            "server": {"url": self.receiver.url},
        }
        body: dict[str, Any] = {
            "assistantId": town.ASSISTANT_SALES,
            "phoneNumberId": town.TWILIO_MAIN,
            "name": "call a1",
            "customer": {"number": number, "name": "Ada Example", "externalId": "a1"},
            "assistantOverrides": overrides,
        }
        overrides |= more.pop("overrides", {})
        body["customer"] |= more.pop("customer", {})
        return body | more

    async def post(self, number: str = ADA, **more: Any) -> httpx.Response:
        return await self.client.post("/call", json=self.order(number, **more))

    async def dial(self, number: str = ADA, **more: Any) -> str:
        answer = await self.post(number, **more)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def call(self, call_id: str) -> dict[str, Any]:
        body: dict[str, Any] = (await self.client.get(f"/call/{call_id}")).json()
        return body

    async def until(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            assert time.monotonic() < deadline, "it never became so"
            await asyncio.sleep(0.005)

    async def until_status(self, call_id: str, status: str) -> None:
        await self.until(lambda: self.world.state.calls[call_id].status == status)

    async def until_reported(self, call_id: str) -> None:
        await self.until(lambda: "end-of-call-report" in self.receiver.whats(call_id))


@contextlib.asynccontextmanager
async def simulator(settings: Settings, receiver: Receiver) -> AsyncIterator[Stage]:
    """Run a simulator of these settings on a free port."""
    world = World(settings)
    listener = listen("127.0.0.1", 0)
    server = Server(world, listener, says_ready=False)
    async with running(server, listener):
        headers = {"Authorization": "Bearer any-key"}
        async with httpx.AsyncClient(base_url=server.base_url, headers=headers, timeout=10) as client:
            yield Stage(world=world, client=client, receiver=receiver)


@contextlib.asynccontextmanager
async def running(server: uvicorn.Server, listener: Any) -> AsyncIterator[None]:
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.005)
    yield
    server.should_exit = True
    await task
