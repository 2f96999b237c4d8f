"""A provider that says every secret it knows at every occasion, and gives every kind of trouble in turn."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.support.sim import ASSISTANT_SALES, TWILIO_MAIN
from tests.support.stub_vapi import Answering, Drop, Reply, Seen, as_json

TWILIO = {
    "twilioAuthToken": "MARK-twilio-auth-token-3c91",
    "twilioApiSecret": "MARK-twilio-api-secret-77aa",
    "twilioApiKey": "MARK-twilio-api-key-52bd",
    "twilioAccountSid": "MARK-twilio-sid-0d0d",
}
CONTROL = "MARK-control-path-9f3e"
LISTEN = "MARK-listen-path-1a2b"
SIGNATURE = "MARK-signature-of-an-address-44"
SERVER_SECRET = "MARK-assistant-server-secret-8e"
MARKS = (*TWILIO.values(), CONTROL, LISTEN, SIGNATURE, SERVER_SECRET)
RECORDING = f"https://storage.example.test/one.wav?X-Amz-Signature={SIGNATURE}"


@dataclass(kw_only=True)
class MarkedVapi:
    """What it was asked to dial. `api_key`, which it repeats in its refusals."""

    api_key: str
    calls: dict[str, dict[str, Any]] = field(default_factory=dict)
    dials: int = 0

    def answer(self, seen: Seen) -> Answering:
        """Answer one request."""
        if seen.method == "POST" and seen.path == "/call":
            return self._dial(seen)
        if seen.path.startswith("/phone-number"):
            return as_json([{"id": TWILIO_MAIN, "provider": "twilio", "number": "+12025550100", **TWILIO}])
        if seen.path.startswith("/assistant"):
            return as_json(_assistant() if seen.path.count("/") > 1 else [_assistant()])
        if seen.path == "/call":
            return as_json(list(self.calls.values()))
        found = self.calls.get(seen.path.removeprefix("/call/"))
        return as_json(found) if found else as_json({"message": f"Not found, {self.api_key}", "statusCode": 404}, 404)

    def _dial(self, seen: Seen) -> Answering:
        """Accept, refuse the contact by name, break, and vanish, in turn."""
        self.dials += 1
        customer = seen.body["customer"]
        said = f"customer {customer.get('name')} {customer['number']} is no good, key {self.api_key}"
        troubles: dict[int, Answering] = {
            2: as_json({"message": [said], "error": "Bad Request", "statusCode": 400}, 400),
            3: Reply(status=502, body=f"<html>{said}</html>".encode()),
            4: Drop(),
        }
        return troubles.get(self.dials) or as_json(self.place(seen.body), 201)

    def place(self, body: dict[str, Any]) -> dict[str, Any]:
        """Put a call on the books and return it with all that is secret about it."""
        call_id = f"10000000-0000-4000-8000-{self.dials:012}"
        at = datetime.now(UTC).isoformat()
        self.calls[call_id] = {
            "id": call_id,
            "status": "queued",
            "createdAt": at,
            "updatedAt": at,
            "type": "outboundPhoneCall",
            "phoneNumberId": TWILIO_MAIN,
            "name": body["name"],
            "customer": body["customer"],
            "phoneNumber": {"provider": "twilio", **TWILIO},
            "assistantOverrides": body["assistantOverrides"],
            "assistant": _assistant(),
            "monitor": {
                "controlUrl": f"https://lines.example.test/{CONTROL}/control",
                "listenUrl": f"wss://lines.example.test/{LISTEN}/listen",
            },
        }
        return self.calls[call_id]

    def report(self, call: dict[str, Any], said: str) -> dict[str, Any]:
        """What it posts at the end of a call."""
        now = datetime.now(UTC).isoformat()
        return {
            "message": {
                "type": "end-of-call-report",
                "endedReason": "customer-ended-call",
                "startedAt": now,
                "endedAt": now,
                "cost": 0.05,
                "call": call,
                "phoneNumber": {"provider": "twilio", **TWILIO},
                "artifact": {"transcript": f"User: {said}\n", "recordingUrl": RECORDING},
                "analysis": {"summary": said, "successEvaluation": "true"},
            }
        }


def _assistant() -> dict[str, Any]:
    return {
        "id": ASSISTANT_SALES,
        "name": "Riley",
        "firstMessage": "Good day.",
        "server": {"url": "https://app.example.test/", "secret": SERVER_SECRET, "headers": {"X-Key": SERVER_SECRET}},
        "serverUrlSecret": SERVER_SECRET,
    }
