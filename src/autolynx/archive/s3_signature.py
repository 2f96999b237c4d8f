"""Signing requests to an S3-compatible store: AWS Signature Version 4, all headers that are given."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote, urlsplit

EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
UNSIGNED = "UNSIGNED-PAYLOAD"  # of a body that is streamed; TLS guards it


@dataclass(frozen=True, kw_only=True)
class S3Account:
    """Who asks, and in which region the store says it is."""

    region: str
    key_id: str
    secret: str = field(repr=False)


def signed_headers(
    method: str, url: str, *, account: S3Account, now: datetime, payload: str = EMPTY_SHA256, extra: Mapping[str, str]
) -> dict[str, str]:
    """Return the headers of a request with its signature; `now` is UTC, `payload` the hash of the body or UNSIGNED."""
    parts = urlsplit(url)
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    headers = {"host": parts.netloc, "x-amz-content-sha256": payload, "x-amz-date": stamp}
    headers |= {name.lower(): value.strip() for name, value in extra.items()}
    names = ";".join(sorted(headers))
    request = "\n".join(
        [
            *(method, quote(parts.path, safe="/-._~"), parts.query),
            *(f"{name}:{headers[name]}" for name in sorted(headers)),
            *("", names, payload),
        ]
    )
    scope = f"{stamp[:8]}/{account.region}/s3/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(request.encode()).hexdigest()])
    signature = hmac.new(_key(account, stamp[:8]), to_sign.encode(), hashlib.sha256).hexdigest()
    proof = f"AWS4-HMAC-SHA256 Credential={account.key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**headers, "authorization": proof}


def _key(account: S3Account, day: str) -> bytes:
    key = f"AWS4{account.secret}".encode()
    for part in (day, account.region, "s3", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
