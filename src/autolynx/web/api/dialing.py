"""The red button and the state of dialling, over JSON."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import Field

from autolynx.flows.dialing_state import DialingState, NumberState, get_dialing_state
from autolynx.web import dialing_moves
from autolynx.web.auth import CallerDep
from autolynx.web.context import LaunchingDep, RuntimeDep
from autolynx.web.shapes import Input, Shape

router = APIRouter(prefix="/api", tags=["dialing"])

DEFAULT_REASON = "Held by an operator."


class HoldInput(Input):
    """Why dialling is held, and whether live calls are ended too."""

    reason: str = Field(default=DEFAULT_REASON, min_length=1, max_length=200)
    hang_up: bool = False


class AccountShape(Shape):
    """What the whole account is held or slowed by. `troubleReason`: the provider refuses it until a person mends it.

    `circuitOpenedAt`: since then it failed so often in a row that single calls probe whether it is back.
    """

    held_at: datetime | None
    hold_reason: str | None
    trouble_at: datetime | None
    trouble_reason: str | None
    resting_until: datetime | None
    rest_reason: str | None
    failures_in_a_row: int
    circuit_opened_at: datetime | None


class CapShape(Shape):
    """How many lines outbound calls may use: `effective` is the account cap less the reserve, lowered where it must.

    `boundBy` and `sentence` say what binds, `changesAt` when time alone changes it.
    """

    account: int
    inbound_reserve: int
    effective: int
    active: int
    room: int
    bound_by: str
    changes_at: datetime | None
    sentence: str


class NumberShape(Shape):
    """A phone number's pace. `room` is how many launches it may make right now."""

    id: str
    label: str | None
    provider: str
    daily_limit: int | None
    left_today: int | None
    next_launch_at: datetime | None
    hold_reason: str | None
    held_until: datetime | None
    room: int
    bound_by: str
    sentence: str

    @classmethod
    def of(cls, number: NumberState) -> "NumberShape":
        """Show a number."""
        return cls(
            id=number.pace.id,
            label=number.label.label,
            provider=number.label.provider,
            daily_limit=number.pace.daily_limit,
            left_today=number.left_today,
            next_launch_at=number.pace.next_launch_at,
            hold_reason=number.pace.hold_reason,
            held_until=number.pace.held_until,
            room=number.room.lines,
            bound_by=number.room.bound_by,
            sentence=number.sentence,
        )


class TickShape(Shape):
    """The safety net: when it last ran, and when it is expected next by due work."""

    last_at: datetime | None
    next_at: datetime | None


class DialingShape(Shape):
    """The state of dialling."""

    is_held: bool
    account: AccountShape
    cap: CapShape
    numbers: list[NumberShape]
    tick: TickShape
    hung_up: int | None = None

    @classmethod
    def of(cls, state: DialingState, *, hung_up: int | None = None) -> "DialingShape":
        """Show the state."""
        account = state.account
        return cls(
            is_held=state.is_held,
            account=AccountShape(
                held_at=account.held_at,
                hold_reason=account.hold_reason,
                trouble_at=account.trouble_at,
                trouble_reason=account.trouble,
                resting_until=state.resting_until,
                rest_reason=account.rest_reason if state.resting_until else None,
                failures_in_a_row=account.failures,
                circuit_opened_at=account.opened_at,
            ),
            cap=CapShape(
                account=state.account_cap,
                inbound_reserve=state.inbound_reserve,
                effective=state.effective_cap,
                active=state.active_lines,
                room=state.room.lines,
                bound_by=state.room.bound_by,
                changes_at=state.room.changes_at,
                sentence=state.sentence,
            ),
            numbers=[NumberShape.of(number) for number in state.numbers],
            tick=TickShape(last_at=account.last_tick_at, next_at=account.next_tick_at),
            hung_up=hung_up,
        )


@router.get("/dialing", summary="Show the state of dialling")
async def show(runtime: RuntimeDep, _actor: CallerDep) -> DialingShape:
    """Return what the account may do now, what stands in the way, and when that changes."""
    return DialingShape.of(await get_dialing_state(runtime))


@router.post("/dialing/hold", summary="Press the red button")
async def hold(runtime: RuntimeDep, actor: CallerDep, body: HoldInput | None = None) -> DialingShape:
    """Dial nothing new anywhere, at once; with `hangUp` live calls are ended too."""
    wanted = body or HoldInput()
    hung_up = await dialing_moves.hold(runtime, reason=wanted.reason, hangs_up=wanted.hang_up, actor=actor.name)
    return DialingShape.of(await get_dialing_state(runtime), hung_up=hung_up)


@router.post("/dialing/release", summary="Release the red button")
async def release(runtime: RuntimeDep, actor: CallerDep, launching: LaunchingDep) -> DialingShape:
    """Dial again: lifts the button, the account's trouble, every rest and every hold on a number."""
    await dialing_moves.release(runtime, launching, actor=actor.name)
    return DialingShape.of(await get_dialing_state(runtime))
