"""How long a campaign still takes, guessed from how it has gone so far."""

MINIMUM_DONE = 3  # before that the pace says nothing


def remaining_seconds(*, done: int, remaining: int, elapsed_seconds: float) -> float | None:
    """Return the seconds still to go at the pace so far; None while that cannot be said.

    `done` and `remaining` count contacts, `elapsed_seconds` runs from the first accepted call.
    """
    if remaining <= 0:
        return 0.0
    if done < MINIMUM_DONE or elapsed_seconds <= 0:
        return None
    return elapsed_seconds / done * remaining
