"""The live stream breaks: the page says so, goes on by polling, and is live again when the server is."""

import pytest
from playwright.async_api import Page, Route, expect

from tests.support.campaign_rows import change_contact
from tests.support.engine import make_campaign
from tests.support.house import House
from tests.support.page_watch import Watch

pytestmark = pytest.mark.anyio
BROKEN = "The live stream is interrupted."
REFUSED = "net::ERR_CONNECTION_REFUSED"


async def test_without_a_stream_the_page_polls_every_30_seconds_and_says_so(
    page: Page, house: House, watch: Watch
) -> None:
    async def refuse(route: Route) -> None:
        await route.abort("connectionrefused")

    watch.announce(REFUSED, "Failed to fetch")
    campaign_id = await make_campaign(house.database, contacts=4, name="Spring offer")
    await page.route("**/live?*", refuse)
    await page.goto("/")
    said = page.get_by_role("status").filter(has_text=BROKEN)
    await expect(said).to_be_visible()
    await change_contact(house.database, campaign_id, 0, state="done")
    await expect(page.get_by_role("img", name="1 of 4 contacts done")).to_be_visible(timeout=45_000)
    await expect(said).to_be_visible()
    await page.unroute("**/live?*", refuse)
    await expect(said).to_be_hidden()
    await change_contact(house.database, campaign_id, 1, state="done")
    await expect(page.get_by_role("img", name="2 of 4 contacts done")).to_be_visible()


async def test_a_restarted_server_is_found_again(page: Page, house: House, watch: Watch) -> None:
    watch.announce(REFUSED, "Failed to fetch")
    campaign_id = await make_campaign(house.database, contacts=4, name="Spring offer")
    await page.goto(f"/campaigns/{campaign_id}")
    await expect(page.locator("body")).to_have_attribute("data-stream", "live")
    await house.door.shut()
    await expect(page.get_by_text(BROKEN)).to_be_visible()
    await page.get_by_role("button", name="Start").click()
    await expect(page.get_by_role("alert").filter(has_text="The server did not answer.")).to_be_visible()
    await change_contact(house.database, campaign_id, 0, state="done")
    await house.door.open()
    await expect(page.get_by_text(BROKEN)).to_be_hidden(timeout=30_000)
    await expect(page.get_by_text("1 of 4 contacts done")).to_be_visible()
