"""Who gets which fate, with the wishes and the stuck calls of the faults taken into account."""

from dataclasses import replace

from vapisim.outcomes import OUTCOMES, Fate, draw_call_id, draw_fate
from vapisim.state import State

LONG_RING_SECONDS = 5.0

PAPER_FATE = Fate(
    outcome=OUTCOMES["account"],
    reason="",
    queue_seconds=0.0,
    ring_seconds=None,
    talk_seconds=None,
    forward_seconds=None,
    report_seconds=1.0,
    stuck="",
    dice_seed=0,
)
"""The fate of a call that has not been dialled (yet)."""


def next_call_id(state: State, number: str) -> str:
    """Draw an id that no call has had yet."""
    state.issued[number] += 1
    salt = f"{state.settings.id_salt}/{state.generation}"
    return draw_call_id(state.chance, salt, number=number, attempt=state.issued[number])


def next_fate(state: State, number: str) -> tuple[int, Fate]:
    """Count one more dial of a number and draw what becomes of it."""
    state.attempts[number] += 1
    attempt, faults, chance = state.attempts[number], state.faults(), state.chance
    wish = faults.number_outcomes.get(number)
    fate = draw_fate(chance, state.scenario.weights, number=number, attempt=attempt, wish=wish)
    if chance.happens(faults.stuck_queued, "stuck-queued", number, attempt):
        fate = replace(fate, outcome=OUTCOMES["stuck-queued"], stuck="queued")
    elif chance.happens(faults.stuck_in_progress, "stuck-in-progress", number, attempt):
        ring = fate.ring_seconds or LONG_RING_SECONDS
        fate = replace(
            fate,
            outcome=OUTCOMES["stuck-in-progress"],
            ring_seconds=ring,
            talk_seconds=1e9,
            stuck="in-progress",
        )
    return attempt, fate
