"""The routes of the stand-in, each a few lines over the world."""

import json
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.support.supabase_standin import flows, links, sessions
from tests.support.supabase_standin.world import Refusal, User, World


def world_of(request: Request) -> World:
    """Return the state that a request acts on."""
    world: World = request.app.state.world
    return world


async def body_of(request: Request) -> dict[str, Any]:
    """Return the JSON of a request."""
    try:
        body = json.loads(await request.body())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refusal(400, "bad_json", "the body is no JSON")
    return body


def redirect_to(request: Request) -> str:
    """Return where the browser shall go at the end: home, where the wish is not allowed."""
    world, wish = world_of(request), request.headers.get("redirect_to") or request.query_params.get("redirect_to", "")
    return wish if wish and flows.is_ours(world, wish) else world.site_url


async def token(request: Request) -> Response:
    """POST /token: sessions by password, code or refresh token."""
    world, kind = world_of(request), request.query_params.get("grant_type")
    if kind not in {"password", "pkce", "refresh_token"}:
        raise Refusal(400, "invalid_credentials", "no such kind of grant")
    body = await body_of(request)
    if kind == "refresh_token":
        return JSONResponse(sessions.refresh_session(world, str(body.get("refresh_token", ""))))
    if kind == "pkce":
        user, method = flows.redeem_code(world, body.get("auth_code") or "", body.get("code_verifier") or "")
        return JSONResponse(sessions.begin_session(world, user, method))
    return JSONResponse(sessions.begin_session(world, _by_password(world, body), "password"))


def _by_password(world: World, body: dict[str, Any]) -> User:
    if "email" not in world.providers:
        raise Refusal(422, "email_provider_disabled", "signing in by email is switched off")
    if not body.get("email"):
        raise Refusal(400, "validation_failed", "an email address is needed")
    user = world.find_user(str(body["email"]))
    if user is None or user.password is None:
        raise Refusal(400, "invalid_credentials", "no such user and password")
    if user.is_banned:
        raise Refusal(400, "user_banned", "the user is banned")
    if user.password != body.get("password"):
        raise Refusal(400, "invalid_credentials", "no such user and password")
    if user.email_confirmed_at is None and not world.may_unverified_sign_in:
        raise Refusal(400, "email_not_confirmed", "the address is not confirmed")
    return user


async def otp(request: Request) -> Response:
    """POST /otp and /magiclink: a link by mail."""
    links.ask_for_link(world_of(request), await body_of(request), redirect_to(request))
    return JSONResponse({})


async def sign_up(request: Request) -> Response:
    """POST /signup: a new person with a password."""
    world, body = world_of(request), await body_of(request)
    email = links.checked_email(body.get("email"))
    user = world.find_user(email)
    if user is not None and user.email_confirmed_at is not None:
        if world.is_autoconfirm:
            raise Refusal(422, "user_already_exists", "there is such a user")
        return JSONResponse(sessions.show_user(User(email=email, created_at=world.now)))
    user = user or links.sign_up(world, email, password=body.get("password"))
    if user.email_confirmed_at is not None:
        return JSONResponse(sessions.begin_session(world, user, "password"))
    links.send_link(world, user, kind="signup", redirect_to=redirect_to(request), is_pkce=False)
    return JSONResponse(sessions.show_user(user))


async def verify(request: Request) -> Response:
    """POST /verify: a link or the digits of its mail, redeemed by a program."""
    world, body = world_of(request), await body_of(request)
    kind, token_, token_hash = (str(body.get(key) or "") for key in ("type", "token", "token_hash"))
    if not kind or bool(token_) == bool(token_hash):
        raise Refusal(400, "validation_failed", "a kind and either a token or its hash are needed")
    if token_hash and (body.get("email") or body.get("phone") or body.get("redirect_to")):
        raise Refusal(400, "validation_failed", "only kind and hash are needed")
    if kind not in {"signup", "magiclink", "email", "recovery"}:
        raise Refusal(400, "validation_failed", "no such kind")
    if token_hash:
        user = links.redeem(world, kind=kind, token=token_hash)
    else:
        user = links.redeem(world, kind=kind, token="", email=links.checked_email(body.get("email")), code=token_)
    return JSONResponse(sessions.begin_session(world, user, "otp"))


async def follow_link(request: Request) -> Response:
    """GET /verify: a link, followed in a browser, which is sent on with a code, or with the tokens behind the #."""
    world, query, home = world_of(request), request.query_params, redirect_to(request)
    token_, kind = query.get("token", ""), query.get("type", "")
    if not token_ or not kind:
        raise Refusal(400, "validation_failed", "a token and a kind are needed")
    try:
        user = links.redeem(world, kind=kind, token=token_)
        if token_.startswith("pkce_"):
            method = "email/signup" if kind == "signup" else kind
            return RedirectResponse(flows.with_query(home, code=flows.code_for(world, user, method)), 303)
    except Refusal as refusal:
        return RedirectResponse(flows.with_error(home, refusal), 303)
    session = sessions.begin_session(world, user, "otp")
    shown = {name: str(session[name]) for name in ("access_token", "refresh_token", "expires_in", "token_type")}
    return RedirectResponse(flows.with_query(home, behind={**shown, "type": kind, "sb": ""}), 303)


