"""The drawer of a call: opened by mouse and keyboard, linked, played, closed; and followed while the call goes on."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import Page, expect

from autolynx.flows.dialing import Decision, decide_unsure
from tests.support.accessibility import assert_accessible
from tests.support.campaign_rows import add_call, change_campaign, change_contact, make_unsure
from tests.support.engine import make_campaign
from tests.support.furniture import furnish
from tests.support.house import House
from tests.support.page_watch import PHONE, Watch, is_as_wide_as_its_window

pytestmark = pytest.mark.anyio
LONG_MILLISECONDS = 60_000


async def test_the_drawer_opens_by_keyboard_has_an_address_and_gives_the_focus_back(page: Page, house: House) -> None:
    furniture = await furnish(house.database)
    await page.goto(f"/campaigns/{furniture.completed}?outcome=answered")
    link = page.locator("#contacts").get_by_role("link").first
    await link.focus()
    await page.keyboard.press("Enter")
    drawer = page.get_by_role("dialog")
    await expect(drawer.get_by_text("Good day, Riley speaking. Is this Ada?")).to_be_visible()
    assert f"call={furniture.call}" in page.url
    assert "outcome=answered" in page.url
    await assert_accessible(page)
    await page.keyboard.press("Escape")
    await expect(drawer).to_be_hidden()
    await expect(link).to_be_focused()
    assert "call=" not in page.url


async def test_a_link_to_a_call_opens_it(page: Page, house: House) -> None:
    furniture = await furnish(house.database)
    await page.set_viewport_size({"width": PHONE, "height": 844})
    await page.goto(f"/calls/{furniture.call}")
    drawer = page.get_by_role("dialog")
    await expect(drawer.get_by_text("They talked about books.")).to_be_visible()
    await assert_accessible(page)
    assert await is_as_wide_as_its_window(page)
    await page.reload()
    await expect(drawer.get_by_text("They talked about books.")).to_be_visible()
    await drawer.get_by_role("button", name="Close").click()
    await expect(drawer).to_be_hidden()


@pytest.mark.house(speed=8)
async def test_a_call_is_followed_in_its_drawer_until_it_can_be_heard(page: Page, house: House) -> None:
    campaign_id = await make_campaign(house.database, contacts=6, name="Spring offer")
    await page.goto(f"/campaigns/{campaign_id}")
    await page.get_by_role("button", name="Start").click()
    await page.locator("#contacts tr", has_text="Talking").first.get_by_role("link").click()
    drawer = page.get_by_role("dialog")
    await expect(drawer.get_by_text("The provider sends what was said when the call is over.")).to_be_visible()
    await expect(drawer.get_by_text("Ended", exact=True)).to_be_visible(timeout=LONG_MILLISECONDS)
    await expect(drawer.locator(".turn").first).to_be_visible(timeout=LONG_MILLISECONDS)
    audio = drawer.locator("audio")
    await audio.evaluate("(audio) => { audio.muted = true; return audio.play(); }")
    assert await audio.evaluate("(audio) => audio.duration > 0 && !audio.error")


async def test_a_recording_that_is_gone_is_said(page: Page, house: House, watch: Watch) -> None:
    watch.announce("/recording", "status of 404")
    campaign_id = await make_campaign(house.database, contacts=1)
    gone = {"provider_call_id": str(uuid4()), "recording_url": "https://storage.example.test/x.wav"}
    call_id = await add_call(house.database, campaign_id, 0, **gone)
    await page.goto(f"/campaigns/{campaign_id}?call={call_id}")
    await page.locator("audio").evaluate("(audio) => { audio.play().catch(() => {}); }")
    await expect(page.get_by_text("The recording cannot be played")).to_be_visible()


async def test_filters_hold_in_the_address_and_going_back_takes_them_back(page: Page, house: House) -> None:
    campaign_id = await make_campaign(house.database, contacts=60, name="Spring offer")
    await change_contact(house.database, campaign_id, 57, name="Somebody else")
    await page.goto(f"/campaigns/{campaign_id}")
    await page.get_by_role("searchbox", name="Search contacts").fill("somebody")
    await expect(page.locator("#contacts tbody tr")).to_have_count(1)
    await expect(page).to_have_url(
        f"{house.url}/campaigns/{campaign_id}?q=somebody&status=&outcome=&success=&sort=file"
    )
    await page.get_by_role("combobox", name="Outcome of the call").select_option("busy")
    await expect(page.get_by_text("No contact matches.")).to_be_visible()
    await page.reload()
    await expect(page.get_by_text("No contact matches.")).to_be_visible()
    await page.get_by_role("link", name="Show all contacts").click()
    await expect(page.get_by_text("1 to 50 of 60 contacts")).to_be_visible()


async def test_name_and_cap_change_before_ones_eyes(page: Page, house: House, watch: Watch) -> None:
    watch.announce("answer 400", "status of 400")
    campaign_id = await make_campaign(house.database, contacts=4, name="Spring offer")
    await page.goto(f"/campaigns/{campaign_id}")
    await page.get_by_text("More", exact=True).click()
    await page.get_by_role("button", name="Edit name and options").click()
    dialog = page.get_by_role("dialog", name="Edit campaign")
    await dialog.get_by_label("Calls at once").fill("77")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.get_by_text("Must be from 1 to 50")).to_be_visible()
    await dialog.get_by_label("Calls at once").fill("3")
    await dialog.get_by_label("Name").fill("Summer offer")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog).to_be_hidden()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Summer offer")
    await expect(page.get_by_text("up to 3 at once")).to_be_visible()


async def test_an_open_menu_stays_open_while_figures_move(page: Page, house: House) -> None:
    campaign_id = await make_campaign(house.database, contacts=4, name="Spring offer")
    await page.goto(f"/campaigns/{campaign_id}")
    await expect(page.locator("body")).to_have_attribute("data-stream", "live")
    await page.get_by_text("More", exact=True).click()
    await change_contact(house.database, campaign_id, 0, state="done")
    await expect(page.get_by_text("1 of 4 contacts done")).to_be_visible()
    await expect(page.get_by_role("button", name="Delete")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Delete")).to_be_hidden()


async def test_the_events_of_a_running_campaign_come_by_themselves(page: Page, house: House) -> None:
    campaign_id = await make_campaign(house.database, contacts=4, name="Spring offer")
    await page.goto(f"/campaigns/{campaign_id}/events")
    await expect(page.get_by_text("Nothing has happened yet.")).to_be_visible()
    await page.get_by_role("button", name="Start").click()
    await expect(page.get_by_text("The provider accepted the call.").first).to_be_visible(timeout=LONG_MILLISECONDS)
    await expect(page.get_by_text("Completed", exact=True)).to_be_visible(timeout=LONG_MILLISECONDS)
    await page.get_by_role("link", name="Analytics").last.click()
    await expect(page.get_by_role("heading", name="Outcomes")).to_be_visible()


async def test_a_filtered_list_says_who_would_be_on_it_by_now_and_moves_only_when_asked(
    page: Page, house: House
) -> None:
    campaign_id = await make_campaign(house.database, contacts=60, name="Spring offer")
    talking: dict[str, Any] = {"status": "IN_PROGRESS", "outcome": None, "holds_line": True, "is_final": False}
    at = {"claimed_at": house.runtime.clock.now(), "lease_until": house.runtime.clock.now() + timedelta(days=1)}
    await add_call(house.database, campaign_id, 7, **talking, **at)
    await page.goto(f"/campaigns/{campaign_id}?status=IN_PROGRESS")
    await expect(page.locator("#contacts tbody tr")).to_have_count(1)
    await expect(page.locator("body")).to_have_attribute("data-stream", "live")
    await add_call(house.database, campaign_id, 3, **talking, **at)
    await expect(page.get_by_text("1 contact that matches has changed and is not shown.")).to_be_visible()
    await expect(page.locator("#contacts tbody tr")).to_have_count(1)
    await assert_accessible(page)
    show = page.get_by_role("button", name="Show", exact=True)
    await show.focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#contacts tbody tr")).to_have_count(2)
    await expect(page.get_by_text("is not shown.")).to_be_hidden()
    await expect(page.locator("#contacts").get_by_role("link", name="Ada 3")).to_be_focused()


async def test_a_filtered_list_of_nobody_fills_by_itself(page: Page, house: House) -> None:
    campaign_id = await make_campaign(house.database, contacts=2, name="Spring offer")
    await page.goto(f"/campaigns/{campaign_id}?status=IN_PROGRESS")
    await expect(page.get_by_text("No contact matches.")).to_be_visible()
    await expect(page.locator("body")).to_have_attribute("data-stream", "live")
    talking: dict[str, Any] = {"status": "IN_PROGRESS", "outcome": None, "holds_line": True, "is_final": False}
    at = {"claimed_at": house.runtime.clock.now(), "lease_until": house.runtime.clock.now() + timedelta(days=1)}
    await add_call(house.database, campaign_id, 1, **talking, **at)
    await expect(page.locator("#contacts").get_by_role("link", name="Ada 1")).to_be_visible()


async def test_the_drawer_follows_a_decision_made_elsewhere(page: Page, house: House) -> None:
    campaign_id = await make_campaign(house.database, contacts=2, name="Spring offer")
    call_id = await make_unsure(house.database, campaign_id)
    await change_campaign(house.database, campaign_id, status="PAUSED", started_at=house.runtime.clock.now())
    await page.goto(f"/campaigns/{campaign_id}?call={call_id}")
    drawer = page.get_by_role("dialog")
    await expect(drawer.get_by_text("it waits for your decision")).to_be_visible()
    await expect(page.locator("body")).to_have_attribute("data-stream", "live")
    await decide_unsure(house.runtime, call_id, Decision.LEAVE)
    await expect(drawer.get_by_text("left as it is, and not called again")).to_be_visible()
    await expect(page.get_by_text("1 contact needs your decision")).to_be_hidden()
    await decide_unsure(house.runtime, call_id, Decision.REOPEN)
    await expect(drawer.get_by_text("it waits for your decision")).to_be_visible()
