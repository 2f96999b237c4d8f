"""What time does to calls: leases, looks, ceilings, rests and days, with a clock that is moved by hand."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from autolynx.errors import Conflict
from autolynx.flows.campaign_life import stop_campaign
from autolynx.flows.claim import claim
from autolynx.flows.dial import dial
from autolynx.flows.dialing import Decision, decide_unsure, hold_dialling, release_dialling
from autolynx.flows.refill import refill
from autolynx.flows.tick import Ticker, run_once
from autolynx.provider.port import CallOrder
from autolynx.runtime import SystemClock
from autolynx.store import calls, phone_numbers
from autolynx.store.database import Database
from tests.support.checks import assert_counters_are_a_recount, query
from tests.support.engine import make_runtime, settings_for_test
from tests.support.scripted_vapi import (
    ScriptedVapi,
    accepted,
    broken,
    dropped,
    one_after_the_other,
    refused,
    taken_but_dropped,
)
from tests.support.stage import Stage, a_stage
from tests.support.stub_vapi import Answering, Reply, as_json

pytestmark = pytest.mark.anyio

CEILING = 600 + 120 + 300  # the call's longest, ringing, and a margin


async def take(stage: Stage) -> CallOrder:
    """Claim one contact, and do nothing with it: its process died or froze."""
    claimed = await claim(stage.runtime, most=1)
    (order,) = claimed.orders
    return order


async def take_and_mark(stage: Stage) -> CallOrder:
    """Claim one contact and mark it: its process died just before or just after the request."""
    order, now = await take(stage), stage.clock.now()
    async with stage.database.connection() as conn:
        is_marked = await calls.mark_dialling(
            conn,
            order.call_id,
            now=now,
            look_at=now + timedelta(seconds=22),
            lease_until=now + timedelta(seconds=66),
        )
    assert is_marked
    return order


async def dial_late(stage: Stage, order: CallOrder) -> bool:
    """Go on where a frozen process stopped; says whether it sent anything."""
    claimed = await claim(stage.runtime, campaign_id=uuid4())
    return (await dial(stage.runtime, order, account=claimed.account)).was_sent


async def in_doubt(stage: Stage, **values: Any) -> UUID:
    """Play until one contact waits for a person: it was dialled into silence, and nobody ever saw our ids echoed."""
    stage.vapi.on_dial = dropped
    campaign_id = await stage.campaign(**values)
    await stage.tick()
    await stage.tick(3)
    await stage.tick(61)
    stage.vapi.on_dial = accepted
    assert await stage.contacts() == ["unsure"]
    return campaign_id


# Leases -------------------------------------------------------------------------------------------------------------


async def test_an_unmarked_claim_goes_back_after_its_lease_and_its_contact_is_dialled_once(database: Database) -> None:
    async with a_stage(database) as stage:
        await stage.campaign()
        order = await take(stage)
        await stage.tick(29)
        assert (await stage.call())["status"] == "QUEUED"
        assert stage.vapi.dials == []
        await stage.tick(2)
        released, second = await stage.calls()
        assert (released["outcome"], released["counts_as_attempt"]) == ("not_dialled", False)
        assert stage.vapi.dials == [second["id"]]
        assert not await dial_late(stage, order)
        assert len(stage.vapi.dials) == 1
        await assert_counters_are_a_recount(database)


async def test_the_tick_says_that_the_end_of_a_lease_is_due(database: Database) -> None:
    async with a_stage(database) as stage:
        await stage.campaign()
        await take(stage)
        ticked = await run_once(stage.runtime)
        assert ticked.next_at == (await stage.call())["lease_until"]


async def test_a_function_that_thaws_after_its_lease_does_not_dial(database: Database) -> None:
    async with a_stage(database) as stage:
        await stage.campaign()
        order = await take(stage)
        stage.clock.move(31)
        assert not await dial_late(stage, order)
        assert stage.vapi.dials == []
        assert (await stage.contacts(), await stage.lines()) == (["due"], 0)


async def test_a_function_that_freezes_right_after_the_mark_does_not_dial_on_thawing(database: Database) -> None:
    async with a_stage(database) as stage:
        await stage.campaign()
        order = await take(stage)
        claimed = await claim(stage.runtime, campaign_id=uuid4())
        stage.clock.jump(after_readings=1, seconds=120)
        dialled = await dial(stage.runtime, order, account=claimed.account)
        assert not dialled.was_sent
        assert stage.vapi.dials == []
        assert ((await stage.call())["outcome"], await stage.contacts()) == ("not_dialled", ["due"])


async def test_a_request_that_may_be_under_way_is_not_taken_for_never_sent(database: Database) -> None:
    async with a_stage(database, UNKNOWN_GRACE_SECONDS=5) as stage:
        await stage.campaign(contacts=2, cap=1)
        await stage.tick()
        await stage.tell("theirs-1", "ended", endedReason="customer-busy")
        order = await take_and_mark(stage)
        for _ in range(6):
            await stage.tick(10)
            assert len(stage.vapi.dials) == 1
        await stage.tick(10)
        assert len(stage.vapi.dials) == 2
        outcomes = {call["id"]: call["outcome"] for call in await stage.calls()}
        assert outcomes[order.call_id] == "not_dialled"


# Requests of unknown outcome ----------------------------------------------------------------------------------------


async def test_a_request_without_an_answer_is_looked_for_and_adopted(database: Database) -> None:
    async with a_stage(database) as stage:
        stage.vapi.on_dial = taken_but_dropped
        campaign_id = await stage.campaign()
        await stage.tick()
        assert (await stage.call())["provider_call_id"] is None
        await stage.tick(3)
        assert (await stage.call())["provider_call_id"] == "theirs-1"
        assert await stage.status(campaign_id) == "DIALING"
        await stage.tick_until(180, every=60)
        assert len(stage.vapi.dials) == 1


async def test_two_looks_apart_and_a_seen_echo_give_the_contact_its_turn_back(database: Database) -> None:
    async with a_stage(database) as stage:
        stage.vapi.on_dial = one_after_the_other(accepted, dropped, accepted)
        await stage.campaign(contacts=2, cap=2)
        await stage.tick()
        await stage.tick(3)
        assert (await stage.gate())["echo_seen_at"] is not None
        await stage.tick(30)
        await stage.tick(28)
        assert len(stage.vapi.dials) == 2
        await stage.tick(4)
        assert len(stage.vapi.dials) == 3
        lost = next(call for call in await stage.calls() if call["outcome"] == "not_dialled")
        contacts = {call["id"]: call["contact_id"] for call in await stage.calls()}
        assert stage.vapi.dials_per_contact(contacts)[lost["contact_id"]] == 2  # one was lost, one arrived
        assert len(stage.vapi.calls) == 2
        assert await stage.incidents() == []


async def test_without_a_seen_echo_a_person_decides_and_nobody_is_dialled_again(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await in_doubt(stage)
        call = await stage.call()
        assert (call["status"], call["holds_line"]) == ("QUEUED", True)
        assert await stage.incidents() == ["unsure"]
        await stage.tick_until(CEILING, every=170)
        call = await stage.call()
        assert (call["status"], call["outcome"], call["holds_line"]) == ("TIMEOUT", "unsure", False)
        assert await stage.status(campaign_id) == "COMPLETED"
        assert len(stage.vapi.dials) == 1
        await assert_counters_are_a_recount(database)


async def test_an_account_that_does_not_echo_our_ids_never_leads_to_a_second_call(database: Database) -> None:
    async with a_stage(database) as stage:
        stage.vapi.on_dial, stage.vapi.echoes = taken_but_dropped, False
        await stage.campaign()
        await stage.tick()
        for seconds in (3, 61, 300, 300):
            await stage.tick(seconds)
        assert await stage.contacts() == ["unsure"]
        assert len(stage.vapi.dials) == 1


async def test_ids_of_another_program_on_the_same_account_are_no_echo_of_ours(database: Database) -> None:
    async with a_stage(database) as stage:
        stage.vapi.on_dial = dropped
        await stage.campaign()
        order = await claim(stage.runtime, campaign_id=uuid4())
        assert order.orders == ()
        foreign = {"phoneNumberId": "b0000000-0000-4000-8000-000000000001", "name": str(uuid4())}
        stage.vapi.place({**foreign, "customer": {}, "assistantOverrides": {"metadata": {}}})
        await stage.tick()
        await stage.tick(3)
        await stage.tick(61)
        assert stage.vapi.lists > 0
        assert await stage.contacts() == ["unsure"]
        assert len(stage.vapi.dials) == 1


async def test_a_list_that_could_not_be_read_to_its_end_is_no_look(database: Database) -> None:
    def cut(found: list[dict[str, Any]]) -> Answering:
        return as_json([*found, "something unreadable"])

    async with a_stage(database) as stage:
        stage.vapi.on_dial = one_after_the_other(accepted, dropped, accepted)
        await stage.campaign(contacts=2, cap=2)
        await stage.tick()
        stage.vapi.on_list = cut
        await stage.tick(3)
        stage.vapi.on_list = as_json
        await stage.tick(91)  # the first look that counts
        assert len(stage.vapi.dials) == 2
        await stage.tick(61)
        assert len(stage.vapi.dials) == 3


async def test_while_the_provider_cannot_be_asked_a_contact_becomes_unsure_and_keeps_its_line(
    database: Database,
) -> None:
    async with a_stage(database) as stage:
        stage.vapi.on_dial, stage.vapi.reads = taken_but_dropped, False
        await stage.campaign()
        await stage.tick()
        await stage.tick(300)
        assert await stage.contacts() == ["calling"]
        await stage.tick(301)
        assert (await stage.contacts(), await stage.lines()) == (["unsure"], 1)
        await stage.tick(CEILING)
        assert ((await stage.call())["status"], await stage.lines()) == ("QUEUED", 1)
        stage.vapi.reads = True
        await stage.tick(100)
        assert ((await stage.call())["provider_call_id"], await stage.contacts()) == ("theirs-1", ["calling"])
        await stage.tick(200)
        assert ((await stage.call())["status"], await stage.contacts()) == ("TIMEOUT", ["done"])
        assert len(stage.vapi.dials) == 1


async def test_what_is_proven_later_takes_the_decision_from_the_person(database: Database) -> None:
    async with a_stage(database) as stage:
        await in_doubt(stage)
        await stage.campaign(first=50)
        await stage.tick(1)  # the second campaign's call is accepted, and lists now echo our ids
        await stage.tick_until(180, every=91)
        assert len(stage.vapi.dials) == 3
        outcomes = [call["outcome"] for call in await stage.calls()]
        assert sorted(outcomes, key=str) == [None, None, "not_dialled"]


# Decisions ----------------------------------------------------------------------------------------------------------


async def test_redial_dials_exactly_once_more_and_reopens_a_completed_campaign(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await in_doubt(stage)
        await stage.tick_until(CEILING, every=170)
        assert await stage.status(campaign_id) == "COMPLETED"
        doubtful = await stage.call()
        await decide_unsure(stage.runtime, doubtful["id"], Decision.REDIAL)
        assert await stage.status(campaign_id) == "RUNNING"
        await stage.tick()
        assert len(stage.vapi.dials) == 2
        with pytest.raises(Conflict):
            await decide_unsure(stage.runtime, doubtful["id"], Decision.REDIAL)
        await stage.tell("theirs-1", "ended", endedReason="customer-did-not-answer")
        await stage.tick_until(300, every=100)
        assert len(stage.vapi.dials) == 2
        assert (await stage.contacts(), await stage.status(campaign_id)) == (["done"], "COMPLETED")
        await assert_counters_are_a_recount(database)


async def test_redial_before_the_ceiling_gives_the_doubtful_call_up(database: Database) -> None:
    async with a_stage(database) as stage:
        await in_doubt(stage)
        await decide_unsure(stage.runtime, (await stage.call())["id"], Decision.REDIAL)
        await stage.tick()
        assert [call["status"] for call in await stage.calls()] == ["TIMEOUT", "QUEUED"]
        assert len(stage.vapi.dials) == 2


async def test_proof_that_the_doubtful_call_happened_cancels_a_redial_that_is_still_due(database: Database) -> None:
    async with a_stage(database) as stage:
        await in_doubt(stage)
        doubtful = await stage.call()
        await decide_unsure(stage.runtime, doubtful["id"], Decision.REDIAL)
        customer, metadata = {"externalId": str(doubtful["id"])}, {"callId": str(doubtful["id"])}
        body = {"phoneNumberId": "n", "name": str(doubtful["id"]), "customer": customer}
        stage.vapi.place({**body, "assistantOverrides": {"metadata": metadata}})
        await stage.tell("theirs-1", "ended", endedReason="customer-busy")
        await stage.tick(1)
        assert len(stage.vapi.dials) == 1
        assert await stage.contacts() == ["done"]


async def test_leave_can_be_taken_back_while_the_call_is_still_in_doubt(database: Database) -> None:
    async with a_stage(database) as stage:
        await in_doubt(stage)
        doubtful = (await stage.call())["id"]
        with pytest.raises(Conflict, match="was not left"):
            await decide_unsure(stage.runtime, doubtful, Decision.REOPEN)
        await decide_unsure(stage.runtime, doubtful, Decision.LEAVE)
        await decide_unsure(stage.runtime, doubtful, Decision.REOPEN)
        (row,) = await query(database, "SELECT state, reason FROM contacts WHERE is_unsure")
        assert row["reason"] == (await stage.call())["reason"]
        await decide_unsure(stage.runtime, doubtful, Decision.REDIAL)
        await stage.tick()
        assert len(stage.vapi.dials) == 2
        with pytest.raises(Conflict, match="was not left"):
            await decide_unsure(stage.runtime, doubtful, Decision.REOPEN)
        await assert_counters_are_a_recount(database)


async def test_leave_ends_it_and_nothing_learned_later_dials_it_again(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await in_doubt(stage)
        doubtful = await stage.call()
        await decide_unsure(stage.runtime, doubtful["id"], Decision.LEAVE)
        assert await stage.contacts() == ["done"]
        await stage.campaign(first=50)
        await stage.tick(1)
        await stage.tick_until(180, every=91)
        released = next(call for call in await stage.calls() if call["id"] == doubtful["id"])
        assert released["outcome"] == "not_dialled"
        assert doubtful["contact_id"] not in {call["contact_id"] for call in (await stage.calls())[1:]}
        (row,) = await query(database, "SELECT state FROM contacts WHERE id = %s", doubtful["contact_id"])
        assert row["state"] == "done"
        assert await stage.status(campaign_id) != "FAILED"


async def test_only_the_call_in_doubt_can_be_decided_about(database: Database) -> None:
    async with a_stage(database) as stage:
        await stage.campaign()
        order = await take(stage)
        await stage.tick(31)
        earlier = next(call for call in await stage.calls() if call["id"] == order.call_id)
        assert earlier["outcome"] == "not_dialled"
        later = next(call for call in await stage.calls() if call["id"] != order.call_id)
        await query_nothing(
            database,
            "UPDATE calls SET unsure_at = claimed_at, provider_call_id = NULL WHERE id = %s",
            later["id"],
        )
        await query_nothing(database, "UPDATE contacts SET state = 'unsure'")
        with pytest.raises(Conflict):
            await decide_unsure(stage.runtime, earlier["id"], Decision.REDIAL)
        await decide_unsure(stage.runtime, later["id"], Decision.REDIAL)
        await stage.tick(1)
        assert len(stage.vapi.dials) == 2


async def query_nothing(database: Database, sql: str, *values: Any) -> None:
    async with database.connection() as conn:
        await conn.execute(sql, list(values))


async def test_nobody_is_dialled_again_in_a_stopped_campaign(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await in_doubt(stage)
        await stop_campaign(stage.runtime, campaign_id)
        with pytest.raises(Conflict, match="stopped"):
            await decide_unsure(stage.runtime, (await stage.call())["id"], Decision.REDIAL)
        await decide_unsure(stage.runtime, (await stage.call())["id"], Decision.LEAVE)
        assert await stage.contacts() == ["done"]


# Silence ------------------------------------------------------------------------------------------------------------


async def test_a_stuck_call_is_given_up_at_its_ceiling_and_not_before(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await stage.campaign()
        await stage.tick()
        stage.vapi.change("theirs-1", status="in-progress")
        await stage.tell("theirs-1", "in-progress")
        await stage.tick_until(CEILING - 10, every=101)
        assert ((await stage.call())["status"], await stage.lines()) == ("IN_PROGRESS", 1)
        await stage.tick(15)
        assert ((await stage.call())["status"], await stage.lines()) == ("TIMEOUT", 0)
        assert (await stage.contacts(), await stage.status(campaign_id)) == (["done"], "COMPLETED")


@pytest.mark.parametrize("word", [None, "not-found"], ids=["404", "status not-found"])
async def test_absence_frees_no_line_before_ten_minutes_of_silence(database: Database, word: str | None) -> None:
    async with a_stage(database) as stage:
        await stage.campaign()
        await stage.tick()
        if word is None:
            stage.vapi.calls.clear()
        else:
            stage.vapi.change("theirs-1", status=word)
        for _ in range(5):
            await stage.tick(119)
            assert ((await stage.call())["status"], await stage.lines()) == ("QUEUED", 1)
        await stage.tick(61)
        assert ((await stage.call())["status"], await stage.lines()) == ("TIMEOUT", 0)
        assert len(stage.vapi.dials) == 1


async def test_while_the_provider_cannot_be_asked_no_line_is_freed_and_dialling_pauses(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await stage.campaign(contacts=3, cap=1)
        await stage.tick()
        stage.vapi.reads = False
        await stage.tick(120)
        await query_nothing(database, "UPDATE campaigns SET cap = 2 WHERE id = %s", campaign_id)
        await stage.tick(30)
        await stage.tick(CEILING)
        assert ([call["status"] for call in await stage.calls()], await stage.lines()) == (["QUEUED"], 1)
        assert len(stage.vapi.dials) == 1
        stage.vapi.reads = True
        stage.vapi.change("theirs-1", status="in-progress")
        await stage.tick(1)
        assert len(stage.vapi.dials) > 1


async def test_one_call_that_cannot_be_shown_does_not_hold_its_line_for_ever(database: Database) -> None:
    async with a_stage(database) as stage:
        await stage.campaign()
        await stage.tick()
        stage.vapi.breaks_on.add("theirs-1")
        await stage.tick(CEILING - 20)
        assert await stage.lines() == 1
        await stage.tick(100)
        assert ((await stage.call())["status"], await stage.lines()) == ("TIMEOUT", 0)


async def test_a_live_word_after_our_timeout_takes_the_line_again_until_the_end_is_known(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await stage.campaign(contacts=3, cap=1)
        await stage.tick()
        lost = stage.vapi.calls.pop("theirs-1")
        for seconds in (300, 200, 120):
            await stage.tick(seconds)
        assert [call["status"] for call in await stage.calls()] == ["TIMEOUT", "QUEUED"]
        stage.vapi.calls["theirs-1"] = lost
        stage.vapi.change("theirs-1", status="in-progress")
        await stage.tell("theirs-1", "in-progress")
        first = (await stage.calls())[0]
        assert (first["status"], first["holds_line"], await stage.lines()) == ("TIMEOUT", True, 2)
        assert await stage.incidents() == ["cap_overrun"]
        second = (await stage.calls())[1]["provider_call_id"]
        await stage.tell(second, "ended", endedReason="customer-busy")
        await stage.tick(1)
        assert (len(stage.vapi.dials), await stage.lines()) == (2, 1)
        await stage.tell(
            "theirs-1", "ended", endedReason="customer-ended-call", startedAt=stage.clock.now().isoformat()
        )
        first = (await stage.calls())[0]
        assert (first["status"], first["outcome"], first["holds_line"]) == ("ENDED", "answered", False)
        await stage.tick(1)
        assert len(stage.vapi.dials) == 3
        assert await stage.status(campaign_id) == "RUNNING"


async def test_what_a_lost_report_would_have_told_is_asked_for_once(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await stage.campaign()
        await stage.tick()
        await stage.tell("theirs-1", "ended", endedReason="customer-ended-call")
        bill = {"costs": [{"type": "model", "cost": 0.1}, {"type": "voice", "cost": 0.02}]}
        stage.vapi.change("theirs-1", status="ended", endedReason="customer-ended-call", cost=0.12, **bill)
        assert (await stage.status(campaign_id), (await stage.call())["cost_usd"]) == ("COMPLETED", None)
        await stage.tick(91)
        call = await stage.call()
        assert (float(call["cost_usd"]), call["next_check_at"]) == (0.12, None)
        assert call["cost_breakdown"] == {"model": 0.1, "voice": 0.02}
        await assert_counters_are_a_recount(database)


async def test_an_end_that_a_sweep_found_before_its_price_was_known_is_asked_about_again(database: Database) -> None:
    async with a_stage(database) as stage:
        await stage.campaign()
        await stage.tick()
        stage.vapi.change("theirs-1", status="ended", endedReason="customer-ended-call")
        await stage.tick(31)
        assert ((await stage.call())["status"], (await stage.call())["cost_usd"]) == ("ENDED", None)
        await stage.tick(91)
        assert (await stage.call())["cost_usd"] is None
        stage.vapi.change("theirs-1", cost=0.12)
        await stage.tick(181)
        call = await stage.call()
        assert (float(call["cost_usd"]), call["next_check_at"]) == (0.12, None)


async def test_a_call_that_was_over_and_is_found_live_is_an_incident(database: Database) -> None:
    async with a_stage(database) as stage:
        await stage.campaign()
        await stage.tick()
        await stage.tell("theirs-1", "ended", endedReason="customer-busy")
        stage.vapi.change("theirs-1", status="in-progress")
        await stage.tick(91)
        assert await stage.incidents() == ["illegal_events"]
        assert ((await stage.call())["status"], await stage.lines()) == ("ENDED", 0)


# Rests --------------------------------------------------------------------------------------------------------------


async def test_after_a_concurrency_refusal_it_cools_down_and_grows_back(database: Database) -> None:
    async with a_stage(database) as stage:
        stage.vapi.on_dial = one_after_the_other(accepted, refused(400, "Over Concurrency Limit"), accepted)
        await stage.campaign(contacts=3, cap=2)
        await stage.tick()
        assert (await stage.gate())["lowered_cap"] == 1
        await stage.tick(9)
        assert len(stage.vapi.dials) == 2
        await stage.tick(11)  # cooled down, but only one line is carried
        assert len(stage.vapi.dials) == 2
        await stage.tick(11)
        assert len(stage.vapi.dials) == 3
        assert [call["counts_as_attempt"] for call in await stage.calls()].count(True) == 2


async def test_a_blocked_call_keeps_its_line_until_its_end_and_its_contact_is_dialled_again(database: Database) -> None:
    def blocked(vapi: ScriptedVapi, seen: Any) -> Answering:
        limits = {"concurrencyBlocked": True}
        return as_json({**vapi.place(seen.body), "subscriptionLimits": limits}, status=201)

    async with a_stage(database) as stage:
        stage.vapi.on_dial = one_after_the_other(accepted, blocked, accepted)
        await stage.campaign(contacts=2, cap=2)
        await stage.tick()
        assert (await stage.lines(), (await stage.gate())["lowered_cap"]) == (2, 1)
        blocked_id = next(call["provider_call_id"] for call in await stage.calls() if call["is_blocked"])
        await stage.tell(blocked_id, "ended")
        assert (await stage.lines(), sorted(await stage.contacts())) == (1, ["calling", "due"])
        await stage.tick(41)
        assert len(stage.vapi.dials) == 3


async def test_too_many_requests_rest_as_long_as_the_provider_says(database: Database) -> None:
    async with a_stage(database) as stage:
        stage.vapi.on_dial = one_after_the_other(refused(429, "Rate limit exceeded", Retry_After="7"), accepted)
        await stage.campaign()
        await stage.tick()
        await stage.tick(6)
        assert len(stage.vapi.dials) == 1
        await stage.tick(2)
        assert len(stage.vapi.dials) == 2
        assert [call["outcome"] for call in await stage.calls()] == ["not_dialled", None]


async def test_the_circuit_opens_probes_and_closes(database: Database) -> None:
    async with a_stage(database, BREAKER_THRESHOLD=2) as stage:
        stage.vapi.on_dial = broken
        await stage.campaign(contacts=8, cap=8)
        await refill(stage.runtime, most=1)
        stage.clock.move(1)
        await refill(stage.runtime, most=1)
        assert (await stage.gate())["failures"] == 2
        stage.clock.move(4.9)
        await refill(stage.runtime)
        assert len(stage.vapi.dials) == 2
        stage.clock.move(0.2)
        await refill(stage.runtime)  # one probe, which fails
        assert len(stage.vapi.dials) == 3
        stage.clock.move(9.9)
        await refill(stage.runtime)
        assert len(stage.vapi.dials) == 3
        stage.vapi.on_dial = accepted
        stage.clock.move(0.2)
        await refill(stage.runtime)
        assert len(stage.vapi.dials) == 4
        await stage.tell("theirs-1", "ringing")
        assert (await stage.gate())["failures"] == 0
        await refill(stage.runtime)
        assert len(stage.vapi.dials) == 8


async def test_calls_that_fail_side_by_side_open_the_circuit_at_its_first_step(database: Database) -> None:
    async with a_stage(database, BREAKER_THRESHOLD=2) as stage:
        stage.vapi.on_dial = broken
        await stage.campaign(contacts=8, cap=8)
        await refill(stage.runtime)
        gate = await stage.gate()
        assert gate["failures"] == 2
        assert gate["not_before"] - stage.clock.now() <= timedelta(seconds=5)


# Numbers and days ---------------------------------------------------------------------------------------------------

NUMBER = "b0000000-0000-4000-8000-000000000001"


def next_midnight(now: datetime) -> timedelta:
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1) - now


async def test_a_used_up_day_goes_on_after_midnight_utc(database: Database) -> None:
    async with a_stage(database) as stage:
        async with database.connection() as conn:
            await phone_numbers.remember(
                conn, phone_number_id=NUMBER, label=None, provider="vapi", daily_limit=1, now=stage.clock.now()
            )
        await stage.campaign(contacts=2, cap=2)
        await stage.tick()
        await stage.tell("theirs-1", "ended", endedReason="customer-busy")
        left = next_midnight(stage.clock.now()).total_seconds()
        await stage.tick(left - 1)
        assert len(stage.vapi.dials) == 1
        await stage.tick(1)
        assert len(stage.vapi.dials) == 2


async def test_a_number_that_the_provider_refuses_for_today_rests_until_midnight_utc(database: Database) -> None:
    words = "Couldn't Start Call. Numbers Bought On Vapi Have A Daily Outbound Call Limit."
    async with a_stage(database) as stage:
        stage.vapi.on_dial = one_after_the_other(refused(400, words), accepted)
        campaign_id = await stage.campaign()
        await stage.tick()
        left = next_midnight(stage.clock.now()).total_seconds()
        await stage.tick(left - 1)
        assert (len(stage.vapi.dials), await stage.status(campaign_id)) == (1, "QUEUED")
        await stage.tick(1)
        assert len(stage.vapi.dials) == 2
        assert (await stage.contacts(), await stage.lines()) == (["calling"], 1)


async def test_on_a_quiet_line_launches_follow_one_another_over_all_campaigns_of_the_number(database: Database) -> None:
    async with a_stage(database) as stage:
        for first in (0, 10):
            await stage.campaign(contacts=2, first=first, cap=4, options='{"lineQuiet": true}')
        await stage.tick()
        assert len(stage.vapi.dials) == 1
        await stage.tick(2)
        assert len(stage.vapi.dials) == 1
        for ended in range(1, 4):
            stage.vapi.change(f"theirs-{ended}", status="ended", endedReason="customer-busy")
            await stage.tell(f"theirs-{ended}", "ended", endedReason="customer-busy")
            await stage.tick(1)
            assert len(stage.vapi.dials) == ended + 1


async def test_a_line_that_somebody_else_uses_is_not_quiet(database: Database) -> None:
    async with a_stage(database) as stage:
        foreign = {"phoneNumberId": NUMBER, "name": "inbound", "customer": {}}
        stage.vapi.place({**foreign, "assistantOverrides": {"metadata": {}}}, status="in-progress")
        await stage.campaign(contacts=4, cap=2, mode="batch", options='{"lineQuiet": true}')
        await stage.tick()
        assert stage.vapi.dials == []
        stage.vapi.change("theirs-1", status="ended")
        await stage.tick(1)
        assert len(stage.vapi.dials) == 2
        await stage.tell("theirs-2", "ended", endedReason="customer-busy")
        await stage.tick(1)  # the second batch waits for the end of the first
        assert len(stage.vapi.dials) == 2


# The red button and Stop --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("press", [hold_dialling, None], ids=["the button", "stop"])
async def test_what_comes_between_claim_and_mark_keeps_the_call_from_going_out(
    database: Database, press: Callable[..., Awaitable[int]] | None
) -> None:
    async with a_stage(database) as stage:
        campaign_id = await stage.campaign()
        order = await take(stage)
        if press is None:
            await stop_campaign(stage.runtime, campaign_id)
        else:
            await press(stage.runtime, reason="Pressed in a test.")
        assert not await dial_late(stage, order)
        await stage.tick(60)
        assert (stage.vapi.dials, await stage.contacts(), await stage.lines()) == ([], ["due"], 0)
        await release_dialling(stage.runtime)
        await stage.tick(1)
        assert len(stage.vapi.dials) == (0 if press is None else 1)


async def test_the_button_with_hang_up_ends_what_is_live_and_what_connects_later(database: Database) -> None:
    async with a_stage(database) as stage:
        await stage.campaign(contacts=2, cap=2)
        await stage.tick()
        await stage.tell("theirs-1", "in-progress")
        assert await hold_dialling(stage.runtime, reason="Pressed in a test.", hangs_up=True) == 1
        assert stage.vapi.controls == ["theirs-1"]
        await stage.tell("theirs-2", "ringing")
        assert stage.vapi.controls == ["theirs-1"]
        await stage.tell("theirs-2", "in-progress")
        assert stage.vapi.controls == ["theirs-1", "theirs-2"]
        await stage.tell("theirs-1", "ended", endedReason="manually-canceled")
        assert sorted(call["status"] for call in await stage.calls()) == ["CANCELED", "IN_PROGRESS"]


async def test_a_hang_up_that_did_not_work_is_asked_for_again_by_the_next_look(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await stage.campaign()
        await stage.tick()
        stage.vapi.change("theirs-1", status="in-progress")
        await stage.tell("theirs-1", "in-progress")
        stage.vapi.on_control = Reply(status=500)
        stopped = await stop_campaign(stage.runtime, campaign_id, hangs_up=True)
        assert (stopped.hung_up, stopped.still_live) == (0, 1)
        stage.vapi.on_control = as_json({})
        await stage.tick(1)
        assert stage.vapi.controls == ["theirs-1", "theirs-1"]
        assert ((await stage.call())["status"], await stage.lines()) == ("IN_PROGRESS", 1)


async def test_stop_reaches_a_live_call_that_had_been_given_up(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await stage.campaign(contacts=2, cap=1)
        await stage.tick()
        lost = stage.vapi.calls.pop("theirs-1")
        for seconds in (300, 200, 120):
            await stage.tick(seconds)
        stage.vapi.calls["theirs-1"] = lost
        await stage.tell("theirs-1", "in-progress")
        await stop_campaign(stage.runtime, campaign_id, hangs_up=True)
        assert stage.vapi.controls == ["theirs-1"]
        await stage.tell("theirs-1", "ended", endedReason="customer-ended-call")
        assert (await stage.calls())[0]["status"] == "CANCELED"


# Late, second and contradicting news --------------------------------------------------------------------------------


async def test_a_late_report_moves_the_counters_and_keeps_the_campaign_completed(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await stage.campaign()
        await stage.tick()
        await stage.tell("theirs-1", "in-progress")
        await stage.tell("theirs-1", "ended", endedReason="customer-ended-call")
        assert await stage.status(campaign_id) == "COMPLETED"
        begun = stage.clock.now() - timedelta(seconds=60)
        times = {"startedAt": begun.isoformat(), "endedAt": stage.clock.now().isoformat()}
        await stage.report("theirs-1", "voicemail", cost=0.25, **times)
        await stage.report("theirs-1", "voicemail", cost=0.25, **times)
        (counters,) = await query(database, "SELECT * FROM campaign_counters")
        assert (counters["voicemail"], counters["unknown_outcome"], float(counters["cost_usd"])) == (1, 0, 0.25)
        assert await stage.status(campaign_id) == "COMPLETED"
        await assert_counters_are_a_recount(database)


async def test_a_late_word_about_a_timeout_leaves_a_completed_campaign_completed(database: Database) -> None:
    async with a_stage(database) as stage:
        campaign_id = await stage.campaign()
        await stage.tick()
        lost = stage.vapi.calls.pop("theirs-1")
        for seconds in (300, 200, 120):
            await stage.tick(seconds)
        assert await stage.status(campaign_id) == "COMPLETED"
        stage.vapi.calls["theirs-1"] = lost
        await stage.tell("theirs-1", "in-progress")
        assert (await stage.status(campaign_id), await stage.lines()) == ("COMPLETED", 1)
        await stage.tell("theirs-1", "ended", endedReason="customer-busy")
        assert (await stage.status(campaign_id), await stage.lines()) == ("COMPLETED", 0)
        assert (await stage.call())["outcome"] == "busy"


async def test_a_second_provider_id_is_kept_as_an_alias_and_raises_one_incident(database: Database) -> None:
    async with a_stage(database) as stage:
        await stage.campaign()
        await stage.tick()
        call = await stage.call()
        second = {**stage.vapi.calls["theirs-1"], "id": "theirs-9"}
        stage.vapi.calls["theirs-9"] = second
        await stage.tell("theirs-9", "in-progress")
        await stage.tell("theirs-9", "ended", is_ours=False, endedReason="customer-busy")
        assert await query(database, "SELECT provider_call_id, call_id FROM call_aliases") == [
            {"provider_call_id": "theirs-9", "call_id": call["id"]}
        ]
        assert await stage.incidents() == ["second_provider_id"]
        assert ((await stage.call())["status"], (await stage.call())["provider_call_id"]) == ("QUEUED", "theirs-1")


async def test_a_released_claim_that_comes_alive_withdraws_the_next_claim_of_its_contact(database: Database) -> None:
    async with a_stage(database) as stage:
        stage.vapi.on_dial = one_after_the_other(accepted)
        await stage.campaign(contacts=2, cap=2)
        await refill(stage.runtime, most=1)
        first = await take_and_mark(stage)
        await hold_dialling(stage.runtime, reason="Nothing new while we look.")
        for seconds in (23, 61):
            await stage.tick(seconds)
        await release_dialling(stage.runtime)
        again = await take(stage)
        assert again.contact_id == first.contact_id
        ids = {"name": str(first.call_id), "customer": {"externalId": str(first.call_id)}}
        metadata = {"metadata": {"callId": str(first.call_id)}}
        stage.vapi.place({"phoneNumberId": NUMBER, **ids, "assistantOverrides": metadata})
        await stage.tell("theirs-2", "in-progress")
        assert not await dial_late(stage, again)
        assert len(stage.vapi.dials) == 1
        await stage.tell("theirs-2", "ended", endedReason="customer-ended-call")
        await stage.tick(1)
        assert len(stage.vapi.dials) == 1
        assert sorted(await stage.contacts()) == ["calling", "done"]
        assert await stage.incidents() == []
        await assert_counters_are_a_recount(database)


async def test_a_released_claim_that_comes_alive_too_late_is_a_double_dial_and_says_so(database: Database) -> None:
    async with a_stage(database) as stage:
        await stage.campaign(contacts=2, cap=2)
        await refill(stage.runtime, most=1)
        first = await take_and_mark(stage)
        for seconds in (23, 61):
            await stage.tick(seconds)
        assert len(stage.vapi.dials) == 2
        ids = {"name": str(first.call_id), "customer": {"externalId": str(first.call_id)}}
        metadata = {"metadata": {"callId": str(first.call_id)}}
        stage.vapi.place({"phoneNumberId": NUMBER, **ids, "assistantOverrides": metadata})
        await stage.tell("theirs-3", "ended", endedReason="customer-busy")
        assert await stage.incidents() == ["double_dial"]
        await assert_counters_are_a_recount(database)


# The inbox ----------------------------------------------------------------------------------------------------------


async def test_a_webhook_about_a_call_that_is_not_ours_yet_is_settled_once_it_is(database: Database) -> None:
    async with a_stage(database) as stage:
        stage.vapi.on_dial = taken_but_dropped
        campaign_id = await stage.campaign()
        await stage.tick()
        received = await stage.tell("theirs-1", "ended", is_ours=False, endedReason="customer-busy")
        assert received.status is None
        assert [row["state"] for row in await query(database, "SELECT state FROM webhook_inbox")] == ["parked"]
        await stage.tick(3)
        assert (await stage.call())["provider_call_id"] == "theirs-1"
        await stage.tick()
        assert ((await stage.call())["status"], await stage.status(campaign_id)) == ("ENDED", "COMPLETED")
        assert [row["state"] for row in await query(database, "SELECT state FROM webhook_inbox")] == ["settled"]


async def test_a_webhook_that_nobody_owns_is_given_up_after_seven_days(database: Database) -> None:
    async with a_stage(database) as stage:
        await stage.tell("of-somebody-else", "ended")
        await stage.tick(7 * 24 * 3600 - 60)
        assert [row["state"] for row in await query(database, "SELECT state FROM webhook_inbox")] == ["parked"]
        await stage.tick(120)
        assert [row["state"] for row in await query(database, "SELECT state FROM webhook_inbox")] == ["ignored"]


async def a_contradiction(stage: Stage) -> dict[str, Any]:
    """Return a provider's call that names one call of ours by our id and another by its own."""
    stage.vapi.on_dial = one_after_the_other(accepted, dropped)
    await stage.campaign(contacts=2, cap=2)
    await stage.tick()
    nameless = next(call["id"] for call in await stage.calls() if call["provider_call_id"] is None)
    text = json.dumps(stage.vapi.calls["theirs-1"])
    known = next(str(call["id"]) for call in await stage.calls() if call["provider_call_id"])
    wrong: dict[str, Any] = json.loads(text.replace(known, str(nameless)))
    return wrong


