from datetime import datetime
from typing import Any

import pytest

from tests.simulator.stage import ADA, ENDLESS, Stage
from vapisim import town

pytestmark = pytest.mark.anyio

ANSWERED = ["queued", "ringing", "in-progress", "ended", "end-of-call-report"]
UNANSWERED = ["queued", "ringing", "ended", "end-of-call-report"]
NEVER_RANG = ["queued", "ended", "end-of-call-report"]
FORWARDED = ["queued", "ringing", "in-progress", "forwarding", "ended", "end-of-call-report"]
TALK: dict[str, Any] = {"outcome": "human-good", "ring_seconds": 5, "talk_seconds": 60}


async def played(stage: Stage, wish: object, **faults: object) -> str:
    """Dial Ada, whose fate is known, and wait for the whole story."""
    await stage.faults(number_outcomes={ADA: wish}, **faults)
    call_id = await stage.dial()
    await stage.until_reported(call_id)
    return call_id


@pytest.mark.parametrize(
    ("wish", "path", "reason"),
    [
        ("human-declined", ANSWERED, "customer-ended-call"),
        ("voicemail", ANSWERED, "voicemail"),
        ("silence", ANSWERED, "silence-timed-out"),
        ("max-duration", ANSWERED, "exceeded-max-duration"),
        ("canceled", ANSWERED, "manually-canceled"),
        ("no-answer", UNANSWERED, "customer-did-not-answer"),
        ("busy", UNANSWERED, "customer-busy"),
        ("account", NEVER_RANG, "call.start.error-subscription-insufficient-credits"),
        ("transfer", FORWARDED, "assistant-forwarded-call"),
        ("twilio-failed-to-connect-call", NEVER_RANG, "twilio-failed-to-connect-call"),
        ("sip-outbound-unallocated-number", UNANSWERED, "sip-outbound-unallocated-number"),
        ("call.start.error-vapifault-get-org", NEVER_RANG, "call.start.error-vapifault-get-org"),
        ("call.in-progress.twilio-completed-call", ANSWERED, "call.in-progress.twilio-completed-call"),
        ("some-reason-of-next-year", ANSWERED, "some-reason-of-next-year"),
    ],
)
async def test_every_outcome_takes_its_own_way(stage: Stage, wish: str, path: list[str], reason: str) -> None:
    call_id = await played(stage, wish)
    assert sorted(stage.receiver.whats(call_id)) == sorted(path)
    body = await stage.call(call_id)
    assert (body["status"], body["endedReason"]) == ("ended", reason)
    changes = [each["status"] for each in (await stage.ledger())["dials"][0]["statusChanges"]]
    assert changes == path[1:-1]


async def test_a_report_of_a_conversation_tells_everything(stage: Stage) -> None:
    call_id = await played(stage, TALK)
    report = stage.receiver.report(call_id)
    artifact = report["artifact"]
    assert artifact["transcript"].startswith("AI: ")
    assert "\nUser: " in artifact["transcript"]
    assert len(artifact["messages"]) > 4
    assert {each["role"] for each in artifact["messages"]} == {"system", "bot", "user"}
    assert report["analysis"]["summary"]
    assert report["analysis"]["successEvaluation"] == "true"
    assert artifact["recording"]["mono"]["combinedUrl"] == artifact["recordingUrl"]
    assert len(stage.receiver.of(call_id)[-1].raw) > 15_000


async def test_the_cost_is_the_sum_of_its_parts(stage: Stage) -> None:
    report = stage.receiver.report(await played(stage, TALK))
    breakdown = report["costBreakdown"]
    parts = [breakdown[name] for name in ("transport", "stt", "llm", "tts", "vapi", "chat")]
    analysis = [breakdown["analysisCostBreakdown"][name] for name in ("summary", "structuredData", "successEvaluation")]
    assert report["cost"] == breakdown["total"] > 0
    assert sum(parts) + sum(analysis) == pytest.approx(report["cost"])
    assert sum(item["cost"] for item in report["costs"]) == pytest.approx(report["cost"])


async def test_a_report_of_an_unanswered_call_is_nearly_empty(stage: Stage) -> None:
    report = stage.receiver.report(await played(stage, "no-answer"))
    assert (report["artifact"], report["analysis"], report["costs"]) == ({}, {}, [])
    assert report["cost"] == 0
    assert not {"customer", "startedAt", "endedAt", "transcript"} & set(report)


