"""How a webhook proves where it comes from: plain secret, bearer token or HMAC in every documented form."""

import base64
import hashlib
import hmac
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

SCHEMES = ("none", "x-vapi-secret", "bearer", "hmac")
ALGORITHMS = {"sha256": hashlib.sha256, "sha512": hashlib.sha512, "sha1": hashlib.sha1}


class UnknownAuthError(ValueError):
    """An authentication setting that cannot be understood."""


@dataclass(frozen=True, kw_only=True)
class Hmac:
    """The options of an HMAC credential, named as in the service's dashboard (in snake case)."""

    algorithm: str = "sha256"
    signature_header: str = "x-signature"
    timestamp_header: str = "x-timestamp"
    signature_prefix: str = ""
    include_timestamp: bool = True
    payload_format: str = "{timestamp}.{body}"
    message_id_header: str = ""
    signature_encoding: str = "hex"
    secret_is_base64: bool = False
    timestamp_unit: str = "seconds"


PRESETS = {
    "default": Hmac(),
    "github": Hmac(
        signature_header="x-hub-signature-256",
        signature_prefix="sha256=",
        include_timestamp=False,
        payload_format="{body}",
    ),
    "svix": Hmac(
        signature_header="webhook-signature",
        timestamp_header="webhook-timestamp",
        signature_prefix="v1,",
        payload_format="{svix-id}.{timestamp}.{body}",
        message_id_header="webhook-id",
        signature_encoding="base64",
        secret_is_base64=True,
    ),
}


@dataclass(frozen=True, kw_only=True)
class WebhookAuth:
    """The credential that the account has configured for its webhooks."""

    scheme: str = "none"
    secret: str = ""
    header_name: str = "Authorization"
    bearer_prefix: bool = True
    hmac: Hmac = Hmac()

    def changed(self, wishes: Mapping[str, object]) -> "WebhookAuth":
        """Set some settings of this credential anew; refuse what is unknown."""
        plain = {key: value for key, value in wishes.items() if key not in {"hmac", "preset"}}
        options = wishes.get("hmac", {})
        base = PRESETS.get(str(wishes.get("preset", ""))) if "preset" in wishes else self.hmac
        if base is None or not isinstance(options, dict):
            raise UnknownAuthError(f"preset must be one of {', '.join(PRESETS)} and hmac an object")
        _refuse_unknown(plain, WebhookAuth)
        _refuse_unknown(options, Hmac)
        wanted: dict[str, Any] = {**plain, "hmac": replace(base, **options)}
        auth = replace(self, **wanted)
        return _valid(auth)

    def headers(self, body: bytes, *, url: str, message_id: str, now: float) -> dict[str, str]:
        """Make the headers that authenticate this delivery of this body."""
        if self.scheme == "x-vapi-secret":
            return {"X-Vapi-Secret": self.secret}
        if self.scheme == "bearer":
            return {self.header_name: f"Bearer {self.secret}" if self.bearer_prefix else self.secret}
        if self.scheme == "hmac":
            return sign(self.hmac, self.secret, body, url=url, message_id=message_id, now=now)
        return {}


def sign(options: Hmac, secret: str, body: bytes, *, url: str, message_id: str, now: float) -> dict[str, str]:
    """Sign raw bytes; the body is spliced in as bytes so that nothing re-encodes it."""
    timestamp = str(int(now * 1000 if options.timestamp_unit == "milliseconds" else now))
    filled = options.payload_format
    for name, value in (("timestamp", timestamp), ("method", "POST"), ("url", url), ("svix-id", message_id)):
        filled = filled.replace("{" + name + "}", value)
    signed = filled.encode().replace(b"{body}", body)
    key = base64.b64decode(secret) if options.secret_is_base64 else secret.encode()
    digest = hmac.new(key, signed, ALGORITHMS[options.algorithm]).digest()
    text = base64.b64encode(digest).decode() if options.signature_encoding == "base64" else digest.hex()
    headers = {options.signature_header: options.signature_prefix + text}
    if options.include_timestamp:
        headers[options.timestamp_header] = timestamp
    if options.message_id_header:
        headers[options.message_id_header] = message_id
    return headers


def spoiled(headers: Mapping[str, str], auth_names: frozenset[str]) -> dict[str, str]:
    """Copy headers with every proof of origin made wrong, lengths kept."""
    return {
        name: value[:-4] + _other(value[-4:]) if name.lower() in auth_names else value
        for name, value in headers.items()
    }


def auth_header_names(auth: WebhookAuth) -> frozenset[str]:
    """Lower-case names of the headers that a forger would have to get right."""
    return frozenset({"x-vapi-secret", "authorization", auth.header_name.lower(), auth.hmac.signature_header.lower()})


def new_message_id() -> str:
    """Make an id for one message, kept over its retries."""
    return f"msg_{uuid.uuid4().hex}"


def wall_time() -> float:
    """Seconds since the epoch; signatures always tell the real time."""
    return time.time()


def _other(text: str) -> str:
    return "".join("0" if character != "0" else "1" for character in text)


def _refuse_unknown(wishes: Mapping[str, object], kind: type) -> None:
    known = {each.name for each in fields(kind)}
    unknown = sorted(set(wishes) - known)
    if unknown:
        raise UnknownAuthError(f"unknown setting {', '.join(unknown)}; known are {', '.join(sorted(known))}")


def _valid(auth: WebhookAuth) -> WebhookAuth:
    if auth.scheme not in SCHEMES:
        raise UnknownAuthError(f"scheme must be one of {', '.join(SCHEMES)}")
    if auth.scheme != "none" and not auth.secret:
        raise UnknownAuthError("this scheme needs a secret")
    if auth.hmac.algorithm not in ALGORITHMS:
        raise UnknownAuthError(f"algorithm must be one of {', '.join(ALGORITHMS)}")
    return auth
