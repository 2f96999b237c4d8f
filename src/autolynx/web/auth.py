"""Who is asking. Every address needs a caller, except the few doors that have a lock of their own.

The guard runs before a body is read, so that a stranger cannot make us parse one, and it closes by default: a route
that forgets to ask for its caller is guarded all the same.
"""

import hmac
from typing import Annotated, cast

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPBearer
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from autolynx.domain.actor import Actor
from autolynx.domain.permission import Permission, Role
from autolynx.domain.permission import Scope as TokenScope
from autolynx.errors import AutolynxError, Forbidden, Unauthorized
from autolynx.flows import access
from autolynx.flows.bearer import Bearer, find_bearer, is_shaped_like_a_jwt
from autolynx.flows.choosing_settings import refresh_settings
from autolynx.flows.vouching import is_vouched_for
from autolynx.runtime import Runtime
from autolynx.store.tokens import Holder, TokenKind
from autolynx.web.context import get_runtime
from autolynx.web.masking import unmasked
from autolynx.web.problems import error_answer, own_path

SESSION_COOKIE = "autolynx_session"
CSRF_HEADER = "X-CSRF-Token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# Paths with a lock of their own (a shared secret, a ticket), and what may be read by anybody.
OWN_LOCK = frozenset(
    {
        "/api/webhooks/vapi",
        "/api/scheduler/tick",
        "/api/session",
        "/api/openapi.json",
        "/api/docs",
        "/enter",
        "/sign-in",
        "/sign-in/link",
        "/sign-in/new-password",
        "/sign-in/callback",
        "/sign-in/with/google",
        "/sign-in/with/github",
        "/healthz",
    }
)
ASSETS = "/assets/"
MISSING = "Sign in, or send a valid API token as Authorization: Bearer."

_bearer = HTTPBearer(
    auto_error=False,
    description="An API token (al_...), or an access token of the Supabase project where people sign in.",
)
_cookie = APIKeyCookie(
    name=SESSION_COOKIE, auto_error=False, description="A browser session; unsafe methods need X-CSRF-Token."
)


class Guard:
    """ASGI middleware that finds the caller of every request, or refuses it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a known caller through, with the actor in the request's state."""
        if scope["type"] != "http" or not _is_guarded(scope):
            await self._app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        try:
            scope.setdefault("state", {})["actor"] = await _require_actor(request, scope["method"])
            await refresh_settings(get_runtime(request))
        except AutolynxError as error:
            response = error_answer(Request(scope, receive), error)
            await response(scope, receive, send)
            return
        await self._app(scope, receive, send)


async def get_caller(
    request: Request,
    _bearer_scheme: Annotated[object, Security(_bearer)],
    _cookie_scheme: Annotated[object, Security(_cookie)],
) -> Actor:
    """Return the caller. Raises Unauthorized, or Forbidden for a browser without its CSRF token."""
    found = getattr(request.state, "actor", None)
    if found is None:
        found = await _require_actor(request, request.method)
        request.state.actor = found
    return cast("Actor", found)


def caller_of(request: HTTPConnection) -> Actor:
    """Return the caller whom the guard let through."""
    return cast("Actor", request.state.actor)


CallerDep = Annotated[Actor, Depends(get_caller)]


async def require_cron(request: Request, _bearer_scheme: Annotated[object, Security(_bearer)]) -> str:
    """Let the cron secret pass, or the API token of somebody who may tick; returns who it is.

    Raises Unauthorized, Forbidden.
    """
    runtime = get_runtime(request)
    sent = bearer_token(request)
    if sent is None:
        raise Unauthorized("Send the cron secret as Authorization: Bearer.")
    matches = [hmac.compare_digest(_bytes(sent), _bytes(secret)) for secret in runtime.settings.cron_secrets]
    if any(matches):
        return "cron"
    actor = await _require_actor(request, request.method)
    if not actor.may(Permission.TICKS_RUN):
        raise Forbidden("Only an admin, or a token of one for everything, may tick.")
    return actor.name


async def find_actor(runtime: Runtime, connection: HTTPConnection) -> Actor | None:
    """Return who is asking, by bearer token or by cookie; None for nobody. A wrong token is nobody, cookie or not."""
    if "authorization" in connection.headers:
        return await _find_bearer(runtime, bearer_token(connection) or "")
    secret = connection.cookies.get(SESSION_COOKIE, "")
    holder = await access.find_holder(runtime, secret, TokenKind.SESSION)
    if holder is None or not await is_vouched_for(runtime, holder, secret):
        return None
    return actor_of(holder)


async def _find_bearer(runtime: Runtime, secret: str) -> Actor | None:
    """Return who bears an API token of ours, or an access token of the identity server: their forms differ."""
    if not access.is_shaped_like_ours(secret):
        bearer = await find_bearer(runtime, secret) if is_shaped_like_a_jwt(secret) else None
        return None if bearer is None else _actor_of_bearer(bearer)
    holder = await access.find_holder(runtime, secret, TokenKind.API)
    return None if holder is None else actor_of(holder)


def _actor_of_bearer(bearer: Bearer) -> Actor:
    person = bearer.person
    return Actor(
        id=person.id,
        name=person.email,
        role=person.role,
        scopes=(TokenScope.ALL,),
        user_id=person.id,
        until=bearer.until,
    )


def actor_of(holder: Holder) -> Actor:
    """Return who stands behind a token or session: the person, or the program that the command line let in."""
    token, person = holder.token, holder.person
    return Actor(
        id=token.id,
        name=person.email if person else token.name,
        role=person.role if person else Role.ADMIN,
        scopes=token.scopes,
        user_id=token.user_id,
        is_browser=token.kind is TokenKind.SESSION,
    )


def bearer_token(connection: HTTPConnection) -> str | None:
    """Return what stands after `Authorization: Bearer`."""
    word, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() or None if word.lower() == "bearer" else None


async def _require_actor(connection: HTTPConnection, method: str) -> Actor:
    runtime = get_runtime(connection)
    actor = await find_actor(runtime, connection)
    if actor is None:
        raise Unauthorized(MISSING)
    if actor.is_browser and method not in SAFE_METHODS and not _is_own_page(connection):
        raise Forbidden(f"The request lacks the session's CSRF token; reload the page and send it as {CSRF_HEADER}.")
    return actor


def _is_own_page(connection: HTTPConnection) -> bool:
    """Whether the request bears the CSRF token that only our own pages can read."""
    sent = connection.headers.get(CSRF_HEADER, "")
    wanted = access.csrf_for(connection.cookies.get(SESSION_COOKIE, ""))
    return hmac.compare_digest(_bytes(unmasked(sent)), _bytes(wanted))


def _is_guarded(scope: Scope) -> bool:
    path = own_path(scope)
    return path not in OWN_LOCK and not path.startswith(ASSETS)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
