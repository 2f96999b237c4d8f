"""One person, by phone number: what we keep, all of it as JSON, and its erasure. For admins alone.

The number is never written down: not in the log, not in the audit log, not in an address.
"""

import re
from dataclasses import dataclass
from typing import Any

from autolynx.domain.phone import Phone, read_phone
from autolynx.errors import Conflict, NotFound, ValidationProblem
from autolynx.flows.audit_trail import note
from autolynx.flows.once_more import once_more
from autolynx.flows.removals import recopied_by
from autolynx.log import log
from autolynx.runtime import Runtime
from autolynx.store import audit, persons, suppressions
from autolynx.store.database import Connection
from autolynx.store.erasing import Erased, erase_contacts
from autolynx.store.persons import Holdings

_E164 = re.compile(r"\+(?!999)[1-9][0-9]{6,14}")  # no tombstone is a person
_NOT_DIGITS = re.compile(r"[\s().-]")
FEWEST_DIGITS = 7  # of what is taken for a phone number as somebody typed it
NOTHING = "Nothing is kept of this phone number."


@dataclass(frozen=True, kw_only=True)
class Found:
    """What is kept of a person. `unread_uploads`: files that are not read through, in which the person may be too.

    `is_suppressed`: the person asked never to be called again.
    """

    phone: str
    holdings: Holdings
    unread_uploads: int
    is_suppressed: bool


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """What was erased. `at_provider`: the provider is asked to delete its data of so many calls."""

    erased: Erased
    upload_rows: int
    at_provider: int
    unread_uploads: int


def check_phone(runtime: Runtime, text: str) -> str:
    """Return a number in E.164. Raises ValidationProblem, without repeating what was typed.

    With its plus it is taken as it is: what may be called changes with the years, what was called does not.
    """
    whole = _NOT_DIGITS.sub("", text)
    if _E164.fullmatch(whole):
        return whole
    read = read_phone(text.strip(), region=runtime.settings.default_region)
    if not isinstance(read, Phone):
        raise ValidationProblem(f"phone: {read.reason}", field="phone")
    return read.e164


async def look_up(runtime: Runtime, phone: str) -> Found:
    """Count what is kept of a person. Raises ValidationProblem."""
    number = check_phone(runtime, phone)
    async with runtime.database.connection() as conn:
        holdings = await persons.count_holdings(conn, number)
        unread = await persons.count_unread_uploads(conn)
        is_suppressed = await suppressions.is_suppressed(conn, number)
    return Found(phone=number, holdings=holdings, unread_uploads=unread, is_suppressed=is_suppressed)


async def export_person(runtime: Runtime, phone: str, *, actor: str) -> dict[str, Any]:
    """Return all that is kept of a person as one JSON value. Raises ValidationProblem, NotFound."""
    number = check_phone(runtime, phone)
    async with runtime.database.connection() as conn:
        if (await persons.count_holdings(conn, number)).is_nothing:
            raise NotFound(NOTHING)
        contacts = [await _contact(runtime, conn, row) for row in await persons.list_contacts(conn, number)]
        bodies = await persons.list_bodies(conn, number)
        rows = await persons.list_upload_rows(conn, number)
    await note(runtime, "person.exported", actor=actor, details={"contacts": len(contacts)})
    return {
        "phone": number,
        "exportedAt": runtime.clock.now(),
        "contacts": contacts,
        "providerBodies": [_camel(body) for body in bodies],
        "uploadRows": [_camel(row) for row in rows],
    }


async def _contact(runtime: Runtime, conn: Connection, row: dict[str, Any]) -> dict[str, Any]:
    calls = []
    for call in await persons.list_calls(conn, row["id"]):
        events = [_camel(event) for event in await persons.list_events(conn, call["id"])]
        copy = call.pop("has_recording_copy")
        recording = f"{runtime.settings.public_url}/api/calls/{call['id']}/recording" if copy else None
        calls.append({**_camel(call), "recording": recording, "events": events})
    return {**_camel(row), "calls": calls}


