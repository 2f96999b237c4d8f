"""The page of analytics: what it shows, what its address holds, and that each chart has a table which says the same."""

import html
import json
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from autolynx.flows.campaign_edit import delete_campaign
from autolynx.flows.sessions import issue_ticket
from autolynx.store.database import Database
from tests.support.campaign_rows import START, add_assistant, add_call, change_campaign, make_campaign
from tests.support.signed_in import a_person
from tests.support.web import Web, moved_clock, running_web

pytestmark = pytest.mark.anyio


async def signed_in(web: Web) -> httpx.AsyncClient:
    ticket = await issue_ticket(web.runtime, await a_person(web.runtime))
    await web.stranger.get("/enter", params={"ticket": ticket.secret})
    return web.stranger


async def make_calls(database: Database, *, name: str = "Spring", first: int = 0) -> Any:
    """A success of 45 seconds for 20 cents and a voicemail, on Monday the 2nd of March 2026 at ten."""
    campaign_id = await make_campaign(database, contacts=2, first=first, name=name)
    talk = {"started_at": START, "ended_at": START + timedelta(seconds=45)}
    await add_call(database, campaign_id, 0, cost_usd=Decimal("0.2"), success_evaluation=True, **talk)
    await add_call(database, campaign_id, 1, outcome="voicemail")
    await change_campaign(database, campaign_id, status="RUNNING", queued_at=START)
    return campaign_id


async def shown(browser: httpx.AsyncClient, address: str, *, status: int = 200) -> str:
    answer = await browser.get(address)
    assert answer.status_code == status, answer.text
    return html.unescape(answer.text)


def chart(page: str, key: str) -> dict[str, Any]:
    """What charts.js is to draw."""
    found = re.search(rf'id="plot-{key}".*? data-chart="(.*?)"></div>', page)
    assert found, key
    drawn: dict[str, Any] = json.loads(found[1])
    return drawn


def table(page: str, key: str) -> list[list[str]]:
    """The table under a chart."""
    (inside,) = re.findall(rf'id="table-{key}">.*?<tbody>(.*?)</tbody>', page, re.DOTALL)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>(.*?)</tr>", inside, re.DOTALL)]


async def test_every_chart_has_a_table_with_the_same_figures(database: Database) -> None:
    await make_calls(database)
    async with running_web(database, clock=moved_clock()) as web:
        page = await shown(await signed_in(web), "/analytics?days=7")
    calls, rows = chart(page, "calls"), table(page, "calls")
    assert calls["labels"] == [row[0] for row in rows]
    assert calls["labels"][-1] == "2 Mar"
    assert [one["values"][-1] for one in calls["sets"]] == [1, 1, 0]
    assert rows[-1] == ["2 Mar", "2", "1", "1", "0", "0", "0", "0", "50 %"]
    assert chart(page, "outcomes")["sets"][0]["values"] == [1, 1]
    assert table(page, "outcomes") == [["Voicemail", "1", "50 %"], ["Answered", "1", "50 %"]]
    assert table(page, "durations")[2] == ["30\N{EN DASH}60 s", "1", "100 %"]
    assert table(page, "cost")[-1] == ["2 Mar", "$0.200", "1", "$0.200"]
    assert 'title="Monday 10:00: 50 % of 2 answered"' in page
    assert 'title="Monday 11:00: no calls"' in page
    for figure in ("<dd>2</dd>", "<dd>50 %</dd>", "<dd>100 %</dd>", "<dd>45 s</dd>", "<dd>$0.200</dd>"):
        assert figure in page


async def test_long_periods_are_drawn_by_week(database: Database) -> None:
    await make_calls(database)
    async with running_web(database, clock=moved_clock()) as web:
        page = await shown(await signed_in(web), "/analytics?days=365")
    assert "Calls per week" in page
    rows = table(page, "calls")
    assert (len(rows), rows[0][0], rows[-1][:2]) == (53, "3 Mar 2025", ["2 Mar 2026", "2"])


