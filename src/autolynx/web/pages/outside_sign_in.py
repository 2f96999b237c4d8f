"""Signing in with an account at Supabase: the ways that the project offers, and the return of a browser from there.

Ways that lead away are links and not forms: the content policy lets no form of ours end elsewhere.
"""

from collections.abc import Awaitable
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.background import BackgroundTask
from starlette.responses import RedirectResponse, Response

from autolynx.errors import IdentityError, NotFound, RateLimited, Unauthorized
from autolynx.flows.binding import NotLetIn
from autolynx.flows.outside_sign_in import send_outside_link, sign_in_by_code, sign_in_by_link, sign_in_by_password
from autolynx.flows.sessions import Session
from autolynx.identity.port import IdentityServer
from autolynx.log import log
from autolynx.runtime import Runtime
from autolynx.web.api.session import hand_over
from autolynx.web.attempt import CALLBACK, Attempt, forget_attempt, keep_attempt, new_attempt, read_attempt
from autolynx.web.context import RuntimeDep
from autolynx.web.pages.outside_view import BEGIN_AGAIN, MAILED, came_back_with, not_let_in, outside_form
from autolynx.web.pages.rendering import NEVER_KEPT, bare_page

LONGEST_PROOF = 500

router = APIRouter(include_in_schema=False)
Proof = Annotated[str, Query(max_length=LONGEST_PROOF)]


@router.get("/sign-in/with/{provider}")
async def leave_for(
    provider: str, runtime: RuntimeDep, next_path: Annotated[str, Query(alias="next")] = ""
) -> Response:
    """Send the browser to Google or GitHub, by way of Supabase."""
    identity = identity_of(runtime)
    offered = {one.value: one for one in (await identity.offers()).oauth_providers}
    if provider not in offered:
        raise NotFound("This way to sign in is not offered here.")
    attempt = new_attempt(next_path)
    address = identity.authorize_url(
        offered[provider], redirect_to=attempt.address(runtime), challenge=attempt.challenge
    )
    response = RedirectResponse(address, status_code=HTTPStatus.SEE_OTHER, headers=NEVER_KEPT)
    keep_attempt(response, runtime, attempt)
    return response


@router.get(CALLBACK)
async def come_back(
    request: Request, runtime: RuntimeDep, state: Proof = "", code: Proof = "", token_hash: Proof = ""
) -> Response:
    """Take in a browser that comes back: with a code, with what a link holds, or with an error."""
    identity, attempt = identity_of(runtime), read_attempt(request)
    is_own = attempt is not None and attempt.is_answered_by(state)
    if token_hash and not is_own:
        return _ask_first(request, runtime, token_hash)
    if attempt is None or not is_own or not (code or token_hash):
        return await outside_form(request, runtime, problem=came_back_with(request) or BEGIN_AGAIN, status=401)
    address = address_of(request)
    if token_hash:
        asked = sign_in_by_link(runtime, identity, token_hash, address=address)
    else:
        asked = sign_in_by_code(runtime, identity, code, verifier=attempt.verifier, address=address)
    return await _finish(request, runtime, attempt, asked)


@router.post(CALLBACK)
async def follow_link(
    request: Request,
    runtime: RuntimeDep,
    state: Annotated[str, Form(max_length=LONGEST_PROOF)] = "",
    token_hash: Annotated[str, Form(max_length=LONGEST_PROOF)] = "",
) -> Response:
    """Sign in by a link that was asked for in another browser, now that somebody said that they mean it."""
    identity, attempt = identity_of(runtime), read_attempt(request)
    if attempt is None or not attempt.is_answered_by(state):
        return await outside_form(request, runtime, problem=BEGIN_AGAIN, status=401)
    asked = sign_in_by_link(runtime, identity, token_hash, address=address_of(request))
    return await _finish(request, runtime, attempt, asked)


async def enter_by_password(request: Request, runtime: Runtime, email: str, password: str, next_path: str) -> Response:
    """Sign in with email and password of the account at Supabase."""
    attempt = new_attempt(next_path)
    asked = sign_in_by_password(runtime, identity_of(runtime), email, password, address=address_of(request))
    return await _finish(request, runtime, attempt, asked, email=email)


async def ask_for_link(request: Request, runtime: Runtime, email: str, next_path: str) -> Response:
    """Have a link sent; the answer is the same whoever asks, and given before anything is done."""
    attempt = new_attempt(next_path)
    response = await outside_form(request, runtime, note=MAILED, email=email, next_path=next_path)
    response.background = BackgroundTask(_send, runtime, email, attempt)
    keep_attempt(response, runtime, attempt)
    return response


def identity_of(runtime: Runtime) -> IdentityServer:
    """Return where people have their accounts. Raises NotFound where that is here."""
    if runtime.identity is None:
        raise NotFound("People have their accounts in this installation: sign in there.")
    return runtime.identity


def address_of(request: Request) -> str:
    """Return where a request comes from."""
    return request.client.host if request.client else "unknown"


async def _finish(
    request: Request, runtime: Runtime, attempt: Attempt, asked: Awaitable[Session], *, email: str = ""
) -> Response:
    """Give the browser its session and lead it on, or say why not. Either way the attempt is over."""
    try:
        session = await asked
        response: Response = RedirectResponse(attempt.next_path, status_code=HTTPStatus.SEE_OTHER, headers=NEVER_KEPT)
        await hand_over(request, response, runtime, session)
    except NotLetIn as refusal:
        response = not_let_in(request, refusal)
    except (Unauthorized, RateLimited, IdentityError) as error:
        response = await outside_form(request, runtime, error=error, email=email, next_path=attempt.next_path)
    forget_attempt(response)
    return response


def _ask_first(request: Request, runtime: Runtime, token_hash: str) -> Response:
    """Ask before a link is used up: programs that look at mails must not, and nobody is signed in unknowingly."""
    attempt = new_attempt("/")
    response = bare_page(request, "outside_link.html", token_hash=token_hash, state=attempt.state)
    keep_attempt(response, runtime, attempt)
    return response


async def _send(runtime: Runtime, email: str, attempt: Attempt) -> None:
    try:
        await send_outside_link(
            runtime,
            identity_of(runtime),
            email,
            redirect_to=attempt.address(runtime),
            challenge=attempt.challenge,
        )
    except IdentityError as error:
        log.error("link.not_sent", reason=error.message)
    except RateLimited:
        log.warning("link.not_sent", reason="asked for too often")
