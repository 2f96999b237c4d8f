import json
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from autolynx.provider.port import CallOrder
from autolynx.provider.wire_requests import WebhookTarget, call_request, cut_name, variable_values

CALL_ID = UUID("7d3f3c7e-5a3e-4a56-9a4b-0c3c2f0f7a11")
TARGET = WebhookTarget(url="https://app.example.test/api/webhooks/vapi", secret="a-long-enough-secret")


def order(**changes: Any) -> CallOrder:
    given_order: dict[str, Any] = {
        "call_id": CALL_ID,
        "campaign_id": UUID(int=1),
        "contact_id": UUID(int=2),
        "provider_assistant_id": "a-1",
        "phone_number_id": "n-1",
        "phone": "+14155550123",
        "name": "Ada Lovelace",
        "business_name": "Engines",
        **changes,
    }
    return CallOrder(**given_order)


def test_the_request_bears_everything_and_our_id_three_times() -> None:
    assert call_request(order(extension="42", variables={"city": "London"}), TARGET) == {
        "assistantId": "a-1",
        "phoneNumberId": "n-1",
        "name": str(CALL_ID),
        "customer": {
            "number": "+14155550123",
            "externalId": str(CALL_ID),
            "name": "Ada Lovelace",
            "extension": "42",
        },
        "assistantOverrides": {
            "variableValues": {
                "name": "Ada Lovelace",
                "business_name": "Engines",
                "phone": "+14155550123",
                "city": "London",
            },
            "metadata": {
                "campaignId": str(UUID(int=1)),
                "contactId": str(UUID(int=2)),
                "callId": str(CALL_ID),
            },
            "serverMessages": ["status-update", "end-of-call-report"],
            "server": {
                "url": TARGET.url,
                "timeoutSeconds": 20,
                "backoffPlan": {
                    "type": "exponential",
                    "maxRetries": 5,
                    "baseDelaySeconds": 2,
                    "excludedStatusCodes": [400, 401, 403, 404, 413, 422],
                },
                "headers": {"X-Vapi-Secret": "a-long-enough-secret"},
            },
        },
    }


def test_a_credential_kept_at_the_provider_spares_the_secret_in_the_request() -> None:
    target = WebhookTarget(url=TARGET.url, secret="a-long-enough-secret", credential_id="cred-1")
    server = call_request(order(), target)["assistantOverrides"]["server"]
    assert server["credentialId"] == "cred-1"
    assert "a-long-enough-secret" not in json.dumps(server)


def test_neither_order_nor_target_show_persons_or_secrets_when_printed() -> None:
    shown = repr(order(variables={"city": "London"})) + repr(TARGET)
    for private in ("555", "Lovelace", "Engines", "London", "long-enough"):
        assert private not in shown


def test_names_are_cut_to_what_the_provider_takes_and_empty_ones_left_out() -> None:
    assert call_request(order(name="x" * 100), TARGET)["customer"]["name"] == "x" * 40
    assert "name" not in call_request(order(name=" \x00 "), TARGET)["customer"]
    assert cut_name("  two\n lines ") == "two lines"


def test_a_column_neither_hides_the_contact_nor_an_object_of_the_provider() -> None:
    values = variable_values(order(variables={"name": "Eve", "phone": "1", "customer": "x", "call": "y"}))
    assert (values["name"], values["phone"]) == ("Ada Lovelace", "+14155550123")
    assert (values["customer_"], values["call_"]) == ("x", "y")
    assert not {"customer", "call"} & values.keys()


def test_variables_beyond_the_providers_limit_are_sent_empty_not_left_out() -> None:
    many = {f"column {n}": "ä" * 1000 for n in range(40)} | {"last": "short"}
    values = variable_values(order(variables=many))
    assert values.keys() >= many.keys()
    assert values["column 0"] == "ä" * 1000
    assert values["column 39"] == ""
    assert values["last"] == "short"
    assert len(json.dumps(values)) < 100_000


@given(
    name=st.text(max_size=200),
    variables=st.dictionaries(st.text(max_size=50), st.text(max_size=3000), max_size=60),
)
def test_any_contact_makes_a_request_that_can_be_sent(name: str, variables: dict[str, str]) -> None:
    request = call_request(order(name=name, variables=variables), TARGET)
    json.dumps(request, ensure_ascii=False).encode()
    assert len(request["customer"].get("name", "")) <= 40
    assert len(json.dumps(request["assistantOverrides"]["variableValues"])) < 100_000
