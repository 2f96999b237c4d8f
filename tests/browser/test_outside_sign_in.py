"""A whole sign-in with an account elsewhere, in a browser that keeps our content policy: there and back again."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from autolynx.domain.permission import Role
from autolynx.runtime import SystemClock
from tests.support.accessibility import assert_accessible
from tests.support.house import House, running_house
from tests.support.page_watch import Watch, watched_context
from tests.support.signed_in import a_person
from tests.support.supabase_project import PASSWORD, PAT
from tests.support.supabase_standin.server import running_standin
from tests.support.supabase_standin.world import ANON_KEY, Outsider, World

pytestmark = pytest.mark.anyio


@pytest.fixture
async def home(chromium: str, database_url: str) -> AsyncIterator[tuple[House, World]]:
    """An installation whose people have their accounts in a project, with Pat among them."""
    async with running_standin() as standin:
        settings = {"SUPABASE_URL": standin.url, "SUPABASE_ANON_KEY": ANON_KEY}
        async with running_house(database_url, **settings) as house:
            with standin.project(SystemClock(), site_url=house.url) as world:
                world.add_user(PAT, password=PASSWORD)
                await a_person(house.runtime, PAT, Role.ADMIN)
                yield house, world


@pytest.fixture
async def visit(browser: Browser, home: tuple[House, World]) -> AsyncIterator[tuple[Page, Watch]]:
    async with watched_context(browser, home[0].url) as (context, watch):
        yield await context.new_page(), watch


async def test_the_button_of_google_leads_there_and_back_to_the_page_that_was_wanted(
    home: tuple[House, World], visit: tuple[Page, Watch]
) -> None:
    (house, world), (page, watch) = home, visit
    world.outside["google"] = Outsider(subject="g-1", email=PAT)
    watch.announce("another host: GET")
    await page.goto("/system")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    await assert_accessible(page)
    await page.get_by_role("link", name="Sign in with Google").click()
    await expect(page).to_have_url(f"{house.url}/system")
    await page.goto("/account")
    await expect(page.locator(".lead")).to_contain_text(PAT)
    await expect(page.get_by_role("heading", name="Password")).to_have_count(0)
    await page.get_by_role("button", name="Sign out here").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    assert world.sessions == []


async def test_email_and_password_then_somebody_who_is_not_on_the_list(
    home: tuple[House, World], visit: tuple[Page, Watch]
) -> None:
    (house, world), (page, watch) = home, visit
    world.add_user("stranger@example.com", password=PASSWORD)
    watch.announce("answer 403", "status of 403", "answer 401", "status of 401")
    await page.goto("/sign-in")
    for email, password, heading in (
        ("stranger@example.com", PASSWORD, "You are not on the list"),
        (PAT, "wrong password", "Sign in"),
    ):
        await page.goto("/sign-in")
        await page.get_by_label("Email").first.fill(email)
        await page.get_by_label("Password").fill(password)
        await page.get_by_role("button", name="Sign in", exact=True).click()
        await expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        await assert_accessible(page)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page).to_have_url(f"{house.url}/")
