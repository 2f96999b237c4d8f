"""What is proven about a call after its campaign was over: nobody is lost by it."""

import pytest

from autolynx.flows.campaign_life import stop_campaign
from autolynx.store.database import Database
from tests.support.checks import assert_counters_are_a_recount
from tests.support.scripted_vapi import accepted, one_after_the_other, taken_but_dropped
from tests.support.stage import Stage, a_stage

pytestmark = pytest.mark.anyio

CEILING = 600 + 120 + 300
NEVER_DIALLED = "call.start.error-subscription-concurrency-limit-reached"


async def proven_never_dialled(stage: Stage, provider_call_id: str) -> None:
    stage.vapi.change(provider_call_id, status="ended", endedReason=NEVER_DIALLED)
    await stage.tell(provider_call_id, "ended", endedReason=NEVER_DIALLED)


async def test_a_call_given_up_and_then_proven_never_dialled_gives_a_completed_campaign_its_contact_back(
    database: Database,
) -> None:
    async with a_stage(database) as stage:
        campaign_id = await stage.campaign()
        await stage.tick()
        await stage.tick_until(CEILING + 130, every=130)
        assert ((await stage.call())["status"], await stage.status(campaign_id)) == ("TIMEOUT", "COMPLETED")
        await proven_never_dialled(stage, "theirs-1")
        assert (await stage.contacts(), await stage.status(campaign_id)) == (["due"], "RUNNING")
        await stage.tick(61)
        assert (len(stage.vapi.dials), await stage.contacts()) == (2, ["calling"])
        await stage.tell("theirs-2", "ended", endedReason="customer-busy")
        assert (await stage.contacts(), await stage.status(campaign_id)) == (["done"], "COMPLETED")
        assert await stage.incidents() == []
        await assert_counters_are_a_recount(database)


async def test_a_contact_in_doubt_that_was_never_dialled_is_dialled_although_its_campaign_was_completed(
    database: Database,
) -> None:
    async with a_stage(database) as stage:
        stage.vapi.on_dial = one_after_the_other(taken_but_dropped, accepted)
        stage.vapi.echoes = False
        campaign_id = await stage.campaign()
        await stage.tick()
        await stage.tick_until(CEILING + 130, every=130)
        assert (await stage.contacts(), await stage.status(campaign_id)) == (["unsure"], "COMPLETED")
        await proven_never_dialled(stage, "theirs-1")
        assert (await stage.contacts(), await stage.status(campaign_id)) == (["due"], "RUNNING")
        await stage.tick(61)
        assert len(stage.vapi.dials) == 2


async def test_a_stopped_campaign_dials_nobody_however_late_the_proof(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await stage.campaign(contacts=2, cap=1)
        await stage.tick()
        await stop_campaign(stage.runtime, campaign_id)
        await proven_never_dialled(stage, "theirs-1")
        await stage.tick(130)
        assert (len(stage.vapi.dials), await stage.status(campaign_id)) == (1, "CANCELED")
