"""Signing in: by password, by a mailed link, or with a new password. Whoever is not on the list learns nothing here."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from autolynx.errors import AutolynxError, MailFailed, RateLimited, Unauthorized, ValidationProblem, kind_of
from autolynx.flows.sessions import Session
from autolynx.flows.sign_in import check_passwords_are_here, reset_password, send_link, sign_in
from autolynx.identity.local import LEAST_CHARACTERS
from autolynx.log import log
from autolynx.runtime import Runtime
from autolynx.store.tokens import TokenKind
from autolynx.web.api.session import hand_over
from autolynx.web.auth import find_actor
from autolynx.web.context import RuntimeDep
from autolynx.web.pages.outside_sign_in import address_of, ask_for_link, enter_by_password
from autolynx.web.pages.outside_view import outside_form
from autolynx.web.pages.rendering import NEVER_KEPT, bare_page
from autolynx.web.safe_path import safe_path

MOST_CHARACTERS = 500
MAILED = "If this address is on the list, a link is on its way to it. It works once, within 15 minutes."

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Form(max_length=MOST_CHARACTERS)]


@router.get("/sign-in")
async def ask(request: Request, runtime: RuntimeDep, next_path: Annotated[str, Query(alias="next")] = "") -> Response:
    """Show the form; somebody who is signed in is led on."""
    if await find_actor(runtime, request) is not None:
        return RedirectResponse(safe_path(next_path), status_code=HTTPStatus.SEE_OTHER, headers=NEVER_KEPT)
    if runtime.identity is not None:
        return await outside_form(request, runtime, next_path=next_path)
    return _form(request, runtime, next_path=next_path)


@router.post("/sign-in")
async def enter(
    request: Request,
    runtime: RuntimeDep,
    email: Text = "",
    password: Text = "",
    next_path: Annotated[str, Form(alias="next", max_length=2000)] = "",
) -> Response:
    """Sign in with email and password."""
    if runtime.identity is not None:
        return await enter_by_password(request, runtime, email, password, next_path)
    try:
        session = await sign_in(runtime, email, password, address=address_of(request))
    except (Unauthorized, RateLimited) as error:
        return _form(request, runtime, email=email, next_path=next_path, error=error)
    return await led_in(request, runtime, session, next_path)


@router.post("/sign-in/link")
async def mail_link(
    request: Request,
    runtime: RuntimeDep,
    later: BackgroundTasks,
    email: Text = "",
    wants: Annotated[str, Form(max_length=20)] = "link",
    next_path: Annotated[str, Form(alias="next", max_length=2000)] = "",
) -> Response:
    """Mail a link, or one to a new password; the answer is the same whoever asks, and given before anything is done."""
    if runtime.identity is not None and wants != "password":
        return await ask_for_link(request, runtime, email, next_path)
    check_passwords_are_here(runtime)
    kind = TokenKind.RESET if wants == "password" else TokenKind.TICKET
    later.add_task(_send, runtime, email, kind)
    response = _form(request, runtime, email=email, note=MAILED if runtime.mailer else None)
    response.background = later
    return response


@router.get("/sign-in/new-password")
async def ask_for_password(request: Request, runtime: RuntimeDep, ticket: str = "") -> Response:
    """Show the form for a new password, reached by a mailed link."""
    check_passwords_are_here(runtime)
    return _password_form(request, ticket)


@router.post("/sign-in/new-password")
async def set_password(request: Request, runtime: RuntimeDep, ticket: Text = "", password: Text = "") -> Response:
    """Set the new password and sign in; every other session ends."""
    try:
        session = await reset_password(runtime, ticket, password)
    except (Unauthorized, ValidationProblem) as error:
        return _password_form(request, ticket, error=error)
    return await led_in(request, runtime, session, "/")


async def led_in(request: Request, runtime: Runtime, session: Session, next_path: str) -> Response:
    """Return the answer that gives a browser its session and leads it on."""
    response = RedirectResponse(safe_path(next_path), status_code=HTTPStatus.SEE_OTHER, headers=NEVER_KEPT)
    await hand_over(request, response, runtime, session)
    return response


async def _send(runtime: Runtime, email: str, kind: TokenKind) -> None:
    try:
        await send_link(runtime, email, kind)
    except MailFailed as error:
        log.error("link.not_sent", reason=error.message)
    except RateLimited:
        log.warning("link.not_sent", reason="asked for too often")


def _form(
    request: Request,
    runtime: Runtime,
    *,
    email: str = "",
    next_path: str = "",
    note: str | None = None,
    error: AutolynxError | None = None,
) -> Response:
    wait = getattr(error, "retry_after_seconds", None)
    response = bare_page(
        request,
        "sign_in.html",
        status=kind_of(error).http_status if error else HTTPStatus.OK,
        email=email,
        next_path=safe_path(next_path, otherwise=""),
        note=note,
        problem=error.message if error else None,
        has_mail=runtime.mailer is not None,
    )
    if wait:
        response.headers["Retry-After"] = str(wait)
    return response


def _password_form(request: Request, ticket: str, *, error: AutolynxError | None = None) -> Response:
    sentence = error.message.removeprefix("password: ") if error else None
    return bare_page(
        request,
        "new_password.html",
        status=kind_of(error).http_status if error else HTTPStatus.OK,
        ticket=ticket,
        problem=sentence[:1].upper() + sentence[1:] if sentence else None,
        least=LEAST_CHARACTERS,
    )
