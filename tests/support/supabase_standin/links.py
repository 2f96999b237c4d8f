"""One-time links of the stand-in: asked for, mailed, redeemed once."""

import hashlib
import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from tests.support.supabase_standin.flows import begin_flow, checked_challenge
from tests.support.supabase_standin.world import Mail, Refusal, User, World, identity_row

MAIL_INTERVAL = timedelta(minutes=1)
LINK_LIFE = timedelta(days=1)


def ask_for_link(world: World, body: dict[str, Any], redirect_to: str) -> None:
    """Mail a link: to people who are known, and to new ones where they may be made."""
    challenge = checked_challenge(body.get("code_challenge"), body.get("code_challenge_method"))
    email = checked_email(body.get("email"))
    user = world.find_user(email)
    if user is None and body.get("create_user", True) is False:
        raise Refusal(422, "otp_disabled", "nobody new may sign up by a link")
    if "email" not in world.providers:
        raise Refusal(422, "email_provider_disabled", "signing in by email is switched off")
    if user is None:
        user = sign_up(world, email)
    is_new = user.email_confirmed_at is None
    if challenge:
        begin_flow(world, "email" if is_new else "magiclink", challenge, user=user)
    send_link(world, user, kind="signup" if is_new else "magiclink", redirect_to=redirect_to, is_pkce=bool(challenge))


def sign_up(world: World, email: str, password: str | None = None) -> User:
    """Make a person who has not confirmed the address; with autoconfirm it counts as confirmed unseen."""
    if world.is_signup_disabled:
        raise Refusal(422, "signup_disabled", "nobody new may sign up")
    user = User(email=email, created_at=world.now, password=password)
    user.identities.append(identity_row(user, "email", user.id, {"email": email, "sub": user.id}, world.now))
    user.user_metadata = {"email": email, "sub": user.id, "email_verified": False}
    if world.is_autoconfirm:
        user.confirm(world.now)
    world.users.append(user)
    return user


def send_link(world: World, user: User, *, kind: str, redirect_to: str, is_pkce: bool) -> None:
    """Mail a link of that kind, unless the last one is too young or the project's mails are used up."""
    last = user.confirmation_sent_at if kind == "signup" else user.recovery_sent_at
    if world.is_mail_exhausted or (last is not None and last + MAIL_INTERVAL > world.now):
        raise Refusal(429, "over_email_send_rate_limit", "too many mails")
    code = f"{secrets.randbelow(1_000_000):06}"
    token = ("pkce_" if is_pkce else "") + token_hash(user.email, code)
    if kind == "signup":
        user.confirmation_token, user.confirmation_sent_at = token, world.now
    else:
        user.recovery_token, user.recovery_sent_at = token, world.now
    link = f"{world.url}/auth/v1/verify?token={token}&type={kind}&redirect_to={quote(redirect_to, safe='')}"
    world.mails.append(Mail(to=user.email, kind=kind, link=link, token_hash=token, code=code))


def redeem(world: World, *, kind: str, token: str, email: str | None = None, code: str | None = None) -> User:
    """Use up a link or the six digits of its mail; returns whose it was, with the address confirmed."""
    expected = {token} if code is None else {token_hash(email or "", code), "pkce_" + token_hash(email or "", code)}
    for user in world.users:
        if email is not None and user.email != email:
            continue
        if kind in {"signup", "email"} and user.confirmation_token and user.confirmation_token in expected:
            sent_at, user.confirmation_token = user.confirmation_sent_at, ""
        elif kind in {"magiclink", "email", "recovery"} and user.recovery_token and user.recovery_token in expected:
            sent_at, user.recovery_token = user.recovery_sent_at, ""
        else:
            continue
        if user.is_banned:
            raise Refusal(403, "user_banned", "the user is banned")
        if sent_at is None or world.now > sent_at + LINK_LIFE:
            break
        if user.email_confirmed_at is None:
            user.confirm(world.now)
        return user
    raise Refusal(403, "otp_expired", "the link is over")


def token_hash(email: str, code: str) -> str:
    """Return what stands for the six digits in a link."""
    return hashlib.sha224((email + code).encode()).hexdigest()


def checked_email(value: Any) -> str:
    """Return an address in the server's form."""
    if not isinstance(value, str) or not value:
        raise Refusal(400, "validation_failed", "an email address is needed")
    name, _, host = value.partition("@")
    if not name or "." not in host or " " in value or len(value) > 255:
        raise Refusal(400, "validation_failed", "this is no email address")
    return value.lower()
