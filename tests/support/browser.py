"""A Chromium of this machine, driven by Playwright. It downloads no browser of its own."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, async_playwright

from tools.chromium import MISSING, OPTIONS, find_chromium


def require_chromium() -> str:
    """Return the program to start. Without one the tests are skipped, but in CI they fail."""
    found = find_chromium()
    if found is not None:
        return found
    if os.environ.get("CI") == "true":
        pytest.fail(MISSING, pytrace=False)
    pytest.skip(MISSING)


@asynccontextmanager
async def running_browser(program: str) -> AsyncIterator[Browser]:
    """Run a browser without windows. It ends with this process, whatever ends that; its profile goes with it."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=OPTIONS)
        try:
            yield browser
        finally:
            await browser.close()