def _camel(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with the API's names; what is within a JSON value keeps its own."""
    return {name.split("_")[0] + "".join(part.title() for part in name.split("_")[1:]): row[name] for name in row}


async def erase_person(
    runtime: Runtime, phone: str, *, at_provider: bool, never_again: bool = False, actor: str
) -> Erasure:
    """Erase all that is kept of a person; a tombstone that is nobody's keeps counts and costs true.

    Who was still to be called is not called. Copies of recordings go with the next tick, and with `at_provider` what
    the provider keeps of the calls. With `never_again` a keyed hash of the number is kept, by which later lists leave
    the person out, also where nothing is kept now. Raises ValidationProblem, NotFound, and Conflict while a call of
    the person is live or waits for a decision.
    """
    number = check_phone(runtime, phone)
    done = await _erase(runtime, number, at_provider=at_provider, never_again=never_again, actor=actor)
    log.info("person.erased", contacts=done.erased.contacts, calls=done.erased.calls)
    return done


@once_more
async def _erase(runtime: Runtime, number: str, *, at_provider: bool, never_again: bool, actor: str) -> Erasure:
    now = runtime.clock.now()
    async with runtime.database.transaction() as conn:
        if never_again:
            await suppressions.lock(conn)
            await suppressions.insert(conn, number, now=now)
        await persons.lock_campaigns(conn, number)
        holdings = await persons.count_holdings(conn, number)
        _check_may_be_erased(holdings, may_be_nothing=never_again)
        numbers, values = await _words_of(conn, number)
        contacts = await persons.list_contact_ids(conn, number)
        copied_by = recopied_by(runtime, now)
        erased = await erase_contacts(conn, contacts, now=now, recopied_by=copied_by, at_provider=at_provider)
        other = await persons.erase_other_bodies(conn, number)
        rows = await persons.erase_upload_rows(conn, number)
        await persons.erase_in_kept_answers(conn, numbers=numbers, values=values)
        unread = await persons.count_unread_uploads(conn)
        done = Erasure(
            erased=erased + Erased(bodies=other),
            upload_rows=rows,
            at_provider=erased.calls if at_provider else 0,
            unread_uploads=unread,
        )
        details = {"contacts": erased.contacts, "calls": erased.calls, "recordings": erased.recordings}
        details |= {"bodies": done.erased.bodies, "uploadRows": rows, "atProvider": at_provider}
        details |= {"neverAgain": True} if never_again else {}
        await audit.append(conn, now=now, actor=actor, action="person.erased", details=details)
    return done


async def allow_again(runtime: Runtime, phone: str, *, actor: str) -> None:
    """Let a person be called again who had asked not to be. Raises ValidationProblem, NotFound."""
    number = check_phone(runtime, phone)
    async with runtime.database.transaction() as conn:
        if not await suppressions.delete(conn, number):
            raise NotFound("This person did not ask never to be called.")
        await audit.append(conn, now=runtime.clock.now(), actor=actor, action="person.allowed")


def _check_may_be_erased(holdings: Holdings, *, may_be_nothing: bool) -> None:
    if holdings.is_nothing and not may_be_nothing:
        raise NotFound(NOTHING)
    if holdings.live_calls:
        raise Conflict(
            "A call of this person is live, or waits for a decision: let it end or decide, then erase.",
            details={"liveCalls": holdings.live_calls},
        )


async def _words_of(conn: Connection, number: str) -> tuple[list[str], list[str]]:
    """Return by what a person may be named in an answer that is kept for a day: numbers as typed, and other texts."""
    contacts, rows = await persons.list_contacts(conn, number), await persons.list_upload_rows(conn, number)
    values = {row[name] for row in contacts for name in ("name", "business_name", "phone_raw") if row[name]}
    values |= {cell for row in rows for cell in row["cells"] if cell}
    numbers = {value for value in values if sum(letter.isdigit() for letter in value) >= FEWEST_DIGITS} | {number}
    return sorted(numbers, key=len, reverse=True), sorted(values - numbers)
