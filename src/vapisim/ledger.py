"""The independent witness: what was really dialled, refused and delivered.

Nothing here is derived from what clients are told. A dial is written at the moment of admission, when the
(imaginary) telephone network begins to ring somebody; a refusal never becomes a dial.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from vapisim import wire
from vapisim.calls import Call, Order
from vapisim.clock import Clock, Moment


@dataclass(kw_only=True, slots=True)
class Dial:
    """One attempt to reach a person."""

    call: Call
    admitted: Moment
    answer: str = "accepted"
    """How POST /call was answered: `accepted`, or the fault that hid the acceptance."""
    status_changes: list[tuple[str, Moment]] = field(default_factory=list)
    ended_webhook_at: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """A request to dial that reached nobody."""

    at: Moment
    reason: str
    status: int | None
    message: str
    number: str | None
    external_id: str | None
    phone_number_id: str | None
    provider_call_id: str | None = None


class Gauge:
    """How many calls were up at once, now and at the worst moment, per whatever is asked."""

    def __init__(self) -> None:
        self.now: Counter[str] = Counter()
        self.peak: Counter[str] = Counter()

    def up(self, key: str) -> None:
        """One more is up."""
        self.now[key] += 1
        self.peak[key] = max(self.peak[key], self.now[key])

    def down(self, key: str) -> None:
        """One less is up."""
        self.now[key] -= 1


class Ledger:
    """Everything that a test may want to ask about afterwards."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.dials: list[Dial] = []
        self.refusals: list[Refusal] = []
        self.refused: Counter[str] = Counter()
        self.webhooks: Counter[str] = Counter()
        self.webhook_statuses: Counter[str] = Counter()
        self.refused_urls: Counter[str] = Counter()
        self.controls: list[dict[str, Any]] = []
        self._by_call: dict[str, Dial] = {}
        self._per_number: Counter[str] = Counter()
        self._per_external_id: Counter[str] = Counter()
        self._overall, self._per_line, self._per_campaign, self._per_person = (
            Gauge(),
            Gauge(),
            Gauge(),
            Gauge(),
        )
        self._line_seconds = 0.0

    def admit(self, call: Call) -> None:
        """Write down that a person is about to be rung, before anything else happens."""
        dial = Dial(call=call, admitted=self._clock.moment())
        self.dials.append(dial)
        self._by_call[call.id] = dial
        self._per_number[call.order.number] += 1
        if call.order.external_id is not None:
            self._per_external_id[call.order.external_id] += 1
        for gauge, key in self._gauges(call):
            gauge.up(key)

    def change(self, call: Call) -> None:
        """Write down the new status of a dialled call."""
        dial = self._by_call.get(call.id)
        if dial is None:
            return
        dial.status_changes.append((call.status, self._clock.moment()))
        if call.ended is not None:
            self._line_seconds += call.ended.virtual - dial.admitted.virtual
            for gauge, key in self._gauges(call):
                gauge.down(key)

    def answered(self, call: Call, answer: str) -> None:
        """How POST /call was answered for this dial."""
        if call.id in self._by_call:
            self._by_call[call.id].answer = answer

    def ended_webhook_sent(self, call_id: str, wall_time: float) -> None:
        """Write down when the first `ended` status update of a call left the house."""
        dial = self._by_call.get(call_id)
        if dial is not None and dial.ended_webhook_at is None:
            dial.ended_webhook_at = wall_time

    def refuse(self, refusal: Refusal) -> None:
        """Write down that a request to dial was turned down."""
        self.refusals.append(refusal)
        self.refused[refusal.reason] += 1

    def refuse_order(self, order: Order, *, reason: str, status: int, message: str, call_id: str | None = None) -> None:
        """Write down that an understood request was turned down (or accepted on paper only)."""
        self.refuse(
            Refusal(
                at=self._clock.moment(),
                reason=reason,
                status=status,
                message=message,
                number=order.number,
                external_id=order.external_id,
                phone_number_id=order.phone_number_id,
                provider_call_id=call_id,
            )
        )

    def _gauges(self, call: Call) -> Iterable[tuple[Gauge, str]]:
        yield self._overall, "all"
        yield self._per_line, call.order.phone_number_id
        yield self._per_person, call.order.number
        yield self._per_campaign, str(call.order.metadata.get("campaignId", ""))

    def summary(self) -> dict[str, Any]:
        """Add up the figures that most tests ask for."""
        repeated = {key: count for key, count in self._per_external_id.items() if count > 1}
        return {
            "dials": len(self.dials),
            "active": self._overall.now["all"],
            "peakConcurrent": self._overall.peak["all"],
            "peakPerPhoneNumberId": dict(self._per_line.peak),
            "peakPerCampaign": dict(self._per_campaign.peak),
            "peakPerNumber": max(self._per_person.peak.values(), default=0),
            "dialsPerNumber": dict(self._per_number),
            "maxDialsPerNumber": max(self._per_number.values(), default=0),
            "repeatedExternalIds": repeated,
            "refused": sum(self.refused.values()),
            "refusedByReason": dict(self.refused),
            "answers": dict(Counter(dial.answer for dial in self.dials)),
            "endedReasons": dict(Counter(dial.call.ended_reason for dial in self.dials if dial.call.ended_reason)),
            "lineSeconds": round(self._line_seconds, 3),
            "webhooks": self._webhook_summary(),
            "controls": len(self.controls),
        }

    def _webhook_summary(self) -> dict[str, Any]:
        names = (
            "letters",
            "attempts",
            "sent",
            "failed",
            "retried",
            "lost",
            "duplicated",
            "reordered",
            "forged",
            "refusedUrl",
        )
        counts = {name: self.webhooks[name] for name in names}
        return counts | {"byStatus": dict(self.webhook_statuses), "refusedUrls": dict(self.refused_urls)}

    def entries(self, *, number: str | None, offset: int) -> list[dict[str, Any]]:
        """List the dials in order of admission, from an offset on, of one number or all."""
        return [_dial_entry(dial) for dial in self.dials[offset:] if number is None or dial.call.order.number == number]

    def refusal_entries(self, *, number: str | None, offset: int) -> list[dict[str, Any]]:
        """List the refusals in order of time."""
        return [_refusal_entry(each) for each in self.refusals[offset:] if number is None or each.number == number]


