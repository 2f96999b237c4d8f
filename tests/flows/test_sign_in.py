"""Signing in with accounts of our own: by password, by a mailed link, and with a new password."""

import asyncio
import re
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from autolynx.domain.permission import Role
from autolynx.errors import MailFailed, RateLimited, Unauthorized, ValidationProblem
from autolynx.flows.access import find_holder
from autolynx.flows.people import remove_person
from autolynx.flows.sessions import Session, issue_ticket, open_session
from autolynx.flows.sign_in import WRONG, change_password, reset_password, send_link, set_password, sign_in
from autolynx.identity.mail import MailSecurity, SmtpMailer
from autolynx.runtime import Runtime
from autolynx.store.database import Database
from autolynx.store.tokens import TokenKind
from tests.support.engine import free_port
from tests.support.mail_server import HOST, SENDER, MailServer, running_mail_server
from tests.support.signed_in import a_person
from tests.support.web import moved_clock, rows, running_web

pytestmark = pytest.mark.anyio

ZOE, BOSS = "zoe@example.com", "boss@example.com"
OLD, NEW = "four words of nobody else", "five other words of nobody"
HERE = "203.0.113.7"
QUARTER = 15 * 60


async def zoe_with_password(runtime: Runtime) -> None:
    await a_person(runtime, BOSS, Role.ADMIN)
    await set_password(runtime, await a_person(runtime, ZOE, Role.OPERATOR), OLD)


async def is_open(runtime: Runtime, session: Session) -> bool:
    return await find_holder(runtime, session.secret, TokenKind.SESSION) is not None


async def test_email_in_any_case_and_password_begin_a_session(database: Database) -> None:
    async with running_web(database) as web:
        await zoe_with_password(web.runtime)
        session = await sign_in(web.runtime, " ZOE@Example.com", OLD, address=HERE)
        assert session.person.email == ZOE
        assert await is_open(web.runtime, session)


async def test_every_reason_is_told_in_the_same_words(database: Database) -> None:
    async with running_web(database) as web:
        await zoe_with_password(web.runtime)
        await a_person(web.runtime, "no-password@example.com", Role.OPERATOR)
        removed = await a_person(web.runtime, "removed@example.com", Role.OPERATOR)
        await set_password(web.runtime, removed, OLD)
        await remove_person(web.runtime, removed.id)
        wrong = [ZOE, "no-password@example.com", "unknown@example.com", "no email at all", "", "x" * 400]
        for email, password in [*((email, "wrong") for email in wrong), ("removed@example.com", OLD), (ZOE, "")]:
            with pytest.raises(Unauthorized) as refused:
                await sign_in(web.runtime, email, password, address=HERE)
            assert refused.value.message == WRONG
            assert refused.value.details == {}


async def test_five_failures_close_an_email_for_a_quarter_of_an_hour_and_links_still_open(database: Database) -> None:
    clock = moved_clock()
    async with running_web(database, clock=clock) as web:
        await zoe_with_password(web.runtime)
        for _ in range(5):
            with pytest.raises(Unauthorized):
                await sign_in(web.runtime, ZOE, "wrong", address=HERE)
        for password in ("wrong", OLD):
            with pytest.raises(RateLimited, match="Try again in 15 minutes"):
                await sign_in(web.runtime, ZOE.upper(), password, address="198.51.100.1")
        link = await issue_ticket(web.runtime, await a_person(web.runtime, ZOE))
        assert await is_open(web.runtime, await open_session(web.runtime, link.secret))
        clock.move(QUARTER)
        assert await is_open(web.runtime, await sign_in(web.runtime, ZOE, OLD, address=HERE))


async def test_an_unknown_email_is_closed_like_a_known_one(database: Database) -> None:
    async with running_web(database, clock=moved_clock()) as web:
        for _ in range(5):
            with pytest.raises(Unauthorized):
                await sign_in(web.runtime, "unknown@example.com", "wrong", address=HERE)
        with pytest.raises(RateLimited):
            await sign_in(web.runtime, "unknown@example.com", "wrong", address=HERE)


async def test_many_guesses_at_once_get_no_further(database: Database) -> None:
    async with running_web(database, clock=moved_clock()) as web:
        await zoe_with_password(web.runtime)
        guesses = [sign_in(web.runtime, ZOE, f"guess {number}", address=HERE) for number in range(12)]
        tries = await asyncio.gather(*guesses, return_exceptions=True)
        assert sum(isinstance(one, Unauthorized) for one in tries) == 5
        assert sum(isinstance(one, RateLimited) for one in tries) == 7


