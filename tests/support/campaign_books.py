"""What truly happens to the calls of a scripted provider, and what it tells of it: late, twice and out of order."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from tests.support.scripted_vapi import DialRule, ScriptedVapi, accepted, broken, dropped, refused, taken_but_dropped
from tests.support.stage import Stage
from tests.support.stub_vapi import Answering, Reply, Seen, as_json

NEVER_RANG = frozenset(
    {"call.start.error-subscription-concurrency-limit-reached", "call.start.error-get-org", "assistant-not-valid"}
)
RANG = frozenset({"customer-busy", "customer-did-not-answer", "voicemail", "twilio-failed-to-connect-call"})
TALKED = frozenset({"customer-ended-call", "silence-timed-out", "exceeded-max-duration"})


def _taken_but_broken(vapi: ScriptedVapi, seen: Seen) -> Answering:
    vapi.place(seen.body)
    return Reply(status=502)


def _blocked(vapi: ScriptedVapi, seen: Seen) -> Answering:
    limits = {"subscriptionLimits": {"concurrencyBlocked": True}}
    return as_json(vapi.place(seen.body, **limits), status=201)


ANSWERS: dict[str, DialRule] = {
    "accepts": accepted,
    "blocks": _blocked,
    "refuses the contact": refused(400, "customer.number must be a valid phone number in the E.164 format."),
    "has no line": refused(400, "Over Concurrency Limit"),
    "asks for fewer requests": refused(429, "Rate limit exceeded", Retry_After="7"),
    "has no credit": refused(402, "Your wallet balance is too low. Buy credits."),
    "misses the assistant": refused(400, "Couldn't Get Assistant. The assistant does not exist."),
    "breaks before": broken,
    "breaks after": _taken_but_broken,
    "drops before": dropped,
    "drops after": taken_but_dropped,
}
Letter = tuple[str, str]  # ("status", word) or ("report", reason)


@dataclass(kw_only=True)
class Books:
    """The provider's own account of every call that it took."""

    vapi: ScriptedVapi
    said: dict[str, list[Letter]] = field(default_factory=dict)
    lag_seconds: float = 0.0  # how long a new call is missing in its lists

    def calls(self) -> list[dict[str, Any]]:
        """Return the calls in an order that does not hang on which request came first."""
        return sorted(self.vapi.calls.values(), key=lambda call: (call["customer"]["number"], call["id"]))

    def may_have_rung(self) -> Counter[str]:
        """Count by number the calls that were put through, or still may be."""
        return Counter(call["customer"]["number"] for call in self.calls() if not _never_rang(call))

    def listed(self, found: list[dict[str, Any]]) -> Answering:
        """Answer with a list, in which new calls are still missing."""
        now = self.vapi.now()

        def age(call: dict[str, Any]) -> float:
            return (now - datetime.fromisoformat(call["createdAt"])).total_seconds()

        return as_json([call for call in found if age(call) >= self.lag_seconds])

    def ring(self, call: dict[str, Any]) -> None:
        """Let it ring at the other end."""
        if call["status"] == "queued" and not _is_blocked(call):
            self._happen(call, "ringing")

    def connect(self, call: dict[str, Any]) -> None:
        """Let somebody pick up."""
        self.ring(call)
        if call["status"] == "ringing":
            self._happen(call, "in-progress", startedAt=self.vapi.now().isoformat())

    def end(self, call: dict[str, Any], reason: str) -> None:
        """End it, for a reason that such a call can have; another one is put in its place."""
        if call["status"] == "ended":
            return
        if _is_blocked(call):
            reason = "call.start.error-subscription-concurrency-limit-reached"
        elif call["status"] == "in-progress":
            reason = reason if reason in TALKED else "customer-ended-call"
        elif reason in TALKED or (reason in NEVER_RANG and call["status"] != "queued"):
            reason = "customer-busy"
        values = {"cost": 0.05} if call["status"] == "in-progress" else {"cost": 0}
        self._happen(call, "ended", endedReason=reason, endedAt=self.vapi.now().isoformat(), **values)
        self.said[call["id"]].append(("report", reason))

    async def tell(self, stage: Stage, call: dict[str, Any], letter: Letter, *, is_ours: bool) -> None:
        """Deliver what once was true of a call."""
        kind, word = letter
        if kind == "report":
            facts = {name: call[name] for name in ("startedAt", "endedAt", "cost") if name in call}
            await stage.report(call["id"], word, **facts)
        elif word == "ended":
            await stage.tell(call["id"], word, is_ours=is_ours, endedReason=call["endedReason"])
        else:
            await stage.tell(call["id"], word, is_ours=is_ours)

    def _happen(self, call: dict[str, Any], word: str, **values: Any) -> None:
        self.vapi.change(call["id"], status=word, **values)
        self.said.setdefault(call["id"], []).append(("status", word))

    def unsaid(self, call_id: UUID, body: dict[str, Any]) -> None:
        """Take a request whose sender died before it heard the answer."""
        ids = {"name": str(call_id), "assistantOverrides": {"metadata": {"callId": str(call_id)}}}
        self.vapi.place({**body, **ids, "customer": {"externalId": str(call_id), "number": body["number"]}})


def _is_blocked(call: dict[str, Any]) -> bool:
    return bool(call.get("subscriptionLimits", {}).get("concurrencyBlocked"))


def _never_rang(call: dict[str, Any]) -> bool:
    return call["status"] == "ended" and call["endedReason"] in NEVER_RANG