async def authorize(request: Request) -> Response:
    """GET /authorize: on to Google or GitHub."""
    world, query = world_of(request), request.query_params
    provider = query.get("provider", "")
    if provider not in world.providers - {"email"}:
        raise Refusal(400, "validation_failed", "no such provider")
    challenge = flows.checked_challenge(query.get("code_challenge"), query.get("code_challenge_method"))
    if challenge is None:
        raise Refusal(400, "validation_failed", "this stand-in knows OAuth with PKCE only")
    flow = flows.begin_flow(world, "oauth", challenge, provider=provider, to=redirect_to(request))
    return RedirectResponse(f"{world.url}/outside/{provider}?{urlencode({'state': flow.id})}", 302)


async def outside(request: Request) -> Response:
    """What stands for Google and GitHub: says yes for whoever a test has put there, and no for nobody."""
    world = world_of(request)
    is_there = world.outside.get(request.path_params["provider"]) is not None
    said = {"code": "yes"} if is_there else {"error": "access_denied"}
    query = urlencode({"state": request.query_params["state"], **said})
    return RedirectResponse(f"{world.url}/auth/v1/callback?{query}", 302)


async def callback(request: Request) -> Response:
    """GET /callback: back from outside, home with a code or an error."""
    world, query = world_of(request), request.query_params
    try:
        flow = flows.flow_of_state(world, query.get("state", ""))
    except Refusal as refusal:
        return RedirectResponse(flows.with_error(world.site_url, refusal), 303)
    if "error" in query:
        said = {"error": query["error"], "error_description": query.get("error_description", "")}
        return RedirectResponse(flows.with_query(flow.redirect_to, behind=said, **said), 302)
    person = world.outside[flow.provider]
    assert person is not None
    try:
        flow.user = flows.user_from_outside(world, flow.provider, person)
    except Refusal as refusal:
        return RedirectResponse(flows.with_error(flow.redirect_to, refusal), 302)
    flow.issued_at = world.now
    return RedirectResponse(flows.with_query(flow.redirect_to, code=flow.auth_code), 302)


async def user(request: Request) -> Response:
    """GET and PUT /user: who asks; people may write what they like into their metadata."""
    world = world_of(request)
    found = sessions.bearer_session(world, request.headers.get("authorization", "")).user
    if request.method == "PUT":
        found.user_metadata |= (await body_of(request)).get("data") or {}
    return JSONResponse(sessions.show_user(found))


async def logout(request: Request) -> Response:
    """POST /logout: end sessions."""
    world = world_of(request)
    session = sessions.bearer_session(world, request.headers.get("authorization", ""))
    sessions.end_sessions(world, session, request.query_params.get("scope", "global"))
    return Response(status_code=204)


async def settings(request: Request) -> Response:
    """GET /settings: what anybody may know."""
    world = world_of(request)
    names = ("email", "phone", "google", "github", "gitlab", "anonymous_users")
    return JSONResponse(
        {
            "external": {name: name in world.providers for name in names},
            "disable_signup": world.is_signup_disabled,
            "mailer_autoconfirm": world.is_autoconfirm,
            "phone_autoconfirm": False,
            "sms_provider": "twilio",
            "saml_enabled": False,
        }
    )


async def jwks(request: Request) -> Response:
    """GET /.well-known/jwks.json: the published keys."""
    return JSONResponse(world_of(request).keys.jwks(), headers={"Cache-Control": "public, max-age=600"})


ROUTES = [
    Route("/auth/v1/token", token, methods=["POST"]),
    Route("/auth/v1/otp", otp, methods=["POST"]),
    Route("/auth/v1/magiclink", otp, methods=["POST"]),
    Route("/auth/v1/signup", sign_up, methods=["POST"]),
    Route("/auth/v1/verify", verify, methods=["POST"]),
    Route("/auth/v1/verify", follow_link, methods=["GET"]),
    Route("/auth/v1/authorize", authorize, methods=["GET"]),
    Route("/auth/v1/callback", callback, methods=["GET"]),
    Route("/auth/v1/user", user, methods=["GET", "PUT"]),
    Route("/auth/v1/logout", logout, methods=["POST"]),
    Route("/auth/v1/settings", settings, methods=["GET"]),
    Route("/auth/v1/.well-known/jwks.json", jwks, methods=["GET"]),
    Route("/outside/{provider}", outside, methods=["GET"]),
]
