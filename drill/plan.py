"""What one drill does to the system: everything follows from the size, the seed and nothing else."""

import random
from collections import deque
from dataclasses import dataclass

# Where a process may be killed, in the order in which a contact meets them.
POINTS = {
    "claimed": "after the claim committed",
    "marked": "after the mark committed, before the request",
    "sent": "after the request to dial was sent",
    "answered": "after its answer came, before it is settled",
    "inbox": "after a webhook's inbox row, before its commit",
    "settled": "between settling a webhook and the refill",
}
ANYWHERE = "anywhere"  # killed from outside, at a random moment
SHARE_AT_POINTS = 0.6
MOST_PASSINGS = 4
MANY_KILLS = 30
LIVES_SECONDS = (0.3, 3.0)  # how long a process lives that is killed from outside


@dataclass(frozen=True, kw_only=True)
class Doom:
    """How one process dies: at the n-th time that it passes a point, or after so many seconds."""

    point: str
    passings: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The size of a drill. `speed`: simulated seconds in one real second, for provider and timers alike."""

    contacts: int = 500
    kills: int = 60
    seed: int = 1
    processes: int = 3
    restarts: int = 3
    outages: int = 2
    freezes: int = 3
    cap: int = 8
    speed: float = 60.0
    minutes: float = 4.0

    def dooms(self) -> deque[Doom]:
        """Return how processes die, one after the other.

        In a small drill named points come first: a short campaign might be over before they are met.
        """
        dice = random.Random(self.seed)
        per_point = int(self.kills * SHARE_AT_POINTS / len(POINTS))
        dooms = [
            Doom(point=point, passings=dice.randint(1, MOST_PASSINGS)) for point in POINTS for _ in range(per_point)
        ]
        while len(dooms) < self.kills:
            dooms.append(Doom(point=ANYWHERE, seconds=dice.uniform(*LIVES_SECONDS)))
        dice.shuffle(dooms)
        if self.kills < MANY_KILLS:
            dooms.sort(key=lambda doom: doom.point == ANYWHERE)
        return deque(dooms)

    def faults(self) -> dict[str, object]:
        """Return how badly the provider behaves all the time; what is in seconds is in simulated ones."""
        return {
            "error_before_accept": 0.03,
            "error_after_accept": 0.05,
            "drop_before_accept": 0.02,
            "drop_after_accept": 0.05,
            "html_522_after_accept": 0.02,
            "slow_answer": 0.02,
            "slow_answer_seconds": 7.0 * self.speed,  # beyond our time limit, which is five real seconds at least
            "list_lag_seconds": 45.0,
            "read_lag_seconds": 5.0,
            "http_429": 0.002,
            "webhook_loss": 0.2,
            "webhook_duplicate": 0.2,
            "webhook_reorder": 0.2,
            "webhook_jitter_seconds": 10.0,
            "report_before_ended": 0.05,
            "stuck_queued": 0.004,
            "stuck_in_progress": 0.004,
        }