async def test_what_cannot_be_settled_is_tried_five_times_and_then_a_dead_letter(database: Database) -> None:
    async with a_stage(database) as stage:
        wrong = await a_contradiction(stage)
        stage.vapi.calls["theirs-1"], right = wrong, stage.vapi.calls["theirs-1"]
        await stage.tell("theirs-1", "ringing")
        stage.vapi.calls["theirs-1"] = right
        states = []
        for seconds in (6, 31, 121, 601):
            (row,) = await query(database, "SELECT state, failures FROM webhook_inbox")
            states.append((row["state"], row["failures"]))
            await stage.tick(seconds)
        assert states == [("received", 1), ("received", 2), ("received", 3), ("received", 4)]
        (row,) = await query(database, "SELECT state, failures FROM webhook_inbox")
        assert (row["state"], row["failures"]) == ("dead", 5)
        assert (await stage.incidents()).count("dead_letter") == 1


async def test_one_call_that_cannot_be_settled_does_not_stop_the_tick(database: Database) -> None:
    async with a_stage(database) as stage:
        stage.vapi.calls["theirs-1"] = await a_contradiction(stage)
        stage.vapi.on_dial = accepted
        campaign_id = await stage.campaign(first=50)
        await stage.tick(31)
        assert await stage.status(campaign_id) == "DIALING"
        assert (await stage.gate())["swept_until"] == stage.clock.now()


class CountingClock(SystemClock):
    """The machine's clock; it counts how often it was read."""

    readings = 0

    def now(self) -> datetime:
        self.readings += 1
        return super().now()


async def test_the_built_in_clockwork_goes_on_after_a_tick_that_broke(database: Database) -> None:
    async with a_stage(database) as stage:
        settings = settings_for_test(DEFAULT_CRON_CADENCE=1, TIME_SCALE=10)
        clock = CountingClock()
        runtime = make_runtime(database, stage.vapi.url, settings=settings, clock=clock)
        await query_nothing(database, "ALTER TABLE uploads RENAME TO uploads_elsewhere")
        ticker = Ticker(runtime)
        ticker.start()
        try:
            async with asyncio.timeout(10):
                while clock.readings < 4:  # every tick reads it before it asks the database
                    await asyncio.sleep(0.01)
            assert (await stage.gate())["last_tick_at"] is None
            await query_nothing(database, "ALTER TABLE uploads_elsewhere RENAME TO uploads")
            async with asyncio.timeout(10):
                while (await stage.gate())["last_tick_at"] is None:
                    await asyncio.sleep(0.05)
        finally:
            await ticker.stop()
            await runtime.provider.close()
