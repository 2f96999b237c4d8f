"""Tokens, tickets and sessions: what opens what, and for how long."""

import asyncio
from uuid import UUID

import pytest

from autolynx.errors import NotFound, Unauthorized, ValidationProblem
from autolynx.flows.access import create_token, find_holder, list_tokens, revoke
from autolynx.flows.sessions import issue_ticket, open_session
from autolynx.store.database import Database
from autolynx.store.tokens import TokenKind
from tests.support.signed_in import a_person
from tests.support.web import moved_clock, rows, running_web

pytestmark = pytest.mark.anyio


async def test_a_ticket_opens_exactly_one_session_however_many_ask_at_once(database: Database) -> None:
    async with running_web(database, clock=moved_clock()) as web:
        ticket = await issue_ticket(web.runtime, await a_person(web.runtime))
        tries = await asyncio.gather(
            *(open_session(web.runtime, ticket.secret) for _ in range(6)), return_exceptions=True
        )
        assert sum(not isinstance(one, Unauthorized) for one in tries) == 1
        actions = [row["action"] for row in await rows(database, "SELECT action FROM audit_log ORDER BY id")]
        assert actions.count("session.opened") == 1
        assert actions.count("session.refused") == 1  # one a minute


async def test_a_ticket_lives_fifteen_minutes_and_a_session_a_day(database: Database) -> None:
    clock = moved_clock()
    async with running_web(database, clock=clock) as web:
        late, good = (
            await issue_ticket(web.runtime, await a_person(web.runtime)),
            await issue_ticket(web.runtime, await a_person(web.runtime)),
        )
        session = await open_session(web.runtime, good.secret)
        clock.move(15 * 60)
        with pytest.raises(Unauthorized):
            await open_session(web.runtime, late.secret)
        clock.move(24 * 3600 - 15 * 60 - 1)
        assert await find_holder(web.runtime, session.secret, TokenKind.SESSION)
        clock.move(24 * 3600 - 1)  # it has just been used: the day begins anew
        assert await find_holder(web.runtime, session.secret, TokenKind.SESSION)
        clock.move(24 * 3600)
        assert await find_holder(web.runtime, session.secret, TokenKind.SESSION) is None


async def test_the_use_of_a_token_is_noted_once_a_minute(database: Database) -> None:
    clock = moved_clock()
    async with running_web(database, clock=clock) as web:
        made = await create_token(web.runtime, "laptop")

        async def used_at() -> object:
            await find_holder(web.runtime, made.secret, TokenKind.API)
            (row,) = await rows(database, "SELECT last_used_at FROM api_tokens WHERE id = %s", made.token.id)
            return row["last_used_at"]

        first = await used_at()
        assert first == clock.now()
        clock.move(60)
        assert await used_at() == first
        clock.move(1)
        assert await used_at() == clock.now()


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\nb"])
async def test_a_token_needs_a_name_that_can_be_shown(database: Database, name: str) -> None:
    async with running_web(database) as web:
        with pytest.raises(ValidationProblem):
            await create_token(web.runtime, name)


async def test_a_revoked_token_is_no_longer_listed_and_revoking_twice_is_no_error(database: Database) -> None:
    async with running_web(database) as web:
        made = await create_token(web.runtime, "laptop")
        for _ in range(2):
            await revoke(web.runtime, made.token.id)
        assert made.token.id not in {one.token.id for one in await list_tokens(web.runtime)}
        entries = await rows(database, "SELECT 1 AS one FROM audit_log WHERE action = 'token.revoked'")
        assert len(entries) == 1
        with pytest.raises(NotFound):
            await revoke(web.runtime, UUID(int=0))


@pytest.mark.parametrize("secret", ["", "al_", "x" * 10_000, "\ud800", "a\x00b"])
async def test_nonsense_holds_nothing(database: Database, secret: str) -> None:
    async with running_web(database) as web:
        assert await find_holder(web.runtime, secret, TokenKind.API) is None
