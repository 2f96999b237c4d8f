"""Further attempts: who was not reached is called again, at a distance, never too often and never two at once."""

import random
from collections import Counter
from typing import Any
from uuid import UUID

import pytest

from autolynx.flows.campaign_life import pause_campaign, resume_campaign, stop_campaign
from autolynx.flows.claim import claim
from autolynx.flows.dialing import Decision, decide_unsure, hold_dialling, release_dialling
from autolynx.flows.refill import refill
from autolynx.flows.tick import run_once
from autolynx.store.database import Database
from tests.support.checks import assert_counters_are_a_recount, query
from tests.support.scripted_vapi import accepted, dropped
from tests.support.stage import Stage, a_stage
from tests.support.web import running_web

pytestmark = pytest.mark.anyio

MINUTE = 60.0
CEILING = 600 + 120 + 300


def options(attempts: int = 2, minutes: int = 30) -> str:
    return f'{{"maxAttempts": {attempts}, "retryAfterMinutes": {minutes}}}'


async def missed(stage: Stage, reason: str = "customer-did-not-answer", **values: Any) -> UUID:
    """Play until the only contact was called once and not reached."""
    campaign_id = await stage.campaign(**{"options": options(), **values})
    await stage.tick()
    await stage.end("theirs-1", reason)
    return campaign_id


async def assert_nobody_on_two_calls(database: Database) -> None:
    """No call of a contact was claimed before the end of the one before it."""
    overlaps = await query(
        database,
        """SELECT later.id FROM calls later JOIN calls earlier USING (contact_id)
           WHERE earlier.attempt < later.attempt AND earlier.counts_as_attempt
               AND coalesce(earlier.ended_at, earlier.last_status_at, earlier.claimed_at) > later.claimed_at""",
    )
    assert overlaps == []


