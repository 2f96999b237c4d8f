import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest

from tests.simulator.stage import ADA, BEA, ENDLESS, Stage
from vapisim import town

pytestmark = pytest.mark.anyio


async def test_a_new_call_is_answered_as_the_service_answers_it(stage: Stage) -> None:
    answer = await stage.post()
    body = answer.json()
    assert answer.status_code == 201
    assert UUID(body["id"])
    assert body["status"] == "queued"
    assert body["type"] == "outboundPhoneCall"
    assert body["cost"] == 0
    assert body["createdAt"] == body["updatedAt"]
    assert body["createdAt"].endswith("Z")
    assert body["subscriptionLimits"] == {
        "concurrencyBlocked": False,
        "concurrencyLimit": 10,
        "remainingConcurrentCalls": 9,
    }
    assert body["monitor"]["controlUrl"] == f"{stage.world.state.base_url}/{body['id']}/control"
    assert body["transport"]["provider"] == "twilio"


async def test_a_call_echoes_what_the_client_said_about_it(stage: Stage) -> None:
    call_id = await stage.dial()
    listed = (await stage.client.get("/call")).json()[0]
    for body in (await stage.call(call_id), listed):
        assert body["name"] == "call a1"
        assert body["customer"] == {"number": ADA, "name": "Ada Example", "externalId": "a1"}
        assert body["assistantOverrides"]["metadata"] == {"campaignId": "c1", "attemptId": "a1"}


async def test_ids_are_not_echoed_when_the_switch_is_off(stage: Stage) -> None:
    await stage.faults(echo_ids=False)
    body = await stage.call(await stage.dial())
    assert "name" not in body
    assert "externalId" not in body["customer"]
    assert "metadata" not in body["assistantOverrides"]
    assert "variableValues" in body["assistantOverrides"]


async def test_the_old_address_for_phone_calls_still_works(stage: Stage) -> None:
    answer = await stage.client.post("/call/phone", json=stage.order(type="outboundPhoneCall"))
    assert answer.status_code == 201


async def test_a_batch_answers_with_results_and_errors(stage: Stage) -> None:
    body = stage.order(phoneNumberId=town.VAPI_FREE)
    del body["customer"]
    customers = [{"number": ADA, "externalId": "b1"}, {"number": "+442079460958"}, {"number": BEA}]
    answer = await stage.client.post("/call", json=body | {"customers": customers})
    assert answer.status_code == 201
    batch = answer.json()
    assert [each["customer"]["number"] for each in batch["results"]] == [ADA, BEA]
    assert batch["errors"][0]["customer"]["number"] == "+442079460958"
    assert "International" in batch["errors"][0]["error"]
    assert (await stage.summary())["dials"] == 2


async def test_what_exceeds_the_lines_in_a_batch_is_scheduled_and_dialled_later(stage: Stage) -> None:
    await stage.client.post("/_sim/concurrency-limit", json={"limit": 1})
    await stage.faults(number_outcomes={ADA: "busy", BEA: "busy"})
    body = stage.order()
    del body["customer"]
    answer = await stage.client.post("/call", json=body | {"customers": [{"number": ADA}, {"number": BEA}]})
    assert [each["status"] for each in answer.json()["results"]] == ["queued", "scheduled"]
    await stage.until_status(answer.json()["results"][1]["id"], "ended")
    assert (await stage.summary())["peakConcurrent"] == 1


async def test_overrides_of_a_customer_replace_those_of_the_batch(stage: Stage) -> None:
    body = stage.order()
    del body["customer"]
    own = {"number": ADA, "assistantOverrides": {"metadata": {"campaignId": "own"}}}
    answer = await stage.client.post("/call", json=body | {"customers": [own]})
    assert answer.json()["results"][0]["assistantOverrides"] == {"metadata": {"campaignId": "own"}}


async def test_a_scheduled_call_waits_for_its_time(stage: Stage) -> None:
    # At this speed the wait of 80 seconds takes a fifth of a second.
    later = (datetime.now(UTC) + timedelta(seconds=80)).isoformat()
    answer = await stage.post(schedulePlan={"earliestAt": later})
    assert answer.json()["status"] == "scheduled"
    assert (await stage.summary())["dials"] == 0
    await stage.until(lambda: len(stage.world.ledger.dials) == 1)


async def test_deleting_a_scheduled_call_cancels_it(stage: Stage) -> None:
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    call_id = (await stage.post(schedulePlan={"earliestAt": later})).json()["id"]
    body = (await stage.client.delete(f"/call/{call_id}")).json()
    assert (body["status"], body["endedReason"]) == ("ended", "scheduled-call-deleted")
    assert (await stage.summary())["dials"] == 0


async def test_lists_are_bare_arrays_with_the_newest_first(stage: Stage) -> None:
    ids = [await stage.dial(), await stage.dial(BEA)]
    listed = (await stage.client.get("/call")).json()
    assert [each["id"] for each in listed] == ids[::-1]


