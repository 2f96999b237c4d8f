"""A Chromium of this machine, driven by Playwright. It downloads no browser of its own."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
NO_BROWSER = (
    "No browser is at hand: install Chromium (Debian: apt-get install chromium), or name one by AUTOLYNX_TEST_CHROMIUM."
)


def find_chromium() -> str:
    """Return the program to start. Without one the tests are skipped, but in CI they fail."""
    named = os.environ.get("AUTOLYNX_TEST_CHROMIUM")
    found = next(filter(None, map(shutil.which, [named] if named else NAMES)), None)
    if found is not None:
        return found
    if os.environ.get("CI") == "true":
        pytest.fail(NO_BROWSER, pytrace=False)
    pytest.skip(NO_BROWSER)


@asynccontextmanager
async def running_browser(program: str) -> AsyncIterator[Browser]:
    """Run a browser without windows. It ends with this process, whatever ends that; its profile goes with it."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=OPTIONS)
        try:
            yield browser
        finally:
            await browser.close()
