"""A campaign before an operator's eyes: from Start to its end without a reload, on the list and on its own page."""

import asyncio
import csv
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, expect

from tests.support.campaign_rows import change_campaign, change_contact
from tests.support.engine import make_campaign
from tests.support.house import House

pytestmark = [pytest.mark.anyio, pytest.mark.house(speed=100)]
LONG_MILLISECONDS = 60_000  # a campaign takes three seconds; a machine that does other things takes longer
SAME_PAGE = "window.isTheSamePage"


@pytest.mark.parametrize("place", ["/", "/campaigns/{}"])
async def test_a_campaign_is_started_paused_resumed_and_completed_without_a_reload(
    page: Page, house: House, place: str
) -> None:
    campaign_id = await make_campaign(house.database, contacts=24, name="Spring offer")
    await page.goto(place.format(campaign_id))
    await page.evaluate(f"{SAME_PAGE} = true")
    await page.get_by_role("button", name="Start Spring offer").click()
    await expect(page.get_by_text("Spring offer is started.")).to_be_visible()
    await page.get_by_role("button", name="Pause Spring offer").click()
    await expect(page.get_by_text("Spring offer is paused.")).to_be_visible()
    await page.get_by_role("button", name="Resume Spring offer").click()
    await expect(page.get_by_text("Completed", exact=True)).to_be_visible(timeout=LONG_MILLISECONDS)
    await expect(page.get_by_role("img", name="24 of 24 contacts done")).to_be_visible()
    assert await page.evaluate(SAME_PAGE)
    assert (await house.sim.summary())["maxDialsPerNumber"] == 1


async def test_a_change_is_seen_by_itself(page: Page, house: House) -> None:
    campaign_id = await make_campaign(house.database, contacts=4, name="Spring offer")
    await page.goto("/")
    await expect(page.get_by_role("img", name="0 of 4 contacts done")).to_be_visible()
    await expect(page.locator("body")).to_have_attribute("data-stream", "live")
    for done in range(1, 5):
        await change_contact(house.database, campaign_id, done - 1, state="done")
        await page.get_by_role("img", name=f"{done} of 4 contacts done").wait_for()


async def test_stopping_says_what_it_means_and_can_be_thought_over(page: Page, house: House) -> None:
    campaign_id = await make_campaign(house.database, contacts=30, name="Spring offer")
    await page.goto(f"/campaigns/{campaign_id}")
    await page.get_by_role("button", name="Start").click()
    await expect(page.get_by_text("Running", exact=True)).to_be_visible()
    stop = page.get_by_role("button", name="Stop")
    await stop.click()
    dialog = page.get_by_role("dialog", name="Stop Spring offer?")
    await expect(dialog.get_by_text("Nothing new is dialled, for good.")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(stop).to_be_focused()
    await expect(page.get_by_text("Completed", exact=True)).to_be_visible(timeout=LONG_MILLISECONDS)


async def test_the_focus_stays_with_stop_however_live_updates_move_it(page: Page, house: House) -> None:
    campaign_id = await make_campaign(house.database, contacts=2, name="Spring offer")
    for position in (0, 1):
        await change_contact(house.database, campaign_id, position, state="calling")
    await change_campaign(house.database, campaign_id, status="QUEUED", next_position=2)
    await page.goto(f"/campaigns/{campaign_id}")
    await expect(page.locator("body")).to_have_attribute("data-stream", "live")
    held = asyncio.Event()

    async def answer_late(route: Route) -> None:
        await held.wait()
        await route.continue_()

    await page.route("**/stop", answer_late)
    stop = page.get_by_role("button", name="Stop")
    await stop.click()
    await change_campaign(house.database, campaign_id, status="PAUSED")  # Resume takes the place of Pause
    await expect(page.get_by_text("Paused", exact=True)).to_be_visible()
    held.set()
    dialog = page.get_by_role("dialog", name="Stop Spring offer?")
    await expect(dialog).to_be_visible()
    await change_campaign(house.database, campaign_id, status="FAILED")
    await expect(page.get_by_text("Failed", exact=True).first).to_be_attached()
    await change_campaign(house.database, campaign_id, status="RUNNING")
    await expect(page.get_by_text("Running", exact=True)).to_be_attached()
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(stop).to_be_focused()
    for status, word in (("PAUSED", "Paused"), ("RUNNING", "Running")):
        await change_campaign(house.database, campaign_id, status=status)
        await expect(page.get_by_text(word, exact=True)).to_be_visible()
        await expect(stop).to_be_focused()
    await change_campaign(house.database, campaign_id, status="COMPLETED", completed_at=house.runtime.clock.now())
    await expect(stop).to_be_hidden()
    await expect(page.get_by_role("link", name="Export")).to_be_focused()


@pytest.mark.house(speed=4)
async def test_stopping_with_hang_up_ends_the_live_calls(page: Page, house: House) -> None:
    campaign_id = await make_campaign(house.database, contacts=30, name="Spring offer")
    await page.goto(f"/campaigns/{campaign_id}")
    await page.get_by_role("button", name="Start").click()
    await expect(page.get_by_text("8 / 8")).to_be_visible()
    await page.get_by_role("button", name="Stop").click()
    dialog = page.get_by_role("dialog", name="Stop Spring offer?")
    await dialog.get_by_role("radio", name="Hang up now").check()
    await dialog.get_by_role("button", name="Stop the campaign").click()
    await expect(dialog).to_be_hidden()
    await expect(page.get_by_text("Stopped", exact=True).first).to_be_visible()
    await expect(page.get_by_text("0 / 8")).to_be_visible()
    ledger = await house.sim.ledger()
    assert ledger["summary"]["dials"] == 8
    assert ledger["summary"]["active"] == 0
    assert ledger["controls"]


async def test_the_export_agrees_with_the_page(page: Page, house: House, tmp_path: Path) -> None:
    campaign_id = await make_campaign(house.database, contacts=20, name="Spring offer")
    await page.goto(f"/campaigns/{campaign_id}")
    await page.get_by_role("button", name="Start").click()
    await expect(page.get_by_text("Completed", exact=True)).to_be_visible(timeout=LONG_MILLISECONDS)
    await page.reload()  # the last words about cost may come after the end
    async with page.expect_download() as began:
        await page.get_by_role("link", name="Export").click()
    file = tmp_path / "results.csv"
    await (await began.value).save_as(file)
    with file.open(newline="", encoding="utf-8-sig") as opened:
        rows = list(csv.DictReader(opened))
    assert len(rows) == 20
    shown = {term: await _figure(page, term) for term in ("Cost", "Success rate")}
    judged = [row["success_evaluation"] for row in rows if row["success_evaluation"]]
    assert shown == {
        "Cost": f"${sum(float(row['cost_usd'] or 0) for row in rows):,.2f}",
        "Success rate": f"{100 * judged.count('true') / len(judged):.0f} %",
    }
    await expect(page.get_by_text("20 of 20 contacts done")).to_be_visible()
    answered = sum(row["outcome"] == "answered" for row in rows)
    await expect(page.get_by_text(f"Answered {answered}", exact=True)).to_be_visible()


async def _figure(page: Page, term: str) -> str:
    """Read the figure under that word."""
    card = page.locator("dl > div").filter(has=page.get_by_text(term, exact=True))
    return (await card.locator("dd").inner_text()).strip()
