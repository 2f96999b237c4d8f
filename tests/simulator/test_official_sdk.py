"""The official SDK of the provider as judge: it reads all that the simulator sends, and sends what it takes.

To import it takes eight seconds and 350 MB, in every process that runs a test of this file.
"""

import importlib
import inspect
import json
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, get_args, get_type_hints

import httpx
import pytest

from tests.simulator.stage import ADA, Stage
from tests.support import sdk_differences as meant
from tests.support.sdk_examples import examples_of
from tests.support.sdk_judge import differences, fields_of, models_of, words_of
from vapisim import dto, town
from vapisim.letters import DEFAULT_SERVER_MESSAGES
from vapisim.outcomes import TABLE
from vapisim.validation import Rule, violations

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

Sdk = Any
EVERYTHING = {"serverMessages": sorted(DEFAULT_SERVER_MESSAGES)}
ENDS = [outcome.name for outcome in TABLE if not outcome.stuck]


@pytest.fixture(scope="module")
def sdk() -> Sdk:
    return importlib.import_module("vapi")


@pytest.fixture
async def client(sdk: Sdk, stage: Stage) -> AsyncIterator[Any]:
    async with httpx.AsyncClient(timeout=10) as http:
        yield sdk.AsyncVapi(token="any-key", base_url=str(stage.client.base_url), httpx_client=http)


async def a_town_full_of_calls(stage: Stage, **faults: Any) -> list[str]:
    """Let every kind of call happen once, and wait for the last report."""
    numbers = {f"+1202555{place + 100:04d}": name for place, name in enumerate(ENDS)}
    await stage.client.post("/_sim/concurrency-limit", json={"limit": len(ENDS) + 1})
    await stage.faults(number_outcomes=numbers, **faults)
    made = [await stage.dial(number, overrides=EVERYTHING) for number in numbers]
    for call_id in made:
        await stage.until_reported(call_id)
    return made


def told_apart(found: Iterable[str]) -> set[str]:
    """Return the differences without the values that they quote."""
    return {re.sub(r": (\w+) '.*' is no", r": \1 is no", one) for one in found}


def types_of_messages(sdk: Sdk) -> Mapping[str, Any]:
    models = models_of(fields_of(sdk.ServerMessage)["message"][0])
    return {word: model for model in models for word in words_of(fields_of(model)["type"][0])}


@pytest.mark.parametrize(
    "faults",
    [{}, {"payload_shape": "legacy2024"}, {"stale_call_status": False, "echo_ids": False}],
    ids=["as now", "as in 2024", "without our ids"],
)
async def test_every_webhook_is_what_the_sdk_describes(sdk: Sdk, stage: Stage, faults: dict[str, Any]) -> None:
    await a_town_full_of_calls(stage, **faults)
    types, found, unknown, kinds = types_of_messages(sdk), set[str](), set[str](), set[str]()
    for delivery in stage.receiver.deliveries:
        message = delivery.message
        kinds.add(message["type"])
        if not faults.get("payload_shape"):
            sdk.ServerMessage.model_validate(json.loads(delivery.raw))
        if message["type"] in types:
            found |= told_apart(differences(types[message["type"]], message))
        else:
            unknown.add(message["type"])
    wanted = {**meant.IN_EVERY_MESSAGE, **meant.IN_REPORTS}
    wanted |= meant.IN_LEGACY_REPORTS if faults.get("payload_shape") else {}
    assert found - wanted.keys() == set()
    assert wanted.keys() - found == set(), "these are no differences any more"
    assert unknown == meant.MESSAGES_WITHOUT_A_TYPE.keys()
    assert kinds >= {"status-update", "end-of-call-report", "speech-update", "conversation-update", "hang"}