async def test_a_call_can_be_read_with_its_artifact_after_the_report(stage: Stage) -> None:
    call_id = await played(stage, TALK)
    body = await stage.call(call_id)
    report = stage.receiver.report(call_id)
    assert body["artifact"]["transcript"] == report["artifact"]["transcript"]
    assert body["cost"] == report["cost"]
    assert body["analysis"] == report["analysis"]
    assert body["startedAt"] == report["startedAt"]


async def test_a_talk_of_a_minute_is_told_as_a_minute_at_any_speed(stage: Stage) -> None:
    await stage.slow_down()
    body = await stage.call(await played(stage, TALK))
    started, ended = (datetime.fromisoformat(body[name]) for name in ("startedAt", "endedAt"))
    assert 60 <= (ended - started).total_seconds() < 80
    created = datetime.fromisoformat(body["createdAt"])
    assert created < started


async def test_on_the_wall_clock_the_same_talk_takes_a_moment(stage: Stage) -> None:
    body = await stage.call(await played(stage, TALK, event_clock="wall"))
    started, ended = (datetime.fromisoformat(body[name]) for name in ("startedAt", "endedAt"))
    assert (ended - started).total_seconds() < 2


async def test_the_call_in_a_webhook_is_a_snapshot_from_its_creation(stage: Stage) -> None:
    call_id = await played(stage, "busy")
    assert {each.message["call"]["status"] for each in stage.receiver.of(call_id)} == {"queued"}


async def test_the_call_in_a_webhook_can_be_made_fresh(stage: Stage) -> None:
    call_id = await played(stage, "busy", stale_call_status=False)
    assert stage.receiver.of(call_id)[-1].message["call"]["status"] == "ended"


async def test_webhooks_carry_what_the_client_needs_to_recognise_its_call(stage: Stage) -> None:
    for delivery in stage.receiver.of(await played(stage, "busy")):
        call = delivery.message["call"]
        assert call["customer"]["externalId"] == "a1"
        assert call["assistantOverrides"]["metadata"]["attemptId"] == "a1"
        assert delivery.message["phoneNumber"]["id"] == town.TWILIO_MAIN
        assert set(delivery.message) >= {"timestamp", "type", "call", "assistant"}
        assert isinstance(delivery.message["timestamp"], int)


async def test_only_an_ended_status_has_a_reason(stage: Stage) -> None:
    call_id = await played(stage, "busy")
    reasons = {each.what: each.message.get("endedReason") for each in stage.receiver.of(call_id)}
    assert reasons == {
        "queued": None,
        "ringing": None,
        "ended": "customer-busy",
        "end-of-call-report": "customer-busy",
    }


async def test_the_old_shape_keeps_everything_at_the_top(stage: Stage) -> None:
    report = stage.receiver.report(await played(stage, TALK, payload_shape="legacy2024"))
    assert report["transcript"]
    assert report["summary"]
    assert report["recordingUrl"]
    assert "artifact" not in report
    assert datetime.fromisoformat(report["timestamp"])
    assert report["phoneNumber"]["phoneNumber"]["id"] == town.TWILIO_MAIN


@pytest.mark.parametrize(
    ("rubric", "said"),
    [
        ("PassFail", {"true"}),
        ("NumericScale", {"8", "9", "10"}),
        ("PercentageScale", {"80%", "90%", "100%"}),
        ("DescriptiveScale", {"Good", "Excellent"}),
        ("LikertScale", {"Agree", "Strongly Agree"}),
        ("Checklist", {"The goal was reached."}),
    ],
)
async def test_the_verdict_is_a_string_in_the_words_of_the_rubric(stage: Stage, rubric: str, said: set[str]) -> None:
    await stage.faults(number_outcomes={ADA: TALK})
    call_id = await stage.dial(overrides={"analysisPlan": {"successEvaluationPlan": {"rubric": rubric}}})
    await stage.until_reported(call_id)
    assert stage.receiver.report(call_id)["analysis"]["successEvaluation"] in said


async def test_a_call_ends_at_its_maximal_duration(stage: Stage) -> None:
    await stage.slow_down()
    await stage.faults(number_outcomes={ADA: ENDLESS})
    call_id = await stage.dial(overrides={"maxDurationSeconds": 40})
    await stage.until_reported(call_id)
    report = stage.receiver.report(call_id)
    assert report["endedReason"] == "exceeded-max-duration"
    assert 40 <= report["durationSeconds"] < 60