async def test_who_did_not_answer_is_called_again_after_the_distance_and_not_a_third_time(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await missed(stage)
        assert (await stage.contacts(), await stage.status(campaign_id)) == (["due"], "RUNNING")
        await stage.tick(30 * MINUTE - 1)
        assert len(stage.vapi.dials) == 1
        await stage.tick(1)
        assert len(stage.vapi.dials) == 2
        await stage.end("theirs-2", "customer-busy")
        assert (await stage.contacts(), await stage.status(campaign_id)) == (["done"], "COMPLETED")
        await stage.tick(600 * MINUTE)
        assert len(stage.vapi.dials) == 2
        assert [call["attempt"] for call in await stage.calls()] == [1, 2]
        assert await stage.incidents() == []
        await assert_counters_are_a_recount(database)


async def test_the_tick_says_when_the_next_attempt_is_due(database: Database) -> None:
    async with a_stage(database) as stage:
        await missed(stage)
        for distance in (91, 181, 361):
            await stage.tick(distance)  # asks for the report that did not come
        (contact,) = await query(database, "SELECT due_at FROM contacts")
        assert (await run_once(stage.runtime)).next_at == contact["due_at"]


@pytest.mark.parametrize(
    ("reason", "dials"),
    [
        ("customer-did-not-answer", 2),
        ("customer-busy", 2),
        ("silence-timed-out", 1),  # somebody picked up
        ("assistant-join-timed-out", 2),  # the platform broke
        ("customer-ended-call", 1),
        ("voicemail", 1),
        ("twilio-reported-customer-misdialed", 1),
        ("twilio-failed-to-connect-call", 1),
        ("manually-canceled", 1),
        ("never-heard-of-this", 1),
        ("pipeline-error-openai-400-bad-request-validation-failed", 1),  # its configuration
    ],
)
async def test_only_ends_in_which_nobody_was_reached_lead_to_another_attempt(
    database: Database, reason: str, dials: int
) -> None:
    async with a_stage(database) as stage:
        times = {"startedAt": stage.clock.now().isoformat(), "endedAt": stage.clock.now().isoformat()}
        await stage.campaign(options=options())
        await stage.tick()
        await stage.end("theirs-1", reason, **times)
        await stage.tick(31 * MINUTE)
        assert len(stage.vapi.dials) == dials


async def test_a_call_given_up_by_silence_is_a_doubt_and_leads_to_no_other_attempt(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await stage.campaign(options=options())
        await stage.tick()
        stage.vapi.calls.clear()
        await stage.tick_until(40 * MINUTE, every=110)
        assert ((await stage.call())["status"], await stage.status(campaign_id)) == ("TIMEOUT", "COMPLETED")
        assert len(stage.vapi.dials) == 1


async def test_a_late_word_that_it_was_answered_withdraws_an_attempt_that_waits(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await missed(stage)
        await stage.report("theirs-1", "customer-ended-call", cost=0.1, startedAt=stage.clock.now().isoformat())
        assert await stage.contacts() == ["done"]
        await stage.tick(60 * MINUTE)
        assert (len(stage.vapi.dials), await stage.status(campaign_id)) == (1, "COMPLETED")
        await assert_counters_are_a_recount(database)


async def test_a_late_word_that_it_was_answered_withdraws_an_attempt_that_is_claimed_and_not_sent(
    database: Database,
) -> None:
    async with a_stage(database) as stage:
        await missed(stage)
        stage.clock.move(31 * MINUTE)
        (order,) = (await claim(stage.runtime)).orders
        await stage.report("theirs-1", "customer-ended-call", cost=0.1, startedAt=stage.clock.now().isoformat())
        second = next(call for call in await stage.calls() if call["id"] == order.call_id)
        assert (second["outcome"], second["counts_as_attempt"]) == ("not_dialled", False)
        await stage.tick(60 * MINUTE)
        assert (len(stage.vapi.dials), await stage.contacts(), await stage.lines()) == (1, ["done"], 0)
        assert await stage.incidents() == []
        await assert_counters_are_a_recount(database)


async def test_a_late_word_cannot_withdraw_what_was_sent_and_that_is_no_incident(database: Database) -> None:
    async with a_stage(database) as stage:
        await missed(stage)
        await stage.tick(31 * MINUTE)
        await stage.report("theirs-1", "customer-ended-call", cost=0.1, startedAt=stage.clock.now().isoformat())
        assert (await stage.contacts(), await stage.lines()) == (["calling"], 1)
        await stage.end("theirs-2", "customer-did-not-answer")
        await stage.tick(60 * MINUTE)
        assert (len(stage.vapi.dials), await stage.contacts(), await stage.incidents()) == (2, ["done"], [])


@pytest.mark.parametrize("reason", ["customer-did-not-answer", "call.start.error-vapifault-get-org"])
async def test_who_was_reached_by_an_earlier_attempt_is_not_called_a_third_time(
    database: Database, reason: str
) -> None:
    async with a_stage(database) as stage:
        await missed(stage, options=options(attempts=3))
        await stage.tick(31 * MINUTE)
        await stage.report("theirs-1", "customer-ended-call", cost=0.1, startedAt=stage.clock.now().isoformat())
        await stage.end("theirs-2", reason)
        await stage.tick_until(120 * MINUTE, every=600)
        assert (len(stage.vapi.dials), await stage.contacts(), await stage.incidents()) == (2, ["done"], [])
        await assert_counters_are_a_recount(database)


async def test_more_words_about_the_same_miss_do_not_put_the_next_attempt_off(database: Database) -> None:
    async with a_stage(database) as stage:
        await missed(stage)
        (before,) = await query(database, "SELECT due_at FROM contacts")
        stage.clock.move(10 * MINUTE)
        await stage.report("theirs-1", "customer-busy", cost=0.01)
        assert await query(database, "SELECT due_at FROM contacts") == [before]


async def test_a_batch_stays_open_until_its_contacts_are_out_of_attempts(database: Database) -> None:
    async with a_stage(database) as stage:
        await stage.campaign(contacts=3, cap=2, mode="batch", options=options())
        await stage.tick()
        await stage.end("theirs-1", "customer-ended-call", startedAt=stage.clock.now().isoformat())
        await stage.end("theirs-2", "customer-busy")
        await stage.tick(29 * MINUTE)
        assert len(stage.vapi.dials) == 2
        await stage.tick(1 * MINUTE)
        assert (len(stage.vapi.dials), await stage.lines()) == (3, 1)
        await stage.end("theirs-3", "customer-busy")
        await stage.tick(1)
        batches = await query(database, "SELECT batch_index FROM contacts WHERE state = 'calling'")
        assert (len(stage.vapi.dials), batches) == (4, [{"batch_index": 1}])


async def test_a_paused_or_stopped_campaign_makes_no_further_attempt(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await missed(stage)
        await pause_campaign(stage.runtime, campaign_id)
        await stage.tick(60 * MINUTE)
        assert len(stage.vapi.dials) == 1
        await resume_campaign(stage.runtime, campaign_id)
        await stage.tick(1)
        assert len(stage.vapi.dials) == 2
        await stop_campaign(stage.runtime, campaign_id)
        await stage.end("theirs-2", "customer-busy")
        await stage.tick(600 * MINUTE)
        assert (len(stage.vapi.dials), await stage.status(campaign_id)) == (2, "CANCELED")
        assert [call["status"] for call in await stage.calls()] == ["ENDED", "CANCELED"]


async def test_a_failed_campaign_makes_no_further_attempt_until_it_is_resumed(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await stage.campaign(contacts=2, cap=2, options=options())
        await stage.tick()
        await stage.end("theirs-2", "assistant-not-found")
        await stage.end("theirs-1", "customer-busy")
        assert await stage.status(campaign_id) == "FAILED"
        await stage.tick(60 * MINUTE)
        assert (len(stage.vapi.dials), sorted(await stage.contacts())) == (2, ["due", "due"])
        await resume_campaign(stage.runtime, campaign_id)
        await stage.tick(1)
        assert len(stage.vapi.dials) == 4


async def test_after_its_end_a_campaign_says_that_an_attempt_is_left_and_makes_none_by_itself(
    database: Database,
) -> None:
    async with a_stage(database) as stage:
        campaign_id = await stage.campaign(options=options())
        await stage.tick()
        lost = stage.vapi.calls.pop("theirs-1")
        await stage.tick_until(15 * MINUTE, every=110)
        assert await stage.status(campaign_id) == "COMPLETED"
        stage.vapi.calls["theirs-1"] = lost
        await stage.end("theirs-1", "customer-busy")
        await stage.tick(60 * MINUTE)
        assert (len(stage.vapi.dials), await stage.contacts()) == (1, ["due"])
        await resume_campaign(stage.runtime, campaign_id)
        await stage.tick(1)
        assert len(stage.vapi.dials) == 2


@pytest.mark.parametrize("reason", ["customer-did-not-answer", "call.start.error-vapifault-get-org"])
@pytest.mark.parametrize("words", [["ended"], ["ringing"], ["ringing", "ended"]])
async def test_who_a_person_decided_to_leave_is_not_called_whatever_is_told_later(
    database: Database, words: list[str], reason: str
) -> None:
    async with a_stage(database) as stage:
        stage.vapi.on_dial = dropped
        await stage.campaign(options=options(attempts=5))
        await stage.tick()
        await stage.tick(3)
        await stage.tick(61)
        (doubtful,) = await stage.calls()
        await decide_unsure(stage.runtime, doubtful["id"], Decision.LEAVE)
        ids = {"name": str(doubtful["id"]), "customer": {"externalId": str(doubtful["id"])}}
        overrides = {"assistantOverrides": {"metadata": {"callId": str(doubtful["id"])}}}
        stage.vapi.place({"phoneNumberId": "n", **ids, **overrides})
        stage.vapi.on_dial = accepted
        for word in words:
            await stage.tell("theirs-1", word)
        await stage.report("theirs-1", reason, cost=0)
        await stage.tick_until(120 * MINUTE, every=600)
        assert (len(stage.vapi.dials), await stage.contacts()) == (1, ["done"])


async def test_a_second_call_by_accident_is_an_incident_however_many_attempts_are_allowed(database: Database) -> None:
    async with a_stage(database) as stage:
        await stage.campaign(contacts=2, cap=2, options=options(attempts=5))
        await refill(stage.runtime, most=1)
        (lost,) = (await claim(stage.runtime, most=1)).orders
        await query(
            database,
            """UPDATE calls SET dial_started_at = claimed_at, next_check_at = claimed_at, lease_until = claimed_at
               WHERE id = %s RETURNING id""",
            lost.call_id,
        )
        await hold_dialling(stage.runtime, reason="Nothing new while we look.")
        await stage.tick(1)
        await stage.tick(61)
        await release_dialling(stage.runtime)
        await stage.tick(1)
        assert len(stage.vapi.dials) == 2
        await stage.end("theirs-2", "customer-busy")
        ids = {"name": str(lost.call_id), "customer": {"externalId": str(lost.call_id)}}
        overrides = {"assistantOverrides": {"metadata": {"callId": str(lost.call_id)}}}
        stage.vapi.place({"phoneNumberId": "n", **ids, **overrides})
        await stage.end("theirs-3", "customer-busy")
        assert await stage.incidents() == ["double_dial"]
        await assert_counters_are_a_recount(database)


async def lose_one_claim(stage: Stage) -> UUID:
    """Claim the next contact and mark it; the process dies before anything is sent, and nobody waits for it."""
    (lost,) = (await claim(stage.runtime, most=1)).orders
    await query(
        stage.database,
        """UPDATE calls SET dial_started_at = claimed_at, next_check_at = claimed_at, lease_until = claimed_at
           WHERE id = %s RETURNING id""",
        lost.call_id,
    )
    return lost.call_id


async def test_who_was_called_by_accident_is_done_when_the_claim_beside_it_goes_back(database: Database) -> None:
    async with a_stage(database) as stage:
        await stage.campaign(contacts=2, cap=2)
        await refill(stage.runtime, most=1)
        first = await lose_one_claim(stage)
        await hold_dialling(stage.runtime, reason="Nothing new while we look.")
        await stage.tick(1)
        await stage.tick(61)
        await release_dialling(stage.runtime)
        await lose_one_claim(stage)
        ids = {"name": str(first), "customer": {"externalId": str(first)}}
        stage.vapi.place({"phoneNumberId": "n", **ids, "assistantOverrides": {"metadata": {"callId": str(first)}}})
        await stage.end("theirs-2", "customer-busy")
        assert await stage.incidents() == ["double_dial"]
        await stage.tick(1)
        await stage.tick(61)
        await stage.tick(1)
        assert (len(stage.vapi.dials), sorted(await stage.contacts())) == (1, ["calling", "done"])
        await assert_counters_are_a_recount(database)


REASONS = (
    "customer-did-not-answer customer-busy silence-timed-out assistant-join-timed-out customer-ended-call voicemail "
    "call.start.error-vapifault-get-org twilio-failed-to-connect-call"
).split()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("mode", ["continuous", "batch"])
async def test_over_a_long_life_nobody_is_called_too_often_or_twice_at_once_and_it_ends(
    database: Database, seed: int, mode: str
) -> None:
    dice = random.Random(seed)  # noqa: S311 - chooses a life, guards nothing
    async with a_stage(database, BREAKER_THRESHOLD=1000) as stage:
        campaign_id = await stage.campaign(contacts=12, cap=4, mode=mode, options=options(attempts=3, minutes=10))
        for _ in range(600):
            await stage.tick(dice.choice([1, 60, 600]))
            live = await query(database, "SELECT provider_call_id FROM calls WHERE holds_line")
            for row in live:
                if dice.random() < 0.7:
                    moment = stage.clock.now().isoformat()
                    started = {"startedAt": moment} if dice.random() < 0.3 else {}
                    await stage.end(row["provider_call_id"], dice.choice(REASONS), endedAt=moment, **started)
            if await stage.status(campaign_id) == "COMPLETED":
                break
        assert await stage.status(campaign_id) == "COMPLETED"
        counted = [call for call in await stage.calls() if call["counts_as_attempt"]]
        made, last = Counter(call["contact_id"] for call in counted), {call["contact_id"]: call for call in counted}
        assert len(made) == 12
        for contact_id, call in last.items():
            was_missed = call["outcome"] in {"no_answer", "busy", "provider_error"}
            assert made[contact_id] == 3 or (made[contact_id] < 3 and not was_missed)
        assert await stage.incidents() == []
        await assert_nobody_on_two_calls(database)
        await assert_counters_are_a_recount(database)


async def test_the_api_shows_when_and_why_a_contact_is_called_again(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await missed(stage)
        async with running_web(database, stage.vapi.url, clock=stage.clock) as web:
            (contact,) = (await web.client.get(f"/api/campaigns/{campaign_id}/contacts")).json()["contacts"]
        assert (contact["state"], contact["call"]["outcome"]) == ("due", "no_answer")
        assert contact["reason"] == "Nobody was reached (no answer): it is called again."
        assert contact["dueAt"] is not None
