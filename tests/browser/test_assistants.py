"""Assistants in a browser: made from a template, edited, restored, imported, tried by a call, kept while needed."""

import re
from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import Browser, Page, expect

from autolynx.domain.templates import TEMPLATES
from autolynx.flows.assistant_import import import_assistant
from autolynx.flows.assistants import edit_assistant
from autolynx.flows.campaign_life import start_campaign
from tests.support.accessibility import assert_accessible
from tests.support.checks import query
from tests.support.engine import make_campaign
from tests.support.house import House
from tests.support.page_watch import LOOKS, Watch, is_as_wide_as_its_window, watched_context
from tests.support.sim import ASSISTANT_SALES, TWILIO_MAIN

pytestmark = pytest.mark.anyio

PITCH = next(one.id for one in TEMPLATES if one.name == "Short pitch")


async def _imported(house: House, **changes: Any) -> UUID:
    """Import an assistant of the account, and change it where told: two versions."""
    imported = await import_assistant(house.runtime, ASSISTANT_SALES, actor="ada")
    if changes:
        await edit_assistant(house.runtime, imported.assistant.id, **changes, actor="ada")
    return imported.assistant.id


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
async def test_every_page_of_assistants_is_accessible(browser: Browser, house: House, scheme: Any, width: int) -> None:
    async with watched_context(browser, house.url, width=width, scheme=scheme) as (context, _):
        page = await context.new_page()
        await page.goto(await house.link())
        await page.goto("/assistants")
        await assert_accessible(page)
        changed = {"firstMessage": "Good morning.\nThis is a long message that is told line by line where it differs."}
        assistant_id = await _imported(house, name="مكالمة 📞 a name of forty", config=changed)
        one = f"/assistants/{assistant_id}"
        for address, waits_for in (
            ("/assistants", "1 to 1 of 1 assistants"),
            ("/assistants/new", "Begin here"),
            ("/assistants/import", "In the directory"),
            (f"/assistants/{PITCH}", "Use this template"),
            (one, "Save changes"),
            (f"{one}/use", "Not used yet"),
            (f"{one}/versions", "Version 2"),
            (f"{one}/versions/2", "First message"),
            (f"{one}/drift", "are the same"),
            (f"{one}/test-call", "Main line"),
        ):
            await page.goto(address)
            await expect(page.get_by_text(waits_for).first).to_be_attached()
            await assert_accessible(page)
            assert await is_as_wide_as_its_window(page), address


async def test_a_template_is_cloned_edited_refused_saved_and_restored(page: Page, watch: Watch) -> None:
    watch.announce("answer 400", "status of 400")
    await page.goto("/assistants")
    await page.get_by_role("link", name="Begin here with Short pitch").click()
    await page.get_by_label("Name", exact=True).fill("Spring pitch")
    await page.get_by_role("button", name="Create the clone").click()
    await expect(page.get_by_text("is created, here and at the provider")).to_be_visible()
    await page.get_by_label("First message").fill("Good morning {{name}}.")
    await page.get_by_label("Temperature").fill("9")
    await page.get_by_role("button", name="Save changes").click()
    await expect(page.get_by_text("Use a number from 0 to 2.")).to_be_visible()
    await expect(page.get_by_label("Temperature")).to_be_focused()
    await expect(page.get_by_label("First message")).to_have_value("Good morning {{name}}.")
    await page.get_by_label("Temperature").fill("1")
    await page.get_by_label("Temperature").press("Enter")
    await expect(page.get_by_text("Saved as version 2.")).to_be_visible()
    await page.get_by_role("link", name="Versions").click()
    await page.get_by_role("link", name="Look at version 2").click()
    await expect(page.get_by_role("listitem").filter(has_text="added: Good morning {{name}}.")).to_be_visible()
    await page.get_by_role("link", name="Versions").click()
    await page.get_by_role("button", name="Restore version 1").click()
    await expect(page.get_by_text("Back to version 1")).to_be_visible()


async def test_what_is_being_typed_outlives_a_refresh_of_the_page(page: Page, house: House) -> None:
    await page.goto(f"/assistants/{await _imported(house)}")
    await page.get_by_label("System prompt").fill("Half a thou")
    async with page.expect_response(re.compile("/assistants/")):
        await page.evaluate("htmx.trigger(document.getElementById('refresh'), 'refresh')")
    await page.wait_for_timeout(200)
    await expect(page.get_by_label("System prompt")).to_have_value("Half a thou")


async def test_an_assistant_is_imported_and_tried_by_a_test_call_before_ones_eyes(page: Page, house: House) -> None:
    await page.goto("/assistants/import")
    await page.get_by_role("button", name="Import Riley - short pitch").click()
    await page.get_by_role("link", name="Make a test call").click()
    await page.get_by_label("Phone").fill("(202) 555-0143")
    await page.get_by_label("Name", exact=True).fill("Ada")
    await page.get_by_label("Call from").select_option(TWILIO_MAIN)
    await page.get_by_role("button", name="Call now").click()
    await expect(page.get_by_role("heading", name="The call is over")).to_be_visible(timeout=30_000)
    assert (await house.sim.summary())["dialsPerNumber"] == {"+12025550143": 1}
    await page.goto("/")
    await expect(page.get_by_text("Call your first list")).to_be_visible()


async def test_an_assistant_that_campaigns_need_is_kept_and_they_are_named(page: Page, house: House) -> None:
    campaign_id = await make_campaign(house.database, contacts=400, cap=1, name="Spring offer")
    await start_campaign(house.runtime, campaign_id)
    (row,) = await query(house.database, "SELECT assistant_id AS id FROM campaigns")
    await page.goto(f"/assistants/{row['id']}")
    await page.get_by_role("switch").click()
    await expect(page.get_by_role("switch")).to_have_text("Inactive")
    await page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("link", name="Spring offer")).to_be_visible()
    await expect(dialog.get_by_role("button", name="Delete the assistant")).to_have_count(0)
    await dialog.get_by_role("button", name="Close").click()
    await expect(page.get_by_role("button", name="Delete")).to_be_focused()
