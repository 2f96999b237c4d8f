"""Plain HTTP to Supabase Auth: one time limit for each exchange, no redirects, bounded answers, nothing repeated."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from autolynx.errors import IdentityError, IdentityUnreachable

API_VERSION = "2024-01-01"  # from which on `code` is a word
MOST_BYTES = 1024 * 1024
TRY_AGAIN = "Try again shortly."
_IDLE_SECONDS = 4.0


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer of the server: `code` is its word for an error, None where the server gave none."""

    status: int
    body: dict[str, Any] = field(repr=False)
    code: str | None = None
    retry_after: int | None = None

    @property
    def is_success(self) -> bool:
        """Whether the server did what was asked."""
        return 200 <= self.status < 300


class AuthWire:
    """The routes of one project under `/auth/v1`. The key of the project goes along, and nowhere else."""

    def __init__(self, *, project_url: str, anon_key: str, timeout_seconds: float) -> None:
        self.base_url = project_url.rstrip("/") + "/auth/v1"
        self._timeout_seconds = timeout_seconds
        self._client = httpx.AsyncClient(
            headers={"apikey": anon_key, "X-Supabase-Api-Version": API_VERSION},
            timeout=timeout_seconds,
            limits=httpx.Limits(max_connections=50, keepalive_expiry=_IDLE_SECONDS),
            follow_redirects=False,
        )

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.aclose()

    async def send(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, str] | None = None,
        access_token: str | None = None,
    ) -> Reply:
        """Send one request once. Raises IdentityUnreachable for trouble on the way and on the other side."""
        headers = {"Authorization": f"Bearer {access_token}"} if access_token else {}
        try:
            request = self._client.build_request(
                method, self.base_url + path, json=json, params=params, headers=headers
            )
            async with asyncio.timeout(self._timeout_seconds):
                response = await self._client.send(request, stream=True)
                async with aclosing(response):
                    content = await _read_bounded(response)
        except (TimeoutError, httpx.HTTPError) as error:
            raise IdentityUnreachable(f"Supabase could not be asked: {_kind_of(error)}. {TRY_AGAIN}") from None
        except ValueError:  # half a character, or a line break where a header has none
            raise IdentityError("Supabase was not asked: what should be sent cannot travel.") from None
        return _read(response, content)


async def _read_bounded(response: httpx.Response) -> bytes:
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > MOST_BYTES:
            raise httpx.TransportError("the answer is too large")
    return bytes(content)


def _read(response: httpx.Response, content: bytes) -> Reply:
    status = response.status_code
    if status >= 500:
        raise IdentityUnreachable(f"Supabase could not answer (status {status}). {TRY_AGAIN}")
    body = _json_of(content) if content else {}
    if body is None or 300 <= status < 400:
        raise IdentityError(f"What SUPABASE_URL names is not Supabase Auth (status {status}): check the address.")
    return Reply(
        status=status,
        body=body,
        code=_code_of(body, response.headers.get("x-sb-error-code")),
        retry_after=_seconds(response.headers.get("retry-after")),
    )


def _json_of(content: bytes) -> dict[str, Any] | None:
    try:
        body = orjson.loads(content)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _code_of(body: dict[str, Any], header: str | None) -> str | None:
    """Return the word for an error: newer servers say `code`, older ones `error_code`, and both a header."""
    return next((word for word in (body.get("code"), body.get("error_code"), header) if isinstance(word, str)), None)


def _seconds(value: str | None) -> int | None:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 6 else None


def _kind_of(error: Exception) -> str:
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return "it did not answer in time"
    if isinstance(error, httpx.ConnectError | httpx.ProxyError | httpx.UnsupportedProtocol):
        return "no connection could be made"
    return "the connection broke"
