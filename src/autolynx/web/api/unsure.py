"""Contacts that may or may not have been called, over JSON: a person decides."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from autolynx.flows.dialing import Decision
from autolynx.store import call_reports
from autolynx.store.call_reports import UnsureReport
from autolynx.web import dialing_moves
from autolynx.web.auth import CallerDep
from autolynx.web.context import LaunchingDep, RuntimeDep
from autolynx.web.shapes import Input, Pagination, Shape

router = APIRouter(prefix="/api", tags=["unsure"])

MOST_PAGES = 1_000_000


class UnsureShape(Shape):
    """A contact set aside, and the call that may have reached it."""

    call_id: UUID
    campaign_id: UUID
    campaign_name: str
    contact_id: UUID
    name: str
    business_name: str
    phone: str
    reason: str | None
    claimed_at: datetime
    dial_started_at: datetime | None
    unsure_at: datetime | None

    @classmethod
    def of(cls, found: UnsureReport) -> "UnsureShape":
        """Show a contact."""
        plain = {name: getattr(found, name) for name in cls.model_fields if hasattr(found, name)}
        return cls(**plain, campaign_name=found.campaign)


class UnsureList(Shape):
    """A page of contacts that wait for a decision."""

    contacts: list[UnsureShape]
    pagination: Pagination


class DecisionInput(Input):
    """`redial` dials the contact once more, `leave` leaves it as it is, `reopen` takes a `leave` back."""

    decision: Decision


class DecisionAnswer(Shape):
    """What was decided."""

    call_id: UUID
    decision: Decision


@router.get("/unsure", summary="List contacts that a person has to decide about")
async def list_unsure(
    runtime: RuntimeDep,
    actor: CallerDep,
    page: Annotated[int, Query(ge=1, le=MOST_PAGES)] = 1,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> UnsureList:
    """Return contacts of which nobody can say whether they were called."""
    async with runtime.database.connection() as conn:
        total = await call_reports.count_unsure(conn, owner_id=actor.sees_only)
        found = await call_reports.list_unsure(conn, owner_id=actor.sees_only, limit=limit, skip=(page - 1) * limit)
    return UnsureList(
        contacts=[UnsureShape.of(one) for one in found],
        pagination=Pagination.of(page=page, limit=limit, total=total),
    )


@router.post("/unsure/{call_id}", summary="Decide about such a contact")
async def decide(
    call_id: UUID, body: DecisionInput, runtime: RuntimeDep, actor: CallerDep, launching: LaunchingDep
) -> DecisionAnswer:
    """Dial the contact again, leave it, or let one that was left wait for a decision again."""
    await dialing_moves.decide(runtime, call_id, body.decision, launching, actor=actor.name)
    return DecisionAnswer(call_id=call_id, decision=body.decision)
