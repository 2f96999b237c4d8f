"""Fetching a recording: our route names a short-lived address elsewhere, which never sees our key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote, urljoin, urlsplit

import httpx

from autolynx.errors import ProviderError, ProviderUnreachable
from autolynx.provider.port import Recording
from autolynx.provider.vapi_http import Wire, stumbled, unreachable
from autolynx.provider.wire_values import is_loopback

_DOING = "fetch the recording"
_ROUTES = ("mono-recording", "stereo-recording")
_MOST_REDIRECTS = 3
_PLAIN_TYPES = frozenset({"", "application/octet-stream", "binary/octet-stream"})
_DEFAULT_TYPE = "audio/wav"


@asynccontextmanager
async def open_recording(wire: Wire, provider_call_id: str) -> AsyncIterator[Recording]:
    """Open the mixed recording of a call, or the stereo one where there is no other.

    Raises ProviderError where there is none (status 404), ProviderUnreachable where it cannot be asked for.
    """
    response = await _open_first(wire, provider_call_id)
    try:
        yield Recording(
            content_type=_audio_type(response),
            content_length=_length(response),
            chunks=_chunks(response),
        )
    finally:
        await response.aclose()


def may_connect(url: str, *, base_url: str) -> bool:
    """Return whether an address named by the provider may be asked: https, this machine, or its own."""
    try:
        parts, base = urlsplit(url), urlsplit(base_url)
    except ValueError:
        return False
    if not parts.hostname:
        return False
    is_own = (parts.scheme, parts.netloc) == (base.scheme, base.netloc)
    return parts.scheme == "https" or (parts.scheme == "http" and (is_own or is_loopback(parts.hostname)))


async def _open_first(wire: Wire, provider_call_id: str) -> httpx.Response:
    for route in _ROUTES:
        response = await _open_route(wire, wire.url(f"/call/{quote(provider_call_id, safe='')}/{route}"))
        if response.status_code == 200 and _is_audio(response):
            return response
        await response.aclose()
        if response.status_code != 404:
            raise _problem(response)
    raise ProviderError("Vapi has no recording of this call (any more).", status=404)


async def _open_route(wire: Wire, url: str) -> httpx.Response:
    response = await _get(wire, url, headers=wire.authorization)
    for _ in range(_MOST_REDIRECTS):
        if not response.has_redirect_location:
            break
        await response.aclose()
        url = _joined(url, response.headers["location"])
        if not may_connect(url, base_url=wire.base_url):
            raise ProviderError("Vapi named an address for the recording that is not safe to ask.")
        response = await _get(wire, url, headers={})
    return response


def _joined(url: str, location: str) -> str:
    """Return where a redirect leads; '' where that is no address."""
    try:
        return urljoin(url, location)
    except ValueError:
        return ""


async def _get(wire: Wire, url: str, *, headers: dict[str, str]) -> httpx.Response:
    try:
        return await wire.client.send(wire.client.build_request("GET", url, headers=headers), stream=True)
    except httpx.HTTPError as error:
        raise unreachable(error, doing=_DOING) from None
    except httpx.InvalidURL:
        raise ProviderError("Vapi named an address for the recording that is none.") from None


def _problem(response: httpx.Response) -> ProviderError:
    if response.status_code == 429 or response.status_code >= 500:
        return stumbled(response.status_code, doing=_DOING)
    return ProviderError(f"Vapi did not {_DOING} (status {response.status_code}).", status=response.status_code)


def _media_type(response: httpx.Response) -> str:
    return str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()


def _is_audio(response: httpx.Response) -> bool:
    media = _media_type(response)
    return media in _PLAIN_TYPES or media.startswith(("audio/", "video/"))


def _audio_type(response: httpx.Response) -> str:
    media = _media_type(response)
    return _DEFAULT_TYPE if media in _PLAIN_TYPES else media


def _length(response: httpx.Response) -> int | None:
    """Return the size in bytes; None where it is not told or counts compressed bytes."""
    told = response.headers.get("content-length", "")
    return int(told) if told.isdigit() and "content-encoding" not in response.headers else None


async def _chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in response.aiter_bytes():
            yield chunk
    except httpx.HTTPError:
        raise ProviderUnreachable("The recording broke off on its way. Try again shortly.") from None
