"""Follow-up campaigns: "call the 37 who did not answer"."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from autolynx.store import campaigns
from autolynx.store.database import Database
from tests.support.campaign_rows import add_call, change_campaign, change_contact, make_campaign
from tests.support.checks import assert_counters_are_a_recount
from tests.support.sim import running_sim
from tests.support.web import START, Web, moved_clock, problem, rows, running_web

pytestmark = pytest.mark.anyio

MISSED = {"outcomes": ["no_answer", "busy"]}


def path_of(campaign_id: UUID, *more: str) -> str:
    return "/".join([f"/api/campaigns/{campaign_id}/follow-up", *more])


async def a_finished_campaign(database: Database) -> UUID:
    """Make a campaign of six: two answered, two did not, one was busy, one is unsure."""
    campaign_id = await make_campaign(
        database, contacts=6, cap=3, name="Spring", options='{"region": "GB", "maxAttempts": 2, "canary": 5}'
    )
    for position, outcome in enumerate(["answered", "no_answer", "answered", "busy", "no_answer", "no_answer"]):
        await add_call(database, campaign_id, position, outcome=outcome)
        await change_contact(database, campaign_id, position, state="done")
    await change_contact(database, campaign_id, 4, variables={"city": "Springfield"}, extension="12", phone_raw="raw")
    await change_contact(database, campaign_id, 5, state="unsure")
    await change_campaign(database, campaign_id, status="COMPLETED")
    return campaign_id


async def planned(web: Web, campaign_id: UUID, **values: Any) -> dict[str, Any]:
    answer = await web.client.post(path_of(campaign_id, "plan"), json=values)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def stay(body: dict[str, Any]) -> dict[str, int]:
    return {one["reason"]: one["count"] for one in body["plan"]["skipped"]}


async def test_who_did_not_answer_is_counted_then_called_by_a_campaign_of_its_own(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        parent = await a_finished_campaign(database)
        plan = await planned(web, parent, **MISSED)
        assert (plan["matched"], plan["plan"]["contacts"], stay(plan)) == (4, 3, {"unsure": 1})
        assert (plan["suggestedName"], plan["followers"]) == ("Spring follow-up", [])
        answer = await web.client.post(path_of(parent), json=MISSED)
        assert answer.status_code == 201, answer.text
        body = answer.json()
        made = body["campaign"]
        assert (made["name"], made["status"], made["cap"], made["mode"]) == (
            "Spring follow-up",
            "CREATED",
            3,
            "continuous",
        )
        assert made["options"] == {"region": "GB", "maxAttempts": 2, "followsCampaign": str(parent)}
        assert [one["reason"] for one in body["skipped"]] == ["unsure"]
        ours = "SELECT name, business_name, phone, phone_raw, extension, variables FROM contacts WHERE campaign_id = %s"
        copied = await rows(database, f"{ours} ORDER BY position", made["id"])
        assert copied == await rows(database, f"{ours} AND position IN (1, 3, 4) ORDER BY position", parent)
        assert copied[2]["variables"] == {"city": "Springfield"}
        assert made["metrics"]["totalContacts"] == 3
        await assert_counters_are_a_recount(database)
        again = await planned(web, parent, **MISSED)
        assert [one["name"] for one in again["followers"]] == ["Spring follow-up"]
        assert again["suggestedName"] == "Spring follow-up 2"


async def test_every_filter_of_the_list_of_contacts_works(database: Database) -> None:
    async with running_web(database) as web:
        parent = await a_finished_campaign(database)
        assert (await planned(web, parent))["matched"] == 6
        assert (await planned(web, parent, outcome="busy"))["matched"] == 1
        assert (await planned(web, parent, search="Ada 3"))["matched"] == 1
        assert (await planned(web, parent, status="NOT_CALLED"))["matched"] == 0
        assert (await planned(web, parent, status="NOT_CALLED"))["plan"]["objections"] == [
            "Nobody is left to call: choose other contacts."
        ]


async def test_who_is_due_or_on_a_call_stays_while_the_campaign_goes_on(database: Database) -> None:
    async with running_web(database) as web:
        parent = await a_finished_campaign(database)
        await change_campaign(database, parent, status="PAUSED")
        await change_contact(database, parent, 0, state="due")
        await change_contact(database, parent, 1, state="excluded")
        live = {"attempt": 2, "status": "RINGING", "outcome": None, "holds_line": True, "is_final": False}
        await add_call(database, parent, 2, **live)
        await change_contact(database, parent, 2, state="calling")
        lingering = {"attempt": 2, "status": "TIMEOUT", "outcome": "unknown", "holds_line": True, "is_final": False}
        await add_call(database, parent, 3, **lingering)
        plan = await planned(web, parent)
        assert stay(plan) == {"live": 2, "due": 1, "unsure": 1, "excluded": 1}
        assert plan["plan"]["contacts"] == 1
        await change_campaign(database, parent, status="COMPLETED")
        assert stay(await planned(web, parent))["due"] == 1, "Resume calls them"
        await change_campaign(database, parent, status="CANCELED")
        assert stay(await planned(web, parent)) == {"live": 2, "unsure": 1, "excluded": 1}


async def test_who_is_in_another_follow_up_that_is_not_over_is_not_called_by_two(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        parent = await a_finished_campaign(database)
        first = UUID((await web.client.post(path_of(parent), json={"outcome": "busy"})).json()["campaignId"])
        plan = await planned(web, parent, **MISSED, includeCalledElsewhere=True)
        assert stay(plan) == {"unsure": 1, "inFollowUp": 1}
        assert plan["plan"]["skipped"][-1]["sentence"] == "1 is already in a follow-up that is not over"
        answers = [web.client.post(path_of(parent), json=MISSED) for _ in range(2)]
        assert sorted(answer.status_code for answer in await asyncio.gather(*answers)) == [201, 409]
        called = "SELECT phone FROM contacts WHERE campaign_id <> %s"
        assert len(await rows(database, called, parent)) == len(
            await rows(database, f"{called} GROUP BY phone", parent)
        )
        await change_contact(database, first, 0, state="done")
        await change_campaign(database, first, status="COMPLETED")
        assert stay(await planned(web, parent, outcome="busy")) == {}
        later = UUID((await web.client.post(path_of(first), json={})).json()["campaignId"])
        assert stay(await planned(web, parent, outcome="busy")) == {"inFollowUp": 1}, "it follows the first one"
        await change_campaign(database, later, deleted_at=START)
        assert stay(await planned(web, parent, outcome="busy")) == {}


async def test_a_campaign_and_its_follow_up_are_not_followed_by_two_that_call_the_same_people(
    database: Database,
) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        parent = await a_finished_campaign(database)
        first = UUID((await web.client.post(path_of(parent), json=MISSED)).json()["campaignId"])
        for position in range(3):
            await change_contact(database, first, position, state="done")
        await change_campaign(database, first, status="COMPLETED")
        requests = [(parent, MISSED), (first, {})]
        async with database.transaction() as conn:
            await conn.execute("LOCK TABLE audit_log IN ACCESS EXCLUSIVE MODE")  # what both write last
            answers = [asyncio.create_task(web.client.post(path_of(one), json=body)) for one, body in requests]
            while await waiting(database) < len(answers):
                await asyncio.sleep(0.02)
        assert sorted(answer.status_code for answer in await asyncio.gather(*answers)) == [201, 409]


async def waiting(database: Database) -> int:
    waits = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return len(await rows(database, waits))


async def test_a_running_campaign_goes_on_while_a_follow_up_of_it_is_made(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        parent = await a_finished_campaign(database)
        await change_campaign(database, parent, status="RUNNING", completed_at=None)
        async with database.transaction() as conn:
            await campaigns.lock(conn, parent)  # as a claim does
            answer = await asyncio.wait_for(web.client.post(path_of(parent), json=MISSED), 5)
            assert answer.status_code == 201, answer.text


async def test_a_follow_up_of_a_test_call_is_none(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        parent = await a_finished_campaign(database)
        await change_campaign(database, parent, options_json='{"region": "GB", "testCall": true}')
        made = UUID((await web.client.post(path_of(parent), json=MISSED)).json()["campaignId"])
        assert await rows(database, "SELECT is_test FROM campaigns WHERE id = %s", made) == [{"is_test": False}]


async def test_numbers_that_other_campaigns_called_lately_stay_unless_wanted(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url, clock=moved_clock()) as web:
        parent = await a_finished_campaign(database)
        other = await make_campaign(database, contacts=2)  # the same two first numbers
        await add_call(database, other, 1, dial_started_at=START - timedelta(days=1))
        assert stay(await planned(web, parent, **MISSED)) == {"unsure": 1, "calledElsewhere": 1}
        assert stay(await planned(web, parent, **MISSED, includeCalledElsewhere=True)) == {"unsure": 1}
        made = (await web.client.post(path_of(parent), json={**MISSED, "includeCalledElsewhere": True})).json()
        follower = UUID(made["campaignId"])
        for position in range(3):
            await add_call(database, follower, position, outcome="no_answer", dial_started_at=START)
            await change_contact(database, follower, position, state="done")
        await change_campaign(database, follower, status="COMPLETED")
        # What the followed one called is why they are called again; what its other followers called is not.
        assert (await planned(web, follower, includeCalledElsewhere=False))["plan"]["contacts"] == 2
        assert stay(await planned(web, parent, **MISSED)) == {"unsure": 1, "calledElsewhere": 3}


async def test_what_is_chosen_replaces_what_the_followed_one_had(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        parent = await a_finished_campaign(database)
        chosen = {"name": "Second try", "cap": 7, "mode": "batch", "maxAttempts": 1, "lineQuiet": True}
        made = (await web.client.post(path_of(parent), json={**MISSED, **chosen})).json()["campaign"]
        assert {name: made[name] for name in ("name", "cap", "mode")} == {
            "name": "Second try",
            "cap": 7,
            "mode": "batch",
        }
        assert (made["options"]["maxAttempts"], made["options"]["lineQuiet"]) == (1, True)
        taken = await web.client.post(path_of(parent), json={**MISSED, "name": "second try"})
        assert problem(taken, 409, "CONFLICT")["details"]["suggestion"] == "second try 2"


async def test_nobody_and_nothing_are_refused_and_leave_nothing_behind(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        parent = await a_finished_campaign(database)
        none = await web.client.post(path_of(parent), json={"outcome": "silence"})
        assert problem(none, 409, "CONFLICT")["message"].startswith("Nobody of these contacts can come along")
        assert len(await rows(database, "SELECT id FROM campaigns")) == 1
        gone = UUID("00000000-0000-4000-8000-000000000000")
        problem(await web.client.post(path_of(gone), json={}), 404, "NOT_FOUND")
        wrong = await web.client.post(path_of(parent), json={"status": "DONE"})
        assert problem(wrong, 400, "VALIDATION_ERROR")["details"]["field"] == "status"


async def test_a_repeated_request_with_its_key_makes_one_follow_up(database: Database) -> None:
    async with running_sim() as sim, running_web(database, sim.url) as web:
        parent = await a_finished_campaign(database)
        headers = {"Idempotency-Key": "follow-1"}
        first = await web.client.post(path_of(parent), json=MISSED, headers=headers)
        second = await web.client.post(path_of(parent), json=MISSED, headers=headers)
        assert first.json()["campaignId"] == second.json()["campaignId"]
        assert len(await rows(database, "SELECT id FROM campaigns")) == 2
