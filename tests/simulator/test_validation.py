from typing import Any

import pytest

from tests.simulator.stage import Stage
from vapisim import town

pytestmark = pytest.mark.anyio

LONG = "x" * 41
E164 = (
    "customer.number must be a valid phone number in the E.164 format. "
    "Hot tip, you may be missing the country code (Eg. US: +1)."
)


@pytest.mark.parametrize(
    ("more", "violation"),
    [
        ({"name": LONG}, "name must be shorter than or equal to 40 characters"),
        ({"customer": {"name": LONG}}, "customer.name must be shorter than or equal to 40 characters"),
        ({"customer": {"email": LONG}}, "customer.email must be shorter than or equal to 40 characters"),
        (
            {"customer": {"externalId": LONG}},
            "customer.externalId must be shorter than or equal to 40 characters",
        ),
        (
            {"customer": {"extension": "12345678901"}},
            "customer.extension must be shorter than or equal to 10 characters",
        ),
        ({"number": "2025550111"}, E164),
        ({"number": "+0255501"}, E164),
        ({"foo": 1}, "property foo should not exist"),
        ({"customer": {"foo": 1}}, "customer.property foo should not exist"),
        ({"overrides": {"foo": 1}}, "assistantOverrides.property foo should not exist"),
        (
            {"overrides": {"stopSpeakingPlan": {"voiceSeconds": 0.6}}},
            "assistantOverrides.stopSpeakingPlan.voiceSeconds must not be greater than 0.5",
        ),
        (
            {"overrides": {"maxDurationSeconds": 5}},
            "assistantOverrides.maxDurationSeconds must not be less than 10",
        ),
        (
            {"overrides": {"server": {"url": "http://127.0.0.1", "timeoutSeconds": 301}}},
            "assistantOverrides.server.timeoutSeconds must not be greater than 300",
        ),
        (
            {"overrides": {"server": {"backoffPlan": {"type": "fixed", "maxRetries": 3}}}},
            "assistantOverrides.server.backoffPlan.baseDelaySeconds should not be empty",
        ),
        (
            {"overrides": {"serverMessages": "status-update"}},
            "assistantOverrides.serverMessages must be an array",
        ),
        ({"assistantId": "riley"}, "assistantId must be a UUID"),
        ({"schedulePlan": {"earliestAt": "soon"}}, "schedulePlan.earliestAt must be a valid ISO 8601 date string"),
    ],
)
async def test_a_violation_is_told_in_the_words_of_the_service(
    stage: Stage, more: dict[str, Any], violation: str
) -> None:
    answer = await stage.post(**more)
    assert answer.status_code == 400
    assert answer.json() == {"message": [violation], "error": "Bad Request", "statusCode": 400}
    summary = await stage.summary()
    assert (summary["dials"], summary["refusedByReason"]) == (0, {"validation": 1})


async def test_all_violations_come_in_one_array(stage: Stage) -> None:
    answer = await stage.post("12", name=LONG, foo=1)
    assert answer.json()["message"] == [
        "property foo should not exist",
        "name must be shorter than or equal to 40 characters",
        "customer.number must be longer than or equal to 3 characters",
        E164,
    ]


@pytest.mark.parametrize(
    "more",
    [
        {"type": "outboundPhoneCall"},
        {"metadata": {"a": 1}},
        {"maxDurationSeconds": 60},
        {"phoneCallProviderBypassEnabled": False},
        {"overrides": {"silenceTimeoutSeconds": 30, "messagePlan": {}, "serverUrl": "", "serverUrlSecret": ""}},
        {"overrides": {"server": {"secret": "s"}, "tools:append": []}},
        {"overrides": {"voicemailDetection": "off"}},
        {"overrides": {"model": {"provider": "vapi"}}},
        {"overrides": {"voicemailDetection": {"provider": "google", "beepMaxAwaitSeconds": 30}}},
        {"number": "abc123", "customer": {"numberE164CheckEnabled": False}},
    ],
)
async def test_what_the_service_still_tolerates_is_accepted(stage: Stage, more: dict[str, Any]) -> None:
    answer = await stage.post(**more)
    assert answer.status_code == 201, answer.text


async def test_metadata_at_the_top_is_refused_when_the_switch_is_off(stage: Stage) -> None:
    await stage.faults(accept_top_level_metadata=False)
    answer = await stage.post(metadata={})
    assert answer.json()["message"] == ["property metadata should not exist"]


async def test_a_call_needs_somebody_to_speak_and_somebody_to_call(stage: Stage) -> None:
    answer = await stage.client.post("/call", json={})
    assert answer.status_code == 400
    assert len(answer.json()["message"]) == 3


async def test_customer_and_customers_exclude_each_other(stage: Stage) -> None:
    answer = await stage.post(customers=[{"number": "+12025550112"}])
    assert answer.json()["message"] == ["Only one of `customer` and `customers` can be provided."]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"assistantId": town.ORG_ID}, "unknown-assistant"),
        ({"phoneNumberId": town.ORG_ID}, "unknown-phone-number"),
        ({"phoneNumberId": town.TWILIO_BLOCKED}, "number-blocked"),
    ],
)
async def test_what_does_not_exist_or_is_blocked_refuses_the_call_as_a_string(
    stage: Stage, more: dict[str, Any], reason: str
) -> None:
    answer = await stage.post(**more)
    assert answer.status_code == 400
    assert isinstance(answer.json()["message"], str)
    assert (await stage.summary())["refusedByReason"] == {reason: 1}
