"""What the directory says of the use of an assistant."""

import pytest

from autolynx.store.database import Database
from tests.support.campaign_rows import START, add_assistant, add_call, change_campaign
from tests.support.engine import make_campaign
from tests.support.web import problem, rows, running_web

pytestmark = pytest.mark.anyio


async def test_the_directory_says_how_often_and_how_well_an_assistant_was_used(database: Database) -> None:
    async with running_web(database) as web:
        first = await make_campaign(database, contacts=4)
        second = await make_campaign(database, contacts=1, first=10)
        tried = await make_campaign(database, contacts=1, first=20, options='{"testCall": true}')
        gone = await make_campaign(database, contacts=1, first=30)
        await add_call(database, first, 0, success_evaluation=True, cost_usd="0.10", started_at=START, ended_at=START)
        await add_call(database, first, 1, success_evaluation=False, cost_usd="0.20")
        await add_call(database, first, 2, outcome="voicemail", cost_usd="0.03")
        await add_call(database, first, 3, outcome="not_dialled", counts_as_attempt=False, status="FAILED")
        await add_call(database, second, 0, status="IN_PROGRESS", outcome=None, holds_line=True, is_final=False)
        for left_out in (tried, gone):
            await add_call(database, left_out, 0, success_evaluation=True, cost_usd="9")
        await change_campaign(database, first, status="COMPLETED")
        await change_campaign(database, gone, deleted_at=START)
        await add_assistant(database, name="Unused")
        listed = {one["name"]: one["usage"] for one in (await web.client.get("/api/assistants")).json()["assistants"]}
        assert listed["Riley"] == {
            "campaigns": 2,
            "openCampaigns": 1,
            "calls": 3,
            "answerRate": pytest.approx(2 / 3),
            "successRate": 0.5,
            "averageCost": "0.1100",
        }
        assert listed["Unused"] == {
            "campaigns": 0,
            "openCampaigns": 0,
            "calls": 0,
            "answerRate": None,
            "successRate": None,
            "averageCost": None,
        }
        (row,) = await rows(database, "SELECT id FROM assistants WHERE name = 'Riley'")
        one = (await web.client.get(f"/api/assistants/{row['id']}")).json()
        assert one["usage"] == listed["Riley"]


async def test_a_filter_holds_for_the_page_and_its_count(database: Database) -> None:
    async with running_web(database) as web:
        for name in ("Team A", "Team B", "Other"):
            await add_assistant(database, name=name, active=name != "Team B")
        answer = (await web.client.get("/api/assistants", params={"q": "team", "active": True})).json()
        assert [one["name"] for one in answer["assistants"]] == ["Team A"]
        assert answer["pagination"]["total"] == 1
        problem(await web.client.get("/api/assistants", params={"source": "nowhere"}), 400, "VALIDATION_ERROR")
