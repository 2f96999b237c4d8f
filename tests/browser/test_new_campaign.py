"""A list in the browser: dropped or chosen, refused in plain words, given up at will, and called."""

import gzip
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.support.accessibility import assert_accessible
from tests.support.campaign_rows import make_campaign
from tests.support.checks import query
from tests.support.house import House, running_house
from tests.support.page_watch import PHONE, Watch, is_as_wide_as_its_window, watched_context
from tests.support.sim import TWILIO_MAIN

pytestmark = pytest.mark.anyio

HEADER = "name,business_name,phone,city\n"
BIG_ROWS = 4_000  # long enough to be compressed


def a_list(rows: int = 6) -> str:
    return HEADER + "".join(f"Ada {n},Acme {n},+1 202 555 01{n:02},Springfield\n" for n in range(rows))


def a_long_list() -> bytes:
    return (HEADER + "".join(f"Ada {n},Acme {n},{n},{'Springfield' * 8}\n" for n in range(BIG_ROWS))).encode()


async def drop(page: Page, text: str, name: str = "spring list.csv") -> None:
    """Drop a file onto the page, as from a folder."""
    transfer = await page.evaluate_handle(
        """([text, name]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([text], name, { type: "text/csv" }));
            return transfer;
        }""",
        [text, name],
    )
    zone = page.locator("#drop")
    for event in ("dragenter", "dragover", "drop"):
        await zone.dispatch_event(event, {"dataTransfer": transfer})


async def choose(page: Page, body: bytes, name: str = "spring list.csv") -> None:
    await page.set_input_files("#file", {"name": name, "mimeType": "text/csv", "buffer": body})


# Keys that are pressed before a page was painted for the first time are dropped by the browser.
PAINTED = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


async def new_campaign(page: Page, house: House) -> None:
    await make_campaign(house.database, contacts=1, first=5000, name="Before")  # and so an assistant
    await page.goto("/campaigns/new")


async def test_a_dropped_list_is_looked_at_created_started_and_called(page: Page, house: House) -> None:
    await new_campaign(page, house)
    await page.get_by_label("Name of the campaign").fill("Spring offer")
    await drop(page, a_list())
    await expect(page.get_by_text("spring list.csv")).to_be_visible()
    await expect(page.get_by_label("Name of the campaign")).to_have_value("Spring offer")
    await expect(page.get_by_text("6 contacts are called")).to_be_visible()
    await page.reload()
    await expect(page.get_by_text("6 contacts are called")).to_be_visible()
    await page.get_by_label("Phone number to call from").select_option(TWILIO_MAIN)
    await page.get_by_role("button", name="Create and start").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Spring offer")
    await expect(page.get_by_text("6 of 6 contacts done")).to_be_visible(timeout=30_000)


async def test_a_canary_pauses_and_says_why(page: Page, house: House) -> None:
    await new_campaign(page, house)
    await choose(page, a_list(12).encode())
    await expect(page.get_by_text("12 contacts are called")).to_be_visible()
    await page.get_by_label("Phone number to call from").select_option(TWILIO_MAIN)
    await page.get_by_text("Call a few first, then wait for me").click()
    await page.get_by_label("How many first").fill("2")
    await expect(page.get_by_text("First 2 contacts are called, then it waits for you.")).to_be_visible()
    await page.get_by_role("button", name="Create and call the first").click()
    await expect(page.get_by_text("the first 2 contacts were called, as you wished")).to_be_visible(timeout=30_000)
    called = await query(house.database, "SELECT DISTINCT contact_id FROM calls")
    assert len(called) == 2


@pytest.mark.parametrize(
    ("body", "name", "sentence"),
    [
        (b"", "empty.csv", "The file is empty; choose a CSV with contacts."),
        (b"PK\x03\x04....", "book.xlsx", "The file is an Excel workbook or a zip archive, not a CSV"),
        (b"x" * (10 * 1024 * 1024 + 1), "huge.csv", "The file is larger than 10 MB; split it into several files."),
    ],
)
async def test_what_cannot_be_a_list_is_refused_before_it_is_sent(
    page: Page, house: House, body: bytes, name: str, sentence: str
) -> None:
    await new_campaign(page, house)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await choose(page, body, name)
    await expect(page.get_by_role("alert")).to_contain_text(sentence)
    assert not any("/api/uploads" in url for url in asked)
    assert await page.evaluate("document.activeElement.id") == "file"
    await choose(page, a_list().encode())
    await expect(page.get_by_text("6 contacts are called")).to_be_visible()


async def test_what_the_server_refuses_is_said_in_its_words(page: Page, house: House, watch: Watch) -> None:
    await new_campaign(page, house)
    watch.announce("answer 400", "status of 400")
    await choose(page, b"name,phone\nAda,+1 202 555 0100\n")
    await expect(page.get_by_role("alert")).to_contain_text("business_name not found")
    assert await query(house.database, "SELECT id FROM uploads") == []