async def test_success_forgets_the_failures_before(database: Database) -> None:
    async with running_web(database, clock=moved_clock()) as web:
        await zoe_with_password(web.runtime)
        for _ in range(3):
            for _ in range(4):
                with pytest.raises(Unauthorized):
                    await sign_in(web.runtime, ZOE, "wrong", address=HERE)
            await sign_in(web.runtime, ZOE, OLD, address=HERE)


async def test_a_weaker_hash_of_before_is_made_anew_by_signing_in(database: Database) -> None:
    async with running_web(database) as web:
        await zoe_with_password(web.runtime)
        weak = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(OLD)
        await rows(database, "UPDATE passwords SET password_hash = %s RETURNING user_id", weak)
        await sign_in(web.runtime, ZOE, OLD, address=HERE)
        (kept,) = await rows(database, "SELECT password_hash FROM passwords")
        assert kept["password_hash"] != weak
        await sign_in(web.runtime, ZOE, OLD, address=HERE)


async def test_a_changed_password_ends_the_other_sessions_alone(database: Database) -> None:
    async with running_web(database) as web:
        await zoe_with_password(web.runtime)
        here, there = [await sign_in(web.runtime, ZOE, OLD, address=HERE) for _ in range(2)]
        with pytest.raises(Unauthorized, match="current: "):
            await change_password(web.runtime, here.person.id, current="wrong", new=NEW, session_id=here.token.id)
        with pytest.raises(ValidationProblem, match="password: "):
            await change_password(web.runtime, here.person.id, current=OLD, new="short", session_id=here.token.id)
        await change_password(web.runtime, here.person.id, current=OLD, new=NEW, session_id=here.token.id)
        assert await is_open(web.runtime, here)
        assert not await is_open(web.runtime, there)
        with pytest.raises(Unauthorized):
            await sign_in(web.runtime, ZOE, OLD, address=HERE)
        await sign_in(web.runtime, ZOE, NEW, address=HERE)


async def test_the_current_password_cannot_be_guessed_in_an_open_session(database: Database) -> None:
    async with running_web(database, clock=moved_clock()) as web:
        await zoe_with_password(web.runtime)
        session = await sign_in(web.runtime, ZOE, OLD, address=HERE)
        zoe, here = session.person.id, session.token.id
        for _ in range(5):
            with pytest.raises(Unauthorized):
                await change_password(web.runtime, zoe, current="wrong", new=NEW, session_id=here)
        with pytest.raises(RateLimited):
            await change_password(web.runtime, zoe, current=OLD, new=NEW, session_id=here)


async def test_the_first_password_is_set_without_a_current_one(database: Database) -> None:
    async with running_web(database) as web:
        zoe = await a_person(web.runtime, ZOE, Role.OPERATOR)
        await change_password(web.runtime, zoe.id, current="", new=NEW, session_id=None)
        await sign_in(web.runtime, ZOE, NEW, address=HERE)


def ticket_in(server: MailServer) -> tuple[str, str]:
    """Return where the link of the last mail leads, and its ticket."""
    text = server.outbox[-1].get_content()
    found = re.search(r"http://\S+?(/\S+)\?ticket=(al_[\w-]+)", text)
    assert found is not None, text
    return found[1], found[2]


async def test_a_mailed_link_signs_in_once(database: Database, tmp_path: Path) -> None:
    async with running_mail_server(tmp_path) as server, running_web(database, mailer=server.mailer()) as web:
        await zoe_with_password(web.runtime)
        await send_link(web.runtime, "ZOE@example.com", TokenKind.TICKET)
        assert server.outbox[-1]["To"] == ZOE
        place, ticket = ticket_in(server)
        assert place == "/enter"
        assert (await open_session(web.runtime, ticket)).person.email == ZOE
        with pytest.raises(Unauthorized):
            await open_session(web.runtime, ticket)


async def test_a_mailed_reset_sets_one_password_and_ends_every_session(database: Database, tmp_path: Path) -> None:
    async with running_mail_server(tmp_path) as server, running_web(database, mailer=server.mailer()) as web:
        await zoe_with_password(web.runtime)
        before = await sign_in(web.runtime, ZOE, OLD, address=HERE)
        await send_link(web.runtime, ZOE, TokenKind.RESET)
        place, ticket = ticket_in(server)
        assert place == "/sign-in/new-password"
        with pytest.raises(ValidationProblem):
            await reset_password(web.runtime, ticket, "short")  # and the link is not spent by it
        session = await reset_password(web.runtime, ticket, NEW)
        assert await is_open(web.runtime, session)
        assert not await is_open(web.runtime, before)
        with pytest.raises(Unauthorized):
            await reset_password(web.runtime, ticket, "six more words of nobody")
        await sign_in(web.runtime, ZOE, NEW, address=HERE)


