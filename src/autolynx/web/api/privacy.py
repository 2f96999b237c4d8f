"""One person's data over JSON: looked up, exported, erased. For admins; numbers are in bodies, never in addresses."""

from fastapi import APIRouter
from fastapi.encoders import jsonable_encoder
from pydantic import Field
from starlette.responses import JSONResponse, Response

from autolynx.flows import persons
from autolynx.flows.persons import Erasure, Found
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep
from autolynx.web.shapes import Input, Shape

router = APIRouter(prefix="/api/privacy", tags=["privacy"])

LONGEST_PHONE = 100


class PersonInput(Input):
    """Who: a phone number, without a country code one of DEFAULT_REGION."""

    phone: str = Field(min_length=1, max_length=LONGEST_PHONE)


class EraseInput(PersonInput):
    """`atProvider`: the provider is asked to delete what it keeps of the calls as well.

    `neverAgain`: no later list calls this number; a keyed hash of it is kept for that, and nothing else.
    """

    at_provider: bool = False
    never_again: bool = False


class HoldingsShape(Shape):
    """How much is kept. `unreadUploads`: files not read through, in which the person may be too; gone within a day."""

    contacts: int
    campaigns: int
    calls: int
    transcripts: int
    recordings: int
    provider_bodies: int
    upload_rows: int
    live_calls: int
    unread_uploads: int
    is_suppressed: bool

    @classmethod
    def of(cls, found: Found) -> "HoldingsShape":
        """Show what was found."""
        held = found.holdings
        plain = {name: getattr(held, name) for name in cls.model_fields if hasattr(held, name)}
        return cls(
            **plain,
            provider_bodies=held.bodies,
            unread_uploads=found.unread_uploads,
            is_suppressed=found.is_suppressed,
        )


class ErasureShape(Shape):
    """What was erased. `atProvider`: of so many calls the provider is asked to delete its data, by the next tick."""

    contacts: int
    calls: int
    recordings: int
    provider_bodies: int
    upload_rows: int
    at_provider: int
    unread_uploads: int

    @classmethod
    def of(cls, done: Erasure) -> "ErasureShape":
        """Show what was done."""
        return cls(
            contacts=done.erased.contacts,
            calls=done.erased.calls,
            recordings=done.erased.recordings,
            provider_bodies=done.erased.bodies,
            upload_rows=done.upload_rows,
            at_provider=done.at_provider,
            unread_uploads=done.unread_uploads,
        )


@router.post("/lookup", summary="Count what is kept of a person")
async def look_up(body: PersonInput, runtime: RuntimeDep, _actor: CallerDep) -> HoldingsShape:
    """Say how much is kept of whoever has this phone number. Only for admins."""
    return HoldingsShape.of(await persons.look_up(runtime, body.phone))


@router.post("/export", summary="Export what is kept of a person", response_class=JSONResponse)
async def export(body: PersonInput, runtime: RuntimeDep, caller: CallerDep) -> Response:
    """Return all that is kept of whoever has this phone number. Only for admins; put on record without the number."""
    found = await persons.export_person(runtime, body.phone, actor=caller.name)
    headers = {"Content-Disposition": 'attachment; filename="person.json"'}
    return JSONResponse(jsonable_encoder(found), headers=headers)


@router.post("/erase", summary="Erase what is kept of a person")
async def erase(body: EraseInput, runtime: RuntimeDep, caller: CallerDep) -> ErasureShape:
    """Make nobody of whoever has this phone number; counts and costs stay true. Cannot be undone. Only for admins."""
    done = await persons.erase_person(
        runtime, body.phone, at_provider=body.at_provider, never_again=body.never_again, actor=caller.name
    )
    return ErasureShape.of(done)


@router.post("/allow", status_code=204, summary="Let a person be called again")
async def allow(body: PersonInput, runtime: RuntimeDep, caller: CallerDep) -> None:
    """Forget that this person asked never to be called; lists loaded from now on call again. Only for admins."""
    await persons.allow_again(runtime, body.phone, actor=caller.name)
