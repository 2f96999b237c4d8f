"""Proof that whoever brings a code back is whoever began: RFC 7636, with S256 and nothing weaker."""

import base64
import hashlib
import secrets

_VERIFIER_BYTES = 48  # 64 characters; the standard allows 43 to 128


def new_verifier() -> str:
    """Return a secret for one attempt to sign in; it stays with the browser that began."""
    return secrets.token_urlsafe(_VERIFIER_BYTES)


def challenge_of(verifier: str) -> str:
    """Return what may be shown of a verifier beforehand."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
