"""Plain HTTP to the provider: explicit time limits, no redirects, reads repeated a little, writes never."""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx
import stamina

from autolynx.errors import ConfigurationError, ProviderError, ProviderUnreachable
from autolynx.provider.wire_errors import Answer, is_unknown_route, messages_of, read_answer, readable

CONNECT_SECONDS = 5.0
IDLE_SECONDS = 4.0  # below the 5 s after which small servers drop idle connections: no request meets a closing door
DEADLINE_MARGIN_SECONDS = 0.5
READ_ATTEMPTS = 3
LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=50, keepalive_expiry=IDLE_SECONDS)
MOST_BYTES = 64 * 1024 * 1024  # of one answer; a page of calls with transcripts is far below

# Nothing has left us yet: no connection was made.
NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)

Launch = Callable[[httpx.Timeout, httpx.Limits], httpx.AsyncClient]


class AnswerTooLargeError(httpx.TransportError):
    """An answer beyond any that makes sense."""


class _Broken(Exception):
    """A read that may be repeated: the connection broke or the provider stumbled."""

    def __init__(self, cause: ProviderUnreachable) -> None:
        super().__init__(cause.message)
        self.cause = cause


def launch_client(timeout: httpx.Timeout, limits: httpx.Limits) -> httpx.AsyncClient:
    """Start a client of the usual kind. It follows no redirects and carries no key by itself."""
    return httpx.AsyncClient(timeout=timeout, limits=limits, follow_redirects=False, verify=_trusted())


@cache
def _trusted() -> ssl.SSLContext:
    """Read the certificates of authorities once in a process: that takes longer than a request."""
    return httpx.create_ssl_context()


@dataclass(frozen=True, kw_only=True)
class Wire:
    """A client with the address and key of an account."""

    client: httpx.AsyncClient
    base_url: str
    api_key: str
    timeout_seconds: float

    def url(self, path: str) -> str:
        """Return the full address of a route."""
        return self.base_url + path

    @property
    def deadline_seconds(self) -> float:
        """The longest that a whole exchange may take: a connection from the pool, TCP, TLS and the answer.

        It is longer than these together, so that a connection that was never made is known as such.
        """
        return self.timeout_seconds + 3 * connect_seconds(self.timeout_seconds) + DEADLINE_MARGIN_SECONDS

    @property
    def authorization(self) -> dict[str, str]:
        """The header that goes to the provider, and never anywhere else."""
        return {"Authorization": f"Bearer {self.api_key}"}

    async def send(
        self,
        method: str,
        url: str,
        *,
        json: Any = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request once and read its answer.

        Raises what httpx raises, and httpx.ReadTimeout at the end of the time for the whole exchange,
        however slowly the answer drips.
        """
        request = self.client.build_request(method, url, json=json, params=params, headers=headers)
        try:
            async with asyncio.timeout(self.deadline_seconds):
                response = await self.client.send(request, stream=True)
                async with aclosing(response):
                    content = await _read_bounded(response)
        except TimeoutError:
            raise httpx.ReadTimeout("the answer took too long", request=request) from None
        return read_answer(response.status_code, content, response.headers.get("retry-after"))

    async def read(self, path: str, *, doing: str, params: Mapping[str, str] | None = None) -> Answer:
        """GET a route, repeated a little when the connection breaks or the provider stumbles.

        Returns a success or a 404. Raises ProviderUnreachable or ProviderError for anything else.
        """
        try:
            async for attempt in stamina.retry_context(
                on=_Broken,
                attempts=READ_ATTEMPTS,
                wait_initial=0.1,
                wait_max=0.5,
                wait_jitter=0.1,
                timeout=10,
            ):
                with attempt:
                    return await self._read_once(path, doing=doing, params=params)
        except _Broken as broken:
            raise broken.cause from None
        raise ProviderUnreachable(f"Vapi could not be asked to {doing}.")

    async def _read_once(self, path: str, *, doing: str, params: Mapping[str, str] | None) -> Answer:
        try:
            answer = await self.send("GET", self.url(path), params=params, headers=self.authorization)
        except httpx.TimeoutException as error:
            raise unreachable(error, doing=doing) from None
        except httpx.HTTPError as error:
            raise _Broken(unreachable(error, doing=doing)) from None
        if answer.status >= 500:
            raise _Broken(stumbled(answer.status, doing=doing))
        if answer.status == 404 and answer.is_json and not is_unknown_route(answer):
            return answer
        return checked(answer, doing=doing)

    async def write(self, method: str, path: str, *, doing: str, json: Any = None) -> Answer:
        """Send a change, once, and return a success; raises ProviderUnreachable or ProviderError."""
        try:
            answer = await self.send(method, self.url(path), json=json, headers=self.authorization)
        except httpx.HTTPError as error:
            raise unreachable(error, doing=doing) from None
        except ValueError:  # NaN or half a character: no JSON
            raise ProviderError(f"Vapi was not asked to {doing}: what should be sent is no JSON.") from None
        return checked(answer, doing=doing)


def connect_seconds(timeout_seconds: float) -> float:
    """Return how long making a connection may take: no longer than waiting for the answer."""
    return min(CONNECT_SECONDS, timeout_seconds)


async def _read_bounded(response: httpx.Response) -> bytes:
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > MOST_BYTES:
            raise AnswerTooLargeError("the answer is too large", request=response.request)
    return bytes(content)


def checked(answer: Answer, *, doing: str) -> Answer:
    """Return a success that holds JSON; raise what any other answer means."""
    if answer.is_success and answer.is_json:
        return answer
    if answer.status == 429 or answer.status >= 500:
        raise stumbled(answer.status, doing=doing)
    raise refused(answer, doing=doing)


def unreachable(error: httpx.HTTPError, *, doing: str) -> ProviderUnreachable:
    """Return what a failed exchange means, by its kind alone: the text of the error may hold addresses."""
    return ProviderUnreachable(f"Vapi could not be asked to {doing}: {_kind_of(error)}. Try again shortly.")


def stumbled(status: int, *, doing: str) -> ProviderUnreachable:
    """Return what an overload or a server error means."""
    return ProviderUnreachable(f"Vapi could not {doing}: it answered {status}. Try again shortly.", status=status)


def refused(answer: Answer, *, doing: str) -> ProviderError:
    """Return what a refusal means, with what the provider said about it."""
    said = readable(messages_of(answer.body))
    is_wrong = not answer.is_json or is_unknown_route(answer)
    hint = _HINTS.get(answer.status) or (_WRONG_ADDRESS if is_wrong else said)
    text = f"Vapi did not {doing} (status {answer.status})" + (f": {hint}" if hint else "")
    return ProviderError(text if text.endswith((".", "!", "?")) else f"{text}.", status=answer.status)


def check_key(api_key: str) -> None:
    """Raise ConfigurationError for a key that cannot travel in a header: every call would break."""
    if not api_key or not all("!" <= char <= "~" for char in api_key):
        raise ConfigurationError("VAPI_API_KEY is empty or has characters that no key has, such as a line break.")


_WRONG_ADDRESS = "this is not Vapi's API: check VAPI_BASE_URL"
_HINTS = {
    401: "check VAPI_API_KEY",
    403: "the API key may not do this",
}


def _kind_of(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "it did not answer in time"
    if isinstance(error, NOT_SENT):
        return "no connection could be made"
    return "the connection broke"
