"""A secret as a page may show it: behind a mask that is new each time, so that compression tells nothing of it."""

import base64
import binascii
import secrets

_HALF = 32


def masked(secret: str) -> str:
    """Return the secret, a text of 64 hexadecimal digits, as another text each time."""
    plain = bytes.fromhex(secret)
    mask = secrets.token_bytes(len(plain))
    return base64.urlsafe_b64encode(mask + _both(mask, plain)).decode()


def unmasked(text: str) -> str:
    """Return the secret behind a mask; a text that is none comes back as it is, to be compared and found wrong."""
    try:
        raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return text
    return _both(raw[:_HALF], raw[_HALF:]).hex() if len(raw) == 2 * _HALF else text


def _both(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