async def test_lists_can_be_limited_and_filtered(stage: Stage) -> None:
    first = await stage.dial()
    second = await stage.dial(BEA, phoneNumberId=town.TWILIO_SECOND, assistantId=town.ASSISTANT_SURVEY)

    async def listed(**query: str | int) -> list[str]:
        return [each["id"] for each in (await stage.client.get("/call", params=query)).json()]

    assert await listed(limit=1) == [second]
    assert await listed(limit=0) == []
    assert await listed(id=first) == [first]
    assert await listed(phoneNumberId=town.TWILIO_SECOND) == [second]
    assert await listed(assistantId=town.ASSISTANT_SALES) == [first]


async def test_lists_can_be_filtered_by_their_dates(stage: Stage) -> None:
    first = await stage.dial()
    await asyncio.sleep(0.003)
    second = await stage.dial(BEA)
    at = (await stage.call(second))["createdAt"]

    async def listed(name: str) -> list[str]:
        return [each["id"] for each in (await stage.client.get("/call", params={name: at})).json()]

    assert await listed("createdAtGe") == [second]
    assert await listed("createdAtGt") == []
    assert await listed("createdAtLe") == [second, first]
    assert await listed("createdAtLt") == [first]
    assert set(await listed("updatedAtGe")) <= {first, second}


@pytest.mark.parametrize(
    ("query", "violation"),
    [
        ({"limit": "1001"}, "limit must not be greater than 1000"),
        ({"limit": "-1"}, "limit must not be less than 0"),
        ({"limit": "many"}, "limit must be a number conforming to the specified constraints"),
        ({"createdAtGe": "yesterday"}, "createdAtGe must be a valid ISO 8601 date string"),
        ({"offset": "10"}, "property offset should not exist"),
        ({"status": "queued"}, "property status should not exist"),
    ],
)
async def test_a_list_refuses_a_query_that_the_service_does_not_know(
    stage: Stage, query: dict[str, str], violation: str
) -> None:
    answer = await stage.client.get("/call", params=query)
    assert answer.status_code == 400
    assert answer.json()["message"] == [violation]


async def test_an_unknown_call_is_404_with_a_message(stage: Stage) -> None:
    answer = await stage.client.get(f"/call/{town.ORG_ID}")
    assert answer.status_code == 404
    assert answer.json()["statusCode"] == 404
    assert isinstance(answer.json()["message"], str)
    assert (await stage.client.get("/call/17")).json()["message"] == ["id must be a UUID"]


async def test_only_the_name_of_a_call_can_be_changed(stage: Stage) -> None:
    call_id = await stage.dial()
    renamed = await stage.client.patch(f"/call/{call_id}", json={"name": "other"})
    assert renamed.json()["name"] == "other"
    refused = await stage.client.patch(f"/call/{call_id}", json={"status": "ended"})
    assert refused.json()["message"] == ["property status should not exist"]


async def test_deleting_a_call_erases_it_but_does_not_hang_up(stage: Stage) -> None:
    await stage.slow_down()
    await stage.faults(number_outcomes={ADA: ENDLESS})
    call_id = await stage.dial()
    answer = await stage.client.delete(f"/call/{call_id}")
    assert answer.json()["id"] == call_id
    assert (await stage.client.get(f"/call/{call_id}")).status_code == 404
    assert (await stage.client.get("/call")).json() == []
    assert (await stage.summary())["active"] == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/x"),
        ("PUT", f"/assistant/{town.ASSISTANT_SALES}"),
        ("POST", f"/call/{town.ORG_ID}/end"),
        ("GET", "/v2/call"),
        ("GET", "/call/"),
        ("DELETE", "/call"),
    ],
)
async def test_what_the_service_does_not_have_is_404_in_its_words(stage: Stage, method: str, path: str) -> None:
    answer = await stage.client.request(method, path)
    assert answer.status_code == 404
    assert answer.json() == {"message": f"Cannot {method} {path}", "error": "Not Found", "statusCode": 404}


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer"}, {"Authorization": "Basic abc"}])
async def test_a_missing_key_is_401_in_the_words_of_the_service(
    anonymous: httpx.AsyncClient, header: dict[str, str]
) -> None:
    answer = await anonymous.get("/call", headers=header)
    assert answer.status_code == 401
    assert answer.json() == {
        "message": "Invalid Key. Hot tip, you may be using the private key instead of the public key, or vice versa.",
        "error": "Unauthorized",
        "statusCode": 401,
    }


async def test_a_body_that_is_not_json_is_400(stage: Stage) -> None:
    answer = await stage.client.post("/call", content=b"{nonsense")
    assert answer.status_code == 400
    assert answer.json()["error"] == "Bad Request"
    assert (await stage.summary())["refusedByReason"] == {"malformed-json": 1}
