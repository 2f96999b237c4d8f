"""The plays: how a town answers its telephone, and which troubles come with it.

Mean time that an admitted call holds its line (virtual seconds, provider latency 0.3 s included), sampled:
busy-town 54, all-answer 54, voicemail-heavy 41, outage and webhook-storm as busy-town.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from vapisim.faults import Faults

BUSY_TOWN: Mapping[str, float] = {
    "human-good": 0.32,
    "human-declined": 0.18,
    "voicemail": 0.20,
    "no-answer": 0.15,
    "busy": 0.05,
    "bad-number": 0.032,
    "silence": 0.02,
    "max-duration": 0.003,
    "provider-failure": 0.01,
    "platform-failure": 0.01,
    "transfer": 0.02,
    "canceled": 0.005,
}
ALL_ANSWER: Mapping[str, float] = {"human-good": 0.265, "human-declined": 0.735}
VOICEMAIL_HEAVY: Mapping[str, float] = {
    "voicemail": 0.62,
    "no-answer": 0.18,
    "human-good": 0.10,
    "human-declined": 0.05,
    "busy": 0.03,
    "bad-number": 0.02,
}


@dataclass(frozen=True, kw_only=True)
class Outages:
    """A provider that breaks down for a while, recovers, and breaks down again (virtual seconds)."""

    first_at: float
    length: float
    period: float

    def covers(self, virtual_now: float) -> bool:
        """Whether the provider is down at this moment."""
        since_first = virtual_now - self.first_at
        return since_first >= 0 and since_first % self.period < self.length


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Weights of the outcomes plus the faults that are in force from the start."""

    name: str
    meaning: str
    weights: Mapping[str, float]
    faults: Mapping[str, object] = field(default_factory=dict)
    outages: Outages | None = None
    outage_faults: Mapping[str, object] = field(default_factory=dict)

    def faults_at(self, virtual_now: float, standing: Faults) -> Faults:
        """Return the standing faults, made worse while an outage of the play is on."""
        if self.outages is None or not self.outages.covers(virtual_now):
            return standing
        return standing.changed(self.outage_faults)


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario(name="busy-town", meaning="a mix of everything, no technical trouble", weights=BUSY_TOWN),
        Scenario(name="all-answer", meaning="a person picks up every call", weights=ALL_ANSWER),
        Scenario(name="voicemail-heavy", meaning="mostly machines and nobody", weights=VOICEMAIL_HEAVY),
        Scenario(
            name="outage",
            meaning="from 60 s on, 60 s out of every 240 s: 5xx, timeouts, dropped connections",
            weights=BUSY_TOWN,
            outages=Outages(first_at=60, length=60, period=240),
            outage_faults={
                "read_error": 0.8,
                "error_before_accept": 0.6,
                "error_after_accept": 0.2,
                "drop_after_accept": 0.2,
                "slow_answer": 0.5,
                "webhook_loss": 0.3,
            },
        ),
        Scenario(
            name="webhook-storm",
            meaning="webhooks are lost (20 %), doubled (20 %), reordered (20 %) and late",
            weights=BUSY_TOWN,
            faults={
                "webhook_loss": 0.2,
                "webhook_duplicate": 0.2,
                "webhook_reorder": 0.2,
                "webhook_jitter_seconds": 5.0,
            },
        ),
    )
}
