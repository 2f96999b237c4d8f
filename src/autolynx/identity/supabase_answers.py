"""What answers of Supabase Auth mean: leniently read where Supabase may add, strictly where we trust."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from autolynx.errors import IdentityError, IdentityUnreachable, RateLimited, Unauthorized
from autolynx.identity.jwt_checks import read_name
from autolynx.identity.port import Grant, Identity, OAuthProvider, Offers
from autolynx.identity.supabase_http import TRY_AGAIN, Reply

USUAL_WAIT_SECONDS = 60
LONGEST_WAIT_SECONDS = 3600
NONSENSE = "Supabase answered in a form that is not known."

# What only the project's administrator can mend, by Supabase's own words.
_TO_MEND = {
    "captcha_failed": "Supabase demands a CAPTCHA, which AutoLynx does not show: switch it off in the project.",
    "email_provider_disabled": "Signing in by email is switched off in the Supabase project.",
    "provider_disabled": "This way to sign in is switched off in the Supabase project.",
    "bad_json": "Supabase did not understand AutoLynx; one of the two is too old.",
}


def checked(reply: Reply, *, refusal: str) -> Reply:
    """Return a success; raise what anything else means. `refusal` is the one sentence for whatever the person did."""
    if reply.is_success:
        return reply
    if reply.status == 429:
        raise rate_limited(reply)
    if reply.status in {408, 409, 425}:
        raise IdentityUnreachable(f"Supabase is busy with this session. {TRY_AGAIN}")
    if reply.code in _TO_MEND:
        raise IdentityError(_TO_MEND[reply.code])
    if reply.code is None:  # not from Supabase Auth, but from the gateway before it
        raise IdentityError(_gateway(reply.status))
    raise Unauthorized(refusal)


def rate_limited(reply: Reply) -> RateLimited:
    """Return what too many requests mean; Supabase rarely says how long to wait."""
    seconds = min(max(1, reply.retry_after or USUAL_WAIT_SECONDS), LONGEST_WAIT_SECONDS)
    return RateLimited(f"Too many tries to sign in: wait {seconds} seconds.", retry_after_seconds=seconds)


def read_offers(body: dict[str, Any]) -> Offers:
    """Read the project's public settings. What they do not say counts as the unsafe way."""
    external = body.get("external")
    switched_on = {name for name, is_on in external.items() if is_on is True} if isinstance(external, dict) else set()
    return Offers(
        has_email="email" in switched_on,
        oauth_providers=frozenset(provider for provider in OAuthProvider if provider.value in switched_on),
        is_email_proven=body.get("mailer_autoconfirm") is False,
    )


def read_grant(body: dict[str, Any], *, offers: Offers, now: datetime) -> Grant:
    """Read a session. Raises Unauthorized for one without a person behind it, IdentityError for nonsense."""
    access_token, refresh_token, seconds = (body.get(k) for k in ("access_token", "refresh_token", "expires_in"))
    user = body.get("user")
    if not (isinstance(access_token, str) and isinstance(refresh_token, str) and isinstance(user, dict)):
        raise IdentityError(NONSENSE)
    if not access_token or not refresh_token or not isinstance(seconds, int) or not 0 < seconds <= 31_536_000:
        raise IdentityError(NONSENSE)
    return Grant(
        identity=read_identity(user, offers=offers),
        access_token=access_token,
        refresh_token=refresh_token,
        expires_at=now + timedelta(seconds=seconds),
    )


def read_identity(user: dict[str, Any], *, offers: Offers) -> Identity:
    """Read a person from what the server itself keeps about them.

    `email_confirmed_at` is the server's; `email_verified` in `user_metadata` can be written by the person: it does not
    count.
    """
    email = user.get("email")
    if user.get("is_anonymous", False) is not False or not isinstance(email, str) or "@" not in email:
        raise Unauthorized("Only people with an email address can sign in.")
    try:
        subject = str(UUID(user.get("id")))
    except (ValueError, TypeError, AttributeError):
        raise IdentityError(NONSENSE) from None
    return Identity(
        subject=subject,
        email=email.strip().lower(),
        is_email_verified=offers.is_email_proven and _is_moment(user.get("email_confirmed_at")),
        name=read_name(user.get("user_metadata")),
    )


def _is_moment(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value).year > 1
    except (ValueError, TypeError):
        return False


def _gateway(status: int) -> str:
    if status in {401, 403}:
        return "The Supabase project refused the key of this installation: check SUPABASE_ANON_KEY."
    return f"What SUPABASE_URL names is not Supabase Auth (status {status}): check the address."
