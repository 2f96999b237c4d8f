"""A late answer to a request from before the release: what a person has seen to is not held again by it."""

from datetime import timedelta

import pytest

from autolynx.flows import resting
from autolynx.flows.dialing import release_dialling
from autolynx.provider.port import Refused, Scope
from autolynx.store.database import Database
from tests.support.checks import query
from tests.support.sim import TWILIO_MAIN
from tests.support.stage import Stage, a_stage

pytestmark = pytest.mark.anyio
HELD = "SELECT (SELECT trouble FROM gate) AS account, (SELECT max(hold_reason) FROM phone_numbers) AS number"


async def held(stage: Stage) -> dict[str, object]:
    (row,) = await query(stage.runtime.database, HELD)
    return row


@pytest.mark.parametrize(("scope", "what"), [(Scope.ACCOUNT, "account"), (Scope.NUMBER, "number")])
async def test_a_refusal_holds_again_only_what_was_asked_after_the_release(
    database: Database, scope: Scope, what: str
) -> None:
    async with a_stage(database) as stage:
        asked_at = stage.clock.now()
        stage.clock.move(2)
        await release_dialling(stage.runtime)
        refused = Refused(scope=scope, reason="No credit.")
        await resting.note_refusal(stage.runtime, refused, phone_number_id=TWILIO_MAIN, asked_at=asked_at)
        assert (await held(stage))[what] is None
        later = stage.clock.now() + timedelta(seconds=1)
        await resting.note_refusal(stage.runtime, refused, phone_number_id=TWILIO_MAIN, asked_at=later)
        assert (await held(stage))[what] == "No credit."


async def test_the_end_of_an_older_call_holds_the_account_no_more(database: Database) -> None:
    async with a_stage(database) as stage:
        await stage.campaign(contacts=2, cap=2)
        await stage.tick()
        stage.clock.move(2)
        await release_dialling(stage.runtime)
        await stage.tell("theirs-1", "ended", endedReason="call.start.error-subscription-frozen")
        assert (await held(stage))["account"] is None
        await stage.tick(2)
        await stage.tell("theirs-3", "ended", endedReason="call.start.error-subscription-frozen")
        assert (await held(stage))["account"] is not None
