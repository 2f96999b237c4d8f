"""Takes pages: light and dark, wide and narrow."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, FloatRect, Page, async_playwright

from screenshots.pages import Scheme, Shot
from screenshots.story import Tale
from tools.chromium import OPTIONS

SCHEMES: tuple[Scheme, ...] = ("light", "dark")
SIZES = {1280: 800, 390: 844}
SETTLE_MILLISECONDS = 700  # for what fades or slides in
CHANGE_MILLISECONDS = 200  # from light to dark
TALLEST = 2400
QUALITIES = (90, 80, 70, 60, 50)
MOST_BYTES = 150_000


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a page is looked at."""

    scheme: Scheme
    width: int


class Camera:
    """A browser that looks at one installation."""

    def __init__(self, browser: Browser, url: str, tale: Tale) -> None:
        self._browser = browser
        self._url = url
        self._tale = tale

    @asynccontextmanager
    async def look(self, look: Look, link: str) -> AsyncIterator[BrowserContext]:
        """Open a window of that look and sign in by the link."""
        context = await self._browser.new_context(
            base_url=self._url,
            viewport={"width": look.width, "height": SIZES[look.width]},
            color_scheme=look.scheme,
            device_scale_factor=2 if look.width < SIZES[look.width] else 1,
            reduced_motion="reduce",
            locale="en-US",
        )
        try:
            page = await context.new_page()
            await page.goto(link)
            await page.close()
            yield context
        finally:
            await context.close()

    async def take(self, context: BrowserContext, shot: Shot, into: Path, width: int) -> None:
        """Take a whole page in both colours, or the upper part of one that goes on for ever."""
        page = await self._arrive(context, shot)
        tall = await page.evaluate("document.documentElement.scrollHeight")
        clip: FloatRect = {"x": 0, "y": 0, "width": width, "height": min(tall, TALLEST)}
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme=scheme)
            await page.wait_for_timeout(CHANGE_MILLISECONDS)
            await page.screenshot(path=into / f"{shot.name}-{width}-{scheme}.png", full_page=True, clip=clip)
        await page.close()

    async def take_small(self, context: BrowserContext, shot: Shot, into: Path) -> None:
        """Take what a window shows, as a file that is small enough for a README."""
        page = await self._arrive(context, shot)
        session = await context.new_cdp_session(page)
        for quality in QUALITIES:
            answer = await session.send("Page.captureScreenshot", {"format": "webp", "quality": quality})
            picture = base64.b64decode(answer["data"])
            if len(picture) <= MOST_BYTES:
                break
        into.write_bytes(picture)
        await page.close()

    async def _arrive(self, context: BrowserContext, shot: Shot) -> Page:
        if not shot.is_signed_in:
            await context.clear_cookies()
        page = await context.new_page()
        await page.goto(shot.address_in(self._tale))
        if shot.act is not None:
            await shot.act(page)
        await page.wait_for_timeout(SETTLE_MILLISECONDS)
        return page


@asynccontextmanager
async def opened_browser(program: str) -> AsyncIterator[Browser]:
    """Run a browser while the block lasts."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=OPTIONS)
        try:
            yield browser
        finally:
            await browser.close()
