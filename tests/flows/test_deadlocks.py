"""Where people, webhooks, ticks and dials come in, a deadlock costs a moment, never the work."""

from collections.abc import Callable, Coroutine
from typing import Any

import psycopg
import pytest

from autolynx.errors import DatabaseCollision
from autolynx.flows import reconcile
from autolynx.flows.campaign_edit import Changes, patch_campaign
from autolynx.flows.campaign_life import stop_campaign
from autolynx.flows.claim import claim
from autolynx.flows.dial import dial
from autolynx.flows.dialing import Decision, decide_unsure, hold_dialling, release_dialling
from autolynx.flows.once_more import once_more
from autolynx.flows.refill import refill
from autolynx.store import inbox, phone_numbers
from autolynx.store.database import Database
from tests.support.checks import query
from tests.support.deadlocks import Opponent, collide, count_deadlocks
from tests.support.sim import TWILIO_MAIN, TWILIO_SECOND
from tests.support.stage import Stage, a_stage

pytestmark = pytest.mark.anyio

CALL_THEN_CAMPAIGN = Opponent(
    holds="SELECT id FROM calls FOR NO KEY UPDATE", wants="SELECT id FROM campaigns FOR NO KEY UPDATE"
)
CONTACT_THEN_CAMPAIGN = Opponent(
    holds="SELECT id FROM contacts FOR NO KEY UPDATE", wants="SELECT id FROM campaigns FOR NO KEY UPDATE"
)
CAMPAIGN_THEN_GATE = Opponent(
    holds="SELECT id FROM campaigns FOR NO KEY UPDATE", wants="SELECT id FROM gate FOR NO KEY UPDATE"
)
NUMBER_THEN_GATE = Opponent(
    holds="SELECT id FROM phone_numbers FOR NO KEY UPDATE", wants="SELECT id FROM gate FOR NO KEY UPDATE"
)


@pytest.fixture
def patient_url(database_url: str) -> str:
    """The database, in which nobody is taken for deadlocked before the opponent had time to close the circle."""
    with psycopg.connect(database_url, autocommit=True) as conn:
        name = conn.info.dbname
        conn.execute(f"ALTER DATABASE \"{name}\" SET deadlock_timeout = '2s'".encode())
    return database_url


async def webhook(stage: Stage) -> None:
    assert (await stage.tell("theirs-1", "ended", endedReason="customer-busy")).freed_line


async def webhook_that_does_not_bear_our_id(stage: Stage) -> None:
    assert (await stage.tell("theirs-1", "ended", is_ours=False, endedReason="customer-busy")).freed_line


async def look_of_a_tick(stage: Stage) -> None:
    stage.vapi.change("theirs-1", status="ended", endedReason="customer-busy")
    stage.clock.move(700)
    assert (await reconcile.check_silent(stage.runtime)).freed_line


async def stop(stage: Stage) -> None:
    (campaign,) = await query(stage.database, "SELECT id FROM campaigns")
    await stop_campaign(stage.runtime, campaign["id"])
    assert (await stage.call())["cancel_requested_at"] is not None


@pytest.mark.parametrize("work", [webhook, webhook_that_does_not_bear_our_id, look_of_a_tick, stop])
async def test_news_of_a_call_survives_a_deadlock(
    patient_url: str, work: Callable[[Stage], Coroutine[Any, Any, None]]
) -> None:
    database = await Database.open(patient_url)
    async with a_stage(database) as stage:
        await stage.campaign()
        await refill(stage.runtime)
        await collide(patient_url, work(stage), CONTACT_THEN_CAMPAIGN)
        assert len(stage.vapi.dials) == 1
    await database.close()


async def test_the_answer_to_a_dial_survives_a_deadlock_and_the_request_is_not_repeated(patient_url: str) -> None:
    database = await Database.open(patient_url)
    async with a_stage(database) as stage:
        await stage.campaign()
        claimed = await claim(stage.runtime)
        work = dial(stage.runtime, claimed.orders[0], account=claimed.account)
        assert (await collide(patient_url, work, CONTACT_THEN_CAMPAIGN)).is_accepted
        assert (len(stage.vapi.dials), (await stage.call())["provider_call_id"]) == (1, "theirs-1")
    await database.close()


async def test_a_claim_that_is_given_back_survives_a_deadlock(patient_url: str) -> None:
    database = await Database.open(patient_url)
    async with a_stage(database) as stage:
        await stage.campaign()
        await claim(stage.runtime)
        stage.clock.move(60)
        released = await collide(patient_url, reconcile.release_lapsed(stage.runtime), CALL_THEN_CAMPAIGN)
        assert (released.changed, released.freed_line) == (1, True)
    await database.close()


