"""Every page, light and wide, dark and narrow, with the worst names: accessible, never wider than its window."""

from typing import Literal

import pytest
from playwright.async_api import Browser, expect

from tests.support.accessibility import assert_accessible
from tests.support.furniture import furnish
from tests.support.house import House
from tests.support.page_watch import LOOKS, is_as_wide_as_its_window, watched_context

pytestmark = pytest.mark.anyio
# Addresses name the furniture in braces. A new page gets its line here.
PAGES = [
    "/",
    "/?q=nobody+is+called+so",
    "/campaigns/{completed}",
    "/campaigns/{running}",
    "/campaigns/{paused}",
    "/campaigns/{waiting}?page=2",
    "/campaigns/{failed}",
    "/campaigns/{completed}?outcome=voicemail&sort=latest",
    "/campaigns/{completed}?q=nobody+is+called+so",
    "/campaigns/{completed}/analytics",
    "/campaigns/{waiting}/analytics",
    "/campaigns/{completed}/events",
    "/assistants",
    "/assistants?state=templates",
    "/assistants/new",
    "/assistants/import",
    "/assistants/{assistant}",
    "/assistants/{assistant}/use",
    "/assistants/{assistant}/versions",
    "/assistants/{assistant}/drift",
    "/assistants/{assistant}/test-call",
    "/system",
    "/audit",
    "/audit?actor=nobody",
    "/privacy",
    "/settings",
    "/people",
    "/account",
    "/sign-in/new-password?ticket=x",
    "/nowhere",
]


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
async def test_every_page_shuts_nobody_out(
    browser: Browser, house: House, scheme: Literal["light", "dark"], width: int
) -> None:
    furniture = await furnish(house.database)
    async with watched_context(browser, house.url, width=width, scheme=scheme) as (context, watch):
        watch.announce("answer 404", "status of 404")
        page = await context.new_page()
        await page.goto(await house.link())
        for address in PAGES:
            await page.goto(address.format(**vars(furniture)))
            await expect(page.locator(".waiting")).to_have_count(0)  # what the provider has to say has come
            await assert_accessible(page)
            assert await is_as_wide_as_its_window(page), f"{address} scrolls sideways"