async def test_an_upload_is_cancelled_and_another_one_begun(page: Page, house: House) -> None:
    await new_campaign(page, house)
    held: list[Route] = []

    async def hold(route: Route) -> None:  # nobody answers
        held.append(route)

    await page.route("**/api/uploads", hold)
    await choose(page, a_list().encode())
    await expect(page.get_by_role("progressbar", name="Upload")).to_be_visible()
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.get_by_text("Drop a CSV here")).to_be_visible()
    await expect(page.get_by_role("button", name="Cancel")).to_be_hidden()
    assert len(held) == 1
    await page.unroute("**/api/uploads")
    assert await query(house.database, "SELECT id FROM uploads") == []
    await choose(page, a_list().encode())
    await expect(page.get_by_text("6 contacts are called")).to_be_visible()


async def test_a_long_list_is_compressed_before_it_is_sent(page: Page, house: House) -> None:
    await new_campaign(page, house)
    body = a_long_list()
    async with page.expect_request("**/api/uploads") as sending:
        await choose(page, body)
    sent = (await sending.value).post_data_buffer
    await expect(page.get_by_text(f"{BIG_ROWS:,} rows have a problem").first).to_be_visible(timeout=30_000)
    assert sent is None or len(sent) < len(body) / 2
    (kept,) = await query(house.database, "SELECT size_bytes, file_name FROM uploads")
    assert (kept["size_bytes"], kept["file_name"]) == (len(body), "spring list.csv")


async def test_a_name_that_is_taken_is_replaced_by_one_click(page: Page, house: House, watch: Watch) -> None:
    await new_campaign(page, house)
    own = "UPDATE campaigns SET owner_id = (SELECT id FROM user_profiles) RETURNING id"  # a name is one person's matter
    assert len(await query(house.database, own)) == 1
    await choose(page, a_list().encode())
    await expect(page.get_by_text("6 contacts are called")).to_be_visible()
    await page.get_by_label("Phone number to call from").select_option(TWILIO_MAIN)
    await page.get_by_label("Name of the campaign").fill("Before")
    await page.get_by_text("Only create it").click()
    watch.announce("answer 409", "status of 409")
    await page.get_by_role("button", name="Create the campaign").click()
    await expect(page.get_by_label("Name of the campaign")).to_be_focused()
    await page.get_by_role("button", name="Before 2").click()
    await expect(page.get_by_label("Name of the campaign")).to_have_value("Before 2")
    await page.get_by_role("button", name="Create the campaign").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Before 2")


async def test_the_keyboard_alone_is_enough(page: Page, house: House, tmp_path: Path) -> None:
    await new_campaign(page, house)
    path = tmp_path / "list.csv.gz"
    path.write_bytes(gzip.compress(a_list().encode()))
    await page.evaluate(PAINTED)
    async with page.expect_file_chooser() as choosing:
        await page.locator("#file").focus()  # a way there and back: the browser has then heard that we listen
        await page.keyboard.press("Enter")
    await (await choosing.value).set_files(path)
    await expect(page.get_by_text("6 contacts are called")).to_be_visible()
    await page.get_by_label("Phone number to call from").focus()
    await page.keyboard.press("ArrowDown")
    await page.get_by_role("button", name="Create and start").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("list 20")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_state_is_accessible_on_a_phone(browser: Browser, house: House, scheme: str) -> None:
    async with watched_context(browser, house.url, width=PHONE, scheme=scheme) as (context, watch):
        page = await context.new_page()
        await page.goto(await house.link())
        await new_campaign(page, house)
        await assert_accessible(page)
        await choose(page, (a_list(15) + f"{'Zoë 🎉 مرحبا ' * 6},{'Überlang' * 20},12,\n").encode())
        await expect(page.get_by_text("1 row has a problem").first).to_be_visible()
        watch.announce("answer 400", "status of 400")
        await page.get_by_label("Calls at once").fill("99")
        await page.get_by_role("button", name="Create and start").click()
        await expect(page.get_by_text("Must be from 1 to 50.")).to_be_visible()
        await assert_accessible(page)
        assert await is_as_wide_as_its_window(page)


async def test_where_requests_are_capped_a_list_goes_in_parts(database_url: str, browser: Browser) -> None:
    async with (
        running_house(database_url, RUNTIME="function") as house,
        watched_context(browser, house.url) as (context, _),
    ):
        page = await context.new_page()
        await page.goto(await house.link())
        await new_campaign(page, house)
        await page.evaluate("document.getElementById('drop').dataset.partBytes = '40000'")
        await choose(page, a_long_list())
        await expect(page.get_by_text(f"{BIG_ROWS:,} rows have a problem").first).to_be_visible(timeout=30_000)
        (kept,) = await query(house.database, "SELECT status, total_rows FROM uploads")
        assert (kept["status"], kept["total_rows"]) == ("ready", BIG_ROWS)