async def test_a_claim_survives_a_deadlock(patient_url: str) -> None:
    database = await Database.open(patient_url)
    async with a_stage(database) as stage:
        await stage.campaign()
        claimed = await collide(patient_url, claim(stage.runtime), CAMPAIGN_THEN_GATE)
        assert len(claimed.orders) == len(await stage.calls()) == 1
    await database.close()


async def test_releasing_the_button_survives_a_deadlock(patient_url: str) -> None:
    database = await Database.open(patient_url)
    async with a_stage(database) as stage:
        await hold_dialling(stage.runtime, reason="for a moment")
        async with database.connection() as conn:
            await phone_numbers.hold(conn, TWILIO_MAIN, reason="blocked", until=None, now=stage.clock.now())
        await collide(patient_url, release_dialling(stage.runtime), NUMBER_THEN_GATE)
        assert (await stage.gate())["held_at"] is None
    await database.close()


async def test_a_persons_decision_survives_a_deadlock(patient_url: str) -> None:
    database = await Database.open(patient_url)
    async with a_stage(database) as stage:
        await stage.campaign()
        await claim(stage.runtime)
        async with database.connection() as conn:
            await conn.execute("UPDATE calls SET dial_started_at = claimed_at, unsure_at = claimed_at")
            await conn.execute("UPDATE contacts SET state = 'unsure'")
        work = decide_unsure(stage.runtime, (await stage.call())["id"], Decision.REDIAL)
        await collide(patient_url, work, CONTACT_THEN_CAMPAIGN)
        assert await stage.contacts() == ["due"]
    await database.close()


async def test_an_edit_that_takes_a_name_just_given_up_survives_a_deadlock(patient_url: str) -> None:
    database = await Database.open(patient_url)
    async with a_stage(database) as stage:
        edited = await stage.campaign(name="Spring")
        await stage.campaign(name="Autumn", first=100)
        opponent = Opponent(
            holds="UPDATE campaigns SET name = 'Winter' WHERE name = 'Autumn'",
            wants="UPDATE campaigns SET cap = cap WHERE name = 'Spring'",
        )
        await collide(patient_url, patch_campaign(stage.runtime, edited, Changes(name="Autumn"), actor="a"), opponent)
        names = await query(database, "SELECT name FROM campaigns ORDER BY name")
        assert [row["name"] for row in names] == ["Autumn", "Winter"]
    await database.close()


async def test_numbers_are_written_in_the_order_of_their_ids_so_that_nobody_meets_from_the_other_side(
    patient_url: str,
) -> None:
    database = await Database.open(patient_url)
    async with a_stage(database, LAUNCH_PER_SECOND=1) as stage:
        for first in (0, 100):
            await stage.campaign(first=first)
        lower, higher = sorted((TWILIO_MAIN, TWILIO_SECOND))
        async with database.connection() as conn:
            await conn.execute(
                """UPDATE campaigns SET phone_number_id = CASE WHEN id = (SELECT id FROM campaigns ORDER BY id LIMIT 1)
                       THEN %s ELSE %s END""",
                [higher, lower],
            )
            for number in (lower, higher):
                await phone_numbers.hold(conn, number, reason="", until=stage.clock.now(), now=stage.clock.now())
        one = "UPDATE phone_numbers SET label = 'seen' WHERE id = '{}'"
        opponent = Opponent(holds=one.format(lower), wants=one.format(higher))
        assert len((await collide(patient_url, claim(stage.runtime), opponent)).orders) == 2
    await database.close()
    assert count_deadlocks(patient_url) == 0


async def test_a_second_deadlock_in_a_row_is_told() -> None:
    tries = []

    @once_more
    async def work() -> None:
        tries.append(1)
        raise DatabaseCollision("again")

    with pytest.raises(DatabaseCollision):
        await work()
    assert len(tries) == 2


async def test_old_bodies_that_somebody_works_on_are_left_alone(database: Database) -> None:
    async with a_stage(database) as stage:
        await stage.tell("theirs-unknown", "ringing", is_ours=False)
        stage.clock.move(8 * 24 * 3600)
        async with database.transaction() as conn:
            await conn.execute("SELECT id FROM webhook_inbox FOR NO KEY UPDATE")
            async with database.connection() as other:
                assert await inbox.expire_parked(other, now=stage.clock.now()) == 0
        async with database.connection() as other:
            assert await inbox.expire_parked(other, now=stage.clock.now()) == 1
