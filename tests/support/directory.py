"""The directory of assistants in front of the simulator, and what the provider has of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from autolynx.store.database import Database
from tests.support.sim import Sim, running_sim
from tests.support.web import Web, running_web

CONFIG: dict[str, Any] = {
    "firstMessage": "Hello {{name}}, I am an AI assistant.",
    "model": {
        "provider": "openai",
        "model": "gpt-4o-mini",
        "temperature": 0.5,
        "messages": [{"role": "system", "content": "Be brief."}],
    },
    "voice": {"provider": "vapi", "voiceId": "Elliot"},
    "maxDurationSeconds": 120,
}
_HEADERS = {"Authorization": "Bearer test-key"}


@asynccontextmanager
async def a_directory(database: Database, *options: str, **settings: Any) -> AsyncIterator[tuple[Web, Sim]]:
    """Run the application in front of a simulator."""
    async with running_sim(*options) as sim, running_web(database, sim.url, **settings) as web:
        yield web, sim


async def at_provider(sim: Sim, provider_id: str) -> dict[str, Any]:
    """Return an assistant as the provider has it."""
    async with httpx.AsyncClient(headers=_HEADERS) as client:
        remote: dict[str, Any] = (await client.get(f"{sim.url}/assistant/{provider_id}")).raise_for_status().json()
        return remote


async def change_at_provider(sim: Sim, provider_id: str, **keys: Any) -> None:
    """Change an assistant at the provider, as somebody in its dashboard would."""
    async with httpx.AsyncClient(headers=_HEADERS) as client:
        (await client.patch(f"{sim.url}/assistant/{provider_id}", json=keys)).raise_for_status()


async def delete_at_provider(sim: Sim, provider_id: str) -> None:
    """Delete an assistant at the provider, as somebody in its dashboard would."""
    async with httpx.AsyncClient(headers=_HEADERS) as client:
        (await client.delete(f"{sim.url}/assistant/{provider_id}")).raise_for_status()


async def create(web: Web, name: str = "Riley", config: dict[str, Any] | None = None) -> dict[str, Any]:
    """Create an assistant by the API."""
    answer = await web.client.post("/api/assistants", json={"name": name, "config": config or CONFIG})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def has_provider(sim: Sim, provider_id: str) -> bool:
    """Whether the provider has an assistant of that id."""
    async with httpx.AsyncClient(headers=_HEADERS) as client:
        return (await client.get(f"{sim.url}/assistant/{provider_id}")).status_code == 200
