import asyncio
from collections import Counter

import pytest

from tests.simulator.stage import ADA, BEA, ENDLESS, Stage
from vapisim import town

pytestmark = pytest.mark.anyio

OVER_LIMIT = "call.start.error-subscription-concurrency-limit-reached"
MANY = [f"+1202555{n:04d}" for n in range(100, 200)]


async def full_house(stage: Stage, **faults: object) -> None:
    """One line, and Ada on it for longer than the test takes."""
    await stage.client.post("/_sim/concurrency-limit", json={"limit": 1})
    await stage.slow_down()
    await stage.faults(number_outcomes={ADA: ENDLESS, BEA: "busy"}, **faults)
    await stage.dial(ADA)


async def test_over_the_limit_the_call_is_refused_by_default(stage: Stage) -> None:
    await full_house(stage)
    answer = await stage.post(BEA)
    assert answer.status_code == 400
    assert answer.json() == {"message": "Over Concurrency Limit", "error": "Bad Request", "statusCode": 400}
    summary = await stage.summary()
    assert summary["refusedByReason"] == {"over-concurrency-limit": 1}
    assert summary["dialsPerNumber"] == {ADA: 1}


async def test_over_the_limit_the_text_may_sit_in_error_alone(stage: Stage) -> None:
    await full_house(stage, over_limit_mode="http400-error")
    answer = await stage.post(BEA)
    assert (answer.status_code, answer.json()) == (400, {"error": "Over Concurrency Limit"})


async def test_over_the_limit_a_call_may_be_accepted_but_blocked(stage: Stage) -> None:
    await full_house(stage, over_limit_mode="blocked201")
    answer = await stage.post(BEA)
    assert answer.status_code == 201
    assert answer.json()["subscriptionLimits"]["concurrencyBlocked"] is True
    call_id = answer.json()["id"]
    await stage.until_status(call_id, "ended")
    body = await stage.call(call_id)
    assert body["endedReason"] == OVER_LIMIT
    assert "startedAt" not in body
    summary = await stage.summary()
    assert summary["refusedByReason"] == {"concurrency-blocked": 1}
    assert BEA not in summary["dialsPerNumber"]


async def test_over_the_limit_a_call_may_be_accepted_and_end_at_once(stage: Stage) -> None:
    await full_house(stage, over_limit_mode="ended201")
    call_id = await stage.dial(BEA)
    await stage.until(lambda: "ended" in stage.receiver.whats(call_id))
    assert stage.receiver.whats(call_id) == ["ended"]
    assert stage.receiver.of(call_id)[0].message["endedReason"] == OVER_LIMIT
    assert (await stage.summary())["refusedByReason"] == {"concurrency-ended": 1}


async def test_over_the_limit_a_call_may_wait_for_its_turn(stage: Stage) -> None:
    await full_house(stage, over_limit_mode="queue")
    answer = await stage.post(BEA)
    assert (answer.status_code, answer.json()["status"]) == (201, "scheduled")
    assert (await stage.summary())["dialsPerNumber"] == {ADA: 1}
    ada = stage.world.ledger.dials[0].call.id
    await stage.client.post(f"/_sim/calls/{ada}/end", json={})
    await stage.until_reported(answer.json()["id"])
    assert (await stage.summary())["dialsPerNumber"] == {ADA: 1, BEA: 1}
    assert stage.receiver.whats(answer.json()["id"])[0] == "queued"


async def test_a_line_is_free_again_before_the_end_is_announced(stage: Stage) -> None:
    await stage.client.post("/_sim/concurrency-limit", json={"limit": 1})
    await stage.faults(number_outcomes={ADA: "busy", BEA: "busy"})
    call_id = await stage.dial(ADA)
    await stage.until(lambda: "ended" in stage.receiver.whats(call_id))
    assert (await stage.post(BEA)).status_code == 201


async def test_lines_can_be_taken_by_others(stage: Stage) -> None:
    await stage.slow_down()
    await stage.faults(occupied_lines=9, number_outcomes={ADA: ENDLESS})
    assert (await stage.post(ADA)).json()["subscriptionLimits"]["remainingConcurrentCalls"] == 0
    assert (await stage.post(BEA)).status_code == 400


