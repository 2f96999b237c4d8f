"""The list of campaigns: searched, filtered, sorted and paged by mouse and keyboard; its address keeps it."""

import re
from datetime import timedelta

import pytest
from playwright.async_api import Page, expect

from autolynx.runtime import SystemClock
from tests.support.campaign_rows import change_campaign
from tests.support.engine import make_campaign
from tests.support.furniture import LONG_NAME, furnish
from tests.support.house import House

pytestmark = pytest.mark.anyio


async def test_an_empty_house_shows_the_way_to_the_first_campaign(page: Page) -> None:
    await expect(page.get_by_role("heading", name="Call your first list")).to_be_visible()
    await expect(page.get_by_role("link", name="New campaign").first).to_have_attribute("href", "/campaigns/new")


async def test_the_list_is_searched_while_one_types(page: Page, house: House) -> None:
    await furnish(house.database)
    await page.goto("/")
    search = page.get_by_role("searchbox", name="Search campaigns by name")
    await search.press_sequentially("renew", delay=20)
    await expect(page.get_by_role("link", name="Renewals, June", exact=True)).to_be_visible()
    await expect(page.get_by_role("row")).to_have_count(2)
    await expect(page).to_have_url(re.compile(r"\?q=renew"))
    await expect(search).to_be_focused()
    await expect(search).to_have_value("renew")
    await page.go_back()
    await expect(page.get_by_role("row")).to_have_count(6)


async def test_filter_and_order_hold_in_the_address(page: Page, house: House) -> None:
    await furnish(house.database)
    await page.goto("/")
    await page.get_by_role("radio", name="Paused").check()
    await expect(page.get_by_role("row")).to_have_count(2)
    await expect(page.get_by_role("link", name=f"{LONG_NAME}, paused", exact=True)).to_be_visible()
    await page.get_by_role("radio", name="All").check()
    await page.get_by_label("Sort").select_option("Most contacts")
    await expect(page.get_by_role("row").nth(1)).to_contain_text("מבצע אביב")
    await page.reload()
    await expect(page.get_by_label("Sort")).to_have_value("largest")
    await expect(page.get_by_role("row").nth(1)).to_contain_text("מבצע אביב")


async def test_the_list_is_paged_by_25(page: Page, house: House) -> None:
    now = SystemClock().now()
    for number in range(28):
        campaign_id = await make_campaign(house.database, contacts=1, name=f"Campaign {number:02}")
        await change_campaign(house.database, campaign_id, created_at=now - timedelta(minutes=number))
    await page.goto("/")
    await expect(page.get_by_text("1 to 25 of 28 campaigns")).to_be_visible()
    await page.get_by_role("link", name="Next").click()
    await expect(page.get_by_text("26 to 28 of 28 campaigns")).to_be_visible()
    await expect(page.get_by_role("link", name="Campaign 27", exact=True)).to_be_visible()
    await page.get_by_role("link", name="Previous").click()
    await expect(page.get_by_role("link", name="Campaign 00", exact=True)).to_be_visible()


async def test_nothing_in_a_name_is_taken_for_markup(page: Page, house: House) -> None:
    campaign_id = await make_campaign(house.database, contacts=1, name='<img src=x onerror="alert(1)"> & "more"')
    await page.goto("/")
    await expect(page.get_by_role("link", name='<img src=x onerror="alert(1)"> & "more"', exact=True)).to_be_visible()
    await page.goto(f"/campaigns/{campaign_id}")
    await expect(page.get_by_role("heading", level=1)).to_have_text('<img src=x onerror="alert(1)"> & "more"')


@pytest.mark.house(speed=100)
async def test_a_campaign_is_run_by_keyboard_alone(page: Page, house: House) -> None:
    await make_campaign(house.database, contacts=30, name="Spring offer")
    await page.goto("/")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    await page.keyboard.press("Enter")
    await _tab_to(page, "Start Spring offer")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Pause Spring offer")).to_be_visible()
    await _tab_to(page, "Stop Spring offer")
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Stop Spring offer?")
    await expect(dialog).to_be_visible()
    await _tab_to(page, "Stop the campaign")
    await page.keyboard.press("Enter")
    await expect(dialog).to_be_hidden()
    await expect(page.get_by_text("Stopped", exact=True)).to_be_visible()


async def _tab_to(page: Page, name: str, *, most: int = 40) -> None:
    """Press Tab until what bears that name has the focus, as somebody without a mouse does."""
    for _ in range(most):
        await page.keyboard.press("Tab")
        focused = await page.evaluate("document.activeElement.textContent.trim().replace(/\\s+/g, ' ')")
        if focused == name:
            return
    pytest.fail(f"Tab never comes to {name!r}")
