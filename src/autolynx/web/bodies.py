"""What a body may weigh and how long it may take, before anybody reads it."""

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive

from autolynx.errors import PayloadTooLarge
from autolynx.settings import WEBHOOK_PATH, Settings
from autolynx.web.problems import own_path

MOST_WEBHOOK_BYTES = 5 * 1024 * 1024
MOST_BODY_BYTES = 1024 * 1024  # of JSON and forms: an assistant, the longest there is, has a quarter of it
FORM_BYTES = 1024 * 1024  # what a form may bear besides its file
LEAST_BYTES_PER_SECOND = 8 * 1024
_FILES = frozenset({"/api/uploads", "/api/campaigns"})
_PARTS = "/api/uploads/"


def most_bytes(connection: HTTPConnection, settings: Settings) -> int:
    """Return how large the body of a request may be, by where it goes."""
    path = own_path(connection.scope)
    if path == WEBHOOK_PATH:
        return MOST_WEBHOOK_BYTES
    if path in _FILES or (path.startswith(_PARTS) and "/parts/" in path):
        return settings.max_upload_bytes + FORM_BYTES
    return MOST_BODY_BYTES


def check_length(connection: HTTPConnection, most: int) -> None:
    """Raise PayloadTooLarge for a body that says itself that it is too large."""
    length = connection.headers.get("content-length", "")
    if length.isdigit() and int(length[:20]) > most:
        raise PayloadTooLarge(f"The body is larger than {most:,} bytes.", details={"limitBytes": most})


class IncomingBody:
    """Receives a body as long as it keeps its limit and its pace; after its end it only passes messages on.

    Counts bodies that do not say their length, too. Raises HTTPException: FastAPI takes everything else that comes
    up while it reads a body for a body that cannot be read.
    """

    def __init__(self, receive: Receive, *, most: int, seconds: float) -> None:
        self._receive = receive
        self._most = most
        self._seconds = seconds
        self._taken = 0
        self._began: float | None = None
        self._is_whole = False

    async def __call__(self) -> Message:
        """Return the next piece."""
        if self._is_whole:
            return await self._receive()
        message = await self._next_in_time()
        self._is_whole = message["type"] != "http.request" or not message.get("more_body", False)
        self._taken += len(message.get("body", b""))
        if self._taken > self._most:
            raise HTTPException(413, headers={"Connection": "close"})
        return message

    async def _next_in_time(self) -> Message:
        now = asyncio.get_running_loop().time()
        self._began = now if self._began is None else self._began
        try:
            async with asyncio.timeout_at(self._began + self._seconds + self._taken / LEAST_BYTES_PER_SECOND):
                return await self._receive()
        except TimeoutError:
            raise HTTPException(408, headers={"Connection": "close"}) from None
