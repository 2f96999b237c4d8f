"""The pages in a real browser: they come up, keep to their content policy, and shut nobody out."""

import pytest
from playwright.async_api import Browser, Page, expect

from tests.support.accessibility import assert_accessible
from tests.support.engine import make_campaign
from tests.support.house import House
from tests.support.page_watch import PHONE, Watch, is_as_wide_as_its_window, watched_context

pytestmark = pytest.mark.anyio


async def test_somebody_who_is_not_signed_in_is_told_how_to(stranger: Page, watch: Watch) -> None:
    watch.announce("answer 401", "status of 401")
    await stranger.goto("/")
    await expect(stranger.get_by_role("heading", level=1)).to_have_text("You are not signed in")
    await assert_accessible(stranger)


async def test_a_link_signs_in_once(page: Page, house: House, watch: Watch) -> None:
    await expect(page).to_have_url(f"{house.url}/")
    watch.announce("answer 401", "status of 401")
    link = await house.link()
    await page.goto(link)
    await page.goto(link)
    await expect(page.get_by_role("heading", level=1)).to_have_text("This link does not work any more")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, PHONE])
async def test_list_and_campaign_are_accessible(browser: Browser, house: House, scheme: str, width: int) -> None:
    campaign_id = await make_campaign(house.database, contacts=60, name="Spring offer")
    async with watched_context(browser, house.url, width=width, scheme=scheme) as (context, _):
        page = await context.new_page()
        await page.goto(await house.link())
        for address in ("/", f"/campaigns/{campaign_id}", f"/campaigns/{campaign_id}?page=1"):
            await page.goto(address)
            await assert_accessible(page)
            assert await is_as_wide_as_its_window(page), address


async def test_a_campaign_is_started_paused_resumed_and_completed_before_ones_eyes(page: Page, house: House) -> None:
    campaign_id = await make_campaign(house.database, contacts=40, name="Spring offer")
    await page.goto(f"/campaigns/{campaign_id}")
    await page.evaluate("window.isTheSamePage = true")
    await page.get_by_role("button", name="Start").click()
    await page.get_by_role("button", name="Pause").click()
    await page.get_by_role("button", name="Resume").click()
    await expect(page.get_by_text("40 of 40 contacts done")).to_be_visible(timeout=30_000)
    await expect(page.get_by_text("Completed", exact=True)).to_be_visible()
    assert await page.evaluate("window.isTheSamePage")
    assert (await house.sim.summary())["maxDialsPerNumber"] == 1
