"""Answers to reading go compressed. Live streams and recordings do not, and nothing that was just made secret.

How well something is compressed tells what is in it (BREACH): whoever can watch the length of many answers and put
words of his own into them learns, letter by letter, a secret that stands in all of them. So a page shows its CSRF token
behind a mask that is new each time (`web.masking`), and answers to POST, in which tokens are shown once, stay plain.
"""

from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

LEAST_BYTES = 1024
LEVEL = 6
PLAIN = (*DEFAULT_EXCLUDED_CONTENT_TYPES, "application/octet-stream")


class Compression:
    """ASGI middleware that compresses what a GET reads."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._compressed = GZipMiddleware(app, LEAST_BYTES, LEVEL, exclude_content_types=PLAIN)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, compressed where that is safe and worth it."""
        is_reading = scope["type"] == "http" and scope["method"] == "GET"
        await (self._compressed if is_reading else self._app)(scope, receive, send)
