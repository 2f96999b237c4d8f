"""Markup that somebody has stored runs in no page: shown, opened, sent back."""

import pytest
from playwright.async_api import Page, expect

from tests.support.evil import SHORT, infest
from tests.support.house import House

pytestmark = pytest.mark.anyio
PAGES = (
    "/",
    "/campaigns/{campaign_id}",
    "/campaigns/{campaign_id}/events",
    "/campaigns/{campaign_id}/analytics",
    "/campaigns/new?upload={upload_id}&assistant={assistant_id}",
    "/calls/{call_id}",
    "/assistants",
    "/assistants/{assistant_id}",
    "/assistants/{assistant_id}/use",
    "/assistants/{assistant_id}/versions",
    "/assistants/{assistant_id}/versions/2",
    "/assistants/{assistant_id}/test-call",
    "/analytics",
    "/system",
    "/people",
    "/account",
    "/audit",
)


async def test_nothing_that_was_stored_runs_in_a_browser(page: Page, house: House) -> None:
    names = await infest(house.runtime, "admin@example.com")
    for address in PAGES:
        await page.goto(address.format(**names))
        await expect(page.locator("h1").first).to_be_visible()
        assert await page.evaluate("window.evil") is None, address
        assert await page.locator("evil, img[src=x], [onerror]").count() == 0, address
        assert await page.locator("[href^='javascript:' i], [src^='javascript:' i]").count() == 0, address
    await page.goto(f"/campaigns/{names['campaign_id']}")
    await page.get_by_role("row").nth(1).get_by_role("link").first.click()
    await expect(page.get_by_role("dialog")).to_contain_text(SHORT)
    assert await page.evaluate("window.evil") is None