async def test_a_reset_and_a_ticket_are_two_things(database: Database, tmp_path: Path) -> None:
    async with running_mail_server(tmp_path) as server, running_web(database, mailer=server.mailer()) as web:
        await zoe_with_password(web.runtime)
        await send_link(web.runtime, ZOE, TokenKind.RESET)
        _, reset = ticket_in(server)
        with pytest.raises(Unauthorized):
            await open_session(web.runtime, reset)
        link = await issue_ticket(web.runtime, await a_person(web.runtime, ZOE))
        with pytest.raises(Unauthorized):
            await reset_password(web.runtime, link.secret, NEW)
        assert await is_open(web.runtime, await open_session(web.runtime, link.secret)), "it was not spent"
        await reset_password(web.runtime, reset, NEW)


async def test_a_reset_works_for_a_quarter_of_an_hour_and_for_nobody_who_was_removed(
    database: Database, tmp_path: Path
) -> None:
    clock = moved_clock()
    async with (
        running_mail_server(tmp_path) as server,
        running_web(database, clock=clock, mailer=server.mailer()) as web,
    ):
        await zoe_with_password(web.runtime)
        await send_link(web.runtime, ZOE, TokenKind.RESET)
        _, late = ticket_in(server)
        clock.move(QUARTER)
        with pytest.raises(Unauthorized):
            await reset_password(web.runtime, late, NEW)
        await send_link(web.runtime, ZOE, TokenKind.RESET)
        _, removed = ticket_in(server)
        await remove_person(web.runtime, (await a_person(web.runtime, ZOE)).id)
        with pytest.raises(Unauthorized):
            await reset_password(web.runtime, removed, NEW)


async def test_a_reset_asked_for_many_at_once_is_spent_by_one(database: Database, tmp_path: Path) -> None:
    async with running_mail_server(tmp_path) as server, running_web(database, mailer=server.mailer()) as web:
        await zoe_with_password(web.runtime)
        await send_link(web.runtime, ZOE, TokenKind.RESET)
        _, ticket = ticket_in(server)
        wishes = [reset_password(web.runtime, ticket, f"{number} words of nobody") for number in range(5)]
        tries = await asyncio.gather(*wishes, return_exceptions=True)
        assert sum(isinstance(one, Session) for one in tries) == 1
        assert sum(isinstance(one, Unauthorized) for one in tries) == 4


async def test_nobody_else_is_mailed_and_nobody_is_mailed_too_often(database: Database, tmp_path: Path) -> None:
    clock = moved_clock()
    async with (
        running_mail_server(tmp_path) as server,
        running_web(database, clock=clock, mailer=server.mailer()) as web,
    ):
        await zoe_with_password(web.runtime)
        for email in ("unknown@example.com", "no email", ""):
            await send_link(web.runtime, email, TokenKind.TICKET)
        assert server.outbox == []
        for _ in range(3):
            await send_link(web.runtime, ZOE, TokenKind.TICKET)
        with pytest.raises(RateLimited):
            await send_link(web.runtime, ZOE, TokenKind.RESET)
        assert len(server.outbox) == 3
        clock.move(QUARTER)
        await send_link(web.runtime, ZOE, TokenKind.RESET)
        assert len(server.outbox) == 4


async def test_a_mail_server_that_is_gone_is_told_without_the_address(database: Database) -> None:
    gone = SmtpMailer(host=HOST, port=free_port(), sender=SENDER, security=MailSecurity.NONE)
    async with running_web(database, mailer=gone) as web:
        await zoe_with_password(web.runtime)
        with pytest.raises(MailFailed) as failure:
            await send_link(web.runtime, ZOE, TokenKind.TICKET)
        assert ZOE not in f"{failure.value.message} {failure.value.details}"


async def test_without_a_mail_server_nothing_is_made(database: Database) -> None:
    async with running_web(database) as web:
        await zoe_with_password(web.runtime)
        await send_link(web.runtime, ZOE, TokenKind.TICKET)
        assert await rows(database, "SELECT id FROM api_tokens WHERE kind IN ('ticket', 'reset')") == []
