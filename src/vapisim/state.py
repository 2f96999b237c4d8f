"""What the simulator knows: settings, account, calls, faults in force. Held in one place, changed by few."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from vapisim import town
from vapisim.calls import Call
from vapisim.chance import Chance
from vapisim.clock import Clock
from vapisim.faults import Faults
from vapisim.outcomes import draw_call_id
from vapisim.scenarios import SCENARIOS, Scenario
from vapisim.signing import WebhookAuth

KEPT_CALLS = 50_000
"""Calls beyond this many are forgotten, oldest first, as the real service forgets after its retention."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is chosen on the command line and stays."""

    seed: int = 7
    speed: float = 20.0
    scenario: str = "busy-town"
    concurrency_limit: int = 10
    latency_seconds: float = 0.3
    api_key: str | None = None
    id_salt: str = ""
    webhook_timeout_floor_seconds: float = 1.0
    """Real seconds below which no webhook timeout falls: a receiver does not speed up with the play."""
    faults: dict[str, object] = field(default_factory=dict)
    webhook_auth: WebhookAuth = field(default_factory=WebhookAuth)


class State:
    """The account and its calls."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = Clock(settings.speed)
        self.chance = Chance(settings.seed)
        self.base_url = "http://127.0.0.1"
        self.generation = 0
        self.webhook_auth = settings.webhook_auth
        self.raise_curtain(settings.scenario)

    def raise_curtain(self, scenario: str) -> None:
        """Start a play from its beginning: fresh account, no calls, the opening faults."""
        self.scenario: Scenario = SCENARIOS[scenario]
        self.opening_faults = Faults().changed(self.scenario.faults).changed(self.settings.faults)
        self.standing_faults = self.opening_faults
        self.started_virtual = self.clock.now()
        self.phone_numbers = town.phone_numbers()
        self.assistants = town.assistants()
        self.calls: dict[str, Call] = {}
        self.attempts: Counter[str] = Counter()
        """Dials per called number."""
        self.issued: Counter[str] = Counter()
        """Call objects per called number, those that only exist on paper included."""
        self.tries: Counter[str] = Counter()
        """Requests per subject, so that luck can differ from one try to the next."""

    def faults(self) -> Faults:
        """Return the faults in force at this moment, outages of the play included."""
        return self.scenario.faults_at(self.clock.now() - self.started_virtual, self.standing_faults)

    def phone_number(self, phone_number_id: str) -> dict[str, Any] | None:
        """Return a number of the account, with the status that a fault may have given it."""
        row = self.phone_numbers.get(phone_number_id)
        status = self.standing_faults.phone_number_status.get(phone_number_id)
        return {**row, "status": status} if row and status else row

    def new_id(self, kind: str, ordinal: int) -> str:
        """Draw a uuid for the n-th thing of a kind, the same for the same seed and salt."""
        salt = f"{kind}/{self.settings.id_salt}/{self.generation}"
        return draw_call_id(self.chance, salt, number=kind, attempt=ordinal)

    def remember(self, call: Call) -> None:
        """Keep a call, and forget the oldest finished one when there are too many."""
        self.calls[call.id] = call
        if len(self.calls) > KEPT_CALLS:
            oldest = next(iter(self.calls))
            if self.calls[oldest].is_over:
                del self.calls[oldest]
