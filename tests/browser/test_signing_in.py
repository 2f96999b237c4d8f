"""The door: a link lets a browser in once, and signing out closes behind it."""

import pytest
from playwright.async_api import Page, expect

from tests.support.accessibility import assert_accessible
from tests.support.house import House
from tests.support.page_watch import Watch

pytestmark = pytest.mark.anyio
REFUSED = ("answer 401", "status of 401")


async def test_somebody_who_is_not_signed_in_is_told_how_to(stranger: Page) -> None:
    await stranger.goto("/")
    await expect(stranger.get_by_role("heading", level=1)).to_have_text("Sign in")
    await assert_accessible(stranger)


async def test_a_link_signs_in_once(page: Page, house: House, watch: Watch) -> None:
    await expect(page).to_have_url(f"{house.url}/")
    watch.announce(*REFUSED)
    link = await house.link()
    await page.goto(link)
    await page.goto(link)
    await expect(page.get_by_role("heading", level=1)).to_have_text("This link does not work any more")
    await assert_accessible(page)


async def test_who_signs_out_is_out(page: Page) -> None:
    await page.get_by_label("Your account").click()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    await page.goto("/")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
