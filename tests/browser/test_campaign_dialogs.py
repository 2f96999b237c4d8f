"""What is asked in a dialog on the page of a campaign: changes, follow-ups, a few calls first."""

import pytest
from playwright.async_api import Page, expect

from tests.support.accessibility import assert_accessible
from tests.support.campaign_rows import add_call, change_campaign, change_contact
from tests.support.engine import make_campaign
from tests.support.furniture import furnish
from tests.support.house import House
from tests.support.page_watch import Watch
from tests.support.web import rows

pytestmark = pytest.mark.anyio
LONG_MILLISECONDS = 60_000


async def test_a_taken_name_offers_one_that_is_free(page: Page, house: House, watch: Watch) -> None:
    watch.announce("answer 409", "status of 409")
    campaign_id = await make_campaign(house.database, contacts=1, name="Spring offer")
    await make_campaign(house.database, contacts=1, name="Summer offer", first=10)
    await page.goto(f"/campaigns/{campaign_id}")
    await page.get_by_text("More", exact=True).click()
    await page.get_by_role("button", name="Edit name and options").click()
    dialog = page.get_by_role("dialog", name="Edit campaign")
    await expect(dialog).to_be_visible()
    await page.keyboard.press("Escape")
    more = page.get_by_text("More", exact=True)
    await expect(more).to_be_focused()
    await page.keyboard.press("Enter")
    edit = page.get_by_role("button", name="Edit name and options")
    await expect(edit).to_be_in_viewport()
    await edit.click()
    await dialog.get_by_label("Name").fill("Summer offer")
    await dialog.get_by_label("Attempts for each contact").fill("3")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.get_by_text("A campaign of that name exists already")).to_be_visible()
    await assert_accessible(page)
    await dialog.get_by_role("button", name="Summer offer 2").click()
    await expect(dialog.get_by_label("Name")).to_have_value("Summer offer 2")
    await dialog.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Summer offer 2")
    (row,) = await rows(house.database, "SELECT options_json FROM campaigns WHERE id = %s", campaign_id)
    assert row["options_json"]["maxAttempts"] == 3


async def test_a_follow_up_is_planned_anew_when_its_box_is_ticked(page: Page, house: House) -> None:
    furniture = await furnish(house.database)
    other = await make_campaign(house.database, contacts=1, name="Elsewhere", first=2)  # the number of the third
    await rows(house.database, "UPDATE campaigns SET options_json = '{}' WHERE id = %s RETURNING id", other)
    await add_call(house.database, other, 0, dial_started_at=house.runtime.clock.now())
    await page.goto(f"/campaigns/{furniture.completed}?outcome=no_answer")
    await page.get_by_role("button", name="Call these again").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("heading", name="Call 1 contact once more?")).to_be_visible()
    await expect(dialog.get_by_text("Takes about")).to_be_visible()
    await expect(dialog.get_by_text("May cost")).to_be_visible()
    await dialog.get_by_label("Name").fill("Once more")
    box = dialog.get_by_role("checkbox", name="Also call numbers that other campaigns called")
    await box.check()
    await expect(dialog.get_by_role("heading", name="Call 2 contacts once more?")).to_be_visible()
    await expect(dialog.get_by_label("Name")).to_have_value("Once more")
    await expect(box).to_be_focused()
    await assert_accessible(page)
    await box.uncheck()
    await expect(dialog.get_by_role("heading", name="Call 1 contact once more?")).to_be_visible()
    await box.check()
    await dialog.get_by_role("button", name="Create the campaign").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Once more")
    await expect(page.locator("#contacts tbody tr")).to_have_count(2)


async def test_a_follow_up_of_nobody_can_be_named_and_made_once_the_box_is_ticked(page: Page, house: House) -> None:
    campaign_id = await make_campaign(house.database, contacts=1, name="Spring offer")
    await add_call(house.database, campaign_id, 0, outcome="busy")
    await change_contact(house.database, campaign_id, 0, state="done")
    await change_campaign(house.database, campaign_id, status="COMPLETED")
    other = await make_campaign(house.database, contacts=1, name="Elsewhere")
    await add_call(house.database, other, 0, dial_started_at=house.runtime.clock.now())
    await page.goto(f"/campaigns/{campaign_id}?outcome=busy")
    await page.get_by_role("button", name="Call these again").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("heading", name="Nobody would be called")).to_be_visible()
    await dialog.get_by_role("checkbox", name="Also call numbers").check()
    await expect(dialog.get_by_role("heading", name="Call 1 contact once more?")).to_be_visible()
    await dialog.get_by_role("button", name="Create the campaign").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Spring offer follow-up")


@pytest.mark.house(speed=100)
async def test_as_many_are_called_first_as_the_operator_says(page: Page, house: House, watch: Watch) -> None:
    watch.announce("answer 400", "status of 400")
    campaign_id = await make_campaign(house.database, contacts=6, name="Spring offer")
    await page.goto(f"/campaigns/{campaign_id}")
    await page.get_by_text("More", exact=True).click()
    await page.get_by_role("button", name="Call a few first").click()
    dialog = page.get_by_role("dialog", name="Call a few first?")
    first = dialog.get_by_label("How many first")
    await first.fill("101")
    await dialog.get_by_role("button", name="Call these first").click()
    await expect(dialog.get_by_text("Must be from 1 to 100.")).to_be_visible()
    await assert_accessible(page)
    await first.fill("2")
    await dialog.get_by_role("button", name="Call these first").click()
    await expect(dialog).to_be_hidden()
    await expect(page.get_by_text("It pauses by itself after 2 contacts.")).to_be_visible()
    await expect(page.get_by_text("Paused", exact=True)).to_be_visible(timeout=LONG_MILLISECONDS)
    await expect(page.get_by_text("2 of 6 contacts done")).to_be_visible()


async def test_calls_at_once_are_stepped_by_keyboard(page: Page, house: House) -> None:
    campaign_id = await make_campaign(house.database, contacts=1, name="Spring offer")
    await page.goto(f"/campaigns/{campaign_id}")
    more = page.get_by_role("button", name="More calls at once")
    await more.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("up to 9 at once")).to_be_visible()
    await expect(more).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("up to 10 at once")).to_be_visible()
    await page.get_by_role("button", name="Fewer calls at once").click()
    await expect(page.get_by_text("up to 9 at once")).to_be_visible()
    (row,) = await rows(house.database, "SELECT cap FROM campaigns WHERE id = %s", campaign_id)
    assert row["cap"] == 9


async def test_a_deletion_leads_to_the_list_and_is_taken_back_there(page: Page, house: House) -> None:
    campaign_id = await make_campaign(house.database, contacts=1, name="Spring offer")
    await make_campaign(house.database, contacts=1, name="Summer offer", first=10)
    await page.goto(f"/campaigns/{campaign_id}")
    await page.get_by_text("More", exact=True).click()
    await page.get_by_role("button", name="Delete", exact=True).click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete the campaign").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Campaigns")
    await expect(page).to_have_url(f"{house.url}/")
    await expect(page.get_by_role("link", name="Summer offer", exact=True)).to_be_visible()
    await expect(page.get_by_role("link", name="Spring offer", exact=True)).to_be_hidden()
    await page.get_by_text("Spring offer is deleted.").locator("..").get_by_role("button", name="Undo").click()
    await expect(page.get_by_role("link", name="Spring offer", exact=True)).to_be_visible()
    await expect(page.get_by_text("Spring offer is back.")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("link", name="Spring offer", exact=True)).to_be_visible()
