"""Recordings in a bucket of an S3-compatible store, such as Supabase Storage or MinIO: one object each."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import IO
from uuid import UUID

import httpx

from autolynx.archive.port import ArchiveError, TooLarge
from autolynx.archive.s3_signature import EMPTY_SHA256, UNSIGNED, S3Account, signed_headers

_IN_MEMORY = 4 * 1024 * 1024
_AT_ONCE = 64 * 1024
_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
_NOT_FOUND = 404


class RecordingBucket:
    """A bucket, addressed by its path below the store's endpoint. Objects appear when they are whole."""

    def __init__(self, *, endpoint: str, bucket: str, account: S3Account, now: Callable[[], datetime]) -> None:
        self._base = f"{endpoint.rstrip('/')}/{bucket}/recordings"
        self._account = account
        self._now = now
        self._client = httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=False, trust_env=False)

    async def keep(self, call_id: UUID, chunks: AsyncIterator[bytes], *, most_bytes: int) -> int:
        """Gather the recording first: the store wants to know its size before it takes it."""
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
            size = await _gather(file, chunks, most_bytes=most_bytes)
            file.seek(0)
            headers = {"content-length": str(size), "content-type": "application/octet-stream"}
            await self._ask("PUT", call_id, headers=headers, content=_read(file), payload=UNSIGNED)
        return size

    async def size_of(self, call_id: UUID) -> int | None:
        """Ask for the head of the object."""
        response = await self._ask("HEAD", call_id, may_be_missing=True)
        length = response.headers.get("content-length", "")
        return int(length) if response.is_success and length.isdigit() else None

    @asynccontextmanager
    async def open(self, call_id: UUID, *, first: int, last: int) -> AsyncIterator[AsyncIterator[bytes]]:
        """Ask for that part of the object."""
        request = self._request("GET", call_id, headers={"range": f"bytes={first}-{last}"})
        try:
            response = await self._client.send(request, stream=True)
        except httpx.HTTPError as error:
            raise _unreachable(error) from None
        try:
            _check(response)
            yield _chunks(response)
        finally:
            await response.aclose()

    async def remove(self, call_id: UUID) -> None:
        """Delete the object."""
        await self._ask("DELETE", call_id, may_be_missing=True)

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.aclose()

    async def _ask(
        self,
        method: str,
        call_id: UUID,
        *,
        headers: dict[str, str] | None = None,
        content: AsyncIterator[bytes] | None = None,
        payload: str = EMPTY_SHA256,
        may_be_missing: bool = False,
    ) -> httpx.Response:
        request = self._request(method, call_id, headers=headers or {}, content=content, payload=payload)
        try:
            response = await self._client.send(request)
        except httpx.HTTPError as error:
            raise _unreachable(error) from None
        if not (may_be_missing and response.status_code == _NOT_FOUND):
            _check(response)
        return response

    def _request(
        self,
        method: str,
        call_id: UUID,
        *,
        headers: dict[str, str],
        content: AsyncIterator[bytes] | None = None,
        payload: str = EMPTY_SHA256,
    ) -> httpx.Request:
        url = f"{self._base}/{call_id.hex}"
        signed = signed_headers(method, url, account=self._account, now=self._now(), payload=payload, extra=headers)
        return self._client.build_request(method, url, headers=signed, content=content)


async def _gather(file: IO[bytes], chunks: AsyncIterator[bytes], *, most_bytes: int) -> int:
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > most_bytes:
            raise TooLarge
        try:
            await asyncio.to_thread(file.write, chunk)
        except OSError as error:
            raise ArchiveError(f"There is no room to gather a recording ({error.strerror}).") from None
    return size


async def _read(file: IO[bytes]) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(file.read, _AT_ONCE):
        yield chunk


async def _chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in response.aiter_bytes():
            yield chunk
    except httpx.HTTPError as error:
        raise _unreachable(error) from None


def _check(response: httpx.Response) -> None:
    if not response.is_success:
        raise ArchiveError(f"The store for recordings refused (status {response.status_code}).")


def _unreachable(error: httpx.HTTPError) -> ArchiveError:
    return ArchiveError(f"The store for recordings does not answer ({type(error).__name__}).")
