"""One person before one's eyes: looked up, downloaded, erased by a typed word; and the audit log that tells of it."""

import json
from datetime import datetime

import pytest
from playwright.async_api import Page, expect

from autolynx.runtime import SystemClock
from tests.support.accessibility import assert_accessible
from tests.support.house import House
from tests.support.old_campaign import NAME, SAID, called_campaign, everything
from tests.support.page_watch import Watch, is_as_wide_as_its_window

pytestmark = pytest.mark.anyio
PHONE = "+1 200 555 0100"


def now() -> datetime:
    return SystemClock().now()


async def test_a_person_is_looked_up_taken_out_and_erased(page: Page, house: House, watch: Watch) -> None:
    watch.announce("answer 400", "status of 400")
    await called_campaign(house.runtime, over_at=now(), contacts=1)
    await page.goto("/system")
    await page.get_by_role("link", name="Privacy").click()
    await page.get_by_label("Phone number").fill(PHONE)
    await page.get_by_role("button", name="Look up").click()
    await expect(page.get_by_text("in 1 campaign")).to_be_visible()
    await assert_accessible(page)
    assert await is_as_wide_as_its_window(page)
    async with page.expect_download() as downloading:
        await page.get_by_role("button", name="Download all of it").click()
    download = await downloading.value
    found = json.loads((await download.path()).read_text("utf-8"))
    assert found["contacts"][0]["name"] == NAME
    assert "0100" not in page.url

    await page.get_by_role("button", name="Erase this person").click()
    await expect(page.get_by_text("Type ERASE to say that you mean it.")).to_be_visible()
    await assert_accessible(page)
    await page.get_by_label("Type ERASE to confirm").fill("ERASE")
    await page.get_by_label("Never call this number again").check()
    await page.get_by_role("button", name="Erase this person").click()
    await expect(page.get_by_text("1 contact and 1 call are nobody's now.")).to_be_visible()
    kept = await everything(house.database)
    assert SAID not in kept
    assert NAME not in kept

    await page.goto("/audit")
    await page.get_by_label("What was done").select_option("person.erased")
    await expect(page.get_by_role("row").filter(has_text="Person erased")).to_have_count(1)
    await expect(page.get_by_role("row").filter(has_text="Session opened")).to_have_count(0)
    assert "action=person.erased" in page.url
    await page.reload()
    await expect(page.get_by_role("row").filter(has_text="Person erased")).to_have_count(1)
    async with page.expect_download() as exporting:
        await page.get_by_role("link", name="Export CSV").click()
    text = (await (await exporting.value).path()).read_text("utf-8")
    assert [line.split(",")[3] for line in text.splitlines()] == ["action", "person.erased"]
