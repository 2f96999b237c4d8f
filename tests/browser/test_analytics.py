"""Analytics in a real browser: charts come up, filters hold in the address, and nobody is shut out."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from playwright.async_api import Browser, Page, expect

from autolynx.runtime import SystemClock
from autolynx.store.database import Database
from tests.support.accessibility import assert_accessible
from tests.support.campaign_rows import add_call, make_campaign
from tests.support.house import House
from tests.support.page_watch import LOOKS, is_as_wide_as_its_window, watched_context

pytestmark = pytest.mark.anyio


async def make_calls(database: Database) -> None:
    """Thirty calls of yesterday, a third of them successes."""
    campaign_id = await make_campaign(database, contacts=30, name="Spring offer")
    at = SystemClock().now() - timedelta(days=1)
    talk = {"started_at": at, "ended_at": at + timedelta(seconds=45), "cost_usd": Decimal("0.1")}
    for position in range(10):
        await add_call(database, campaign_id, position, claimed_at=at, success_evaluation=True, **talk)
        await add_call(database, campaign_id, 10 + position, claimed_at=at, outcome="voicemail")
        await add_call(database, campaign_id, 20 + position, claimed_at=at, outcome="busy")


async def test_charts_come_up_and_filters_hold_in_the_address(page: Page, house: House) -> None:
    await make_calls(house.database)
    await page.goto("/analytics")
    for title in ("Calls per day", "Outcomes", "Length of answered calls", "Cost per day"):
        region = page.get_by_role("region", name=title)
        await expect(region.locator("canvas")).to_be_visible()
        await region.get_by_text("Show as a table").click()
        await expect(region.get_by_role("table")).to_be_visible()
    await page.get_by_text("7 days", exact=True).click()
    await page.wait_for_url("**days=7**")
    await expect(page.get_by_role("region", name="Calls per day").locator("canvas")).to_be_visible(timeout=15_000)
    await page.get_by_text("Own range").click()
    await page.get_by_label("From").fill("2026-01-01")
    await page.get_by_label("to", exact=True).fill("2026-01-02")
    await page.wait_for_url("**to=2026-01-02**")
    await expect(page.get_by_role("heading", name="No calls from 1 Jan 2026 to 2 Jan 2026")).to_be_visible()
    await page.go_back()  # to what was chosen before the last date: of days or of weeks, by how fast both were typed
    await expect(page.get_by_role("region", name=re.compile("Calls per (day|week)")).locator("canvas")).to_be_visible()
    await page.get_by_text("12 months", exact=True).click()
    await expect(page.get_by_role("region", name="Calls per week").locator("canvas")).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
async def test_analytics_is_accessible(browser: Browser, house: House, scheme: str, width: int) -> None:
    await make_calls(house.database)
    async with watched_context(browser, house.url, width=width, scheme=scheme) as (context, _):
        page = await context.new_page()
        await page.goto(await house.link())
        await page.goto("/analytics")
        await expect(page.locator("canvas").first).to_be_visible()
        for summary in await page.get_by_text("Show as a table").all():
            await summary.click()
        await assert_accessible(page)
        assert await is_as_wide_as_its_window(page)


async def test_the_page_is_shown_in_the_time_zone_of_the_reader(browser: Browser, house: House) -> None:
    await make_calls(house.database)
    async with watched_context(browser, house.url, timezone="Asia/Tokyo") as (context, _):
        page = await context.new_page()
        await page.goto(await house.link())
        await page.goto("/analytics")
        await expect(page.get_by_text("in the days and hours of Asia/Tokyo")).to_be_visible(timeout=15_000)


async def test_the_figures_of_today_follow_the_calls(page: Page, house: House) -> None:
    await page.goto("/analytics")
    await expect(page.get_by_role("heading", name="No calls from")).to_be_visible()
    campaign_id = await make_campaign(house.database, contacts=1)
    await add_call(house.database, campaign_id, 0, claimed_at=SystemClock().now())
    await expect(page.get_by_role("region", name="Calls per day").locator("canvas")).to_be_visible(timeout=15_000)
