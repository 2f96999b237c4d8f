"""Assistants in the browser: made, edited, cloned, imported, heard in a test call, and not deleted while needed."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.support.engine import make_campaign
from tests.support.house import House
from tests.support.page_watch import Watch

pytestmark = pytest.mark.anyio


async def test_an_assistant_is_created_from_a_template_and_edited(page: Page, house: House) -> None:
    await page.get_by_role("link", name="Assistants").click()
    await page.get_by_role("link", name=re.compile("Begin with it.*Short pitch")).click()
    await page.get_by_role("textbox", name="Name", exact=True).fill("Riley in spring 🌷")
    await page.get_by_role("button", name="Create").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Riley in spring 🌷")
    await page.get_by_label("First message").fill("Good day {{name}}, I am an AI assistant. Is this a good moment?")
    await page.get_by_label("Longest call").fill("120")
    await page.get_by_role("button", name="Save changes").click()
    await expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    await page.reload()
    await expect(page.get_by_label("Longest call")).to_have_value("120")
    await page.get_by_role("link", name="Versions").click()
    await expect(page.get_by_role("link", name="Version 2", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Restore version 1").click()
    await page.get_by_role("link", name="Settings").click()
    await expect(page.get_by_label("First message")).not_to_have_value("Good day")


async def test_what_is_wrong_is_said_beside_its_field_and_nothing_typed_is_lost(page: Page, watch: Watch) -> None:
    watch.announce("answer 400", "status of 400")
    await page.goto("/assistants/new")
    await page.get_by_role("textbox", name="Name", exact=True).fill("Morgan")
    await page.get_by_label("First message").fill("Good day.")
    await page.get_by_label("Longest call").fill("5")
    await page.get_by_role("button", name="Create assistant").click()
    longest = page.get_by_label("Longest call")
    await expect(longest).to_have_attribute("aria-invalid", "true")
    await expect(longest).to_be_focused()
    await expect(page.get_by_role("alert")).to_contain_text("Nothing was saved")
    await expect(page.get_by_label("First message")).to_have_value("Good day.")
    await expect(page.get_by_role("textbox", name="Name", exact=True)).to_have_value("Morgan")


async def test_a_taken_name_comes_with_one_that_is_free(page: Page, house: House, watch: Watch) -> None:
    watch.announce("answer 409", "status of 409")
    await make_campaign(house.database, contacts=1)  # brings the assistant Riley
    await page.goto("/assistants/new")
    await page.get_by_role("link", name=re.compile("Begin with it.*Discovery")).click()
    await page.get_by_role("textbox", name="Name", exact=True).fill("Riley")
    await page.get_by_role("button", name="Create").click()
    await page.get_by_role("button", name="Use “").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Riley")
    await expect(page).to_have_url(re.compile(r"/assistants/[0-9a-f-]+\?made=created$"))


async def test_an_assistant_is_imported_from_the_accounts_list_and_by_its_id(page: Page, watch: Watch) -> None:
    watch.announce("answer 404", "status of 404")
    await page.goto("/assistants/import")
    await page.get_by_role("button", name="Import Morgan - survey").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Morgan - survey")
    await page.goto("/assistants/import")
    await expect(page.get_by_role("link", name=re.compile("In the directory.*Morgan - survey"))).to_be_visible()
    wanted = page.get_by_label("Id at the provider")
    await wanted.fill("a0000000-0000-4000-8000-00000000dead")
    await wanted.press("Enter")
    await expect(page.get_by_role("alert").filter(has_text="no assistant of that id")).to_be_visible()
    await wanted.fill("a0000000-0000-4000-8000-000000000003")
    await wanted.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Casey - reminder")


async def test_an_assistant_is_cloned_and_the_clone_deleted(page: Page) -> None:
    await page.goto("/assistants/import")
    await page.get_by_role("button", name="Import Riley - short pitch").click()
    await page.get_by_role("link", name="Clone").click()
    await page.get_by_role("textbox", name="Name", exact=True).fill("Riley, softly")
    await page.get_by_role("button", name="Create").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Riley, softly")
    await page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog", name="Delete Riley, softly?")
    await dialog.get_by_role("button", name="Delete the assistant").click()
    await expect(page.get_by_role("heading", name="Assistants", level=1)).to_be_visible()
    await expect(page.get_by_role("link", name="Riley - short pitch", exact=True)).to_be_visible()
    await expect(page.get_by_role("link", name="Riley, softly", exact=True)).to_have_count(0)


async def test_an_assistant_that_a_campaign_needs_is_not_deleted(page: Page, house: House) -> None:
    await make_campaign(house.database, contacts=1, name="Spring offer")
    await page.goto("/assistants")
    await page.get_by_role("link", name="Riley", exact=True).click()
    await page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog", name="Riley cannot be deleted yet")
    await expect(dialog.get_by_role("link", name="Spring offer")).to_be_visible()
    await dialog.get_by_role("button", name="Close").click()
    await expect(dialog).to_be_hidden()
    await expect(page.get_by_role("button", name="Delete")).to_be_focused()


async def test_an_assistant_is_switched_off_and_on_by_keyboard(page: Page, house: House) -> None:
    await make_campaign(house.database, contacts=1)
    await page.goto("/assistants")
    switch = page.get_by_role("switch", name="Riley can be chosen for campaigns")
    await expect(switch).to_be_checked()
    await switch.focus()
    await page.keyboard.press("Space")
    await expect(switch).not_to_be_checked()
    await expect(switch).to_be_focused()
    await page.keyboard.press("Space")
    await expect(switch).to_be_checked()


@pytest.mark.house(speed=100)
async def test_a_test_call_is_made_and_told_of(page: Page) -> None:
    await page.goto("/assistants/import")
    await page.get_by_role("button", name="Import Riley - short pitch").click()
    await page.get_by_role("link", name="Test call", exact=True).click()
    await page.get_by_label("Phone").fill("+1 202 555 0123")
    await page.get_by_role("textbox", name="Name").fill("Ada")
    await page.get_by_role("textbox", name="Business").fill("Acme")
    await page.get_by_label("Call from").select_option(label="Second line · +13125550151")
    await page.get_by_role("button", name="Call now").click()
    told = page.get_by_role("region", name="How the call goes")
    await expect(told.get_by_role("heading", name="The call is over")).to_be_visible()
    await expect(told).to_contain_text("Ada, +1 202-555-0123")
