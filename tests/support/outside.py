"""The whole application before a Supabase project, and browsers that go back and forth between the two."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from autolynx.domain.permission import Role
from autolynx.flows.people import add_person
from autolynx.runtime import Clock, Runtime
from autolynx.store.database import Database
from autolynx.web.app import build_app
from tests.support.engine import make_runtime, settings_for_test
from tests.support.supabase_project import PASSWORD, PAT, client_of
from tests.support.supabase_standin.server import Standin
from tests.support.supabase_standin.world import World
from tests.support.web import CRON_SECRET, HOOK_SECRET, NOWHERE, http_client, moved_clock, rows

HOME = "http://testserver"
BROWSER = {"Accept": "text/html"}
PROGRAM = {"Accept": "application/json"}


class PassingClock:
    """A clock that goes on by itself, and can be moved ahead as well."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def move(self, seconds: float) -> None:
        self._ahead += timedelta(seconds=seconds)


@dataclass(frozen=True, kw_only=True)
class Outside:
    """A running application whose people have their accounts in a project; Pat, an operator, is one of them."""

    runtime: Runtime
    app: Any
    world: World
    clock: Any
    database: Database

    def browser(self) -> httpx.AsyncClient:
        """Return a browser of its own: with cookies, and without following redirects."""
        return http_client(self.app, **BROWSER)

    async def audit(self, action: str) -> list[tuple[str, dict[str, Any]]]:
        """Return who did that, and what else is noted."""
        found = await rows(self.database, "SELECT actor, details FROM audit_log WHERE action = %s ORDER BY id", action)
        return [(row["actor"], row["details"]) for row in found]

    async def person(self, email: str = PAT) -> dict[str, Any]:
        """Return a person's entry."""
        (row,) = await rows(self.database, "SELECT * FROM user_profiles WHERE email = %s", email)
        return row

    def asked(self, path: str) -> int:
        """Return how often a route of the project was asked."""
        return self.world.asks[path]


@asynccontextmanager
async def running_outside(
    database: Database, standin: Standin, *, clock: Clock | None = None, **settings: Any
) -> AsyncIterator[Outside]:
    """Run the application in this process and the project on loopback, on one clock."""
    clock = clock or moved_clock()
    with standin.project(clock, site_url=HOME) as world:
        world.add_user(PAT, password=PASSWORD, user_metadata={"full_name": "Pat Example"})
        chosen = settings_for_test(
            CRON_SHARED_SECRET=CRON_SECRET, WEBHOOK_SHARED_SECRET=HOOK_SECRET, PUBLIC_URL=HOME, **settings
        )
        client = client_of(world, clock)
        runtime = replace(make_runtime(database, NOWHERE, settings=chosen, clock=clock), identity=client)
        await add_person(runtime, PAT, role=Role.OPERATOR)
        try:
            yield Outside(runtime=runtime, app=build_app(runtime), world=world, clock=clock, database=database)
        finally:
            await client.close()
            await runtime.provider.close()


async def by_password(browser: httpx.AsyncClient, email: str = PAT, password: str = PASSWORD) -> httpx.Response:
    """Fill in the form of the sign-in."""
    return await browser.post("/sign-in", data={"email": email, "password": password})


async def is_in(browser: httpx.AsyncClient) -> bool:
    """Whether a browser sees the list of campaigns."""
    return (await browser.get("/")).status_code == 200


async def with_csrf(browser: httpx.AsyncClient) -> httpx.AsyncClient:
    """Let a browser send its session's token along, as our script does."""
    found = re.search(r'name="csrf-token" content="([^"]+)"', (await browser.get("/")).text)
    assert found is not None
    browser.headers["X-CSRF-Token"] = found[1]
    return browser


def local(address: str) -> str:
    """Return an address of ours as a path."""
    assert address.startswith(HOME), address
    return address.removeprefix(HOME)
