"""The phone number that a campaign calls from: the provider is asked whether it can."""

from autolynx.errors import Conflict, ValidationProblem
from autolynx.flows.phone_numbers import list_phone_numbers
from autolynx.provider.port import RemoteNumber
from autolynx.runtime import Runtime

ACTIVE = "active"


async def require_phone_number(runtime: Runtime, phone_number_id: str | None) -> str:
    """Return the phone number to call from, known to the provider and active.

    Raises ValidationProblem, Conflict, ProviderError.
    """
    wanted = phone_number_id or runtime.settings.vapi_phone_number_id
    if not wanted:
        raise ValidationProblem(
            "phoneNumberId: choose a phone number to call from, or set VAPI_PHONE_NUMBER_ID.", field="phoneNumberId"
        )
    known = {number.phone_number_id: number for number, _ in await list_phone_numbers(runtime)}
    return _checked(known.get(wanted)).phone_number_id


def _checked(number: RemoteNumber | None) -> RemoteNumber:
    if number is None:
        raise ValidationProblem(
            "phoneNumberId: the voice provider's account has no such phone number; choose another.",
            field="phoneNumberId",
        )
    if number.status != ACTIVE:
        raise Conflict(
            f"phoneNumberId: the phone number is {number.status} at the voice provider; choose an active one.",
            details={"field": "phoneNumberId", "status": number.status},
        )
    return number
