"""What a browser has to fetch before somebody sees the dashboard for the first time."""

import asyncio

import pytest
from playwright.async_api import Page, Response

from tests.support.campaign_rows import make_campaign
from tests.support.house import House

pytestmark = pytest.mark.anyio

MOST_BYTES = 200_000
A_FULL_PAGE = 25


async def test_a_full_dashboard_costs_at_most_two_hundred_kilobytes(stranger: Page, house: House) -> None:
    for number in range(A_FULL_PAGE):
        await make_campaign(house.database, contacts=3, first=5000 + 10 * number, name=f"Spring offer {number}")
    answers: list[Response] = []

    def note(answer: Response) -> None:
        answers.append(answer)

    stranger.on("response", note)
    await stranger.goto(await house.link())
    await stranger.wait_for_load_state("load")
    await stranger.get_by_text("Spring offer 3", exact=True).first.wait_for()
    whole = [one for one in answers if "/live" not in one.url]
    sizes = await asyncio.gather(*(one.request.sizes() for one in whole))
    fetched = sum(size["responseBodySize"] + size["responseHeadersSize"] for size in sizes)
    assert len(whole) >= 6, "the page, its styles, scripts and mark"
    assert 10_000 < fetched <= MOST_BYTES, f"{fetched:,} bytes"
