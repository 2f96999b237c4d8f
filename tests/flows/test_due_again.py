"""Contacts that become due again after their campaign was completed: seen, said, and called only if a person wants."""

from uuid import UUID

import pytest

from autolynx.errors import Conflict
from autolynx.flows.campaign_life import resume_campaign, stop_campaign
from autolynx.flows.dialing import Decision, decide_unsure
from autolynx.store.database import Database
from tests.support.campaign_rows import START, add_call, change_campaign, change_contact, make_campaign
from tests.support.checks import assert_counters_are_a_recount, query
from tests.support.scripted_vapi import accepted, dropped
from tests.support.stage import Stage, a_stage
from tests.support.web import problem, running_web

pytestmark = pytest.mark.anyio

NEVER_DIALLED = "call.start.error-vapifault-get-org"
CEILING = 600 + 120 + 300


async def given_up(stage: Stage) -> UUID:
    """Play until the only call was given up by silence, so that its campaign is completed."""
    campaign_id = await stage.campaign()
    await stage.tick()
    lost = stage.vapi.calls.pop("theirs-1")
    for seconds in (300, 200, 120):
        await stage.tick(seconds)
    stage.vapi.calls["theirs-1"] = lost
    assert await stage.status(campaign_id) == "COMPLETED"
    return campaign_id


async def never_dialled(stage: Stage) -> UUID:
    """Play until a late word says that the call of a completed campaign never went out."""
    campaign_id = await given_up(stage)
    await stage.tell("theirs-1", "ended", endedReason=NEVER_DIALLED)
    assert (await stage.contacts(), await stage.status(campaign_id)) == (["due"], "COMPLETED")
    return campaign_id


async def test_who_turns_out_never_dialled_is_called_once_the_completed_campaign_is_resumed(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await never_dialled(stage)
        await stage.tick_until(1800, every=300)
        assert (len(stage.vapi.dials), await stage.status(campaign_id)) == (1, "COMPLETED")
        resumed = await resume_campaign(stage.runtime, campaign_id)
        assert (resumed.status, resumed.completed_at) == ("RUNNING", None)
        await stage.tick(400)
        assert len(stage.vapi.dials) == 2
        await stage.tell("theirs-2", "ended", endedReason="customer-busy")
        assert (await stage.contacts(), await stage.status(campaign_id)) == (["done"], "COMPLETED")
        await assert_counters_are_a_recount(database)


async def test_a_completed_campaign_in_which_nobody_is_due_cannot_be_resumed(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await given_up(stage)
        with pytest.raises(Conflict, match="COMPLETED cannot be resumed: nobody in it is due"):
            await resume_campaign(stage.runtime, campaign_id)


async def test_a_stopped_campaign_stays_stopped_when_a_call_of_it_was_never_dialled(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await stage.campaign()
        await stage.tick()
        await stop_campaign(stage.runtime, campaign_id)
        await stage.tell("theirs-1", "ended", endedReason=NEVER_DIALLED)
        with pytest.raises(Conflict, match="CANCELED cannot be resumed"):
            await resume_campaign(stage.runtime, campaign_id)
        await stage.tick(600)
        assert len(stage.vapi.dials) == 1


async def test_to_leave_one_contact_does_not_have_another_called_in_a_completed_campaign(database: Database) -> None:
    async with a_stage(database) as stage:
        stage.vapi.on_dial = dropped
        campaign_id = await stage.campaign(contacts=2, cap=2)
        await stage.tick()
        await stage.tick(3)
        await stage.tick(61)
        await stage.tick_until(CEILING, every=170)
        assert (await stage.contacts(), await stage.status(campaign_id)) == (["unsure", "unsure"], "COMPLETED")
        stage.vapi.on_dial = accepted
        first, second = await stage.calls()
        ids = {"name": str(first["id"]), "customer": {"externalId": str(first["id"])}}
        overrides = {"assistantOverrides": {"metadata": {"callId": str(first["id"])}}}
        stage.vapi.place({"phoneNumberId": "n", **ids, **overrides})
        await stage.tell("theirs-1", "ended", endedReason=NEVER_DIALLED)
        assert sorted(await stage.contacts()) == ["due", "unsure"]
        await decide_unsure(stage.runtime, second["id"], Decision.LEAVE)
        await stage.tick(600)
        assert (len(stage.vapi.dials), await stage.status(campaign_id)) == (2, "COMPLETED")


async def test_a_failed_campaign_in_which_nothing_is_left_stays_failed_until_a_person_has_seen_why(
    database: Database,
) -> None:
    async with a_stage(database) as stage:
        campaign_id = await stage.campaign()
        await stage.tick()
        await stage.tell("theirs-1", "in-progress")
        await stage.tell("theirs-1", "ended", endedReason="call-start-error-neither-assistant-nor-server-set")
        assert (await stage.contacts(), await stage.status(campaign_id)) == (["done"], "FAILED")
        await stage.tick(60)
        assert await stage.status(campaign_id) == "FAILED"
        await resume_campaign(stage.runtime, campaign_id)
        await stage.tick(1)
        assert await stage.status(campaign_id) == "COMPLETED"


async def test_the_api_says_that_somebody_is_due_again_and_why(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await never_dialled(stage)
        async with running_web(database, stage.vapi.url, clock=stage.clock) as web:
            path = f"/api/campaigns/{campaign_id}"
            detail = (await web.client.get(path)).json()
            assert (detail["status"], detail["metrics"]["contactsByState"]["due"]) == ("COMPLETED", 1)
            assert detail["notice"].startswith("1 contact is due again")
            (contact,) = (await web.client.get(f"{path}/contacts")).json()["contacts"]
            assert (contact["state"], contact["call"]) == ("due", None)
            assert NEVER_DIALLED in contact["reason"]
            resumed = await web.client.post(f"{path}/resume")
            assert resumed.json()["status"] == "RUNNING"
            again = problem(await web.client.post(f"{path}/resume"), 409, "CONFLICT")
            assert again["details"] == {"from": "RUNNING", "to": "RUNNING"}
            assert (await web.client.get(path)).json()["notice"] is None
    (audited,) = await query(database, "SELECT count(*) AS n FROM audit_log WHERE action = 'campaign.resumed'")
    assert audited["n"] == 1


async def test_a_paused_campaign_waits_for_resume_though_its_last_unsure_contact_is_left(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await make_campaign(database, contacts=1)
        await change_contact(database, campaign_id, 0, state="unsure", reason="Nobody can say.")
        doubt = {
            "status": "TIMEOUT",
            "outcome": "unsure",
            "is_final": False,
            "unsure_at": START,
            "reason": "No answer.",
        }
        doubtful = await add_call(database, campaign_id, 0, **doubt)
        await change_campaign(database, campaign_id, status="PAUSED", started_at=START, next_position=1)
        for decision in (Decision.LEAVE, Decision.REOPEN, Decision.LEAVE):
            await decide_unsure(stage.runtime, doubtful, decision)
            await stage.tick(60)
            assert await stage.status(campaign_id) == "PAUSED"
        await resume_campaign(stage.runtime, campaign_id)
        await stage.tick(60)
        assert (await stage.status(campaign_id), stage.vapi.dials) == ("COMPLETED", [])
