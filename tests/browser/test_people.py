"""People in the browser: let in, changed, removed, and what each of them does with the own account."""

import re

import pytest
from playwright.async_api import Browser, Page, expect

from autolynx.cli.signing_in import sign_in_link
from autolynx.domain.permission import Role
from autolynx.flows.sign_in import set_password
from tests.support.accessibility import assert_accessible
from tests.support.campaign_rows import add_assistant, make_campaign
from tests.support.house import House
from tests.support.page_watch import Watch, watched_context
from tests.support.signed_in import a_person

pytestmark = pytest.mark.anyio
ZOE = "zoe@example.com"
PASSWORD, NEXT = "four words of nobody else", "five other words of nobody"
SIGNED_OUT = ("answer 401", "status of 401")


async def add_zoe(page: Page) -> str:
    """Add somebody, and return the link that signs her in."""
    await page.goto("/people")
    await page.get_by_role("button", name="Add somebody").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Email").fill(ZOE)
    await dialog.get_by_label("Name").fill("Zoë")
    await dialog.get_by_role("button", name="Add").click()
    await expect(dialog.get_by_role("heading")).to_have_text(f"{ZOE} may come in")
    link = await dialog.locator("#person-link").inner_text()
    await dialog.get_by_role("button", name="Done").click()
    await expect(page.get_by_role("row").filter(has_text=ZOE)).to_be_visible()
    return link


async def test_somebody_is_added_and_comes_in_by_the_link_once(page: Page, house: House, browser: Browser) -> None:
    link = await add_zoe(page)
    async with watched_context(browser, house.url) as (context, watch):
        hers = await context.new_page()
        await hers.goto(link)
        await expect(hers).to_have_url(f"{house.url}/")
        await hers.get_by_label("Your account").click()
        await expect(hers.get_by_text("Signed in as")).to_contain_text(ZOE)
        await expect(hers.get_by_role("link", name="People")).to_have_count(0)
        watch.announce(*SIGNED_OUT)
        await hers.goto(link)
        await expect(hers.get_by_role("heading", level=1)).to_have_text("This link does not work any more")


async def test_what_is_wrong_with_an_email_is_said_in_the_dialog(page: Page, watch: Watch) -> None:
    watch.announce("answer 400", "status of 400")
    await add_zoe(page)
    await page.get_by_role("button", name="Add somebody").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Email").fill(ZOE)
    await dialog.get_by_role("button", name="Add").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("on the list already")
    await assert_accessible(page)


async def test_a_role_is_changed_in_place_and_the_last_admin_keeps_it(page: Page) -> None:
    await add_zoe(page)
    role = page.get_by_label(f"Role of {ZOE}")
    await role.select_option("admin")
    await expect(page.locator("#toasts")).to_contain_text(f"{ZOE} is an admin now.")
    await role.select_option("operator")
    await expect(page.locator("#toasts")).to_contain_text(f"{ZOE} is an operator now.")
    mine = page.get_by_label("Role of admin@example.com")
    await mine.select_option("operator")
    await expect(page.locator("#toasts")).to_contain_text("There must be one admin left")
    await expect(mine).to_have_value("admin")


async def test_who_is_removed_is_led_out_of_an_open_page(page: Page, house: House, browser: Browser) -> None:
    link = await add_zoe(page)
    async with watched_context(browser, house.url) as (context, _):
        hers = await context.new_page()
        await hers.goto(link)
        await expect(hers.get_by_role("heading", level=1)).to_have_text("Campaigns")
        row = page.get_by_role("row").filter(has_text=ZOE)
        await row.get_by_role("button", name="Remove").click()
        dialog = page.get_by_role("dialog", name=f"Remove {ZOE}?")
        await dialog.get_by_role("button", name="Remove").click()
        await expect(page.locator("#toasts")).to_contain_text("may not come in any more")
        await expect(row).to_have_count(0)
        await expect(hers.get_by_role("heading", level=1)).to_have_text("Sign in")


