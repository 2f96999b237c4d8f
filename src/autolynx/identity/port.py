"""Who is asking, as an identity server elsewhere tells it, in our words.

Every refusal is an Unauthorized with one sentence, the same whether an address is known or not. Trouble on the way is
an IdentityUnreachable, a server that is set up wrongly an IdentityError, and a server that has had enough of us a
RateLimited. Nothing here knows who may use AutoLynx: that is the allow-list.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class OAuthProvider(StrEnum):
    """Companies whose accounts people may sign in with."""

    GOOGLE = "google"
    GITHUB = "github"


class SignOut(StrEnum):
    """Which sessions of a person at the identity server end."""

    HERE = "local"  # the one that the access token belongs to
    ELSEWHERE = "others"
    EVERYWHERE = "global"


class LinkRequest(StrEnum):
    """What became of the wish for a link: for the log, and never for the person, who always reads the same."""

    SENT = "sent"
    HELD_BACK = "held_back"  # by the limits for mail, of this address or of the whole project
    REFUSED = "refused"  # no mail goes to this address


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A person as the identity server knows them. `subject` never changes and is never given to somebody else.

    `is_email_verified`: the server vouches that the person has read mail sent to this address. `name` is what
    the person calls themselves: to be shown, never to be trusted.
    """

    subject: str
    email: str = field(repr=False)
    is_email_verified: bool
    name: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A session at the identity server. Each refresh token is good for one refresh."""

    identity: Identity
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class BearerToken:
    """An access token that was verified here, without asking anybody.

    A token does not say whether the address is verified, so that `identity.is_email_verified` is False: the `subject`
    is good for finding a person who signed in before, `look_up` for letting in one who did not.
    """

    identity: Identity
    expires_at: datetime
    session_id: str | None


@dataclass(frozen=True, kw_only=True)
class Offers:
    """The ways to sign in that the server has switched on.

    `is_email_proven`: the server takes an address as confirmed only after mail to it was read. Where it does not,
    anybody can have an account in anybody's name, and no address counts as verified.
    """

    has_email: bool
    oauth_providers: frozenset[OAuthProvider]
    is_email_proven: bool


class IdentityServer(Protocol):
    """An identity server. `redirect_to` is an address of ours; `challenge` is made of a verifier by `pkce`."""

    async def offers(self) -> Offers:
        """Return what the server has switched on; asked anew every few minutes."""

    async def send_link(self, email: str, *, redirect_to: str, challenge: str) -> LinkRequest:
        """Have a one-time link sent. An account is made where there is none: ask only for people on the allow-list."""

    async def sign_in(self, email: str, password: str) -> Grant:
        """Sign in with a password. Raises Unauthorized for whatever is wrong with either."""

    def authorize_url(self, provider: OAuthProvider, *, redirect_to: str, challenge: str) -> str:
        """Return where the browser goes to sign in with an account elsewhere; it comes back with a code."""

    async def exchange(self, code: str, *, verifier: str) -> Grant:
        """Exchange the code that a browser brought back, by the verifier of its challenge."""

    async def redeem_link(self, token_hash: str) -> Grant:
        """Redeem what a one-time link holds where the mail's template links to us directly."""

    async def refresh(self, refresh_token: str) -> Grant:
        """Go on with a session. The old refresh token is used up. Raises Unauthorized when the session is over.

        After IdentityUnreachable the same token may be tried again: nobody knows whether it was used up.
        """

    async def sign_out(self, access_token: str, *, scope: SignOut) -> None:
        """End sessions of the person. One that is over already is no error.

        Raises Unauthorized for a token that is not valid any more: refresh first.
        """

    async def verify(self, access_token: str) -> BearerToken:
        """Verify an access token by its signature and claims; the server is asked for its keys alone."""

    async def look_up(self, access_token: str) -> Identity:
        """Ask the server who bears the token, whether the session still stands and the address is verified."""

    async def close(self) -> None:
        """Let go of connections."""
