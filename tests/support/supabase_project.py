"""A Supabase project for a test, with our client before it, and a browser that follows redirects."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from autolynx.identity.pkce import challenge_of, new_verifier
from autolynx.identity.supabase import SupabaseAuth
from autolynx.runtime import Clock
from tests.support.engine import MovedClock
from tests.support.supabase_standin.keys import LEGACY_SECRET
from tests.support.supabase_standin.server import Standin
from tests.support.supabase_standin.world import ANON_KEY, Fault, World
from tests.support.web import moved_clock

HOME = "http://127.0.0.1:8000/enter/callback"
PAT = "pat@example.com"
PASSWORD = "correct horse battery"


@dataclass(frozen=True, kw_only=True)
class Project:
    """A running stand-in and our client of it, on one clock."""

    world: World
    client: SupabaseAuth
    clock: MovedClock


@asynccontextmanager
async def running_project(standin: Standin, *, is_legacy: bool = False) -> AsyncIterator[Project]:
    """Run a project in which Pat has an account with a password and a confirmed address."""
    clock = moved_clock()
    with standin.project(clock) as world:
        if is_legacy:
            world.keys.secret = LEGACY_SECRET
        world.add_user(PAT, password=PASSWORD, user_metadata={"full_name": "Pat Example"})
        client = client_of(world, clock, jwt_secret=LEGACY_SECRET if is_legacy else None)
        try:
            yield Project(world=world, client=client, clock=clock)
        finally:
            await client.close()


def client_of(world: World, clock: Clock, **values: Any) -> SupabaseAuth:
    """Return our client of a project."""
    chosen: dict[str, Any] = {"project_url": world.url, "anon_key": ANON_KEY, "jwt_secret": None, **values}
    return SupabaseAuth(**chosen, now=clock.now)


async def browse(world: World, address: str) -> str:
    """Follow redirects as a browser does; returns the first address that is not the project's."""
    async with httpx.AsyncClient(follow_redirects=False) as browser:
        while address.startswith(world.url):
            answer = await browser.get(address)
            assert answer.is_redirect, (answer.status_code, answer.text)
            address = answer.headers["location"]
    return address


def query_of(address: str) -> dict[str, str]:
    """Return what an address says in its query."""
    return dict(parse_qsl(urlsplit(address).query))


def new_challenge() -> tuple[str, str]:
    """Return a verifier and its challenge."""
    verifier = new_verifier()
    return verifier, challenge_of(verifier)


def fault(status: int, content: bytes = b"<html>upstream</html>", headers: dict[str, str] | None = None) -> Fault:
    """Return a wrong answer."""
    return Fault(status=status, content=content, headers=headers or {})
