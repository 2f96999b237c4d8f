"""Access tokens verified here: the algorithm chooses which key is asked, and a key knows its own algorithm only."""

from collections.abc import Callable
from datetime import datetime

from autolynx.identity.jwks import KeyRing
from autolynx.identity.jwt_checks import SYMMETRIC, Header, SigningKey, read_claims, read_header, read_signed, refused
from autolynx.identity.port import BearerToken


class TokenVerifier:
    """Verifies tokens of one issuer: by its published keys, and by the shared secret where there is one."""

    def __init__(self, *, issuer: str, keys: KeyRing, secret: str | None, now: Callable[[], datetime]) -> None:
        self._issuer = issuer
        self._keys = keys
        self._secret = SigningKey(algorithm=SYMMETRIC, key=secret.encode()) if secret else None
        self._now = now

    async def verify(self, token: str) -> BearerToken:
        """Return what a token says, if it is true. Raises Unauthorized, or IdentityUnreachable without any keys."""
        key = await self._key_for(read_header(token))
        return read_claims(read_signed(token, key), issuer=self._issuer, now=self._now())

    async def _key_for(self, header: Header) -> SigningKey:
        """Choose the key. A published key never serves for HS256, nor the secret for anything else."""
        if header.algorithm == SYMMETRIC:
            if self._secret is None:
                raise refused("algorithm")
            return self._secret
        if header.key_id is None:
            raise refused("key")
        key = await self._keys.find(header.key_id)
        if key.algorithm != header.algorithm:
            raise refused("algorithm")
        return key
