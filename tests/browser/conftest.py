"""A browser before a whole installation. Tests find things as people do: by role, label and words."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.support.browser import require_chromium, running_browser
from tests.support.house import House, running_house
from tests.support.page_watch import PATIENCE_MILLISECONDS, Watch, watched_context

expect.set_options(timeout=PATIENCE_MILLISECONDS)


@pytest.fixture(scope="package")
def chromium() -> str:
    return require_chromium()


@pytest.fixture(scope="package")
async def browser(chromium: str, anyio_backend: str) -> AsyncIterator[Browser]:
    """One browser for all these tests of a process."""
    async with running_browser(chromium) as opened:
        yield opened


@pytest.fixture
async def house(request: pytest.FixtureRequest, chromium: str, database_url: str) -> AsyncIterator[House]:
    """The installation of this test; the mark `house` says what is set otherwise in it."""
    marked = request.node.get_closest_marker("house")
    async with running_house(database_url, **(marked.kwargs if marked else {})) as running:
        yield running


@pytest.fixture
async def watched(browser: Browser, house: House) -> AsyncIterator[tuple[BrowserContext, Watch]]:
    async with watched_context(browser, house.url) as opened:
        yield opened


@pytest.fixture
def watch(watched: tuple[BrowserContext, Watch]) -> Watch:
    """What notices errors behind the page; `announce` what a test causes on purpose."""
    return watched[1]


@pytest.fixture
async def stranger(watched: tuple[BrowserContext, Watch]) -> Page:
    """A page of somebody who is not signed in, before its first address."""
    return await watched[0].new_page()


@pytest.fixture
async def page(stranger: Page, house: House) -> Page:
    """A page of an operator who is signed in and sees the list of campaigns."""
    await stranger.goto(await house.link())
    return stranger
