"""What people read who sign in with an account at Supabase."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from autolynx.errors import AutolynxError, IdentityError, RateLimited, kind_of
from autolynx.flows.binding import UNVERIFIED, NotLetIn
from autolynx.identity.port import OAuthProvider, Offers
from autolynx.runtime import Runtime
from autolynx.web.pages.rendering import bare_page
from autolynx.web.safe_path import safe_path

BEGIN_AGAIN = "Signing in took too long, or began in another browser: begin again here."
MAILED = "If this address is on the list, a link is on its way to it. Open it in this browser; it works once."
NOTHING_OFFERED = "The Supabase project has no way to sign in switched on: email, Google or GitHub."
NOT_PROVEN = "Nobody can sign in: switch on Confirm email in the Supabase project (Authentication, Providers, Email)."
PROVIDERS = {OAuthProvider.GOOGLE: "Google", OAuthProvider.GITHUB: "GitHub"}
# What Supabase says of a way that led to nothing, by its words; its sentences could be anybody's.
_CAME_BACK = {
    "otp_expired": "This link has been used, or is too old: ask for a new one.",
    "provider_email_needs_verification": "The email of that account is not verified: verify it, or ask for a link.",
    "signup_disabled": "You have no account in the Supabase project yet, and it makes no new ones.",
    "user_banned": "This account is blocked in the Supabase project.",
    "access_denied": "Signing in was broken off.",
}


async def outside_form(
    request: Request,
    runtime: Runtime,
    *,
    email: str = "",
    next_path: str = "",
    note: str | None = None,
    problem: str | None = None,
    error: AutolynxError | None = None,
    status: int = HTTPStatus.OK,
) -> Response:
    """Return the page with the ways that the project offers, or what keeps it from offering any."""
    offers, trouble = await _offers(runtime)
    said = problem or (error.message if error else None) or trouble
    return bare_page(
        request,
        "outside_sign_in.html",
        status=kind_of(error).http_status if error else status,
        email=email,
        next_path=safe_path(next_path, otherwise=""),
        note=note,
        problem=said,
        has_email=offers is not None and offers.has_email,
        providers={key: word for key, word in PROVIDERS.items() if offers and key in offers.oauth_providers},
    )


def came_back_with(request: Request) -> str | None:
    """Return what an error means that a browser brought back; None where it brought none."""
    query = request.query_params
    if "error" not in query and "error_code" not in query:
        return None
    words = (query.get("error_code", ""), query.get("error", ""))
    return next((_CAME_BACK[word] for word in words if word in _CAME_BACK), "Signing in did not work: begin again.")


def not_let_in(request: Request, refusal: NotLetIn) -> Response:
    """Return the page of somebody who proved who they are: the same for all who are not on the list."""
    if refusal.reason == UNVERIFIED:
        heading = "Your email is not confirmed"
        sentence = "Confirm it by the mail that Supabase has sent you, then sign in again."
    else:
        heading = "You are not on the list"
        sentence = "Your account is fine, but it may not come in here. Ask an admin to put your email on the list."
    return bare_page(request, "outside_refused.html", status=HTTPStatus.FORBIDDEN, heading=heading, sentence=sentence)


async def _offers(runtime: Runtime) -> tuple[Offers | None, str | None]:
    """Return what the project offers, and what is wrong with that."""
    assert runtime.identity is not None  # noqa: S101 - these pages are shown only where there is one
    try:
        offers = await runtime.identity.offers()
    except (IdentityError, RateLimited) as error:
        return None, error.message
    if not offers.is_email_proven:
        return offers, NOT_PROVEN
    return offers, None if offers.has_email or offers.oauth_providers else NOTHING_OFFERED
