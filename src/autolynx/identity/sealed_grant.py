"""What an identity server gave for a session of ours, kept so that nobody but that session's cookie opens it.

The key is made of the cookie's secret, of which the database has a hash alone: whoever reads the database cannot go on
with anybody's session elsewhere. Only the moment until which the server vouches stands in the open.
"""

import os
from datetime import UTC, datetime
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from autolynx.errors import Unauthorized

_VERSION = b"\x01"
_HEAD = 9  # the version, and the moment in whole seconds
_NONCE = 12
_PURPOSE = b"autolynx grant of an identity server"


def seal(refresh_token: str, *, session_secret: str, session_id: UUID, until: datetime) -> bytes:
    """Return what is kept: the moment, and the refresh token encrypted under AES-GCM, bound to session and moment."""
    head = _VERSION + int(until.timestamp()).to_bytes(8, "big")
    nonce = os.urandom(_NONCE)
    return head + nonce + _cipher(session_secret).encrypt(nonce, refresh_token.encode(), head + session_id.bytes)


def unseal(sealed: bytes, *, session_secret: str, session_id: UUID) -> str:
    """Return the refresh token. Raises Unauthorized for what was sealed for another session, or was changed."""
    head, nonce, text = sealed[:_HEAD], sealed[_HEAD : _HEAD + _NONCE], sealed[_HEAD + _NONCE :]
    try:
        return _cipher(session_secret).decrypt(nonce, text, head + session_id.bytes).decode()
    except (InvalidTag, ValueError):
        raise Unauthorized("The session is over: sign in again.") from None


def vouched_until(sealed: bytes) -> datetime:
    """Return until when the identity server vouches for the session."""
    return datetime.fromtimestamp(int.from_bytes(sealed[1:_HEAD], "big"), UTC)


def _cipher(session_secret: str) -> AESGCM:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(session_secret.encode())
    return AESGCM(key)
