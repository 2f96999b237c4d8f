"""What a JWT must be before its claims count. Plain functions: keys and the present moment are arguments.

Every refusal reads the same to a person and differs in `reason`, for logs and for programs.
"""

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import jwt
import orjson

from autolynx.errors import Unauthorized
from autolynx.identity.port import BearerToken, Identity

ASYMMETRIC = frozenset({"ES256", "RS256", "EdDSA"})
SYMMETRIC = "HS256"
AUDIENCE = "authenticated"
LEEWAY_SECONDS = 30
MOST_CHARACTERS = 16_384  # a real one has one to four thousand
MOST_HEADER_CHARACTERS = 1_024
LAST_MOMENT = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a token says about its own signature. Nothing of it is believed: it only chooses among our keys."""

    algorithm: str
    key_id: str | None


@dataclass(frozen=True, kw_only=True)
class SigningKey:
    """A key together with the one algorithm that it may be used with."""

    algorithm: str
    key: Any = field(repr=False)


def refused(reason: str) -> Unauthorized:
    """Return the refusal of a token."""
    return Unauthorized("The access token is not valid; sign in again.", details={"reason": reason})


def read_header(token: str) -> Header:
    """Read the header of a token of sane size and form. Raises Unauthorized."""
    if len(token) > MOST_CHARACTERS:
        raise refused("too_long")
    parts = token.split(".")
    if len(parts) != 3 or len(parts[0]) > MOST_HEADER_CHARACTERS:
        raise refused("malformed")
    header = _decoded(parts[0])
    algorithm, key_id = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or not (key_id is None or isinstance(key_id, str)) or "crit" in header:
        raise refused("malformed")
    if algorithm not in ASYMMETRIC and algorithm != SYMMETRIC:
        raise refused("algorithm")
    return Header(algorithm=algorithm, key_id=key_id)


def read_signed(token: str, key: SigningKey) -> dict[str, Any]:
    """Return the claims if the key signed them, by the key's own algorithm. Raises Unauthorized."""
    try:
        payload = jwt.PyJWS().decode(token, key.key, algorithms=[key.algorithm])
        claims = orjson.loads(payload)
    except jwt.InvalidSignatureError:
        raise refused("signature") from None
    except jwt.InvalidAlgorithmError:
        raise refused("algorithm") from None
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise refused("malformed") from None
    if not isinstance(claims, dict):
        raise refused("malformed")
    return claims


def read_claims(claims: dict[str, Any], *, issuer: str, now: datetime) -> BearerToken:
    """Return who a token of a person is about. Raises Unauthorized."""
    if claims.get("iss") != issuer:
        raise refused("issuer")
    if AUDIENCE not in _audiences(claims.get("aud")):
        raise refused("audience")
    expires_at = _checked_times(claims, now=now.timestamp())
    if claims.get("is_anonymous", False) is not False:
        raise refused("anonymous")
    if claims.get("client_id"):  # made for another program, which the person allowed to see something elsewhere
        raise refused("client")
    identity = Identity(
        subject=_subject(claims.get("sub")),
        email=_email(claims.get("email")),
        is_email_verified=False,
        name=read_name(claims.get("user_metadata")),
    )
    session_id = claims.get("session_id")
    return BearerToken(
        identity=identity, expires_at=expires_at, session_id=session_id if isinstance(session_id, str) else None
    )


def read_name(metadata: Any) -> str | None:
    """Return what a person calls themselves: one line of at most 200 characters."""
    if not isinstance(metadata, dict):
        return None
    for key in ("full_name", "name"):
        value = metadata.get(key)
        if isinstance(value, str) and (words := "".join(c if c.isprintable() else " " for c in value).split()):
            return " ".join(words)[:200]
    return None


def _decoded(part: str) -> dict[str, Any]:
    try:
        value = orjson.loads(base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        raise refused("malformed") from None
    if not isinstance(value, dict):
        raise refused("malformed")
    return value


def _audiences(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _checked_times(claims: dict[str, Any], *, now: float) -> datetime:
    """Check when a token begins and ends; `exp` and `iat` must be there."""
    ends, made, begins = _moment(claims.get("exp")), _moment(claims.get("iat")), claims.get("nbf")
    if now >= ends + LEEWAY_SECONDS:
        raise refused("expired")
    if made > now + LEEWAY_SECONDS or (begins is not None and _moment(begins) > now + LEEWAY_SECONDS):
        raise refused("not_yet_valid")
    return datetime.fromtimestamp(ends, UTC)


def _moment(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < LAST_MOMENT:
        raise refused("times")
    return float(value)


def _subject(value: Any) -> str:
    try:
        return str(UUID(value))
    except (ValueError, TypeError, AttributeError):
        raise refused("subject") from None


def _email(value: Any) -> str:
    if not isinstance(value, str) or "@" not in value:
        raise refused("email")
    return value.strip().lower()
