"""Every page that is taken, in one table: add a line for a new one."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from playwright.async_api import Page

from screenshots.story import Tale

Scheme = Literal["light", "dark"]
Act = Callable[[Page], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Shot:
    """A page: `address` names things of the story in braces, `act` is done on it before it is taken."""

    name: str
    address: str
    act: Act | None = None
    is_signed_in: bool = True

    def address_in(self, tale: Tale) -> str:
        """Return the address with the story's ids."""
        return self.address.format(**vars(tale))


async def open_hold(page: Page) -> None:
    """Ask what the red button does."""
    await page.get_by_role("button", name="Hold all dialling").click()
    await page.get_by_role("dialog").wait_for()


async def open_call(page: Page) -> None:
    """Look at a call in which somebody was talked to."""
    await page.get_by_role("row").filter(has_text="answered").first.get_by_role("link").click()
    await page.get_by_role("dialog").wait_for()


async def open_stop(page: Page) -> None:
    """Ask what stopping means."""
    await page.get_by_role("button", name="Stop").click()
    await page.get_by_role("dialog").wait_for()


async def open_follow_up(page: Page) -> None:
    """Ask whom a follow-up campaign would call."""
    await page.get_by_role("button", name="Call these again").click()
    await page.get_by_role("dialog").wait_for()


LIST = (
    "name,business_name,phone,city\n"
    + "".join(f"Ada {n},Acme Bakery {n},+1 202 555 01{n:02},Springfield\n" for n in range(60))
    + "Bob,Bold,12,\nEve,,+1 202 555 0177,\n"
)


async def upload_list(page: Page) -> None:
    """Choose a list and wait for its preview."""
    await page.set_input_files("#file", {"name": "spring list.csv", "mimeType": "text/csv", "buffer": LIST.encode()})
    await page.get_by_role("heading", name="2 rows have a problem").wait_for()


SHOTS: Sequence[Shot] = (
    Shot(name="sign-in", address="/", is_signed_in=False),
    Shot(name="campaigns", address="/"),
    Shot(name="new-campaign", address="/campaigns/new"),
    Shot(name="new-campaign-list", address="/campaigns/new", act=upload_list),
    Shot(name="campaign-running", address="/campaigns/{running}"),
    Shot(name="campaign-contacts", address="/campaigns/{running}?page=2"),
    Shot(name="campaign-paused", address="/campaigns/{paused}"),
    Shot(name="campaign-stopped", address="/campaigns/{stopped}"),
    Shot(name="campaign-waiting", address="/campaigns/{waiting}"),
    Shot(name="campaign-completed", address="/campaigns/{completed}"),
    Shot(name="campaign-analytics", address="/campaigns/{completed}/analytics"),
    Shot(name="campaign-events", address="/campaigns/{running}/events"),
    Shot(name="call", address="/campaigns/{running}?outcome=answered", act=open_call),
    Shot(name="campaign-stop", address="/campaigns/{running}", act=open_stop),
    Shot(name="follow-up", address="/campaigns/{completed}?outcome=no_answer", act=open_follow_up),
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
    Shot(name="system-hold", address="/system", act=open_hold),
    Shot(name="not-found", address="/campaigns/0b6bb0a4-0000-4000-8000-000000000000"),
)
# The three that the README shows: name of the shot, colours, width.
README: Sequence[tuple[str, Scheme, int]] = (
    ("campaigns", "light", 1280),
    ("campaign-running", "light", 1280),
    ("campaign-running", "dark", 1280),
)
