"""People: who is on the list, as what, and who is removed from it. Removing somebody ends their access at once."""

import uuid
from dataclasses import replace
from uuid import UUID

from autolynx.domain.email import checked_email
from autolynx.domain.permission import Role
from autolynx.errors import Conflict, NotFound, ValidationProblem
from autolynx.log import log
from autolynx.runtime import Runtime
from autolynx.store import audit, passwords, people, tokens
from autolynx.store.database import Connection
from autolynx.store.people import Person
from autolynx.store.tokens import TokenKind

MOST_NAME_CHARACTERS = 100
LAST_ADMIN = "There must be one admin left: make somebody else an admin first."


async def add_person(
    runtime: Runtime, email: str, *, role: Role = Role.OPERATOR, name: str = "", actor: str = "console"
) -> Person:
    """Put somebody on the list, or back on it: as the same person, without password and tokens of before.

    Raises ValidationProblem, and Conflict for one who is on it.
    """
    address, called = checked_email(email), _checked_name(name)
    now = runtime.clock.now()
    async with runtime.database.transaction() as conn:
        await people.lock_list(conn)
        known = await people.find_by_email(conn, address)
        if known is not None and known.allowlisted:
            raise Conflict("email: this person is on the list already.", details={"field": "email"})
        fresh = Person(id=uuid.uuid4(), email=address, role=role, allowlisted=True, created_at=now)
        person = replace(known or fresh, role=role, name=called, added_by=actor, allowlisted=True, removed_at=None)
        await (people.insert(conn, person) if known is None else people.save(conn, person))
        await _note(conn, runtime, person, action="person.added", actor=actor)
    log.info("person.added", id=str(person.id), role=role)
    return person


async def change_person(
    runtime: Runtime, user_id: UUID, *, role: Role | None = None, name: str | None = None, actor: str
) -> Person:
    """Give a person another role or name, at once. Raises NotFound, and Conflict for the last admin."""
    async with runtime.database.transaction() as conn:
        await people.lock_list(conn)
        before = await _on_the_list(conn, user_id)
        if before.role is Role.ADMIN and role is Role.OPERATOR:
            await _keep_one_admin(conn)
        after = replace(before, role=role or before.role, name=before.name if name is None else _checked_name(name))
        await people.save(conn, after)
        await _note(conn, runtime, after, action="person.changed", actor=actor)
    return after


async def remove_person(runtime: Runtime, user_id: UUID, *, actor: str = "console") -> None:
    """Take a person off the list: sessions, tokens and password end with it; their campaigns stay.

    Raises NotFound, and Conflict for the last admin.
    """
    now = runtime.clock.now()
    async with runtime.database.transaction() as conn:
        await people.lock_list(conn)
        person = await _on_the_list(conn, user_id)
        if person.role is Role.ADMIN:
            await _keep_one_admin(conn)
        removed = replace(person, allowlisted=False, removed_at=now, identity=None, sub=None)
        await people.save(conn, removed)
        await passwords.delete_hash(conn, user_id)
        await tokens.revoke_all(conn, user_id, now, kinds=tuple(TokenKind))
        await _note(conn, runtime, removed, action="person.removed", actor=actor)
    log.info("person.removed", id=str(user_id))


async def list_people(runtime: Runtime) -> list[Person]:
    """Return the people on the list, by email."""
    async with runtime.database.connection() as conn:
        return await people.list_all(conn)


async def get_person(runtime: Runtime, user_id: UUID) -> Person:
    """Return a person on the list. Raises NotFound."""
    async with runtime.database.connection() as conn:
        person = await people.get(conn, user_id)
    if not person.allowlisted:
        raise NotFound("There is no person of that id.")
    return person


async def has_password(runtime: Runtime, user_id: UUID) -> bool:
    """Whether a person may sign in by password."""
    async with runtime.database.connection() as conn:
        return await passwords.find_hash(conn, user_id) is not None


async def find_person(runtime: Runtime, email: str) -> Person | None:
    """Return the person of that email who is on the list; None for anybody else. Raises ValidationProblem."""
    async with runtime.database.connection() as conn:
        person = await people.find_by_email(conn, checked_email(email))
    return person if person is not None and person.allowlisted else None


async def ensure_admin(runtime: Runtime, email: str) -> Person:
    """See to it that this person is an admin: the one whom ADMIN_EMAIL names, at every start.

    Somebody who was removed from the list, or made an operator, since then stays so as long as there is another admin.
    """
    async with runtime.database.connection() as conn:
        known = await people.find_by_email(conn, checked_email(email))
        admins = await people.count_admins(conn)
    if known is not None and (admins or (known.allowlisted and known.role is Role.ADMIN)):
        return known
    try:
        if known is not None and known.allowlisted:
            return await change_person(runtime, known.id, role=Role.ADMIN, actor="ADMIN_EMAIL")
        return await add_person(runtime, email, role=Role.ADMIN, actor="ADMIN_EMAIL")
    except Conflict:  # another process has just done it
        return await _known(runtime, email)


async def _known(runtime: Runtime, email: str) -> Person:
    person = await find_person(runtime, email)
    if person is None:
        raise NotFound("There is nobody of that email on the list.")
    return person


async def _on_the_list(conn: Connection, user_id: UUID) -> Person:
    person = await people.lock(conn, user_id)
    if not person.allowlisted:
        raise NotFound("There is no person of that id.")
    return person


async def _keep_one_admin(conn: Connection) -> None:
    if await people.count_admins(conn) <= 1:
        raise Conflict(LAST_ADMIN)


async def _note(conn: Connection, runtime: Runtime, person: Person, *, action: str, actor: str) -> None:
    await audit.append(
        conn,
        now=runtime.clock.now(),
        actor=actor,
        action=action,
        subject=str(person.id),
        details={"role": person.role.value},
    )


def _checked_name(name: str) -> str:
    name = name.strip()
    if len(name) > MOST_NAME_CHARACTERS or (name and not name.isprintable()):
        raise ValidationProblem("name: use at most 100 printable characters.", field="name")
    return name
