from typing import Any

import pytest

from tests.simulator.stage import Stage
from vapisim import town

pytestmark = pytest.mark.anyio

MODEL = {"provider": "openai", "model": "gpt-4o", "messages": [{"role": "system", "content": "Be kind."}]}


async def test_an_assistant_is_created_read_changed_and_deleted(stage: Stage) -> None:
    created = await stage.client.post("/assistant", json={"name": "New", "model": MODEL})
    assert created.status_code == 201
    row = created.json()
    path = f"/assistant/{row['id']}"
    assert (await stage.client.get(path)).json() == row
    assert (await stage.client.patch(path, json={"name": "Newer"})).json()["name"] == "Newer"
    assert (await stage.client.delete(path)).json()["id"] == row["id"]
    assert (await stage.client.get(path)).status_code == 404


async def test_patching_a_key_replaces_it_wholesale(stage: Stage) -> None:
    path = f"/assistant/{town.ASSISTANT_SALES}"
    changed = (await stage.client.patch(path, json={"model": {"provider": "openai", "model": "gpt-4o"}})).json()
    assert "messages" not in changed["model"]
    assert changed["firstMessage"]


async def test_the_account_starts_with_three_assistants_in_a_bare_array(stage: Stage) -> None:
    listed = (await stage.client.get("/assistant")).json()
    assert {each["id"] for each in listed} == {
        town.ASSISTANT_SALES,
        town.ASSISTANT_SURVEY,
        town.ASSISTANT_REMINDER,
    }
    assert len((await stage.client.get("/assistant?limit=1")).json()) == 1


@pytest.mark.parametrize(
    ("body", "violation"),
    [
        ({"name": "x" * 41}, "name must be shorter than or equal to 40 characters"),
        ({"foo": 1}, "property foo should not exist"),
        ({"model": {"provider": "openai"}}, "model.model should not be empty"),
        ({"model": MODEL | {"temperature": 3}}, "model.temperature must not be greater than 2"),
        ({"model": MODEL | {"maxTokens": 10}}, "model.maxTokens must not be less than 50"),
        ({"endCallPhrases": ["x"]}, "endCallPhrases.0 must be longer than or equal to 2 characters"),
        (
            {"voicemailMessage": "x" * 1001},
            "voicemailMessage must be shorter than or equal to 1000 characters",
        ),
        (
            {"stopSpeakingPlan": {"voiceSeconds": 1}},
            "stopSpeakingPlan.voiceSeconds must not be greater than 0.5",
        ),
        ({"startSpeakingPlan": {"waitSeconds": 6}}, "startSpeakingPlan.waitSeconds must not be greater than 5"),
    ],
)
async def test_an_assistant_is_validated(stage: Stage, body: dict[str, Any], violation: str) -> None:
    answer = await stage.client.post("/assistant", json=body)
    assert answer.status_code == 400
    assert answer.json()["message"] == [violation]


async def test_the_account_has_numbers_of_every_kind(stage: Stage) -> None:
    rows = {each["id"]: each for each in (await stage.client.get("/phone-number")).json()}
    assert rows[town.TWILIO_MAIN]["provider"] == "twilio"
    assert rows[town.VAPI_FREE]["provider"] == "vapi"
    assert rows[town.TWILIO_BLOCKED]["status"] == "blocked"


async def test_twilio_numbers_come_with_their_keys_as_in_reality(stage: Stage) -> None:
    row = (await stage.client.get(f"/phone-number/{town.TWILIO_MAIN}")).json()
    assert row["twilioAuthToken"]
    assert row["twilioAccountSid"].startswith("AC")


async def test_the_second_version_of_the_list_has_pages(stage: Stage) -> None:
    body = (await stage.client.get("/v2/phone-number", params={"limit": 2, "page": 3})).json()
    assert len(body["results"]) == 1
    assert body["metadata"]["totalItems"] == 5
    assert body["metadata"]["hasNextPage"] is False
    found = (await stage.client.get("/v2/phone-number", params={"search": "blocked"})).json()
    assert [each["id"] for each in found["results"]] == [town.TWILIO_BLOCKED]


async def test_an_unknown_number_is_404(stage: Stage) -> None:
    assert (await stage.client.get(f"/phone-number/{town.ORG_ID}")).status_code == 404


async def test_a_fault_can_block_a_number(stage: Stage) -> None:
    await stage.faults(phone_number_status={town.TWILIO_MAIN: "activating"})
    assert (await stage.client.get(f"/phone-number/{town.TWILIO_MAIN}")).json()["status"] == "activating"
    assert (await stage.post()).status_code == 400
