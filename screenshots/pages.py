"""Every page that is taken, in one table: add a line for a new one."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from playwright.async_api import Page

from screenshots.people import FLAWED
from screenshots.story import Tale

Scheme = Literal["light", "dark"]
Act = Callable[[Page], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Shot:
    """A page: `address` names things of the story in braces, `act` is done on it before it is taken.

    `is_whole`: from top to bottom; else what the window shows, as with a dialog.
    """

    name: str
    address: str
    act: Act | None = None
    is_signed_in: bool = True
    is_whole: bool = True

    def address_in(self, tale: Tale) -> str:
        """Return the address with the story's ids."""
        return self.address.format(**vars(tale))


async def open_hold(page: Page) -> None:
    """Ask what the red button does."""
    await page.get_by_role("button", name="Hold all dialling").click()
    await page.get_by_role("dialog").wait_for()


async def open_call(page: Page) -> None:
    """Look at a call in which somebody was talked to, one with an ordinary name."""
    await page.get_by_role("row").filter(has_text="answered").nth(4).get_by_role("link").click()
    await page.get_by_role("dialog").wait_for()


async def open_stop(page: Page) -> None:
    """Ask what stopping means."""
    await page.get_by_role("button", name="Stop").click()
    await page.get_by_role("dialog").wait_for()


async def open_edit(page: Page) -> None:
    """Change what may be changed while a campaign goes on."""
    await _choose(page, "Edit name and options")


async def open_canary(page: Page) -> None:
    """Ask how many are called before the campaign waits."""
    await _choose(page, "Call a few first")


async def _choose(page: Page, name: str) -> None:
    """Choose what opens a dialog from the menu of a campaign."""
    await page.get_by_text("More", exact=True).click()
    await page.get_by_role("button", name=name).click()
    await page.get_by_role("dialog").wait_for()


async def open_follow_up(page: Page) -> None:
    """Ask whom a follow-up campaign would call."""
    await page.get_by_role("button", name="Call these again").click()
    await page.get_by_role("dialog").wait_for()


async def add_person(page: Page) -> None:
    """Put somebody on the list, and see the link to be handed over."""
    await page.get_by_role("button", name="Add somebody").click()
    dialog = page.get_by_role("dialog")
    width = await page.evaluate("innerWidth")  # at each width somebody else: nobody is added twice
    await dialog.get_by_label("Email").fill(f"zoe.{width}@example.com")
    await dialog.get_by_role("button", name="Add").click()
    await dialog.get_by_role("button", name="Copy").wait_for()


LIST = (
    "name,business_name,phone,city\n"
    + "".join(f"Ada {n},Acme Bakery {n},+1 202 555 01{n:02},Springfield\n" for n in range(60))
    + "Bob,Bold,12,\nEve,,+1 202 555 0177,\n"
)


async def choose_list(page: Page) -> None:
    """Give the form a list in which not every row is good."""
    await page.set_input_files(
        "#file", {"name": "contacts from the fair.csv", "mimeType": "text/csv", "buffer": FLAWED.encode()}
    )
    await page.get_by_role("heading", name="rows have a problem").wait_for()


SHOTS: Sequence[Shot] = (
    Shot(name="sign-in", address="/", is_signed_in=False),
    Shot(name="campaigns", address="/"),
    Shot(name="new-campaign", address="/campaigns/new"),
    Shot(name="new-campaign-list", address="/campaigns/new", act=choose_list),
    Shot(name="campaign-running", address="/campaigns/{running}"),
    Shot(name="campaign-contacts", address="/campaigns/{running}?page=2"),
    Shot(name="campaign-paused", address="/campaigns/{paused}"),
    Shot(name="campaign-stopped", address="/campaigns/{stopped}"),
    Shot(name="campaign-waiting", address="/campaigns/{waiting}"),
    Shot(name="campaign-completed", address="/campaigns/{completed}"),
    Shot(name="campaign-analytics", address="/campaigns/{completed}/analytics"),
    Shot(name="campaign-events", address="/campaigns/{running}/events"),
    Shot(name="call", address="/campaigns/{running}?success=yes", act=open_call, is_whole=False),
    Shot(name="campaign-stop", address="/campaigns/{running}", act=open_stop, is_whole=False),
    Shot(name="campaign-edit", address="/campaigns/{running}", act=open_edit, is_whole=False),
    Shot(name="campaign-canary", address="/campaigns/{waiting}", act=open_canary, is_whole=False),
    Shot(name="follow-up", address="/campaigns/{completed}?outcome=no_answer", act=open_follow_up, is_whole=False),
    Shot(name="assistants", address="/assistants"),
    Shot(name="assistant-new", address="/assistants/new"),
    Shot(name="assistant-import", address="/assistants/import"),
    Shot(name="assistant", address="/assistants/{assistant}"),
    Shot(name="assistant-use", address="/assistants/{assistant}/use"),
    Shot(name="assistant-versions", address="/assistants/{assistant}/versions"),
    Shot(name="assistant-drift", address="/assistants/{assistant}/drift"),
    Shot(name="assistant-test-call", address="/assistants/{assistant}/test-call"),
    Shot(name="analytics", address="/analytics"),
    Shot(name="system", address="/system"),
    Shot(name="system-hold", address="/system", act=open_hold, is_whole=False),
    Shot(name="people", address="/people"),
    Shot(name="person-added", address="/people", act=add_person, is_whole=False),
    Shot(name="account", address="/account"),
    Shot(name="settings", address="/settings"),
    Shot(name="audit", address="/audit"),
    Shot(name="privacy", address="/privacy"),
    Shot(name="not-found", address="/campaigns/0b6bb0a4-0000-4000-8000-000000000000"),
)
# The three that the README shows: name of the shot, colours, width.
README: Sequence[tuple[str, Scheme, int]] = (
    ("campaigns", "light", 1280),
    ("call", "light", 1280),
    ("analytics", "dark", 1280),
)
