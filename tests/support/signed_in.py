"""A browser of ours without a browser: signed in by a link, with its session's token on unsafe requests."""

import re
from typing import Any

import httpx

from autolynx.domain.permission import Role
from autolynx.flows.people import add_person, find_person
from autolynx.flows.sessions import issue_ticket
from autolynx.runtime import Runtime
from autolynx.store.people import Person
from tests.support.web import Web

HTMX = {"HX-Request": "true"}


ADMIN = "admin@example.com"
OPERATOR = "operator@example.com"


async def a_person(runtime: Runtime, email: str = ADMIN, role: Role = Role.ADMIN) -> Person:
    """Return somebody on the list, put there if need be."""
    return await find_person(runtime, email) or await add_person(runtime, email, role=role)


async def sign_in(web: Web, email: str = ADMIN, role: Role = Role.ADMIN) -> httpx.AsyncClient:
    """Open a session; unsafe requests then bear its token, as `app.js` sees to."""
    ticket = await issue_ticket(web.runtime, await a_person(web.runtime, email, role))
    await web.stranger.get("/enter", params={"ticket": ticket.secret})
    page = (await web.stranger.get("/")).text
    token = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert token is not None
    web.stranger.headers["X-CSRF-Token"] = token[1]
    return web.stranger


async def text_of(client: httpx.AsyncClient, path: str, *, status: int = 200, **options: Any) -> str:
    """Return a page or a part of one without its white space."""
    answer = await client.get(path, **options)
    assert answer.status_code == status, answer.text
    return " ".join(answer.text.split())


def words_of(answer: httpx.Response, status: int = 200) -> str:
    """Return an answer without its white space."""
    assert answer.status_code == status, answer.text
    return " ".join(answer.text.split())