async def test_a_call_in_progress_can_be_ended_at_its_control_address(stage: Stage) -> None:
    await stage.slow_down()
    await stage.faults(number_outcomes={ADA: ENDLESS})
    call_id = await stage.dial()
    control = (await stage.call(call_id))["monitor"]["controlUrl"]
    await stage.until_status(call_id, "in-progress")
    answer = await stage.client.post(control, json={"type": "end-call"})
    assert answer.status_code == 200
    assert (await stage.call(call_id))["endedReason"] == "manually-canceled"
    assert (await stage.summary())["controls"] == 1


async def test_a_call_that_has_not_connected_cannot_be_controlled(stage: Stage) -> None:
    await stage.faults(number_outcomes={ADA: "stuck-queued"})
    call_id = await stage.dial()
    answer = await stage.client.post(f"/{call_id}/control", json={"type": "end-call"})
    assert answer.status_code == 400
    assert (await stage.call(call_id))["status"] == "queued"


async def test_the_control_address_can_ask_for_a_key(stage: Stage, anonymous: Any) -> None:
    await stage.slow_down()
    await stage.faults(number_outcomes={ADA: ENDLESS})
    call_id = await stage.dial(overrides={"monitorPlan": {"controlAuthenticationEnabled": True}})
    await stage.until_status(call_id, "in-progress")
    assert (await anonymous.post(f"/{call_id}/control", json={"type": "end-call"})).status_code == 401
    assert (await stage.client.post(f"/{call_id}/control", json={"type": "end-call"})).status_code == 200


async def test_a_call_can_be_transferred_and_talked_into(stage: Stage) -> None:
    await stage.slow_down()
    await stage.faults(number_outcomes={ADA: ENDLESS})
    call_id = await stage.dial()
    await stage.until_status(call_id, "in-progress")
    path = f"/{call_id}/control"
    assert (await stage.client.post(path, json={"type": "say", "content": "hi"})).status_code == 200
    assert (await stage.client.post(path, json={"type": "dance"})).status_code == 400
    destination = {"type": "number", "number": "+12125550161"}
    await stage.client.post(path, json={"type": "transfer", "destination": destination})
    await stage.until_reported(call_id)
    assert "forwarding" in stage.receiver.whats(call_id)


@pytest.mark.parametrize("status", ["queued", "in-progress"])
async def test_a_stuck_call_keeps_its_line_until_support_ends_it(stage: Stage, status: str) -> None:
    await stage.faults(stuck_queued=float(status == "queued"), stuck_in_progress=float(status == "in-progress"))
    call_id = await stage.dial(overrides={"maxDurationSeconds": 10})
    await stage.until_status(call_id, status)
    await stage.world.timers.sleep(60)
    assert (await stage.call(call_id))["status"] == status
    assert (await stage.summary())["active"] == 1
    await stage.client.post(f"/_sim/calls/{call_id}/end", json={"reason": "worker-shutdown"})
    assert (await stage.call(call_id))["endedReason"] == "worker-shutdown"
    assert (await stage.summary())["active"] == 0


async def test_each_attempt_of_a_number_can_have_its_own_outcome(stage: Stage) -> None:
    await stage.faults(number_outcomes={ADA: ["busy", "voicemail"]})
    reasons = []
    for _ in range(3):
        call_id = await stage.dial()
        await stage.until_status(call_id, "ended")
        reasons.append((await stage.call(call_id))["endedReason"])
    assert reasons == ["customer-busy", "voicemail", "voicemail"]


async def test_without_a_wish_for_messages_the_client_gets_the_chatter_too(stage: Stage) -> None:
    await stage.faults(number_outcomes={ADA: TALK})
    body = stage.order()
    body["assistantId"] = (await stage.client.post("/assistant", json={"name": "Bare"})).json()["id"]
    del body["assistantOverrides"]["serverMessages"]
    call_id = (await stage.client.post("/call", json=body)).json()["id"]
    await stage.until_reported(call_id)
    assert {"hang", "speech-update", "conversation-update", "assistant.started"} & {
        each.message["type"] for each in stage.receiver.of(call_id)
    }


async def test_only_the_messages_that_were_asked_for_are_sent(stage: Stage) -> None:
    await stage.faults(number_outcomes={ADA: "busy"})
    call_id = await stage.dial(overrides={"serverMessages": ["end-of-call-report"]})
    await stage.until_reported(call_id)
    assert stage.receiver.whats(call_id) == ["end-of-call-report"]
