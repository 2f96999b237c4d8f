import csv
import io
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from autolynx.store.database import Database
from tests.support.campaign_rows import START, add_assistant, add_call, change_campaign, make_campaign
from tests.support.web import Web, running_web

pytestmark = pytest.mark.anyio

DAYS = {"from": "2026-03-01", "to": "2026-03-03"}


async def make_calls(database: Database, *, assistant: str = "Morgan") -> str:
    """One success of 45 seconds for 20 cents, a voicemail and a call that goes on, all on the 2nd of March."""
    campaign_id = await make_campaign(database, contacts=3)
    assistant_id = await add_assistant(database, name=assistant)
    await change_campaign(database, campaign_id, assistant_id=assistant_id)
    talk = {"started_at": START, "ended_at": START + timedelta(seconds=45)}
    await add_call(database, campaign_id, 0, cost_usd=Decimal("0.2"), success_evaluation=True, **talk)
    await add_call(database, campaign_id, 1, outcome="voicemail")
    await add_call(database, campaign_id, 2, status="RINGING", outcome=None, holds_line=True, is_final=False)
    return str(assistant_id)


async def shown(web: Web, **parameters: str) -> dict[str, Any]:
    answer = await web.client.get("/api/analytics", params={**DAYS, **parameters})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def table(web: Web, **parameters: str) -> list[dict[str, str]]:
    answer = await web.client.get("/api/analytics.csv", params={**DAYS, **parameters})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="analytics-2026-03-01-to-2026-03-03.csv"'
    return list(csv.DictReader(io.StringIO(answer.text)))


async def test_the_figures_are_told_in_total_by_day_by_hour_and_by_assistant(database: Database) -> None:
    assistant_id = await make_calls(database)
    async with running_web(database) as web:
        found = await shown(web)
    assert [found[name] for name in ("from", "to", "timezone")] == ["2026-03-01", "2026-03-03", "UTC"]
    total = found["total"]
    assert [total[name] for name in ("calls", "active", "completed", "answered")] == [3, 1, 2, 1]
    assert [total[name] for name in ("answerRate", "successRate", "cost", "costPerSuccess")] == [0.5, 1.0, 0.2, 0.2]
    assert [total[name] for name in ("talkSeconds", "averageDuration")] == [45.0, 45.0]
    assert {name: n for name, n in total["callsByOutcome"].items() if n} == {"answered": 1, "voicemail": 1}
    assert [one for one in total["durations"] if one["calls"]] == [{"fromSeconds": 30, "toSeconds": 60, "calls": 1}]
    assert [(day["day"], day["calls"]) for day in found["days"]] == [
        ("2026-03-01", 0),
        ("2026-03-02", 3),
        ("2026-03-03", 0),
    ]
    busy = [(hour["weekday"], hour["hour"], hour["answerRate"]) for hour in found["hours"] if hour["calls"]]
    assert (len(found["hours"]), busy) == (168, [(1, 10, 0.5)])
    assert [(one["id"], one["name"], one["calls"]) for one in found["assistants"]] == [(assistant_id, "Morgan", 3)]


async def test_the_csv_has_the_same_figures(database: Database) -> None:
    await make_calls(database)
    async with running_web(database) as web:
        found, lines = await shown(web), await table(web)
    assert len(lines) == 1 + 3 + 168 + 1
    (total,) = [line for line in lines if line["part"] == "total"]
    assert (total["cost_usd"], total["cost_per_success"], total["answer_rate"]) == ("0.2000", "0.2000", "0.5000")
    days = [line for line in lines if line["part"] == "day"]
    assert [(line["day"], int(line["calls"])) for line in days] == [(one["day"], one["calls"]) for one in found["days"]]
    hours = [(line["weekday"], line["hour"], line["calls"]) for line in lines if line["part"] == "hour"]
    assert hours[10] == ("Monday", "10", "3")
    (assistant,) = [line for line in lines if line["part"] == "assistant"]
    assert (assistant["assistant"], assistant["talks_30_to_60_seconds"], assistant["talk_seconds"]) == (
        "Morgan",
        "1",
        "45.000",
    )
    assert days[0]["answer_rate"] == days[0]["cost_per_success"] == ""


async def test_an_assistant_called_like_a_formula_is_text_in_the_csv(database: Database) -> None:
    await make_calls(database, assistant="=1+1")
    async with running_web(database) as web:
        assert (await table(web))[-1]["assistant"] == "'=1+1"


async def test_days_belong_to_the_time_zone_and_filters_narrow(database: Database) -> None:
    assistant_id = await make_calls(database)
    async with running_web(database) as web:
        found = await shown(web, timezone="Pacific/Auckland")  # ten in the morning is eleven at night there
        assert [(one["weekday"], one["hour"]) for one in found["hours"] if one["calls"]] == [(1, 23)]
        other = await add_assistant(database, name="Casey")
        assert (await shown(web, assistantId=str(other)))["total"]["calls"] == 0
        narrowed = await shown(web, assistantId=assistant_id)
        assert (narrowed["assistantId"], narrowed["total"]["calls"]) == (assistant_id, 3)


@pytest.mark.parametrize(
    ("parameters", "status", "field"),
    [
        ({"from": "yesterday"}, 400, "from"),
        ({"to": "2026-02-30"}, 400, "to"),
        ({"to": "2026-02-01"}, 400, "to"),
        ({"from": "2024-01-01"}, 400, "from"),
        ({"timezone": "Mars"}, 400, "timezone"),
        ({"timezone": "x" * 101}, 400, "timezone"),
        ({"assistantId": "Morgan"}, 400, "assistantId"),
        ({"campaignId": str(uuid4())}, 404, None),
        ({"assistantId": str(uuid4())}, 404, None),
    ],
)
async def test_what_cannot_be_shown_is_refused_with_a_sentence(
    database: Database, parameters: dict[str, str], status: int, field: str | None
) -> None:
    async with running_web(database) as web:
        for path in ("/api/analytics", "/api/analytics.csv"):
            answer = await web.client.get(path, params={**DAYS, **parameters})
            assert (answer.status_code, answer.json()["error"]["details"].get("field")) == (status, field)


async def test_nobody_reads_them_without_a_token(database: Database) -> None:
    async with running_web(database) as web:
        web.client.headers.pop("Authorization")
        for path in ("/api/analytics", "/api/analytics.csv"):
            assert (await web.client.get(path)).status_code == 401
