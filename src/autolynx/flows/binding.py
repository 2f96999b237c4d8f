"""Whose entry of the list an identity is: bound at first sign-in to the `sub` of whoever proved the email.

From then on the `sub` counts: another account with the same email stays outside, and a change of the email at the
identity server locks nobody out.
"""

from dataclasses import replace
from datetime import datetime

from autolynx.errors import Conflict, Forbidden
from autolynx.identity.port import Identity
from autolynx.store import audit, people
from autolynx.store.database import Connection
from autolynx.store.people import Person

SUPABASE = "supabase"
UNVERIFIED, UNLISTED, BOUND_ELSEWHERE = "unverified", "unlisted", "bound_elsewhere"


class NotLetIn(Forbidden):
    """Somebody proved who they are, and may not come in. `reason` is for the audit log alone."""

    def __init__(self, reason: str) -> None:
        super().__init__("This account may not come in here.")
        self.reason = reason


async def bound_person(conn: Connection, identity: Identity, *, now: datetime, how: str) -> Person:
    """Return the person on the list, locked; bound by this where they were not. The email must be verified then.

    Raises NotLetIn.
    """
    person = await people.find_by_sub(conn, SUPABASE, identity.subject)
    if person is None:
        return await _bind(conn, identity, now=now, how=how)
    person = await people.lock(conn, person.id)
    if not person.allowlisted or person.sub != identity.subject:
        raise NotLetIn(UNLISTED)
    return person


def check_verified(identity: Identity) -> None:
    """Raise NotLetIn for an email that the identity server does not vouch for."""
    if not identity.is_email_verified:
        raise NotLetIn(UNVERIFIED)


async def may_bind(conn: Connection, email: str) -> bool:
    """Whether there is an entry of that email which nobody has taken yet."""
    person = await people.find_by_email(conn, email)
    return person is not None and person.allowlisted and not _is_bound(person)


async def _bind(conn: Connection, identity: Identity, *, now: datetime, how: str) -> Person:
    check_verified(identity)
    known = await people.find_by_email(conn, identity.email)
    if known is None:
        raise NotLetIn(UNLISTED)
    person = await people.lock(conn, known.id)
    if not person.allowlisted:
        raise NotLetIn(UNLISTED)
    if _is_bound(person):
        raise NotLetIn(BOUND_ELSEWHERE)
    bound = replace(person, identity=SUPABASE, sub=identity.subject)
    try:
        await people.save(conn, bound)
    except Conflict:  # at this moment the same account became somebody else's
        raise NotLetIn(BOUND_ELSEWHERE) from None
    details = {"how": how}
    await audit.append(
        conn, now=now, actor=person.email, action="identity.bound", subject=str(person.id), details=details
    )
    return bound


def _is_bound(person: Person) -> bool:
    return person.identity == SUPABASE and person.sub is not None
