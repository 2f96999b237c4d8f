"""An attempt to sign in elsewhere, kept by the browser that began it, so that nobody else's comes back in its place.

The cookie holds the verifier of PKCE, which proves to the identity server that the same browser asks, and the state,
by which we see it ourselves before anything is asked.
"""

import base64
import hmac
import re
import secrets
from dataclasses import dataclass, field
from urllib.parse import urlencode

from fastapi import Request, Response

from autolynx.identity.pkce import challenge_of, new_verifier
from autolynx.runtime import Runtime
from autolynx.web.safe_path import safe_path

CALLBACK = "/sign-in/callback"
COOKIE = "autolynx_attempt"
SECONDS = 3600  # a mail may take its time
LONGEST_NEXT = 1500  # cookies have about 4,000 characters
_FORM = re.compile(r"([\w-]{20,64})\.([\w-]{43,128})\.([\w-]{0,2200})", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One attempt: what comes back openly, what never leaves the browser and us, and where it leads."""

    state: str = field(repr=False)
    verifier: str = field(repr=False)
    next_path: str

    @property
    def challenge(self) -> str:
        """What the identity server is shown of the verifier."""
        return challenge_of(self.verifier)

    def is_answered_by(self, state: str) -> bool:
        """Whether what comes back belongs to this attempt."""
        return hmac.compare_digest(self.state.encode(), state.encode("utf-8", "replace"))

    def address(self, runtime: Runtime) -> str:
        """Return where the browser comes back to."""
        return f"{runtime.settings.public_url}{CALLBACK}?{urlencode({'state': self.state})}"


def new_attempt(next_path: str) -> Attempt:
    """Begin an attempt that leads to a page of ours."""
    wanted = safe_path(next_path)
    return Attempt(
        state=secrets.token_urlsafe(24),
        verifier=new_verifier(),
        next_path=wanted if len(wanted) <= LONGEST_NEXT else "/",
    )


def read_attempt(request: Request) -> Attempt | None:
    """Return the attempt that this browser began; None where it began none, or its cookie is not one of ours."""
    match = _FORM.fullmatch(request.cookies.get(COOKIE, ""))
    if match is None:
        return None
    state, verifier, packed = match.groups()
    try:
        next_path = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode()
    except ValueError:
        return None
    return Attempt(state=state, verifier=verifier, next_path=safe_path(next_path))


def keep_attempt(response: Response, runtime: Runtime, attempt: Attempt) -> None:
    """Give an attempt to the browser: not readable by scripts, and not sent along by other sites' forms."""
    packed = base64.urlsafe_b64encode(attempt.next_path.encode()).rstrip(b"=").decode()
    response.set_cookie(
        COOKIE,
        f"{attempt.state}.{attempt.verifier}.{packed}",
        max_age=SECONDS,
        path="/sign-in",
        secure=runtime.settings.public_url.startswith("https://"),
        httponly=True,
        samesite="lax",
    )


def forget_attempt(response: Response) -> None:
    """Let the browser forget its attempt: it is good for one return."""
    response.delete_cookie(COOKIE, path="/sign-in")