def _dial_entry(dial: Dial) -> dict[str, Any]:
    call, order = dial.call, dial.call.order
    return {
        "number": order.number,
        "attempt": call.attempt,
        "providerCallId": call.id,
        "externalId": order.external_id,
        "name": order.name,
        "metadata": order.metadata,
        "phoneNumberId": order.phone_number_id,
        "assistantId": order.assistant_id,
        "answer": dial.answer,
        "outcome": call.fate.outcome.name,
        "status": call.status,
        "endedReason": call.ended_reason,
        "costUsd": wire.call_bill(call).total,
        "admittedVirtual": round(dial.admitted.virtual, 4),
        "admittedReal": dial.admitted.wall,
        "endedVirtual": round(call.ended.virtual, 4) if call.ended else None,
        "endedReal": call.ended.wall if call.ended else None,
        "endedWebhookReal": dial.ended_webhook_at,
        "statusChanges": [
            {"status": status, "virtual": round(moment.virtual, 4), "real": moment.wall}
            for status, moment in dial.status_changes
        ],
    }


def _refusal_entry(refusal: Refusal) -> dict[str, Any]:
    return {
        "reason": refusal.reason,
        "status": refusal.status,
        "message": refusal.message,
        "number": refusal.number,
        "externalId": refusal.external_id,
        "phoneNumberId": refusal.phone_number_id,
        "providerCallId": refusal.provider_call_id,
        "virtual": round(refusal.at.virtual, 4),
        "real": refusal.at.wall,
    }
