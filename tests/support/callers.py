"""Who may be asking: people with a browser, and programs with a token. Each is a client of its own."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx

from autolynx.domain.permission import Role, Scope
from autolynx.flows.access import create_token
from autolynx.flows.sessions import issue_ticket, open_session
from autolynx.store.people import Person
from autolynx.web.auth import CSRF_HEADER, SESSION_COOKIE
from tests.support.signed_in import a_person
from tests.support.web import Web, http_client


@dataclass(frozen=True, kw_only=True)
class Callers:
    """Makes callers of one application; their clients are closed with it."""

    web: Web
    stack: AsyncExitStack

    async def browser(self, email: str, role: Role = Role.OPERATOR) -> httpx.AsyncClient:
        """Return somebody's browser, signed in: unsafe requests bear the session's token."""
        ticket = await issue_ticket(self.web.runtime, await a_person(self.web.runtime, email, role))
        session = await open_session(self.web.runtime, ticket.secret)
        client = await self.stack.enter_async_context(http_client(self.web.app))
        client.headers.update({"Cookie": f"{SESSION_COOKIE}={session.secret}", CSRF_HEADER: session.csrf})
        return client

    async def program(
        self, email: str, role: Role = Role.OPERATOR, scopes: Sequence[Scope] = (Scope.ALL,)
    ) -> httpx.AsyncClient:
        """Return a program with a token of somebody's."""
        person = await a_person(self.web.runtime, email, role)
        made = await create_token(self.web.runtime, "a program", scopes=scopes, person=person)
        client = http_client(self.web.app, Authorization=f"Bearer {made.secret}")
        return await self.stack.enter_async_context(client)

    async def person(self, email: str, role: Role = Role.OPERATOR) -> Person:
        """Return somebody on the list."""
        return await a_person(self.web.runtime, email, role)


@asynccontextmanager
async def callers_of(web: Web) -> AsyncIterator[Callers]:
    """Make callers while the block lasts."""
    async with AsyncExitStack() as stack:
        yield Callers(web=web, stack=stack)
