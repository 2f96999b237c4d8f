"""Browser sessions: opened by a one-time ticket, ended by signing out."""

from typing import Annotated, cast

from fastapi import APIRouter, BackgroundTasks, Depends, Request, Response
from pydantic import Field

from autolynx.domain.actor import Actor
from autolynx.errors import RateLimited, Unauthorized
from autolynx.flows import access, sessions
from autolynx.flows.outside_sign_out import end_outside
from autolynx.runtime import Runtime
from autolynx.store.tokens import TokenKind
from autolynx.web.auth import SESSION_COOKIE, get_caller
from autolynx.web.context import RuntimeDep
from autolynx.web.refusals import Refusals
from autolynx.web.shapes import Input, Shape

router = APIRouter(prefix="/api", tags=["access"])


class Ticket(Input):
    """The ticket that the command line printed."""

    ticket: str = Field(min_length=1, max_length=200)


class SessionAnswer(Shape):
    """Who is signed in, and what unsafe requests must send as X-CSRF-Token."""

    name: str
    csrf_token: str


def get_refusals(request: Request) -> Refusals:
    """Return the tallies of refused tickets."""
    return cast("Refusals", request.app.state.refused_tickets)


@router.post("/session", summary="Open a browser session with a one-time ticket")
async def open_session(
    request: Request,
    response: Response,
    runtime: RuntimeDep,
    refusals: Annotated[Refusals, Depends(get_refusals)],
    ticket: Ticket | None = None,
) -> SessionAnswer:
    """Spend the ticket, set the cookie, and answer with the CSRF token. Guessing is throttled by address."""
    if ticket is None:
        raise Unauthorized('Send the sign-in ticket as {"ticket": ...}.')
    try:
        session = await sessions.open_session(runtime, ticket.ticket)
    except Unauthorized:
        now = runtime.clock.now()
        if refusals.note(request.client.host if request.client else "unknown", now).is_flood:
            raise RateLimited("Too many wrong tickets; wait a minute.", retry_after_seconds=60 - now.second) from None
        raise
    await hand_over(request, response, runtime, session)
    return SessionAnswer(name=session.token.name, csrf_token=session.csrf)


@router.delete("/session", status_code=204, summary="Sign out")
async def end_session(
    request: Request,
    response: Response,
    runtime: RuntimeDep,
    later: BackgroundTasks,
    actor: Annotated[Actor, Depends(get_caller)],
) -> None:
    """End the caller's browser session; an API token is left alone."""
    if actor.is_browser:
        await access.revoke(runtime, actor.id, actor=actor.name)
        later.add_task(end_outside, runtime, request.cookies[SESSION_COOKIE])
    response.delete_cookie(SESSION_COOKIE, path="/")


async def hand_over(request: Request, response: Response, runtime: Runtime, session: sessions.Session) -> None:
    """Put a session into the browser's cookie: not readable by scripts, not sent from other sites' forms.

    The session that the browser had until now ends: its secret may be known to others.
    """
    before = request.cookies.get(SESSION_COOKIE)
    holder = await access.find_holder(runtime, before, TokenKind.SESSION) if before else None
    if holder is not None:
        await access.revoke(runtime, holder.token.id, actor=session.person.email)
    response.set_cookie(
        SESSION_COOKIE,
        session.secret,
        max_age=int(access.LONGEST_SESSION_SECONDS),
        path="/",
        secure=runtime.settings.public_url.startswith("https://"),
        httponly=True,
        samesite="lax",
    )
