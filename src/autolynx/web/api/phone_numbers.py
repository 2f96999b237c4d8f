"""The account's phone numbers over JSON."""

from datetime import datetime

from fastapi import APIRouter

from autolynx.flows.phone_numbers import list_phone_numbers
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep
from autolynx.web.shapes import Shape

router = APIRouter(prefix="/api", tags=["phone numbers"])


class PhoneNumberShape(Shape):
    """A number of the account, without its secrets. `launchesLeftToday` is null where no daily limit holds."""

    id: str
    number: str | None
    name: str | None
    provider: str
    status: str
    is_free: bool
    daily_limit: int | None
    launches_left_today: int | None
    hold_reason: str | None
    held_until: datetime | None


class PhoneNumberList(Shape):
    """The account's numbers."""

    phone_numbers: list[PhoneNumberShape]


@router.get("/phone-numbers", summary="List the account's phone numbers")
async def list_numbers(runtime: RuntimeDep, _actor: CallerDep) -> PhoneNumberList:
    """Ask the provider for the account's numbers."""
    now = runtime.clock.now()
    shapes = [
        PhoneNumberShape(
            id=remote.phone_number_id,
            number=remote.number,
            name=remote.name,
            provider=remote.provider,
            status=remote.status,
            is_free=remote.is_free,
            daily_limit=pace.daily_limit,
            launches_left_today=pace.left_today(now),
            hold_reason=pace.hold_reason,
            held_until=pace.held_until,
        )
        for remote, pace in await list_phone_numbers(runtime)
    ]
    return PhoneNumberList(phone_numbers=shapes)
