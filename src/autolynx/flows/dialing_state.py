"""The state of dialling: what the account may do now, what stands in the way, and when that changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from autolynx.domain.pacing import Account, NumberPace, Room, account_room, effective_account_cap, number_room
from autolynx.runtime import Runtime
from autolynx.store import gate, phone_numbers
from autolynx.store.phone_numbers import NumberLabel


@dataclass(frozen=True, kw_only=True)
class NumberState:
    """A phone number that we call from: its pace, its day, and how many launches it may make now."""

    pace: NumberPace
    label: NumberLabel
    room: Room
    left_today: int | None


@dataclass(frozen=True, kw_only=True)
class DialingState:
    """Everything that decides about the next dial. `effective_cap` is what the account carries now."""

    account: Account
    account_cap: int
    inbound_reserve: int
    effective_cap: int
    active_lines: int
    room: Room
    numbers: Sequence[NumberState]
    asked_at: datetime

    @property
    def is_held(self) -> bool:
        """Whether the red button is pressed."""
        return self.account.held_at is not None


async def get_dialing_state(runtime: Runtime) -> DialingState:
    """Return the state of account and numbers as it is now."""
    now, rules = runtime.clock.now(), runtime.settings.pacing
    async with runtime.database.connection(by_index=True) as conn:
        account = await gate.get(conn)
        lines = await gate.count_lines(conn)
        paces = await phone_numbers.list_all(conn)
        labels = await phone_numbers.list_labels(conn)
    numbers = [
        NumberState(
            pace=pace,
            label=labels[pace.id],
            room=number_room(pace, rules, now),
            left_today=pace.left_today(now),
        )
        for pace in paces
        if pace.id in labels
    ]
    return DialingState(
        account=account,
        account_cap=runtime.settings.account_concurrency_cap,
        inbound_reserve=runtime.settings.inbound_reserve,
        effective_cap=effective_account_cap(account, rules, now),
        active_lines=lines,
        room=account_room(account, rules, lines_held=lines, now=now),
        numbers=numbers,
        asked_at=now,
    )


async def estimate_start(runtime: Runtime) -> datetime:
    """Return when a campaign that was just started can place its first call, as far as we know."""
    state = await get_dialing_state(runtime)
    if state.room.lines > 0 or state.room.changes_at is None:
        return state.asked_at
    return state.room.changes_at