async def test_the_address_holds_period_and_filters_and_so_do_the_downloads(database: Database) -> None:
    campaign_id = await make_calls(database)
    await make_calls(database, name="Autumn", first=2)
    other = await add_assistant(database, name="Casey")
    async with running_web(database, clock=moved_clock()) as web:
        browser = await signed_in(web)
        own = "/analytics?days=own&from=2026-03-01&to=2026-03-03"
        page = await shown(browser, f"{own}&campaign={campaign_id}")
        assert '<input type="radio" name="days" value="own" checked>' in page
        assert f'<option value="{campaign_id}" selected>Spring</option>' in page
        assert "1 Mar 2026 to 3 Mar 2026" in page
        assert table(page, "calls")[1][:2] == ["2 Mar", "2"]
        data = re.findall(r'href="(/api/analytics[^"]+)"', page)
        as_csv, as_json = [await browser.get(address) for address in data]
        assert as_csv.text.splitlines()[1].startswith("total,,,,,2,0,2,")
        assert as_json.json()["total"]["calls"] == 2
        assert "Casey" not in page  # nobody calls with that assistant
        assert "No calls from" in await shown(browser, f"{own}&assistant={other}")


async def test_nonsense_in_the_address_is_the_ordinary_page(database: Database) -> None:
    await make_calls(database)
    async with running_web(database, clock=moved_clock()) as web:
        browser = await signed_in(web)
        ordinary = await shown(browser, "/analytics")
        assert "1 Feb 2026 to 2 Mar 2026" in ordinary
        for odd in ("days=x", "days=own", "from=x&to=y&days=own", "campaign=x&assistant=y", "timezone=Foo+5"):
            assert "1 Feb 2026 to 2 Mar 2026" in await shown(browser, f"/analytics?{odd}")
        gone = await shown(browser, "/analytics?campaign=0b6bb0a4-0000-4000-8000-000000000000", status=404)
        assert "There is no campaign of that id." in gone


@pytest.mark.parametrize(
    ("days", "sentence"),
    [
        ("from=2026-03-02&to=2026-03-01", "to: must not lie before `from`."),
        ("from=2024-03-02&to=2026-03-01", "from: at most 366 days go together; choose a later day."),
    ],
)
async def test_an_impossible_range_is_refused_beside_its_fields(database: Database, days: str, sentence: str) -> None:
    async with running_web(database, clock=moved_clock()) as web:
        page = await shown(await signed_in(web), f"/analytics?days=own&{days}", status=400)
    assert sentence in page
    assert 'value="2026-03-01" aria-invalid="true"' in page


async def test_days_are_those_of_the_reader(database: Database) -> None:
    await make_calls(database)
    async with running_web(database, clock=moved_clock()) as web:
        browser = await signed_in(web)
        browser.cookies.set("timezone", "Pacific%2FAuckland")
        page = await shown(browser, "/analytics?days=7")
        assert "<b>Pacific/Auckland</b>" in page
        assert 'title="Monday 23:00: 50 % of 2 answered"' in page
        browser.cookies.set("timezone", "no zone; at all")
        assert "<b>UTC</b>" in await shown(browser, "/analytics?days=7")
        assert "<b>UTC</b>" in await shown(browser, "/analytics?days=7&timezone=Mars/Olympus")


async def test_before_the_first_call_the_page_says_what_to_do(database: Database) -> None:
    async with running_web(database, clock=moved_clock()) as web:
        page = await shown(await signed_in(web), "/analytics")
    assert "Start a campaign, and its calls are counted here from the first one on." in page
    assert "data-chart" not in page


async def test_a_deleted_campaign_can_still_be_looked_at(database: Database) -> None:
    campaign_id = await make_calls(database)
    async with running_web(database, clock=moved_clock()) as web:
        await change_campaign(database, campaign_id, status="COMPLETED")
        await delete_campaign(web.runtime, campaign_id, actor="a test")
        page = await shown(await signed_in(web), f"/analytics?campaign={campaign_id}")
    assert "Spring (deleted)" in page
    assert table(page, "calls")[-1][1] == "2"


async def test_names_are_text_on_the_page(database: Database) -> None:
    campaign_id = await make_calls(database, name="<script>alert(1)</script>")
    await change_campaign(database, campaign_id, assistant_id=await add_assistant(database, name="<b>Morgan"))
    async with running_web(database, clock=moved_clock()) as web:
        text = (await (await signed_in(web)).get("/analytics")).text
    assert "&lt;script&gt;alert(1)" in text
    assert "<script>alert" not in text
    assert "&lt;b&gt;Morgan" in text
