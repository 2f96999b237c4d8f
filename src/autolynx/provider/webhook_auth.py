"""Whether a webhook comes from the provider. Fails closed: no secret configured means that nothing passes."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from autolynx.errors import ConfigurationError

SECRET_HEADER = "x-vapi-secret"  # noqa: S105 - the name of a header
_ALGORITHMS = {"sha256": hashlib.sha256, "sha512": hashlib.sha512, "sha1": hashlib.sha1}
_SECOND_DIGITS = 10
_MILLISECOND_DIGITS = 13


class Scheme(StrEnum):
    """The ways in which a webhook may prove its origin."""

    SECRET = "secret"  # noqa: S105 - the name of a scheme
    BEARER = "bearer"
    HMAC = "hmac"


@dataclass(frozen=True, kw_only=True)
class Hmac:
    """How signatures are made. The defaults accept the usual headers, with or without a timestamp.

    `payload_formats` may name {body}, {timestamp}, {method}, {url} and {svix-id}; one that needs a value
    which did not come is passed over. `tolerance_seconds` bounds the age of a timestamp, in both
    directions.
    """

    secrets: tuple[str, ...] = field(default=(), repr=False)
    algorithm: str = "sha256"
    signature_headers: tuple[str, ...] = ("x-signature", "x-vapi-signature", "x-hub-signature-256")
    timestamp_header: str = "x-timestamp"
    message_id_header: str = "webhook-id"
    payload_formats: tuple[str, ...] = ("{timestamp}.{body}", "{body}")
    is_timestamp_required: bool = False
    is_secret_base64: bool = False
    tolerance_seconds: float = 300

    def __post_init__(self) -> None:
        if self.algorithm not in _ALGORITHMS:
            raise ConfigurationError(f"The webhook's HMAC algorithm must be one of {', '.join(_ALGORITHMS)}.")


def svix_like(secrets: tuple[str, ...]) -> Hmac:
    """Return the settings for signatures in the manner of Svix: base64, with the id of the message."""
    return Hmac(
        secrets=secrets,
        signature_headers=("webhook-signature", "svix-signature"),
        timestamp_header="webhook-timestamp",
        payload_formats=("{svix-id}.{timestamp}.{body}",),
        is_timestamp_required=True,
        is_secret_base64=True,
    )


def github_like(secrets: tuple[str, ...]) -> Hmac:
    """Return the settings for signatures in the manner of GitHub: over the body alone."""
    return Hmac(secrets=secrets, signature_headers=("x-hub-signature-256",), payload_formats=("{body}",))


@dataclass(frozen=True, kw_only=True)
class WebhookAuth:
    """What is accepted. Several secrets are accepted at once, so that they can be changed without a gap."""

    schemes: tuple[Scheme, ...] = (Scheme.SECRET, Scheme.BEARER)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    bearer_header: str = "authorization"
    hmac: Hmac = field(default_factory=Hmac)

    @property
    def is_configured(self) -> bool:
        """Whether anything can pass at all."""
        plain = {Scheme.SECRET, Scheme.BEARER} & set(self.schemes) and any(self.secrets)
        return bool(plain or (Scheme.HMAC in self.schemes and any(self.hmac.secrets)))


def verify(
    headers: Mapping[str, str],
    raw_body: bytes,
    *,
    config: WebhookAuth,
    now: datetime,
    method: str = "POST",
    url: str = "",
) -> bool:
    """Return whether one of the configured schemes vouches for exactly these bytes.

    `now` is aware; `url` is the public address of the webhook, needed only where signatures cover it.
    """
    sent = {name.lower(): value for name, value in headers.items()}
    checks = {
        Scheme.SECRET: lambda: _is_one_of(sent.get(SECRET_HEADER), config.secrets),
        Scheme.BEARER: lambda: _is_one_of(_bearer(sent, config.bearer_header.lower()), config.secrets),
        Scheme.HMAC: lambda: _is_signed(sent, raw_body, settings=config.hmac, now=now, place=(method, url)),
    }
    passed = [checks[scheme]() for scheme in config.schemes]
    return any(passed)


def _is_one_of(sent: str | None, secrets: Iterable[str]) -> bool:
    """Compare with every secret in constant time each; an empty secret never counts."""
    if not sent:
        return False
    matches = [hmac.compare_digest(_bytes(sent), _bytes(secret)) for secret in secrets if secret]
    return any(matches)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _bearer(sent: Mapping[str, str], header: str) -> str | None:
    """Return the token; in a header of another name than Authorization it may stand alone."""
    value = sent.get(header) or ""
    word, _, token = value.partition(" ")
    if word.lower() == "bearer":
        return token.strip()
    return value.strip() if header != "authorization" else None


def _is_signed(
    sent: Mapping[str, str], raw_body: bytes, *, settings: Hmac, now: datetime, place: tuple[str, str]
) -> bool:
    timestamp = sent.get(settings.timestamp_header.lower())
    if timestamp is None and settings.is_timestamp_required:
        return False
    if timestamp is not None and not _is_recent(timestamp, now=now, tolerance_seconds=settings.tolerance_seconds):
        return False
    signatures = [s for name in settings.signature_headers for s in _signatures(sent.get(name.lower()))]
    method, url = place
    parts = {
        "timestamp": timestamp,
        "method": method,
        "url": url,
        "svix-id": sent.get(settings.message_id_header),
    }
    payloads = [p for each in settings.payload_formats if (p := _payload(each, parts, raw_body)) is not None]
    digests = [d for p in payloads for d in _digests(p, settings)]
    matches = [hmac.compare_digest(digest, signature) for digest in digests for signature in signatures]
    return any(matches)


def _is_recent(timestamp: str, *, now: datetime, tolerance_seconds: float) -> bool:
    """Return whether a timestamp in epoch seconds or milliseconds lies within the tolerance."""
    if not (timestamp.isascii() and timestamp.isdigit()):
        return False
    if len(timestamp) not in {_SECOND_DIGITS, _MILLISECOND_DIGITS}:
        return False
    seconds = int(timestamp) / (1000 if len(timestamp) == _MILLISECOND_DIGITS else 1)
    moment = datetime.fromtimestamp(seconds, UTC)
    return abs(now - moment) <= timedelta(seconds=tolerance_seconds)


def _payload(template: str, parts: Mapping[str, str | None], raw_body: bytes) -> bytes | None:
    """Fill the template with bytes, the body last and untouched; None where a part is missing."""
    before, _, after = template.partition("{body}")
    for name, value in parts.items():
        mark = f"{{{name}}}"
        if mark in template and not value:
            return None
        before, after = before.replace(mark, value or ""), after.replace(mark, value or "")
    return _bytes(before) + (raw_body if "{body}" in template else b"") + _bytes(after)


def _digests(payload: bytes, settings: Hmac) -> list[bytes]:
    algorithm = _ALGORITHMS[settings.algorithm]
    keys = [_key(secret, is_base64=settings.is_secret_base64) for secret in settings.secrets if secret]
    return [hmac.new(key, payload, algorithm).digest() for key in keys if key]


def _key(secret: str, *, is_base64: bool) -> bytes:
    if not is_base64:
        return _bytes(secret)
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        return b""


def _signatures(header: str | None) -> list[bytes]:
    """Return the signatures in a header without prefixes (`sha256=`, `v1,`), decoded from hex or base64."""
    found = []
    for part in (header or "").split():
        bare = part.rpartition(",")[2]
        prefix, is_prefixed, rest = bare.partition("=")
        if is_prefixed and prefix.lower() in {*_ALGORITHMS, "v0", "v1"}:
            bare = rest
        found += _decoded(bare)
    return found


def _decoded(text: str) -> list[bytes]:
    decoded = []
    for decode in (bytes.fromhex, _from_base64):
        try:
            decoded.append(decode(text))
        except ValueError:
            continue
    return decoded


def _from_base64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
