"""A provider on loopback whose every call does what a test tells it to, on the clock of the test."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from tests.support.sim import TWILIO_MAIN
from tests.support.stub_vapi import Answering, Drop, Reply, Seen, as_json, run_stub

DialRule = Callable[["ScriptedVapi", Seen], Answering]


@dataclass(kw_only=True)
class ScriptedVapi:
    """Calls by their id, and how the routes behave.

    `on_dial` answers POST /call. `reads`: whether GET is answered, else `on_silence` is given. `breaks_on`: calls that
    it cannot show by their id. `echoes`: whether lists name our ids.
    """

    now: Callable[[], datetime]
    url: str = ""
    calls: dict[str, dict[str, Any]] = field(default_factory=dict)
    on_dial: DialRule = field(default_factory=lambda: accepted)
    reads: bool = True
    on_silence: Answering = field(default_factory=Drop)
    breaks_on: set[str] = field(default_factory=set)
    echoes: bool = True
    dials: list[UUID] = field(default_factory=list)
    controls: list[str] = field(default_factory=list)
    on_control: Answering = field(default_factory=lambda: as_json({}))
    lists: int = 0
    placed: int = 0
    on_list: Callable[[list[dict[str, Any]]], Answering] = field(default_factory=lambda: as_json)
    numbers: list[dict[str, Any]] = field(default_factory=lambda: [{"id": TWILIO_MAIN, "provider": "twilio"}])

    def answer(self, seen: Seen) -> Answering:
        """Answer one request."""
        if seen.path.startswith("/control/"):
            self.controls.append(seen.path.removeprefix("/control/"))
            return self.on_control
        if seen.method == "POST":
            self.dials.append(UUID(seen.body["customer"]["externalId"]))
            return self.on_dial(self, seen)
        if not self.reads:
            return self.on_silence
        if seen.path == "/phone-number":
            return as_json(self.numbers)
        if seen.path == "/call":
            self.lists += 1
            return self.on_list(self._listed(seen.query))
        wanted = seen.path.removeprefix("/call/")
        if wanted in self.breaks_on:
            return Reply(status=500)
        found = self.calls.get(wanted)
        return as_json(found) if found else as_json({"message": "Not Found", "statusCode": 404}, status=404)

    def place(self, body: Mapping[str, Any], **values: Any) -> dict[str, Any]:
        """Put a call on the books, as an accepted request does: theirs-1, theirs-2, and so on."""
        self.placed += 1
        made = f"theirs-{self.placed}"
        at = self.now().isoformat()
        self.calls[made] = {
            "id": made,
            "status": "queued",
            "type": "outboundPhoneCall",
            "createdAt": at,
            "updatedAt": at,
            "phoneNumberId": body["phoneNumberId"],
            "name": body["name"],
            "customer": dict(body["customer"]),
            "assistantOverrides": {"metadata": dict(body["assistantOverrides"]["metadata"])},
            "monitor": {"controlUrl": f"{self.url}/control/{made}"},
            **values,
        }
        return self.calls[made]

    def change(self, provider_call_id: str, **values: Any) -> None:
        """Let something happen to a call; nobody is told."""
        self.calls[provider_call_id] |= {"updatedAt": self.now().isoformat(), **values}

    def dials_per_contact(self, contacts: Mapping[UUID, UUID]) -> Counter[UUID]:
        """Count the requests by contact; `contacts` by our call ids."""
        return Counter(contacts[call_id] for call_id in self.dials)

    def _listed(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        def fits(call: dict[str, Any]) -> bool:
            return (
                query.get("phoneNumberId") in {None, call["phoneNumberId"]}
                and _at(call["createdAt"]) >= _at(query.get("createdAtGe"))
                and _at(call["updatedAt"]) >= _at(query.get("updatedAtGe"))
                and ("createdAtLe" not in query or _at(call["createdAt"]) <= _at(query["createdAtLe"]))
            )

        found = sorted(filter(fits, self.calls.values()), key=lambda call: _at(call["createdAt"]), reverse=True)
        found = found[: int(query.get("limit", "100"))]
        return found if self.echoes else [_without_our_ids(call) for call in found]


def _at(moment: str | None) -> datetime:
    return datetime.fromisoformat(moment) if moment else datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _without_our_ids(call: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in call.items() if key not in {"name", "customer", "assistantOverrides"}}


def accepted(vapi: ScriptedVapi, seen: Seen) -> Answering:
    """Take the call and say so."""
    return as_json(vapi.place(seen.body), status=201)


def taken_but_dropped(vapi: ScriptedVapi, seen: Seen) -> Answering:
    """Take the call, and break off before saying so."""
    vapi.place(seen.body)
    return Drop()


def dropped(_vapi: ScriptedVapi, _seen: Seen) -> Answering:
    """Break off; the call was never taken."""
    return Drop()


def refused(status: int, message: str, **headers: str) -> DialRule:
    """Return a rule that refuses with these words."""
    return lambda _vapi, _seen: as_json({"message": message, "statusCode": status}, status=status, **headers)


def one_after_the_other(*rules: DialRule) -> DialRule:
    """Return a rule that follows one after the other; the last one stays."""
    left = list(rules)

    def rule(vapi: ScriptedVapi, seen: Seen) -> Answering:
        chosen = left.pop(0) if len(left) > 1 else left[0]
        return chosen(vapi, seen)

    return rule


def broken(_vapi: ScriptedVapi, _seen: Seen) -> Answering:
    """Answer with a server error; the call was never taken."""
    return Reply(status=500)


@asynccontextmanager
async def running_script(now: Callable[[], datetime]) -> AsyncIterator[ScriptedVapi]:
    """Serve a scripted provider until the block ends."""
    vapi = ScriptedVapi(now=now)
    async with run_stub(vapi.answer) as stub:
        vapi.url = stub.url
        yield vapi
