"""People: who is on the list, as what, and that the last admin stays one, whoever is quicker."""

import asyncio
import uuid

import pytest

from autolynx.domain.permission import Role
from autolynx.errors import Conflict, NotFound, ValidationProblem
from autolynx.flows.access import create_token, find_holder
from autolynx.flows.people import (
    LAST_ADMIN,
    add_person,
    change_person,
    ensure_admin,
    find_person,
    get_person,
    has_password,
    list_people,
    remove_person,
)
from autolynx.flows.sessions import issue_ticket, open_session
from autolynx.flows.sign_in import set_password
from autolynx.store.database import Database
from autolynx.store.tokens import TokenKind
from tests.support.web import rows, running_web

pytestmark = pytest.mark.anyio

BOSS, ZOE = "boss@example.com", "zoe@example.com"
PASSWORD = "four words of nobody else"


async def test_a_person_is_added_once_in_whatever_case(database: Database) -> None:
    async with running_web(database) as web:
        person = await add_person(web.runtime, "  Zoe@Example.COM ", name=" Zoë ")
        assert (person.email, person.name, person.role) == (ZOE, "Zoë", Role.OPERATOR)
        with pytest.raises(Conflict, match="on the list already"):
            await add_person(web.runtime, "ZOE@example.com")
        assert await find_person(web.runtime, "zOe@example.com") == person


@pytest.mark.parametrize(
    "email", ["", "zoe", "zoe@", "@example.com", "a b@example.com", "x@y" + "z" * 300, "a\n@b.com"]
)
async def test_what_is_no_email_is_refused_by_name(database: Database, email: str) -> None:
    async with running_web(database) as web:
        with pytest.raises(ValidationProblem, match="email: "):
            await add_person(web.runtime, email)


@pytest.mark.parametrize("name", ["x" * 101, "a\x00b", "a\nb"])
async def test_a_name_that_cannot_be_shown_is_refused(database: Database, name: str) -> None:
    async with running_web(database) as web:
        with pytest.raises(ValidationProblem, match="name: "):
            await add_person(web.runtime, ZOE, name=name)


async def test_two_who_add_the_same_person_at_once_add_one(database: Database) -> None:
    async with running_web(database) as web:
        tries = await asyncio.gather(*(add_person(web.runtime, ZOE) for _ in range(6)), return_exceptions=True)
        assert sum(isinstance(one, Conflict) for one in tries) == 5
        assert len(await list_people(web.runtime)) == 1


async def test_removing_takes_everything_that_opens(database: Database) -> None:
    async with running_web(database) as web:
        await add_person(web.runtime, BOSS, role=Role.ADMIN)
        zoe = await add_person(web.runtime, ZOE)
        await set_password(web.runtime, zoe, PASSWORD)
        session = await open_session(web.runtime, (await issue_ticket(web.runtime, zoe)).secret)
        token = await create_token(web.runtime, "laptop", person=zoe)
        await remove_person(web.runtime, zoe.id)
        assert await find_holder(web.runtime, session.secret, TokenKind.SESSION) is None
        assert await find_holder(web.runtime, token.secret, TokenKind.API) is None
        assert await find_person(web.runtime, ZOE) is None
        for gone in (get_person(web.runtime, zoe.id), remove_person(web.runtime, zoe.id)):
            with pytest.raises(NotFound):
                await gone
        with pytest.raises(NotFound):
            await change_person(web.runtime, zoe.id, role=Role.ADMIN, actor="test")

        back = await add_person(web.runtime, ZOE, name="Again")
        assert back.id == zoe.id, "their campaigns are theirs again"
        assert not await has_password(web.runtime, zoe.id)
        assert await find_holder(web.runtime, token.secret, TokenKind.API) is None
        assert await find_holder(web.runtime, session.secret, TokenKind.SESSION) is None


async def test_the_last_admin_is_neither_removed_nor_demoted(database: Database) -> None:
    async with running_web(database) as web:
        boss = await add_person(web.runtime, BOSS, role=Role.ADMIN)
        await add_person(web.runtime, ZOE)
        with pytest.raises(Conflict, match=LAST_ADMIN):
            await remove_person(web.runtime, boss.id)
        with pytest.raises(Conflict, match=LAST_ADMIN):
            await change_person(web.runtime, boss.id, role=Role.OPERATOR, actor="test")
        assert (await change_person(web.runtime, boss.id, name="Chief", actor="test")).role is Role.ADMIN


async def test_admins_who_remove_and_demote_each_other_at_once_leave_one(database: Database) -> None:
    async with running_web(database) as web:
        admins = [await add_person(web.runtime, f"{number}@example.com", role=Role.ADMIN) for number in range(6)]
        deeds = [
            remove_person(web.runtime, one.id)
            if number % 2
            else change_person(web.runtime, one.id, role=Role.OPERATOR, actor="test")
            for number, one in enumerate(admins)
        ]
        tries = await asyncio.gather(*deeds, return_exceptions=True)
        assert sum(isinstance(one, Conflict) for one in tries) == 1
        left = [one for one in await list_people(web.runtime) if one.role is Role.ADMIN]
        assert len(left) == 1


async def test_nobody_who_is_not_there_can_be_changed(database: Database) -> None:
    async with running_web(database) as web:
        with pytest.raises(NotFound):
            await change_person(web.runtime, uuid.uuid4(), role=Role.ADMIN, actor="test")


async def test_the_one_whom_the_setting_names_is_an_admin_and_stays_what_he_was_made(database: Database) -> None:
    async with running_web(database) as web:
        boss = await ensure_admin(web.runtime, BOSS)
        assert boss.role is Role.ADMIN
        assert await ensure_admin(web.runtime, BOSS.upper()) == boss
        other = await add_person(web.runtime, ZOE, role=Role.ADMIN)
        await remove_person(web.runtime, boss.id)
        assert not (await ensure_admin(web.runtime, BOSS)).allowlisted
        assert [one.email for one in await list_people(web.runtime)] == [other.email]


async def test_the_one_whom_the_setting_names_opens_a_house_without_admin(database: Database) -> None:
    async with running_web(database) as web:
        zoe = await add_person(web.runtime, ZOE)
        assert (await ensure_admin(web.runtime, ZOE)).role is Role.ADMIN
        assert (await get_person(web.runtime, zoe.id)).role is Role.ADMIN


async def test_many_processes_that_start_at_once_make_one_admin(database: Database) -> None:
    async with running_web(database) as web:
        made = await asyncio.gather(*(ensure_admin(web.runtime, BOSS) for _ in range(6)))
        assert len({one.id for one in made}) == 1


async def test_every_change_is_on_record_without_a_name(database: Database) -> None:
    async with running_web(database) as web:
        await add_person(web.runtime, BOSS, role=Role.ADMIN, actor="ADMIN_EMAIL")
        zoe = await add_person(web.runtime, ZOE, name="Zoë", actor=BOSS)
        await change_person(web.runtime, zoe.id, role=Role.ADMIN, actor=BOSS)
        await remove_person(web.runtime, zoe.id, actor=BOSS)
        query = "SELECT actor, action, subject, details FROM audit_log WHERE action LIKE 'person.%%' ORDER BY id"
        found = await rows(database, query)
        assert [(row["actor"], row["action"], row["details"]["role"]) for row in found] == [
            ("ADMIN_EMAIL", "person.added", "admin"),
            (BOSS, "person.added", "operator"),
            (BOSS, "person.changed", "admin"),
            (BOSS, "person.removed", "admin"),
        ]
        assert "Zoë" not in str(found)
        assert ZOE not in str(found)
