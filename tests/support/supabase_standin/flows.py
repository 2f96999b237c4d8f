"""Attempts of the stand-in that come back by the browser: PKCE, and the dance with Google and GitHub."""

import base64
import hashlib
import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import UUID

from tests.support.supabase_standin.world import Flow, Outsider, Refusal, User, World, identity_row

FLOW_LIFE = timedelta(minutes=5)
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def checked_challenge(challenge: Any, method: Any) -> tuple[str, str] | None:
    """Return a challenge with its method, None where PKCE is not wanted."""
    if bool(challenge) != bool(method):
        raise Refusal(400, "validation_failed", "a challenge needs a method")
    if not challenge:
        return None
    if not 43 <= len(challenge) <= 128 or not re.fullmatch(r"[a-zA-Z0-9._~-]+", challenge):
        raise Refusal(400, "validation_failed", "no challenge has this form")
    if str(method).lower() not in {"s256", "plain"}:
        raise Refusal(400, "validation_failed", "no such method")
    return challenge, str(method).lower()


def begin_flow(
    world: World, method: str, challenge: tuple[str, str], *, user: User | None = None, provider: str = "", to: str = ""
) -> Flow:
    """Remember an attempt."""
    flow = Flow(
        provider=provider or method,
        method="email/signup" if method == "email" else method,
        challenge=challenge[0],
        challenge_method=challenge[1],
        created_at=world.now,
        redirect_to=to,
        user=user,
    )
    world.flows.append(flow)
    return flow


def redeem_code(world: World, code: str, verifier: str) -> tuple[User, str]:
    """Use up the code of an attempt; returns who came back and how."""
    if not code or not verifier:
        raise Refusal(400, "validation_failed", "a code and a verifier are needed")
    flow = next((flow for flow in world.flows if flow.auth_code == code), None)
    if flow is None or flow.user is None:
        raise Refusal(404, "flow_state_not_found", "there is no such attempt")
    began = flow.issued_at if flow.issued_at and flow.method == "magiclink" else flow.created_at
    if world.now > began + FLOW_LIFE:
        raise Refusal(422, "flow_state_expired", "the attempt is over")
    if _hashed(verifier, flow.challenge_method) != flow.challenge:
        raise Refusal(400, "bad_code_verifier", "the verifier is another one")
    world.flows.remove(flow)
    return flow.user, flow.method


def code_for(world: World, user: User, method: str) -> str:
    """Return the code of the last attempt by a link."""
    flows = [flow for flow in world.flows if flow.user is user and flow.method == method]
    if not flows:
        raise Refusal(400, "flow_state_not_found", "there is no such attempt")
    flows[-1].issued_at = world.now
    return flows[-1].auth_code


def flow_of_state(world: World, state: str) -> Flow:
    """Return the attempt that comes back from outside."""
    if not state:
        raise Refusal(400, "bad_oauth_callback", "the state is missing")
    try:
        UUID(state)
    except ValueError:
        raise Refusal(400, "bad_oauth_state", "no state has this form") from None
    flow = next((flow for flow in world.flows if flow.id == state), None)
    if flow is None or world.now > flow.created_at + FLOW_LIFE:
        raise Refusal(400, "bad_oauth_state", "there is no such attempt")
    if flow.user is not None:
        raise Refusal(400, "flow_state_already_used", "the attempt came back before")
    return flow


def user_from_outside(world: World, provider: str, person: Outsider) -> User:
    """Return whose account at Google or GitHub it is: linked by a verified address, made where there is none."""
    data = {
        "sub": person.subject,
        "email": person.email,
        "email_verified": person.is_verified,
        "name": person.name,
        "full_name": person.name,
    }
    user = _known(world, provider, person) or _linked(world, provider, person, data)
    if user.is_banned:
        raise Refusal(403, "user_banned", "the user is banned")
    user.user_metadata |= data
    if user.email_confirmed_at is None:
        if person.is_verified or world.is_autoconfirm:
            user.confirm(world.now)
        elif not world.may_unverified_sign_in:
            raise Refusal(422, "provider_email_needs_verification", "the address is not verified")
    return user


def _known(world: World, provider: str, person: Outsider) -> User | None:
    def is_theirs(row: dict[str, Any]) -> bool:
        return bool(row["provider"] == provider and row["id"] == person.subject)

    return next((user for user in world.users if any(is_theirs(row) for row in user.identities)), None)


def _linked(world: World, provider: str, person: Outsider, data: dict[str, Any]) -> User:
    user = world.find_user(person.email)
    may_link = person.is_verified or world.is_autoconfirm
    if user is not None and not may_link:
        raise Refusal(422, "provider_email_needs_verification", "the address belongs to somebody else")
    if user is None:
        if world.is_signup_disabled:
            raise Refusal(422, "signup_disabled", "nobody new may sign up")
        user = User(email=person.email.lower(), created_at=world.now)
        world.users.append(user)
    elif user.email_confirmed_at is None:  # whoever signed up with this address before did not prove that it is theirs
        user.password, user.identities, user.user_metadata = None, [], {}
    user.identities.append(identity_row(user, provider, person.subject, data, world.now))
    return user


def is_ours(world: World, address: str) -> bool:
    """Whether the server sends a browser there: the site itself, loopback whatever the port, or what is on its list."""
    site, wanted = urlsplit(world.site_url), urlsplit(address)
    is_site = (site.scheme, site.hostname) == (wanted.scheme, wanted.hostname)
    return (is_site and (site.port == wanted.port or wanted.hostname in LOOPBACK)) or address in world.allowed_redirects


def with_query(address: str, /, *, behind: dict[str, str] | None = None, **more: str) -> str:
    """Return an address with more in its query and another fragment."""
    parts = urlsplit(address)
    query = urlencode([*parse_qsl(parts.query), *more.items()])
    return urlunsplit(parts._replace(query=query, fragment=urlencode(behind or {})))


def with_error(address: str, refusal: Refusal) -> str:
    """Return an address that carries an error home."""
    words = {400: "invalid_request", 401: "unauthorized_client", 403: "access_denied"}
    denied = {"signup_disabled", "user_banned", "provider_email_needs_verification"}
    error = "access_denied" if refusal.code in denied else words.get(refusal.status, "server_error")
    said = {"error": error, "error_code": refusal.code, "error_description": refusal.message}
    return with_query(address, behind={**said, "sb": ""}, **said)


def _hashed(verifier: str, method: str) -> str:
    if method == "plain":
        return verifier
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
