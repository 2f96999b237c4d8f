"""Taking secrets out of what the provider sends, before anything is stored or shown.

One named list, by key: whatever ends like a secret, addresses that control or hear a live call, addresses
that carry their own permission, and headers. Texts lose the signatures of addresses inside them and our own
secrets.
"""

import math
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from autolynx.provider.wire_values import clean, without_signature

REMOVED = "[removed]"
DEEPEST = 50

_SECRET_ENDINGS = (
    "secret",
    "secrets",
    "token",
    "apikey",
    "secretkey",
    "privatekey",
    "accesskey",
    "encryptionkey",
    "password",
    "passphrase",
    "authorization",
    "cookie",
)
_SECRET_KEYS = frozenset({"controlurl", "listenurl", "headers", "credentials"})
_TWILIO_ENDINGS = ("sid", "token", "key", "secret")
_NOT_IN_KEYS = re.compile(r"[^a-z0-9]")
_ADDRESS = re.compile(r"\b(?:https?|wss?)://[^\s\"'<>\\]+", re.IGNORECASE)
_LIVE_CALL = re.compile(r"/(control|listen)/?$", re.IGNORECASE)
_BEARER = re.compile(r"\b(bearer|basic)\s+[a-z0-9._~+/=-]{8,}", re.IGNORECASE)
_SHORTEST_SECRET = 8  # of our own secrets, of addresses and of tokens in texts
_BIGGEST_BITS = 256


def scrub(body: Any, *, secrets: Iterable[str] = ()) -> Any:
    """Return the JSON value without secrets, as it may be stored; its shape stays.

    A secret reads `[removed]`. `secrets` are our own (of at least 8 characters), which are taken out of any text
    that repeats them. What PostgreSQL cannot store (NUL, lone surrogates, NaN) is taken out too; anything deeper
    than 50 levels is cut off.
    """
    return _scrub(body, tuple(secret for secret in secrets if len(secret) >= _SHORTEST_SECRET), 0)


def without_secrets(body: Any) -> Any:
    """Return the JSON value with secret keys left out: a configuration that may be kept and sent back."""
    if isinstance(body, dict):
        return {key: without_secrets(value) for key, value in body.items() if not is_secret_key(key)}
    if isinstance(body, list):
        return [without_secrets(item) for item in body]
    return body


@lru_cache(maxsize=4096)
def is_secret_key(key: str) -> bool:
    """Return whether values under this key are secret."""
    word = _NOT_IN_KEYS.sub("", key.lower())
    if word in _SECRET_KEYS or word.endswith(_SECRET_ENDINGS):
        return True
    if word.startswith("twilio"):
        return word.endswith(_TWILIO_ENDINGS)
    return word.startswith("presigned") and word.endswith("url")


def _scrub(value: Any, secrets: tuple[str, ...], depth: int) -> Any:
    if isinstance(value, str):
        return _scrub_text(value, secrets)
    if not isinstance(value, dict | list):
        return _storable(value)
    if depth > DEEPEST:
        return REMOVED
    depth += 1
    if isinstance(value, list):
        return [_scrub(item, secrets, depth) for item in value]
    scrubbed = {}
    for key, item in value.items():
        name, is_secret = _scrub_key(key, secrets)
        if is_secret and not _is_nothing(item):
            scrubbed[name] = REMOVED
        else:
            scrubbed[name] = _scrub_text(item, secrets) if type(item) is str else _scrub(item, secrets, depth)
    return scrubbed


def _is_nothing(value: Any) -> bool:
    """Return whether there is nothing to hide: keeping null and the empty string tells what was not sent."""
    return value is None or value in ("", [], {})


def _storable(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int):
        return value if value.bit_length() <= _BIGGEST_BITS else None
    return value if value is None else REMOVED


def _scrub_text(text: str, secrets: tuple[str, ...]) -> str:
    if "\x00" in text or not text.isascii():
        text = clean(text)
    if len(text) < _SHORTEST_SECRET:
        return text
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, REMOVED)
    if ":" in text and "://" in text:  # a single character is found several times faster
        text = _ADDRESS.sub(_scrub_address, text)
    lowered = text.lower()  # looking first: the pattern is slow on long texts
    if "bearer" in lowered or "basic" in lowered:
        text = _BEARER.sub(rf"\1 {REMOVED}", text)
    return text


@lru_cache(maxsize=4096)
def _scrub_key(key: str, secrets: tuple[str, ...]) -> tuple[str, bool]:
    """Return the key as it may be stored, and whether what it names is secret."""
    return _scrub_text(key, secrets), is_secret_key(key)


def _scrub_address(match: re.Match[str]) -> str:
    bare = without_signature(match[0])
    return REMOVED if _LIVE_CALL.search(bare.partition("?")[0]) else bare
