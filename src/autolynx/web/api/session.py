"""Browser sessions: opened by a one-time ticket, ended by signing out."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from autolynx.errors import Unauthorized
from autolynx.flows import access
from autolynx.runtime import Runtime
from autolynx.web.auth import SESSION_COOKIE, Actor, get_caller
from autolynx.web.context import RuntimeDep
from autolynx.web.shapes import Input, Shape

router = APIRouter(prefix="/api", tags=["access"])


class Ticket(Input):
    """The ticket that the command line printed."""

    ticket: str = Field(min_length=1, max_length=200)


class SessionAnswer(Shape):
    """Who is signed in, and what unsafe requests must send as X-CSRF-Token."""

    name: str
    csrf_token: str


@router.post("/session", summary="Open a browser session with a one-time ticket")
async def open_session(response: Response, runtime: RuntimeDep, ticket: Ticket | None = None) -> SessionAnswer:
    """Spend the ticket, set the cookie, and answer with the CSRF token."""
    if ticket is None:
        raise Unauthorized('Send the sign-in ticket as {"ticket": ...}.')
    session = await access.open_session(runtime, ticket.ticket)
    set_session_cookie(response, runtime, session)
    return SessionAnswer(name=session.token.name, csrf_token=session.csrf)


@router.delete("/session", status_code=204, summary="Sign out")
async def end_session(response: Response, runtime: RuntimeDep, actor: Annotated[Actor, Depends(get_caller)]) -> None:
    """End the caller's browser session; an API token is left alone."""
    if actor.is_browser:
        await access.revoke(runtime, actor.id, actor=actor.name)
    response.delete_cookie(SESSION_COOKIE, path="/")


def set_session_cookie(response: Response, runtime: Runtime, session: access.Session) -> None:
    """Put a session into the browser's cookie: not readable by scripts, not sent from other sites' forms."""
    response.set_cookie(
        SESSION_COOKIE,
        session.secret,
        max_age=int(access.SESSION_SECONDS),
        path="/",
        secure=runtime.settings.public_url.startswith("https://"),
        httponly=True,
        samesite="lax",
    )
