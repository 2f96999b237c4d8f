"""The request for one call."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autolynx.provider.port import CallOrder
from autolynx.provider.wire_values import clean

LONGEST_NAME = 40
SERVER_MESSAGES = ("status-update", "end-of-call-report")
WEBHOOK_TIMEOUT_SECONDS = 20
BACKOFF_PLAN: Mapping[str, Any] = {
    "type": "exponential",
    "maxRetries": 5,
    "baseDelaySeconds": 2,
    "excludedStatusCodes": [400, 401, 403, 404, 413, 422],  # repeating these changes nothing
}
_RESERVED = frozenset({"customer", "phoneNumber", "call", "transport"})  # objects that templates reach into
_MOST_CHARACTERS = 90_000  # of all variables together; the provider refuses 100,000


@dataclass(frozen=True, kw_only=True)
class WebhookTarget:
    """Where the provider posts its news, and how it proves that it is the provider.

    With `credential_id` (a credential kept at the provider) no secret is sent with calls; otherwise
    `secret` travels in the request and comes back as the header X-Vapi-Secret.
    """

    url: str
    secret: str | None = field(default=None, repr=False)
    credential_id: str | None = None


def call_request(order: CallOrder, target: WebhookTarget) -> dict[str, Any]:
    """Return the body of the request for a call. Our call id goes in three places, so that one comes back."""
    ours = str(order.call_id)
    return {
        "assistantId": order.provider_assistant_id,
        "phoneNumberId": order.phone_number_id,
        "name": ours,
        "customer": _customer(order),
        "assistantOverrides": {
            "variableValues": variable_values(order),
            "metadata": {
                "campaignId": str(order.campaign_id),
                "contactId": str(order.contact_id),
                "callId": ours,
            },
            "serverMessages": list(SERVER_MESSAGES),
            "server": server_of(target),
        },
    }


def server_of(target: WebhookTarget) -> dict[str, Any]:
    """Return the provider's description of our webhook."""
    server: dict[str, Any] = {
        "url": target.url,
        "timeoutSeconds": WEBHOOK_TIMEOUT_SECONDS,
        "backoffPlan": dict(BACKOFF_PLAN),
    }
    if target.credential_id:
        server["credentialId"] = target.credential_id
    elif target.secret:
        server["headers"] = {"X-Vapi-Secret": target.secret}
    return server


def cut_name(name: str) -> str:
    """Return a name as the provider accepts it: one line of at most 40 characters, perhaps empty."""
    return " ".join(clean(name).split())[:LONGEST_NAME].strip()


def variable_values(order: CallOrder) -> dict[str, str]:
    """Return what templates may use. Empty variables are sent too: a missing one is read out as its name.

    A contact's own column never hides name, business_name and phone; one named like an object of the
    provider gets an underscore. Values that would burst the provider's limit are sent empty.
    """
    fixed = {"name": order.name, "business_name": order.business_name, "phone": order.phone}
    wanted = fixed | {_free_key(key): value for key, value in order.variables.items() if key not in fixed}
    values: dict[str, str] = {}
    length = 0
    for key, value in wanted.items():
        text = clean(value)
        size = len(json.dumps([key, text]))
        fits = length + size <= _MOST_CHARACTERS
        length += size if fits else len(json.dumps([key, ""]))
        values[key] = text if fits else ""
    return values


def _free_key(key: str) -> str:
    return f"{clean(key)}_" if key in _RESERVED else clean(key)


def _customer(order: CallOrder) -> dict[str, str]:
    customer = {"number": order.phone, "externalId": str(order.call_id)}
    if name := cut_name(order.name):
        customer["name"] = name
    if order.extension:
        customer["extension"] = order.extension
    return customer