async def test_calls_are_listed_read_and_made_by_the_sdk(sdk: Sdk, stage: Stage, client: Any) -> None:
    made = await a_town_full_of_calls(stage)
    listed = await client.calls.list(limit=100, phone_number_id=town.TWILIO_MAIN)
    assert {call.id for call in listed} == set(made)
    assert all(call.ended_reason and call.ended_at for call in listed)
    found: set[str] = set()
    for call_id in made:
        assert (await client.calls.get(call_id)).id == call_id
        found |= told_apart(differences(sdk.Call, await stage.call(call_id)))
    assert found == meant.IN_CALLS.keys()
    since = listed[0].created_at
    assert [call.id for call in await client.calls.list(created_at_gt=since)] == []
    mine = await client.calls.create(
        assistant_id=town.ASSISTANT_SALES,
        phone_number_id=town.TWILIO_MAIN,
        name="call a1",
        customer=sdk.CreateCustomerDto(number=ADA, name="Ada Example", external_id="a1"),
        assistant_overrides=sdk.AssistantOverrides(variable_values={"name": "Ada"}, metadata={"callId": "a1"}),
    )
    assert (mine.status, mine.customer.external_id) == ("queued", "a1")
    answer = (await stage.post("+12025550199")).json()
    assert told_apart(differences(sdk.Call, answer)) == {"subscriptionLimits is unknown"} - _known(sdk.Call)


def _known(model: Any) -> set[str]:
    return {f"{name} is unknown" for name in fields_of(model)}


async def test_assistants_and_numbers_are_listed_read_and_made_by_the_sdk(sdk: Sdk, stage: Stage, client: Any) -> None:
    made = await client.assistants.create(name="Robin", first_message="Hello {{name}}")
    assert (await client.assistants.get(made.id)).name == "Robin"
    assert made.id in {one.id for one in await client.assistants.list()}
    found: set[str] = set()
    for row in (await stage.client.get("/assistant")).json():
        found |= told_apart(differences(sdk.Assistant, row))
    assert found == meant.IN_ASSISTANTS.keys()
    numbers = await client.phone_numbers.list()
    assert {one.id for one in numbers} >= {town.TWILIO_MAIN, town.VAPI_FREE}


PARTS = {
    "CreateAssistantDto": dto.ASSISTANT,
    "AssistantOverrides": dto.OVERRIDES,
    "CreateCustomerDto": dto.CUSTOMER,
    "Server": dto.SERVER,
}


@pytest.mark.parametrize("name", PARTS)
def test_the_simulator_takes_every_field_of_the_sdk_and_every_word_in_it(sdk: Sdk, name: str) -> None:
    refused = refusals(fields_of(getattr(sdk, name)), PARTS[name])
    assert refused.keys() - meant.REFUSED.keys() == set(), refused


def test_the_simulator_takes_every_field_of_a_call(sdk: Sdk) -> None:
    module = importlib.import_module(f"{sdk.__name__}.calls.client")
    hints = get_type_hints(module.CallsClient.create, vars(module))
    names = [name for name in inspect.signature(module.CallsClient.create).parameters if name in hints]
    fields = {camel(name): (hints[name], False) for name in names if name != "request_options"}
    assert refusals(fields, dto.CALL) == {}
    assert set(dto.CALL_FIELDS) - set(fields) == meant.CALL_FIELDS_TAKEN_BESIDES.keys()


def camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


def refusals(fields: Mapping[str, tuple[Any, bool]], rule: Rule) -> dict[str, list[str]]:
    """Return what the SDK can send and the simulator refuses: per field and word, the least that it complains of."""
    found = {}
    for name, (annotation, _) in fields.items():
        for sort, candidates in examples_of(annotation):
            complaints = [violations(rule, {name: value}) for value in candidates]
            if all(complaints):
                found[f"{name} ({sort})"] = min(complaints, key=len)
    return found


def test_the_simulator_knows_no_field_or_word_of_its_own(sdk: Sdk) -> None:
    assistant = fields_of(sdk.CreateAssistantDto)
    assert set(dto.ASSISTANT_FIELDS) - set(assistant) == meant.FIELDS_TAKEN_BESIDES.keys()
    for name, words in {"model": dto.MODELS, "voice": dto.VOICES, "transcriber": dto.TRANSCRIBERS}.items():
        known = {word for model in models_of(assistant[name][0]) for word in words_of(fields_of(model)["provider"][0])}
        assert set(words) - known == (meant.MODELS_TAKEN_BESIDES.keys() if name == "model" else set()), name
    assert words_of(assistant["firstMessageMode"][0]) == set(dto.FIRST_MESSAGE_MODES)
    (messages, *_) = get_args(assistant["serverMessages"][0])
    assert words_of(get_args(messages)[0]) == set(dto.SERVER_MESSAGES)
