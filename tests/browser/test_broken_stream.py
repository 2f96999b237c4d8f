"""The live stream breaks: the page says so, goes on by polling, and is live again when the server is."""

import pytest
from playwright.async_api import Locator, Page, Route, expect

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
    await page.clock.install()
    await page.route("**/live?*", refuse)
    await page.goto("/")
    said = page.get_by_role("status").filter(has_text=BROKEN)
    await _let_pass(page, 2, until=said)
    await change_contact(house.database, campaign_id, 0, state="done")
    await _let_pass(page, 31, until=page.get_by_role("img", name="1 of 4 contacts done"))
    await expect(said).to_be_visible()
    await page.unroute("**/live?*", refuse)
    await _let_pass(page, 31, until=said, is_gone=True)
    await change_contact(house.database, campaign_id, 1, state="done")
    await _let_pass(page, 5, until=page.get_by_role("img", name="2 of 4 contacts done"))


async def _let_pass(page: Page, seconds: int, *, until: Locator, is_gone: bool = False) -> None:
    """Move the page's clock on in steps until something is seen, or gone; it has to be by then."""
    for _ in range(seconds):
        await page.clock.run_for(1000)
        await page.wait_for_timeout(60)  # what the network needs does not depend on the page's clock
        if await until.is_visible() is not is_gone:
            return
    await expect(until).to_be_visible(visible=not is_gone)


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
