"""The door by which a browser gets in and out."""

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.background import BackgroundTask
from starlette.responses import RedirectResponse, Response

from autolynx.errors import Unauthorized
from autolynx.flows.access import revoke
from autolynx.flows.outside_sign_out import end_outside
from autolynx.flows.sessions import open_session
from autolynx.web.api.session import hand_over
from autolynx.web.auth import SESSION_COOKIE, CallerDep
from autolynx.web.context import RuntimeDep
from autolynx.web.pages.rendering import NEVER_KEPT, answer, notice

open_router = APIRouter(include_in_schema=False)
router = APIRouter(include_in_schema=False)


@open_router.get("/enter")
async def enter(request: Request, runtime: RuntimeDep, ticket: str = "", campaign: str = "") -> Response:
    """Open a browser session by a one-time ticket, which is spent by it; leads to the campaign named, if one is."""
    try:
        session = await open_session(runtime, ticket)
    except Unauthorized:
        return notice(
            request,
            status=HTTPStatus.UNAUTHORIZED,
            heading="This link does not work any more",
            sentence="A sign-in link works once, within 15 minutes. Ask an admin for one, or get one in the terminal:",
            command="autolynx link",
        )
    response = RedirectResponse(_first_page(campaign), status_code=HTTPStatus.SEE_OTHER, headers=NEVER_KEPT)
    await hand_over(request, response, runtime, session)
    return response


@router.post("/leave")
async def leave(request: Request, runtime: RuntimeDep, actor: CallerDep) -> Response:
    """Sign out: the session ends at once, and the browser forgets it."""
    if actor.is_browser:
        await revoke(runtime, actor.id, actor=actor.name)
    response = answer(HX_Redirect="/sign-in")
    if actor.is_browser:
        response.background = BackgroundTask(end_outside, runtime, request.cookies[SESSION_COOKIE])
    response.delete_cookie(SESSION_COOKIE, path="/")
    return response


def _first_page(campaign: str) -> str:
    """Return where a browser goes after signing in: never anywhere but to a page of ours."""
    try:
        return f"/campaigns/{UUID(campaign)}"
    except ValueError:
        return "/"
