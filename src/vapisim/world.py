"""One simulator: everything wired together, and wired anew on reset."""

from vapisim.clock import Timers
from vapisim.courier import Courier
from vapisim.engine import Engine
from vapisim.ledger import Ledger
from vapisim.limits import DailyDials, Lines, RequestRate
from vapisim.state import Settings, State


class World:
    """The state and those who act on it."""

    def __init__(self, settings: Settings) -> None:
        self.state = State(settings)
        self._assemble()

    def _assemble(self) -> None:
        state = self.state
        self.timers = Timers(state.clock)
        self.ledger = Ledger(state.clock)
        self.lines = Lines(state.settings.concurrency_limit)
        self.rate = RequestRate(state.clock)
        self.daily = DailyDials()
        self.courier = Courier(state, self.timers, self.ledger)
        self.engine = Engine(
            state=state,
            timers=self.timers,
            lines=self.lines,
            daily=self.daily,
            ledger=self.ledger,
            courier=self.courier,
        )

    def reset(self, scenario: str | None = None) -> None:
        """Begin anew: calls, ledger, faults and account as at the start, but ids never given out before."""
        self.close()
        self.state.generation += 1
        self.state.clock.set_speed(self.state.settings.speed)
        self.state.webhook_auth = self.state.settings.webhook_auth
        self.state.raise_curtain(scenario or self.state.scenario.name)
        self._assemble()

    def close(self) -> None:
        """Stop everything that is under way."""
        self.timers.close()
        self.courier.close()