async def test_the_limit_holds_and_the_ledger_counts_true_when_all_dial_at_once(stage: Stage) -> None:
    """A hundred requests race for ten lines; the answers and the witness must agree on every one."""
    await stage.slow_down()
    await stage.faults(number_outcomes=dict.fromkeys(MANY, ENDLESS))
    answers = await asyncio.gather(*(stage.post(number) for number in MANY))
    accepted = [answer.json()["id"] for answer in answers if answer.status_code == 201]
    ledger = await stage.ledger()
    assert Counter(answer.status_code for answer in answers) == {201: 10, 400: 90}
    assert sorted(each["providerCallId"] for each in ledger["dials"]) == sorted(accepted)
    assert ledger["summary"]["peakConcurrent"] == ledger["summary"]["active"] == 10
    assert ledger["summary"]["peakPerCampaign"] == {"c1": 10}
    assert ledger["summary"]["peakPerPhoneNumberId"] == {town.TWILIO_MAIN: 10}
    assert ledger["summary"]["maxDialsPerNumber"] == 1
    assert ledger["summary"]["repeatedExternalIds"] == {"a1": 10}
    assert {each["reason"] for each in ledger["refusals"]} == {"over-concurrency-limit"}
    assert len(ledger["refusals"]) == 90


async def test_the_ledger_tells_everything_about_a_dial(stage: Stage) -> None:
    await stage.faults(number_outcomes={ADA: "busy", BEA: "busy"})
    call_id = await stage.dial(ADA)
    await stage.dial(BEA)
    await stage.until_reported(call_id)
    [dial] = (await stage.ledger(number=ADA))["dials"]
    assert dial["providerCallId"] == call_id
    assert (dial["number"], dial["attempt"], dial["answer"]) == (ADA, 1, "accepted")
    assert (dial["externalId"], dial["metadata"]["campaignId"]) == ("a1", "c1")
    assert (dial["phoneNumberId"], dial["assistantId"]) == (town.TWILIO_MAIN, town.ASSISTANT_SALES)
    assert dial["admittedReal"] < dial["endedReal"] <= dial["endedWebhookReal"]
    assert [each["status"] for each in dial["statusChanges"]] == ["ringing", "ended"]
    assert len((await stage.ledger(offset="1"))["dials"]) == 1


async def test_two_calls_to_one_person_at_once_are_noticed(stage: Stage) -> None:
    await stage.slow_down()
    await stage.faults(number_outcomes={ADA: ENDLESS})
    await stage.dial(ADA)
    await stage.dial(ADA)
    summary = await stage.summary()
    assert (summary["maxDialsPerNumber"], summary["peakPerNumber"]) == (2, 2)


async def test_requests_beyond_the_rate_are_429(stage: Stage) -> None:
    await stage.client.post("/_sim/speed", json={"speed": 1})
    await stage.faults(rate_limit_per_minute=2)
    answers = [await stage.client.get("/assistant") for _ in range(6)]
    # A minute may end between two requests; four of six are refused even then.
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) >= 2
    assert refused[-1].json()["message"] == "Rate limit exceeded"
    assert "retry-after" not in refused[-1].headers


async def test_a_429_can_say_when_to_come_back(stage: Stage) -> None:
    await stage.faults(http_429=1, retry_after=True)
    answer = await stage.post()
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert (await stage.summary())["refusedByReason"] == {"http-429": 1}


async def test_a_free_number_dials_ten_times_a_day(stage: Stage) -> None:
    await stage.client.post("/_sim/concurrency-limit", json={"limit": 20})
    answers = [await stage.post(number, phoneNumberId=town.VAPI_FREE) for number in MANY[:11]]
    assert [answer.status_code for answer in answers] == [201] * 10 + [400]
    assert answers[-1].json()["message"] == (
        "Couldn't Start Call. Numbers Bought On Vapi Have A Daily Outbound Call Limit. "
        "Import Your Own Twilio Numbers To Scale Without Limits."
    )
    assert (await stage.summary())["refusedByReason"] == {"daily-limit": 1}


async def test_any_number_can_be_given_a_daily_limit(stage: Stage) -> None:
    await stage.faults(daily_limits={town.TWILIO_MAIN: 1})
    assert [(await stage.post(number)).status_code for number in (ADA, BEA)] == [201, 400]


async def test_a_free_number_does_not_call_abroad(stage: Stage) -> None:
    answer = await stage.post("+442079460958", phoneNumberId=town.VAPI_FREE)
    assert answer.status_code == 400
    assert (await stage.summary())["refusedByReason"] == {"international": 1}


async def test_without_credit_nothing_is_dialled(stage: Stage) -> None:
    await stage.faults(no_credit=True)
    answer = await stage.post()
    assert answer.status_code == 400
    assert "Insufficient Credits" in answer.json()["message"]
    assert (await stage.summary())["dials"] == 0
