"""The public keys that an identity server signs with, kept here for a while.

Keys are asked for anew every ten minutes, and at once when a token names one that we do not have, but never sooner than
30 seconds after the last try: whoever invents names of keys cannot make us hammer the server. Requests that need the
keys at the same time share one answer. While the server is away, the keys that we have go on counting for a day.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import jwt

from autolynx.errors import IdentityError, IdentityUnreachable
from autolynx.identity.jwt_checks import SigningKey, refused

FRESH = timedelta(minutes=10)
FLOOR = timedelta(seconds=30)
LONGEST_WITHOUT_SERVER = timedelta(days=1)
MOST_KEYS = 50
SMALLEST_RSA_BITS = 2048

_ALGORITHMS = {("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "EdDSA", ("RSA", None): "RS256"}
_NO_KEYS = "The keys of the Supabase project cannot be had at the moment; try again shortly."

Fetch = Callable[[], Awaitable[Any]]


class KeyRing:
    """The keys of one server, by their ids. `fetch` returns its JWKS or raises IdentityError."""

    def __init__(self, fetch: Fetch, *, now: Callable[[], datetime]) -> None:
        self._fetch = fetch
        self._now = now
        self._keys: dict[str, SigningKey] = {}
        self._fetched_at: datetime | None = None
        self._tried_at: datetime | None = None
        self._problem: IdentityError | None = None
        self._turn = asyncio.Lock()

    async def find(self, key_id: str) -> SigningKey:
        """Return the key of that id. Raises Unauthorized for an id without a key, IdentityError without any keys."""
        if not self._has_fresh(key_id) and (self._is_due() or self._turn.locked()):
            async with self._turn:  # whoever waited here finds that another one has asked
                if not self._has_fresh(key_id) and self._is_due():
                    await self._ask()
        if self._age() > LONGEST_WITHOUT_SERVER:
            raise self._problem or IdentityUnreachable(_NO_KEYS)
        if key_id not in self._keys:
            raise refused("key")
        return self._keys[key_id]

    def _has_fresh(self, key_id: str) -> bool:
        return key_id in self._keys and self._age() < FRESH

    def _age(self) -> timedelta:
        return timedelta.max if self._fetched_at is None else abs(self._now() - self._fetched_at)

    def _is_due(self) -> bool:
        return self._tried_at is None or abs(self._now() - self._tried_at) >= FLOOR

    async def _ask(self) -> None:
        """Ask the server; where it cannot say, what we have stays."""
        before, self._tried_at = self._tried_at, self._now()
        try:
            self._keys = read_keys(await self._fetch())
            self._fetched_at = self._now()
        except IdentityError as problem:
            self._problem = problem
        except BaseException:  # whoever waited has gone: the next one may ask at once
            self._tried_at = before
            raise


def read_keys(body: Any) -> dict[str, SigningKey]:
    """Read a JWKS: every key that we can use, by its id; others are left out. Raises IdentityError where it is none."""
    keys = body.get("keys") if isinstance(body, dict) else None
    if not isinstance(keys, list):
        raise IdentityError("What SUPABASE_URL names did not answer with its keys: check the address.")
    found = [(entry["kid"], key) for entry in keys[:MOST_KEYS] if (key := _read_key(entry))]
    return dict(found)


def _read_key(entry: Any) -> SigningKey | None:
    """Return a public key for signatures. A secret or a private key has no business in a list that all can read."""
    if not isinstance(entry, dict) or not isinstance(entry.get("kid"), str) or "d" in entry:
        return None
    kind = entry.get("kty")
    algorithm = _ALGORITHMS.get((str(kind), None if kind == "RSA" else str(entry.get("crv"))))
    if algorithm is None or entry.get("alg", algorithm) != algorithm or entry.get("use", "sig") != "sig":
        return None
    try:
        key = jwt.PyJWK(entry, algorithm)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    if kind == "RSA" and key.key.key_size < SMALLEST_RSA_BITS:
        return None
    return SigningKey(algorithm=algorithm, key=key)
