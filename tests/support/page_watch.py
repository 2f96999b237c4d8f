"""Watches a browser while a test uses it: whatever goes wrong behind the page is told at the end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, WebError

WIDE = 1280
PHONE = 390
HEIGHT = {WIDE: 800, PHONE: 844}
# What each page is judged in: colours depend on the one, the layout on the other, hardly anything on both together.
LOOKS = [(WIDE, "light"), (PHONE, "dark")]
PATIENCE_MILLISECONDS = 15_000
GIVEN_UP = "net::ERR_ABORTED"  # the page left, a download began, or a stream was closed: nobody failed
# Heard in the page itself, for what a policy forbids is not always said on the console.
TELL_OF_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) => console.error(
  `content policy: ${event.violatedDirective} forbids ${event.blockedURI || "inline"}`,
  `in ${event.sourceFile}:${event.lineNumber}`,
));
"""


class Watch:
    """What went wrong in a browser's context. A test announces what it lets go wrong on purpose."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.troubles: list[str] = []
        self._announced: list[str] = []

    def announce(self, *parts: str) -> None:
        """Let pass what contains one of these words, and demand that each does happen."""
        self._announced += parts

    def follow(self, context: BrowserContext) -> None:
        """Listen to every page of a context, from its first request on."""
        context.on("console", self._console)
        context.on("weberror", self._crash)
        context.on("request", self._request)
        context.on("requestfailed", self._failure)
        context.on("response", self._response)

    def verdict(self) -> None:
        """Fail with everything that went wrong unannounced, and with what was announced and did not happen."""
        unannounced = [one for one in self.troubles if not any(part in one for part in self._announced)]
        missed = [part for part in self._announced if not any(part in one for one in self.troubles)]
        assert unannounced == [], "the browser noticed:\n" + "\n".join(unannounced)
        assert missed == [], f"announced, but it did not happen: {missed}"

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning", "assert"}:
            where = message.location
            self.troubles.append(f"console {message.type}: {message.text} ({where['url']}:{where['lineNumber']})")

    def _crash(self, error: WebError) -> None:
        self.troubles.append(f"uncaught: {error.error}")

    def _request(self, request: Request) -> None:
        if urlsplit(request.url).scheme in {"data", "blob"}:
            return
        if not request.url.startswith(f"{self.origin}/"):
            self.troubles.append(f"another host: {request.method} {request.url}")

    def _failure(self, request: Request) -> None:
        if request.failure != GIVEN_UP:
            self.troubles.append(f"failed: {request.method} {request.url} {request.failure}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.troubles.append(f"answer {response.status}: {response.request.method} {response.url}")


@asynccontextmanager
async def watched_context(
    browser: Browser,
    origin: str,
    *,
    width: int = WIDE,
    scheme: Literal["light", "dark"] = "light",
    timezone: str = "UTC",
    **options: Any,
) -> AsyncIterator[tuple[BrowserContext, Watch]]:
    """Open a profile of its own, empty and gone afterwards, and judge at the end what happened in it."""
    size = {"width": width, "height": HEIGHT[width]}
    context = await browser.new_context(
        base_url=origin,
        viewport={"width": size["width"], "height": size["height"]},
        has_touch=width == PHONE,
        color_scheme=scheme,
        locale="en-US",
        timezone_id=timezone,
        **options,
    )
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    await context.add_init_script(TELL_OF_VIOLATIONS)
    watch = Watch(origin)
    watch.follow(context)
    try:
        yield context, watch
    finally:
        await context.close()
    watch.verdict()


async def is_as_wide_as_its_window(page: Page) -> bool:
    """Whether a page can be read without scrolling sideways."""
    return bool(await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))
