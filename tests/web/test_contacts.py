"""The contacts of a campaign over JSON."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from autolynx.store.contact_pages import COUNTED_TO, FAR, FEW
from autolynx.store.database import Database
from autolynx.store.report_rows import ContactFilter
from tests.support.campaign_rows import START, add_call, change_contact, make_campaign
from tests.support.checks import query
from tests.support.web import Web, problem, running_web

pytestmark = pytest.mark.anyio

NAMES = ["100% Ada", "100 Ada", "snake_case", "snakeXcase", "O'Hara", 'The "Boss"', "back\\slash", "Zoë Ölmann"]


async def names(web: Web, campaign_id: Any, **query: Any) -> list[str]:
    answer = await web.client.get(f"/api/campaigns/{campaign_id}/contacts", params=query)
    assert answer.status_code == 200, answer.text
    return [contact["name"] for contact in answer.json()["contacts"]]


async def test_a_search_takes_every_character_literally(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=len(NAMES))
    for position, name in enumerate(NAMES):
        await change_contact(database, campaign_id, position, name=name, business_name=f"Shop {position}")
    async with running_web(database) as web:
        assert await names(web, campaign_id, search="100%") == ["100% Ada"]
        assert await names(web, campaign_id, search="E_C") == ["snake_case"]
        assert await names(web, campaign_id, search="o'h") == ["O'Hara"]
        assert await names(web, campaign_id, search='"boss"') == ['The "Boss"']
        assert await names(web, campaign_id, search="\\") == ["back\\slash"]
        assert await names(web, campaign_id, search="Ölm") == ["Zoë Ölmann"]
        assert await names(web, campaign_id, search="shop 3") == ["snakeXcase"]
        assert await names(web, campaign_id, search="' OR 1=1 --") == []
        assert await names(web, campaign_id, search="(200) 555-0104") == ["O'Hara"]
        assert await names(web, campaign_id, search="+1200555010") == NAMES
        assert await names(web, campaign_id, search="  ") == NAMES


async def test_pages_do_not_overlap_and_count_everything(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=120)
    async with running_web(database) as web:
        path = f"/api/campaigns/{campaign_id}/contacts"
        first = (await web.client.get(path)).json()
        assert len(first["contacts"]) == 50
        assert first["pagination"] == {"page": 1, "limit": 50, "total": 120, "pages": 3}
        pages = [await names(web, campaign_id, page=page) for page in (1, 2, 3, 4)]
        assert [name for page in pages for name in page] == [f"Ada {number}" for number in range(120)]
        assert len(await names(web, campaign_id, limit=500)) == 120
        for wrong in (
            {"limit": 501},
            {"limit": 0},
            {"page": 0},
            {"status": "DONE"},
            {"outcome": "great"},
            {"batch": -1},
        ):
            problem(await web.client.get(path, params=wrong), 400, "VALIDATION_ERROR")
        problem(await web.client.get(f"/api/campaigns/{uuid4()}/contacts"), 404, "NOT_FOUND")
        problem(await web.stranger.get(path), 401, "UNAUTHORIZED")


@pytest.mark.parametrize("has_gap", [False, True])
async def test_far_pages_are_found_by_position_where_positions_have_no_gap(database: Database, has_gap: bool) -> None:
    campaign_id = await make_campaign(database, contacts=FAR + 120)
    if has_gap:
        await query(database, "UPDATE contacts SET position = 5000 WHERE position = %s RETURNING id", FAR + 119)
    all_names = [f"Ada {number}" for number in range(FAR + 120)]
    async with running_web(database) as web:
        for page in (21, 22, 23, 24):
            skip = (page - 1) * 50
            assert await names(web, campaign_id, page=page) == all_names[skip : skip + 50]
            turned = await names(web, campaign_id, page=page, order="desc")
            assert turned == all_names[::-1][skip : skip + 50]


async def test_filters_look_at_the_latest_counted_call(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=5)
    await add_call(database, campaign_id, 0, outcome="no_answer")
    await add_call(database, campaign_id, 0, attempt=2, outcome="answered")
    await add_call(database, campaign_id, 1, outcome="no_answer")
    await add_call(database, campaign_id, 2, status="FAILED", outcome="not_dialled", counts_as_attempt=False)
    await add_call(database, campaign_id, 3, status="RINGING", outcome=None, holds_line=True, is_final=False)
    await change_contact(database, campaign_id, 4, batch_index=1, state="excluded", reason="out of attempts")
    async with running_web(database) as web:
        assert await names(web, campaign_id, outcome="no_answer") == ["Ada 1"]
        assert await names(web, campaign_id, outcome="answered") == ["Ada 0"]
        assert await names(web, campaign_id, status="ENDED") == ["Ada 0", "Ada 1"]
        assert await names(web, campaign_id, status="NOT_CALLED") == ["Ada 2", "Ada 4"]
        assert await names(web, campaign_id, status="ENDED", outcome="no_answer", search="acme 1") == ["Ada 1"]
        assert await names(web, campaign_id, batch=1) == ["Ada 4"]
        answer = (await web.client.get(f"/api/campaigns/{campaign_id}/contacts", params={"status": "ENDED"})).json()
        assert answer["pagination"]["total"] == 2
        assert answer["summary"] == {"contactsShown": 2, "callsCompleted": 3, "callsActive": 1, "callsPending": 4}
        (last,) = (await web.client.get(f"/api/campaigns/{campaign_id}/contacts", params={"batch": 1})).json()[
            "contacts"
        ]
        assert (last["state"], last["reason"], last["call"]) == ("excluded", "out of attempts", None)


async def page_of(web: Web, campaign_id: Any, **query: Any) -> dict[str, Any]:
    answer = await web.client.get(f"/api/campaigns/{campaign_id}/contacts", params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_the_order_of_the_file_can_be_turned_round_and_those_called_last_put_first(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=5)
    for position, minutes in ((0, 9), (1, 3), (3, 5)):
        await add_call(database, campaign_id, position, claimed_at=START + timedelta(minutes=minutes))
    await add_call(database, campaign_id, 1, attempt=2, claimed_at=START + timedelta(minutes=10), outcome="busy")
    async with running_web(database) as web:
        assert await names(web, campaign_id, order="desc") == [f"Ada {n}" for n in (4, 3, 2, 1, 0)]
        latest = [f"Ada {n}" for n in (1, 0, 3, 2, 4)]
        assert await names(web, campaign_id, sort="latest") == latest
        for limit in (1, 2, 3):
            for query in ({}, {"search": "ADA"}):
                chosen = {**query, "sort": "latest", "limit": limit}
                pages = [await names(web, campaign_id, **chosen, page=page) for page in range(1, 7)]
                assert [name for page in pages for name in page] == latest
        assert await names(web, campaign_id, sort="latest", search="ada 1") == ["Ada 1"]
        assert await names(web, campaign_id, sort="latest", search="ada", outcome="busy") == ["Ada 1"]
        assert await names(web, campaign_id, sort="latest", search="ada", status="NOT_CALLED") == ["Ada 2", "Ada 4"]
        assert await names(web, campaign_id, sort="latest", outcome="answered") == ["Ada 0", "Ada 3"]
        assert await names(web, campaign_id, sort="latest", status="NOT_CALLED") == ["Ada 2", "Ada 4"]
        problem(
            await web.client.get(f"/api/campaigns/{campaign_id}/contacts", params={"sort": "name"}),
            *(400, "VALIDATION_ERROR"),
        )


async def test_where_a_search_finds_more_than_a_few_those_called_last_come_first_all_the_same(
    database: Database,
) -> None:
    campaign_id = await make_campaign(database, contacts=FEW + 2)
    for position, minutes in ((FEW, 3), (7, 9)):
        await add_call(database, campaign_id, position, claimed_at=START + timedelta(minutes=minutes))
    async with running_web(database) as web:
        found = await names(web, campaign_id, sort="latest", search="ada", limit=4)
        assert found == ["Ada 7", f"Ada {FEW}", "Ada 0", "Ada 1"]


async def test_a_search_turns_over_an_index_and_no_rows(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=2000)
    async with database.connection(by_index=True) as conn:
        for chosen in (ContactFilter(search="nobody"), ContactFilter(search="555 0199")):
            values = {**chosen.parameters(), "campaign_id": campaign_id}
            where = chosen.where_latest()
            cursor = await conn.execute(
                f"EXPLAIN SELECT t.id FROM contacts t WHERE {where} ORDER BY t.position", values
            )
            plan = " ".join(row["QUERY PLAN"] for row in await cursor.fetchall())
            assert plan.startswith("Index Only Scan using contacts_campaign_id_position_key"), plan


async def test_contacts_are_filtered_by_success(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=4)
    for position, success in enumerate((True, False, None, True)):
        await add_call(database, campaign_id, position, success_evaluation=success)
    async with running_web(database) as web:
        assert await names(web, campaign_id, success=True) == ["Ada 0", "Ada 3"]
        assert await names(web, campaign_id, success=False) == ["Ada 1"]
        assert await names(web, campaign_id, success=True, search="Ada 3") == ["Ada 3"]


@pytest.mark.parametrize("is_called_twice", [False, True])
async def test_totals_are_exact_as_far_as_they_are_counted(database: Database, is_called_twice: bool) -> None:
    campaign_id = await make_campaign(database, contacts=12)
    for position in range(9):
        await change_contact(database, campaign_id, position, state="done")
        await add_call(database, campaign_id, position, outcome="busy" if position % 3 else "answered")
    if is_called_twice:
        await add_call(database, campaign_id, 0, attempt=2, outcome="busy")
    busy = 7 if is_called_twice else 6
    async with running_web(database) as web:
        for query, total in (
            ({}, 12),
            ({"outcome": "busy"}, busy),
            ({"outcome": "answered"}, 9 - busy),
            ({"outcome": "voicemail"}, 0),
            ({"status": "NOT_CALLED"}, 3),
            ({"status": "ENDED", "search": "Ada"}, 9),
        ):
            found = await page_of(web, campaign_id, limit=2, **query)
            assert (found["pagination"]["total"], found["isTotalExact"]) == (total, True), query
            beyond = await page_of(web, campaign_id, limit=2, page=50, **query)
            assert (beyond["contacts"], beyond["pagination"]["total"]) == ([], total), query


async def test_beyond_a_thousand_it_is_not_counted_to_the_end(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=COUNTED_TO + 60)
    async with running_web(database) as web:
        found = await page_of(web, campaign_id, search="Ada")
        assert (found["pagination"]["total"], found["isTotalExact"]) == (COUNTED_TO, False)
        found = await page_of(web, campaign_id, search="Ada", page=21)
        assert (found["pagination"]["total"], found["isTotalExact"]) == (COUNTED_TO + 50, False)
        found = await page_of(web, campaign_id, search="Ada", page=22)
        assert (found["pagination"]["total"], found["isTotalExact"]) == (COUNTED_TO + 60, True)
        assert (await page_of(web, campaign_id))["pagination"]["total"] == COUNTED_TO + 60


async def test_the_export_has_the_rows_that_the_page_shows(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=6)
    for position, outcome in enumerate(("busy", "answered", "busy", "busy")):
        await add_call(database, campaign_id, position, outcome=outcome)
    await add_call(database, campaign_id, 2, attempt=2, outcome="answered")
    async with running_web(database) as web:
        for query in ({"outcome": "busy"}, {"status": "NOT_CALLED"}, {"search": "ada 3"}, {"status": "ENDED"}, {}):
            lines = (await web.client.get(f"/api/campaigns/{campaign_id}/export.csv", params=query)).text.splitlines()
            exported = [line.split(",")[2] for line in lines[1:]]
            assert exported == await names(web, campaign_id, **query)


def talk(seconds: float) -> dict[str, Any]:
    return {"started_at": START, "ended_at": START + timedelta(seconds=seconds)}


async def test_contacts_are_sorted_by_what_their_latest_call_came_to(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=8)
    ends: dict[int, dict[str, Any]] = {
        1: {"outcome": "busy", "cost_usd": "0.01"},
        2: {"outcome": "answered", "cost_usd": "0.30", **talk(90), "claimed_at": START + timedelta(seconds=1)},
        4: {"outcome": "answered", "cost_usd": "0.50", **talk(30)},
        5: {"outcome": "busy", "claimed_at": START + timedelta(seconds=1)},
        6: {"outcome": "answered", "cost_usd": "9.00", **talk(3600)},
    }
    for position, end in ends.items():
        await add_call(database, campaign_id, position, **end)
    await add_call(database, campaign_id, 6, attempt=2, outcome="no_answer")  # the latest call counts, not the dearest
    await add_call(database, campaign_id, 7, status="IN_PROGRESS", outcome=None, holds_line=True, is_final=False)
    async with running_web(database) as web:
        sorts = {sort: await names(web, campaign_id, sort=sort) for sort in ("outcome", "duration", "cost")}
        assert sorts == {
            "outcome": [f"Ada {position}" for position in (2, 4, 5, 1, 6, 0, 3, 7)],
            "duration": [f"Ada {position}" for position in (2, 4, 0, 1, 3, 5, 6, 7)],
            "cost": [f"Ada {position}" for position in (4, 2, 1, 0, 3, 5, 6, 7)],
        }
        for sort, whole in sorts.items():
            paged = [await names(web, campaign_id, sort=sort, page=page, limit=3) for page in (1, 2, 3)]
            assert [name for page in paged for name in page] == whole
        assert await names(web, campaign_id, sort="cost", outcome="busy") == ["Ada 1", "Ada 5"]
        assert await names(web, campaign_id, sort="duration", outcome="busy") == ["Ada 1", "Ada 5"]
        assert await names(web, campaign_id, sort="cost", search="Ada 2") == ["Ada 2"]
        assert await names(web, campaign_id, sort="cost", search="zzz") == []
        assert await names(web, campaign_id, sort="outcome", status="NOT_CALLED") == ["Ada 0", "Ada 3"]
