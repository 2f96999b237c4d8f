"""The page of the system before one's eyes: the red button, a decision and its undo, incidents as they happen."""

import pytest
from playwright.async_api import Browser, Page, expect

from autolynx.flows.phone_numbers import list_phone_numbers
from tests.support.accessibility import assert_accessible
from tests.support.campaign_rows import START, add_incident, change_campaign, make_campaign, make_unsure
from tests.support.house import House
from tests.support.page_watch import LOOKS, is_as_wide_as_its_window, watched_context

pytestmark = pytest.mark.anyio


async def test_the_red_button_holds_a_running_campaign_and_release_lets_it_go_on(page: Page, house: House) -> None:
    campaign_id = await make_campaign(house.database, contacts=300, name="Spring offer")
    await page.goto(f"/campaigns/{campaign_id}")
    await page.get_by_role("button", name="Start").click()
    await page.goto("/system")
    await page.get_by_role("button", name="Hold all dialling").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Reason").fill("Wrong first message")
    await dialog.get_by_role("button", name="Hold all dialling").click()
    await expect(dialog).to_be_hidden()
    await expect(page.get_by_role("heading", name="Dialling is held")).to_be_visible()
    await expect(page.get_by_text("Dialling is held: Wrong first message. Release it to go on.")).to_be_visible()
    await expect(page.get_by_text("0 of 10 lines are in use", exact=True)).to_be_visible(timeout=20_000)
    dials = (await house.sim.summary())["dials"]
    await page.get_by_role("button", name="Release dialling").click()
    await expect(page.get_by_role("button", name="Hold all dialling")).to_be_visible()
    await expect(page.get_by_text("0 of 10 lines are in use", exact=True)).to_be_hidden()
    assert (await house.sim.summary())["dials"] > dials


async def test_a_decision_is_made_and_taken_back_without_leaving_the_page(page: Page, house: House) -> None:
    campaign_id = await make_campaign(house.database, contacts=2, name="Spring offer")
    await change_campaign(house.database, campaign_id, status="PAUSED", started_at=START)
    await page.goto("/system")
    await expect(page.get_by_text("Nothing waits for you.")).to_be_visible()
    await make_unsure(house.database, campaign_id)
    row = page.get_by_role("row").filter(has_text="Ada 0")
    await expect(row).to_be_visible()
    await row.get_by_role("button", name="Leave Ada 0").click()
    await expect(row).to_be_hidden()
    await page.get_by_role("button", name="Undo").click()
    await expect(row).to_be_visible()
    await row.get_by_role("button", name="Dial again Ada 0").click()
    await expect(page.get_by_text("Spring offer does not run: resume it to call.")).to_be_visible()
    await expect(row).to_be_hidden()


async def test_an_incident_appears_by_itself(page: Page, house: House) -> None:
    await page.goto("/system")
    await expect(page.get_by_text("No incident.")).to_be_visible()
    await add_incident(house.database, "dead_letter", "A webhook was given up.")
    await expect(page.get_by_role("cell", name="A webhook was given up.")).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
async def test_the_page_shuts_nobody_out(browser: Browser, house: House, scheme: str, width: int) -> None:
    await list_phone_numbers(house.runtime)
    name = "محمد عبد الله and a campaign with a name that is much too long for any table"
    campaign_id = await make_campaign(house.database, contacts=3, name=name)
    for position in range(3):
        await make_unsure(house.database, campaign_id, position)
    await add_incident(house.database, "cap_overrun", "Eleven calls of ten.", campaign_id=campaign_id)
    async with watched_context(browser, house.url, width=width, scheme=scheme) as (context, _):
        page = await context.new_page()
        await page.goto(await house.link())
        await page.goto("/system")
        await assert_accessible(page)
        assert await is_as_wide_as_its_window(page)
        for opener in ("Hold all dialling", "Leave these …"):
            await page.get_by_role("button", name=opener).click()
            await expect(page.get_by_role("dialog")).to_be_visible()
            await assert_accessible(page)
            await page.keyboard.press("Escape")
            await expect(page.get_by_role("dialog")).to_be_hidden()
