"""A test call: one number, called by an assistant at once, under every guarantee of a campaign.

It is a campaign of one contact, marked as a test: lists and figures leave it out, the engine treats it like any other.
"""

import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from autolynx.domain.actor import Maker
from autolynx.domain.campaign import Campaign, CampaignMode, CampaignOptions, CampaignStatus
from autolynx.domain.campaign_name import MAX_CAMPAIGN_NAME_CHARACTERS
from autolynx.domain.contact_fields import BUSINESS_NAME, NAME, TextRule
from autolynx.domain.naming import free_name, name_candidates
from autolynx.domain.phone import Phone, PhoneProblem, check_region, read_phone
from autolynx.errors import Conflict, ValidationProblem
from autolynx.flows.campaign_life import start_within
from autolynx.flows.dialing_state import DialingState, get_dialing_state
from autolynx.flows.once_more import once_more
from autolynx.flows.phone_number_choice import require_phone_number
from autolynx.log import log
from autolynx.runtime import Runtime
from autolynx.store import assistants, audit, campaigns, reports, suppressions, test_calls

NAME_TRIES = 5
DEFAULT_NAME, DEFAULT_BUSINESS_NAME = "Test", "Test call"


@dataclass(frozen=True, kw_only=True)
class TestCall:
    """Whom to call: `name` and `business_name` are what the assistant takes the person for."""

    __test__ = False  # no test of ours, whatever pytest makes of the name

    phone: str = field(repr=False)
    region: str | None = None
    name: str = field(default=DEFAULT_NAME, repr=False)
    business_name: str = field(default=DEFAULT_BUSINESS_NAME, repr=False)
    phone_number_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class _Person:
    """Whom to call, checked."""

    name: str = field(repr=False)
    business_name: str = field(repr=False)
    phone: Phone = field(repr=False)


async def place_test_call(runtime: Runtime, assistant_id: UUID, wanted: TestCall, *, by: Maker) -> Campaign:
    """Queue a call of that assistant to one number, as a campaign of its own; the caller refills right after it.

    Raises ValidationProblem naming the field, NotFound, ProviderError, and Conflict where it cannot be placed now:
    dialling is held, no line is free, the number is on a call, the assistant is a template or not active.
    """
    region = check_region(wanted.region or runtime.settings.default_region)
    person = _Person(
        name=_checked(NAME, wanted.name, "name"),
        business_name=_checked(BUSINESS_NAME, wanted.business_name, "businessName"),
        phone=_read(wanted.phone, region),
    )
    async with runtime.database.connection() as conn:
        assistant = await assistants.get(conn, assistant_id)
        await assistants.get_usable_config(conn, assistant_id)
    phone_number_id = await require_phone_number(runtime, wanted.phone_number_id)
    _require_room(await get_dialing_state(runtime), phone_number_id)
    draft = Campaign(
        id=uuid.uuid4(),
        name="",
        status=CampaignStatus.CREATED,
        mode=CampaignMode.CONTINUOUS,
        cap=1,
        assistant_id=assistant_id,
        phone_number_id=phone_number_id,
        total_contacts=1,
        created_at=runtime.clock.now(),
        options=CampaignOptions(region=region, is_test=True),
    )
    await _insert_named(runtime, draft, person, assistant=assistant.name, by=by)
    log.info("test_call.queued", campaign_id=str(draft.id), assistant_id=str(assistant_id))
    async with runtime.database.connection() as conn:
        return await campaigns.get(conn, draft.id)


def _checked(rule: TextRule, text: str, field_name: str) -> str:
    tidy = text.strip()
    problem = rule.check(tidy)
    if problem is not None:
        raise ValidationProblem(f"{field_name}: {problem.reason}", field=field_name)
    return tidy


def _read(text: str, region: str) -> Phone:
    read = read_phone(text, region=region)
    if isinstance(read, PhoneProblem):
        raise ValidationProblem(f"phone: {read.reason}", field="phone", details={"problem": read.code})
    return read


def _require_room(state: DialingState, phone_number_id: str) -> None:
    """Raise Conflict where the call could not go out at once: nobody wants to be called by a test hours later."""
    if state.is_held or state.account.trouble is not None or state.room.lines <= 0:
        raise Conflict(f"No test call can be placed now. {state.sentence}")
    number = next((one for one in state.numbers if one.pace.id == phone_number_id), None)
    if number is not None and (number.pace.hold_reason is not None or number.left_today == 0):
        raise Conflict(f"No test call can be placed from this number now. {number.sentence}")


async def _insert_named(runtime: Runtime, draft: Campaign, person: _Person, *, assistant: str, by: Maker) -> None:
    """Insert under a free name; somebody may take it in the same second."""
    for tries_left in reversed(range(NAME_TRIES)):
        name = await _name(runtime, assistant, draft.created_at, owner_id=by.owner_id)
        try:
            await _insert(runtime, replace(draft, name=name), person, by=by)
        except Conflict as error:
            if not tries_left or error.details.get("field") != "name":
                raise
        else:
            return


async def _name(runtime: Runtime, assistant: str, now: datetime, *, owner_id: UUID | None) -> str:
    """Return a free name that says what it is, of whom and when."""
    wanted = f"Test call: {assistant}, {now:%Y-%m-%d %H:%M:%S}"
    candidates = [wanted, *name_candidates(wanted, longest=MAX_CAMPAIGN_NAME_CHARACTERS)]
    async with runtime.database.connection() as conn:
        taken = await reports.list_taken_names(conn, candidates, owner_id=owner_id)
    if wanted.lower() not in taken:
        return wanted
    return free_name(wanted, taken, longest=MAX_CAMPAIGN_NAME_CHARACTERS) or wanted


@once_more
async def _insert(runtime: Runtime, draft: Campaign, person: _Person, *, by: Maker) -> None:
    """Insert and start it in one, alone with this number: two clicks make one call, and none is left half made."""
    async with runtime.database.transaction() as conn:
        await test_calls.lock_phone(conn, person.phone.e164)
        if await test_calls.is_being_called(conn, person.phone.e164):
            raise Conflict("phone: this number is on a call, or about to be called, right now; wait until it is over.")
        if await suppressions.is_suppressed(conn, person.phone.e164):
            raise Conflict("phone: this person asked not to be called.")
        options = {"testCall": True, "region": draft.options.region}
        await campaigns.insert(conn, draft, options=options, owner_id=by.owner_id)
        await test_calls.insert_contact(
            conn, draft.id, name=person.name, business_name=person.business_name, phone=person.phone
        )
        await campaigns.save_contacts_loaded(conn, draft.id, total_contacts=1, report={"totalRows": 1, "accepted": 1})
        await audit.append(
            conn,
            now=draft.created_at,
            actor=by.name,
            action="test_call.queued",
            subject=str(draft.id),
            details={"assistantId": str(draft.assistant_id)},
        )
        await start_within(conn, draft.id, now=draft.created_at)
