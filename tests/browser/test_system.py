"""The system page: the red button, contacts that wait for a decision, incidents, and the banner on every page."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.support.checks import query
from tests.support.engine import make_campaign
from tests.support.furniture import NAMES, furnish
from tests.support.house import House

pytestmark = pytest.mark.anyio


async def test_the_red_button_holds_everything_and_every_page_says_so(page: Page, house: House) -> None:
    await make_campaign(house.database, contacts=4, name="Spring offer")
    await page.goto("/system")
    await page.get_by_role("button", name="Hold all dialling").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name=re.compile("Hold")).click()
    await expect(dialog).to_be_hidden()
    await expect(page.get_by_role("alert").first).to_be_visible()
    await page.goto("/")
    await expect(page.get_by_role("alert").first).to_be_visible()
    await page.get_by_role("button", name="Start Spring offer").click()
    await expect(page.get_by_text("Spring offer is started.")).to_be_visible()
    assert (await house.sim.summary())["dials"] == 0
    await page.goto("/system")
    await page.get_by_role("button", name="Release").first.click()
    await expect(page.get_by_role("alert")).to_have_count(0)
    await page.goto("/")
    await expect(page.get_by_text("Completed", exact=True)).to_be_visible(timeout=60_000)
    assert (await house.sim.summary())["dials"] == 4


async def test_a_person_decides_about_an_unsure_contact(page: Page, house: House) -> None:
    await furnish(house.database)
    await page.goto("/")
    await page.get_by_role("link", name="1", exact=True).click()
    decision = page.get_by_role("region", name="Your decision")
    await expect(decision.get_by_role("row")).to_have_count(2)
    await decision.get_by_role("button", name=f"Leave {NAMES[0][0]}").click()
    await expect(decision.get_by_role("row")).to_have_count(0)
    rows = await query(house.database, "SELECT count(*) AS n FROM contacts WHERE state = 'unsure'")
    assert rows == [{"n": 0}]
    await expect(page.get_by_role("region", name="Incidents")).to_contain_text("a person has to decide")
