"""What the counters of a campaign say. Every figure of list, detail and live feed is derived here and nowhere else."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from autolynx.domain.call import CallStatus, Outcome

_CENT = Decimal("0.0001")
_MILLISECOND = Decimal("0.001")


@dataclass(frozen=True, kw_only=True)
class Counters:
    """A row of `campaign_counters`: contacts by state, calls by status and outcome (released claims left out), sums.

    `talks` are answered calls of known length, `talk_seconds` their sum; `version` grows with every change.
    """

    due: int = 0
    calling: int = 0
    done: int = 0
    unsure: int = 0
    excluded: int = 0
    queued: int = 0
    ringing: int = 0
    in_progress: int = 0
    ended: int = 0
    failed: int = 0
    canceled: int = 0
    timeout: int = 0
    answered: int = 0
    voicemail: int = 0
    no_answer: int = 0
    busy: int = 0
    silence: int = 0
    bad_number: int = 0
    refused: int = 0
    provider_error: int = 0
    config_error: int = 0
    canceled_outcome: int = 0
    unsure_outcome: int = 0
    unknown_outcome: int = 0
    success_true: int = 0
    success_false: int = 0
    cost_usd: Decimal = Decimal(0)
    talk_seconds: Decimal = Decimal(0)
    talks: int = 0
    version: int = 0

    @property
    def contacts(self) -> int:
        """All contacts."""
        return self.due + self.calling + self.done + self.unsure + self.excluded

    @property
    def active_calls(self) -> int:
        """Calls that are going on, as far as we know."""
        return self.queued + self.ringing + self.in_progress

    @property
    def completed_calls(self) -> int:
        """Calls that are over, however they went."""
        return self.ended + self.failed + self.canceled + self.timeout

    @property
    def calls_by_status(self) -> dict[str, int]:
        """How many calls stand where; every status is there."""
        return {status.value: getattr(self, status.value.lower()) for status in CallStatus}

    @property
    def calls_by_outcome(self) -> dict[str, int]:
        """How many calls went how; every outcome that is counted is there."""
        counted = [outcome for outcome in Outcome if outcome is not Outcome.NOT_DIALLED]
        return {outcome.value: getattr(self, _COUNTED_AS.get(outcome, outcome.value)) for outcome in counted}

    @property
    def success_rate(self) -> float | None:
        """The share of successes among the calls that were judged (0 to 1), None before the first."""
        judged = self.success_true + self.success_false
        return self.success_true / judged if judged else None

    @property
    def average_cost_usd(self) -> Decimal | None:
        """The cost of a call that is over, None before the first."""
        return (self.cost_usd / self.completed_calls).quantize(_CENT) if self.completed_calls else None

    @property
    def average_duration_seconds(self) -> Decimal | None:
        """The length of an answered call, None before the first."""
        return (self.talk_seconds / self.talks).quantize(_MILLISECOND) if self.talks else None


_COUNTED_AS = {
    Outcome.CANCELED: "canceled_outcome",
    Outcome.UNSURE: "unsure_outcome",
    Outcome.UNKNOWN: "unknown_outcome",
}


def estimate_completion(
    counters: Counters, *, is_running: bool, started_at: datetime | None, now: datetime
) -> datetime | None:
    """Return when the campaign will be over if it goes on at its pace so far.

    None where nothing can be said: it is not running, or no contact of it has been handled yet.
    """
    handled = counters.done + counters.unsure + counters.excluded
    if not is_running or started_at is None or handled == 0 or now <= started_at:
        return None
    return now + (now - started_at) * ((counters.due + counters.calling) / handled)
