"""How the whole is, and how a phone line is."""

from datetime import datetime
from typing import Annotated, cast
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from autolynx.errors import ValidationProblem
from autolynx.flows.health import HealthStatus, check_health
from autolynx.flows.phone_line import LineStatus, PhoneLines
from autolynx.store import campaigns
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep
from autolynx.web.shapes import Shape

router = APIRouter(prefix="/api", tags=["health"])
open_router = APIRouter(include_in_schema=False)


class CheckShape(Shape):
    """One part of the whole."""

    name: str
    status: HealthStatus
    message: str


class HealthShape(Shape):
    """The whole; 503 when it is unhealthy."""

    status: HealthStatus
    checks: list[CheckShape]
    checked_at: datetime


class PhoneLineShape(Shape):
    """A look at a line, at most a minute old. `activeCalls` is null where the provider could not be asked."""

    phone_number_id: str
    active_calls: int | None
    last_checked: datetime
    status: LineStatus
    provider: str


def get_phone_lines(request: Request) -> PhoneLines:
    """Return the cache of looks at lines."""
    return cast("PhoneLines", request.app.state.phone_lines)


@router.get(
    "/health",
    summary="How every part is",
    responses={503: {"model": HealthShape, "description": "A part that is needed does not work."}},
)
async def health(runtime: RuntimeDep, response: Response, _actor: CallerDep) -> HealthShape:
    """Return every check with its sentence."""
    found = await check_health(runtime)
    response.status_code = 503 if found.status is HealthStatus.UNHEALTHY else 200
    checks = [CheckShape(name=one.name, status=one.status, message=one.message) for one in found.checks]
    return HealthShape(status=found.status, checks=checks, checked_at=found.checked_at)


@router.get("/health/phone-line", summary="How busy a phone line is")
async def phone_line(
    runtime: RuntimeDep,
    lines: Annotated[PhoneLines, Depends(get_phone_lines)],
    _actor: CallerDep,
    campaign_id: Annotated[UUID | None, Query(alias="campaignId")] = None,
    phone_number_id: Annotated[str | None, Query(alias="phoneNumberId", min_length=1, max_length=200)] = None,
) -> PhoneLineShape:
    """Return what the provider reported within the last minute about the line of a campaign or number."""
    if (campaign_id is None) == (phone_number_id is None):
        raise ValidationProblem("Name either campaignId or phoneNumberId.", field="phoneNumberId")
    if campaign_id is not None:
        async with runtime.database.connection() as conn:
            phone_number_id = (await campaigns.get(conn, campaign_id)).phone_number_id
    line = await lines.look(cast("str", phone_number_id))
    return PhoneLineShape(
        phone_number_id=line.phone_number_id,
        active_calls=line.active_calls,
        last_checked=line.last_checked,
        status=line.status,
        provider=line.provider,
    )


@open_router.get("/healthz")
async def healthz(runtime: RuntimeDep, response: Response) -> dict[str, str]:
    """Say to load balancers, which carry no token, whether this process can work; nothing else."""
    found = await check_health(runtime)
    response.status_code = 503 if found.status is HealthStatus.UNHEALTHY else 200
    return {"status": found.status}