async def test_a_password_signs_in_and_a_wrong_one_does_not(stranger: Page, house: House, watch: Watch) -> None:
    watch.announce(*SIGNED_OUT)
    zoe = await a_person(house.runtime, ZOE, Role.OPERATOR)
    await set_password(house.runtime, zoe, PASSWORD)
    await stranger.goto("/analytics")
    await expect(stranger.get_by_role("heading", level=1)).to_have_text("Sign in")
    await assert_accessible(stranger)
    await stranger.get_by_label("Email").fill(ZOE)
    await stranger.get_by_label("Password").fill("wrong words of somebody")
    await stranger.get_by_role("button", name="Sign in").click()
    await expect(stranger.get_by_role("alert")).to_have_text("Email or password is not right.")
    await expect(stranger.get_by_label("Email")).to_have_value(ZOE)
    await assert_accessible(stranger)
    await stranger.get_by_label("Password").fill(PASSWORD)
    await stranger.keyboard.press("Enter")
    await expect(stranger).to_have_url(re.compile("/analytics"))


async def test_the_own_password_is_set_and_changed(page: Page, watch: Watch) -> None:
    watch.announce("answer 400", "status of 400")
    await page.goto("/account")
    await page.get_by_label("New password").fill(PASSWORD)
    await page.get_by_role("button", name="Set a password").click()
    await expect(page.locator("#toasts")).to_contain_text("Your password is set.")
    await page.get_by_label("Current password").fill("wrong words of somebody")
    await page.get_by_label("New password").fill(NEXT)
    await page.get_by_role("button", name="Change password").click()
    await expect(page.get_by_role("alert").filter(has_text="not your password")).to_be_visible()
    await page.get_by_label("Current password").fill(PASSWORD)
    await page.get_by_label("New password").fill(NEXT)
    await page.get_by_role("button", name="Change password").click()
    await expect(page.locator("#own-password").get_by_role("alert")).to_have_count(0)
    await expect(page.locator("#toasts")).to_contain_text("Your password is set.")


async def test_a_token_is_made_shown_once_and_revoked(page: Page, house: House) -> None:
    await page.goto("/account")
    await page.get_by_label("What it is for").fill("The nightly export")
    await page.get_by_label("What it may do").select_option("export")
    await page.get_by_role("button", name="Make a token").click()
    secret = await page.locator("#new-token").inner_text()
    bearer = {"Authorization": f"Bearer {secret}"}
    answer = await page.request.get(f"{house.url}/api/campaigns", headers=bearer)
    assert answer.status == 200
    await page.reload()
    await expect(page.locator("#new-token")).to_have_count(0)
    row = page.get_by_role("row").filter(has_text="The nightly export")
    await expect(row).to_contain_text("export")
    await row.get_by_role("button", name="Revoke").click()
    await expect(row).to_have_count(0)
    answer = await page.request.get(f"{house.url}/api/campaigns", headers=bearer)
    assert answer.status == 401


async def test_an_operator_is_shown_no_button_that_is_not_for_operators(stranger: Page, house: House) -> None:
    assistant_id = await add_assistant(house.database)
    await stranger.goto(await add_operator(house))
    for address, forbidden in (
        ("/system", ("Hold all dialling", "Tick now", "Release")),
        ("/assistants", ("New assistant", "Import", "Clone Morgan")),
        (f"/assistants/{assistant_id}", ("Delete", "Clone", "Save changes")),
        (f"/assistants/{assistant_id}/versions", ("Restore",)),
    ):
        await stranger.goto(address)
        for word in forbidden:
            for kind in ("button", "link"):
                await expect(stranger.get_by_role(kind, name=word)).to_have_count(0)  # type: ignore[arg-type]
        await expect(stranger.get_by_role("switch")).to_have_count(0)
        await assert_accessible(stranger)
    await make_campaign(house.database, contacts=1, name="Of somebody else")
    await stranger.goto("/")
    await expect(stranger.get_by_text("Call your first list")).to_be_visible()
    await assert_accessible(stranger)


async def add_operator(house: House) -> str:
    """Return the link of an operator."""
    person = await a_person(house.runtime, ZOE, Role.OPERATOR)
    return await sign_in_link(house.runtime, person, base_url=house.url)
