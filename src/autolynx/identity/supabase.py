"""Supabase Auth as the identity server: its REST protocol, the few routes of it that signing in needs.

What is trusted and why is written down in docs/decisions/0013-what-a-sign-in-proves.md.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from autolynx.errors import Unauthorized
from autolynx.identity.access_tokens import TokenVerifier
from autolynx.identity.jwks import KeyRing
from autolynx.identity.port import BearerToken, Grant, Identity, LinkRequest, OAuthProvider, Offers, SignOut
from autolynx.identity.supabase_answers import checked, read_grant, read_identity, read_offers
from autolynx.identity.supabase_http import AuthWire

OFFERS_FRESH = timedelta(minutes=10)
TIMEOUT_SECONDS = 10.0

WRONG_PASSWORD = "The email address or the password is wrong."  # noqa: S105 - a sentence
LINK_OVER = "This link has been used, or is too old: ask for a new one."
CODE_OVER = "Signing in took too long or began in another browser: begin again."
SESSION_OVER = "The session is over: sign in again."
_MAIL_LIMIT = "over_email_send_rate_limit"
_ALREADY_OVER = frozenset({"session_not_found", "user_not_found", "session_expired"})


class SupabaseAuth:
    """The accounts of one Supabase project."""

    def __init__(
        self,
        *,
        project_url: str,
        anon_key: str,
        jwt_secret: str | None,
        now: Callable[[], datetime],
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._wire = AuthWire(project_url=project_url, anon_key=anon_key, timeout_seconds=timeout_seconds)
        self._now = now
        self._tokens = TokenVerifier(
            issuer=self._wire.base_url, keys=KeyRing(self._fetch_keys, now=now), secret=jwt_secret, now=now
        )
        self._offers: tuple[datetime, Offers] | None = None

    async def close(self) -> None:
        """Let go of connections."""
        await self._wire.close()

    async def offers(self) -> Offers:
        """Return what the project has switched on, asked anew every ten minutes."""
        if self._offers is None or abs(self._now() - self._offers[0]) >= OFFERS_FRESH:
            reply = checked(await self._wire.send("GET", "/settings"), refusal=SESSION_OVER)
            self._offers = (self._now(), read_offers(reply.body))
        return self._offers[1]

    async def send_link(self, email: str, *, redirect_to: str, challenge: str) -> LinkRequest:
        """Have a one-time link sent that comes back with a code, or with a token_hash where the template says so."""
        reply = await self._wire.send(
            "POST",
            "/otp",
            params={"redirect_to": redirect_to},
            json={
                "email": email,
                "create_user": True,
                "code_challenge": challenge,
                "code_challenge_method": "s256",
            },
        )
        if reply.code == _MAIL_LIMIT:
            return LinkRequest.HELD_BACK
        try:
            checked(reply, refusal="")
        except Unauthorized:
            return LinkRequest.REFUSED
        return LinkRequest.SENT

    async def sign_in(self, email: str, password: str) -> Grant:
        """Sign in with a password."""
        return await self._grant(
            "/token", {"email": email, "password": password}, refusal=WRONG_PASSWORD, kind="password"
        )

    def authorize_url(self, provider: OAuthProvider, *, redirect_to: str, challenge: str) -> str:
        """Return where the browser goes; the key of the project is not part of it."""
        query = {
            "provider": provider.value,
            "redirect_to": redirect_to,
            "code_challenge": challenge,
            "code_challenge_method": "s256",
        }
        return f"{self._wire.base_url}/authorize?{urlencode(query)}"

    async def exchange(self, code: str, *, verifier: str) -> Grant:
        """Exchange a code. It is good for once and a few minutes."""
        return await self._grant(
            "/token", {"auth_code": code, "code_verifier": verifier}, refusal=CODE_OVER, kind="pkce"
        )

    async def redeem_link(self, token_hash: str) -> Grant:
        """Redeem a one-time link; `email` covers those of people who are new and of those who are not."""
        body = {"type": "email", "token_hash": token_hash}
        return await self._grant("/verify", body, refusal=LINK_OVER)

    async def refresh(self, refresh_token: str) -> Grant:
        """Go on with a session, by the refresh token that is good for once."""
        return await self._grant("/token", {"refresh_token": refresh_token}, refusal=SESSION_OVER, kind="refresh_token")

    async def sign_out(self, access_token: str, *, scope: SignOut) -> None:
        """End sessions of the person; access tokens that are out there end by themselves within the hour."""
        reply = await self._wire.send("POST", "/logout", params={"scope": scope.value}, access_token=access_token)
        if reply.code not in _ALREADY_OVER:
            checked(reply, refusal=SESSION_OVER)

    async def verify(self, access_token: str) -> BearerToken:
        """Verify a token here."""
        return await self._tokens.verify(access_token)

    async def look_up(self, access_token: str) -> Identity:
        """Ask who bears a token. It is verified here first, so that junk does not travel."""
        bearer = await self._tokens.verify(access_token)
        reply = checked(await self._wire.send("GET", "/user", access_token=access_token), refusal=SESSION_OVER)
        identity = read_identity(reply.body, offers=await self.offers())
        if identity.subject != bearer.identity.subject:
            raise Unauthorized(SESSION_OVER)
        return identity

    async def _grant(self, path: str, body: Mapping[str, str], *, refusal: str, kind: str | None = None) -> Grant:
        """Ask for a session, after all else that must be known: nothing good for once is used up in vain."""
        offers = await self.offers()
        params = {"grant_type": kind} if kind else None
        reply = checked(await self._wire.send("POST", path, params=params, json=dict(body)), refusal=refusal)
        return read_grant(reply.body, offers=offers, now=self._now())

    async def _fetch_keys(self) -> Any:
        return checked(await self._wire.send("GET", "/.well-known/jwks.json"), refusal=SESSION_OVER).body
